package ws_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"cosim/federates/ws"
	"cosim/sync"
)

// villain is a peer made by hand, which plays an adder by the rules until it
// does not.
type villain struct {
	t      testing.TB
	house  *house
	header http.Header
	adder  *adder
	socket *websocket.Conn
	resume string
	step   ws.Step // asked for last
	done   *ws.Done
	told   error // the error frame that ended the session
}

// dial connects; the error is that of the upgrade.
func (v *villain) dial() error {
	d := websocket.Dialer{Subprotocols: []string{ws.ProtocolJSON}}
	socket, _, err := d.Dial(v.house.url(v.adder.name), v.header)
	v.socket = socket
	return err
}

// enter connects and says hello; with a token that means coming back.
func (v *villain) enter(resume string) {
	if err := v.dial(); err != nil {
		v.t.Error(err)
		return
	}
	h := ws.HelloOf(v.adder.Describe())
	h.ResumeToken = resume
	v.send(h)
	w := &ws.Welcome{}
	if v.receive(w) {
		v.resume = w.ResumeToken
	}
}

func (v *villain) send(message any) {
	frame, err := ws.JSON.Encode(message)
	if err != nil {
		v.t.Error(err)
	}
	v.sendText(string(frame))
}

func (v *villain) sendText(frame string) {
	_ = v.socket.WriteMessage(websocket.TextMessage, []byte(frame))
}

// receive waits for a message; false when the session has ended.
func (v *villain) receive(message any) bool {
	_ = v.socket.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, frame, err := v.socket.ReadMessage()
	if err != nil {
		return false
	}
	if err := ws.JSON.Decode(frame, message); err != nil {
		var e *ws.Error
		if errors.As(err, &e) {
			v.told = e
		}
		return false
	}
	return true
}

// next waits for a step and makes it, without answering yet; false when the
// session has ended. A step that is asked for again was made before.
func (v *villain) next() bool {
	s := ws.Step{}
	if !v.receive(&s) {
		return false
	}
	if v.done != nil && v.done.Seq == s.Seq {
		return true
	}
	v.step = s
	d := v.adder.Describe()
	step := sync.Step{Seq: s.Seq, From: sync.Time(s.FromNS), To: sync.Time(s.ToNS), In: make([]sync.Signal, len(d.Inputs)), Out: make([]sync.Signal, len(d.Outputs))}
	for i, p := range d.Inputs {
		if content, ok := s.Inputs[p.Name]; ok {
			step.In[i].Values = make([]float64, len(p.Elements))
			if err := ws.JSON.Fill(&step.In[i], &d.Inputs[i], &content, 0, 1<<62); err != nil {
				v.t.Error(err)
			}
		}
	}
	step.Out[0].Values = make([]float64, len(adderElements))
	var err error
	if s.Seq < 0 {
		err = v.adder.Init(step.Out)
	} else {
		err = v.adder.Step(&step)
	}
	if err != nil {
		v.t.Error(err)
	}
	v.done = &ws.Done{Type: ws.TypeDone, Seq: s.Seq, Outputs: map[string]ws.Content{}}
	for i := range d.Outputs {
		v.done.Outputs[d.Outputs[i].Name] = ws.ContentOf(&d.Outputs[i], &step.Out[i])
	}
	return true
}

// behave answers steps up to the one before seq, and makes that.
func (v *villain) behave(seq int64) bool {
	for v.next() {
		if v.step.Seq == seq {
			return true
		}
		v.send(v.done)
	}
	return false
}

// finish answers this step and all to come.
func (v *villain) finish() {
	v.send(v.done)
	v.behave(-2)
}

// listen reads on until the master has had its last words.
func (v *villain) listen() {
	for v.receive(&ws.Step{}) {
		continue
	}
}

// cut hangs up without a word.
func (v *villain) cut() { _ = v.socket.NetConn().Close() }

// comeBack connects again with its token.
func (v *villain) comeBack() {
	v.cut()
	v.enter(v.resume)
}
