//go:build integration

package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/gorilla/websocket"

	"cosim/federates/ws"
	cosync "cosim/sync"
)

// trickster is a peer made by hand. It plays a federate by the rules until it
// does not.
type trickster struct {
	url, token string
	codec      *ws.Codec
	federate   cosync.Federate
	place      place // in the step, where it begins to cheat

	socket *websocket.Conn
	left   []*websocket.Conn // all that it has opened
	resume string
	step   ws.Step // asked for last
	seq    int64   // made last
	out    []cosync.Signal
	done   ws.Done
	answer []byte
	told   *ws.Error
}

// place is where in a step something happens.
type place string

const (
	before place = "before its answer"
	half   place = "within its answer"
	after  place = "after its answer"
)

// newTrickster makes one that has made no step yet.
func newTrickster(url, token string, codec *ws.Codec, f cosync.Federate, at place) *trickster {
	p := &trickster{url: url, token: token, codec: codec, federate: f, place: at, seq: -2}
	for _, port := range f.Describe().Outputs {
		p.out = append(p.out, cosync.Signal{Values: make([]float64, len(port.Elements))})
	}
	return p
}

func (p *trickster) dial() error {
	header := http.Header{}
	if p.token != "" {
		header.Set("Authorization", "Bearer "+p.token)
	}
	d := websocket.Dialer{Subprotocols: []string{p.codec.Protocol()}, HandshakeTimeout: 10 * time.Second}
	socket, answer, err := d.Dial(p.url, header)
	if answer != nil {
		_ = answer.Body.Close()
	}
	if err == nil {
		p.left = append(p.left, socket)
		p.socket = socket
	}
	return err
}

// leave closes all that it has opened.
func (p *trickster) leave() {
	for _, socket := range p.left {
		_ = socket.Close()
	}
}

// enter connects and says hello; with a token that means coming back.
func (p *trickster) enter(resume string) bool {
	if p.dial() != nil {
		return false
	}
	h := ws.HelloOf(p.federate.Describe())
	h.ResumeToken = resume
	p.send(h)
	w := &ws.Welcome{}
	if !p.receive(w) {
		return false
	}
	p.resume = w.ResumeToken
	return true
}

func (p *trickster) send(message any) {
	if frame, err := p.codec.Encode(message); err == nil {
		p.write(frame)
	}
}

func (p *trickster) write(frame []byte) {
	_ = p.socket.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_ = p.socket.WriteMessage(p.codec.FrameType(), frame)
}

// raw writes past the WebSocket.
func (p *trickster) raw(b ...byte) {
	_ = p.socket.NetConn().SetWriteDeadline(time.Now().Add(5 * time.Second))
	_, _ = p.socket.NetConn().Write(b)
}

// receive waits for a message; false when the session has ended.
func (p *trickster) receive(message any) bool {
	_ = p.socket.SetReadDeadline(time.Now().Add(30 * time.Second))
	_, frame, err := p.socket.ReadMessage()
	if err != nil {
		return false
	}
	err = p.codec.Decode(frame, message)
	_ = errors.As(err, &p.told)
	return err == nil
}

// next waits for a step and makes it, without answering yet; false when the
// session has ended. A step that is asked for again was made before.
func (p *trickster) next() bool {
	s := ws.Step{}
	if !p.receive(&s) {
		return false
	}
	p.step = s
	if s.Seq == p.seq {
		return true
	}
	d := p.federate.Describe()
	step := cosync.Step{Seq: s.Seq, From: cosync.Time(s.FromNS), To: cosync.Time(s.ToNS), In: make([]cosync.Signal, len(d.Inputs)), Out: p.out}
	for i := range d.Inputs {
		if content, ok := s.Inputs[d.Inputs[i].Name]; ok {
			step.In[i].Values = make([]float64, len(d.Inputs[i].Elements))
			if p.codec.Fill(&step.In[i], &d.Inputs[i], &content, 0, 1<<62) != nil {
				return false
			}
		}
	}
	for i := range p.out {
		p.out[i].Messages, p.out[i].Events = nil, nil
	}
	advance := p.federate.Step
	if s.Seq < 0 {
		advance = func(s *cosync.Step) error { return p.federate.Init(s.Out) }
	}
	if advance(&step) != nil {
		return false
	}
	p.seq, p.done = s.Seq, ws.Done{Type: ws.TypeDone, Seq: s.Seq, Outputs: map[string]ws.Content{}}
	for i := range d.Outputs {
		p.done.Outputs[d.Outputs[i].Name] = ws.ContentOf(&d.Outputs[i], &p.out[i])
	}
	var err error
	p.answer, err = p.codec.Encode(&p.done)
	return err == nil
}

// behave answers steps up to the one before seq, and makes that.
func (p *trickster) behave(seq int64) bool {
	for p.next() {
		if p.step.Seq == seq {
			return true
		}
		p.write(p.answer)
	}
	return false
}

// begin does what comes before the place.
func (p *trickster) begin() {
	switch p.place {
	case half:
		p.halfAnswer()
	case after:
		p.write(p.answer)
	}
}

func (p *trickster) halfAnswer() {
	const mask = 0x80
	head := []byte{0x80 | byte(p.codec.FrameType()), mask | 126, byte(len(p.answer) >> 8), byte(len(p.answer)), 0, 0, 0, 0}
	p.raw(append(head, p.answer[:len(p.answer)/2]...)...)
}

// finish answers this step, unless it has, and all to come.
func (p *trickster) finish() {
	if p.place != after {
		p.write(p.answer)
	}
	p.behave(-2)
}

// listen reads on until the master has had its last words.
func (p *trickster) listen() {
	for p.receive(&ws.Step{}) {
		continue
	}
}

func (p *trickster) cut() { _ = p.socket.NetConn().Close() }

// comeBack connects again with its token, and plays on.
func (p *trickster) comeBack() {
	p.cut()
	p.returnFrom()
}

func (p *trickster) returnFrom() {
	if p.enter(p.resume) {
		p.behave(-2)
	}
}

// reply answers the step with one output, as JSON and in place of CBOR.
func (p *trickster) reply(port, text string, value any) {
	if p.codec == ws.CBOR {
		if frame, err := cbor.Marshal(map[string]any{"type": "done", "seq": p.step.Seq, "outputs": map[string]any{port: value}}); err == nil {
			p.write(frame)
		}
	} else {
		p.write(fmt.Appendf(nil, `{"type":"done","seq":%d,"outputs":{%q:%s}}`, p.step.Seq, port, text))
	}
	p.listen()
}

// list replies with numbers, of which the last is bad.
func (p *trickster) list(n int, bad string, badValue any) {
	texts, values := make([]string, n), make([]any, n)
	for i := range n {
		texts[i], values[i] = "1", 1.0
	}
	if bad != "" {
		texts[n-1], values[n-1] = bad, badValue
	}
	p.reply(p.vector().Name, "["+strings.Join(texts, ",")+"]", values)
}

// event replies with one event at a time.
func (p *trickster) event(atNS int64) {
	for _, port := range p.federate.Describe().Outputs {
		if port.Kind == cosync.Events {
			p.reply(port.Name, fmt.Sprintf(`[{"at_ns":%d,"type":"x"}]`, atNS), []any{map[string]any{"at_ns": atNS, "type": "x"}})
		}
	}
}

func (p *trickster) vector() cosync.Port { return p.federate.Describe().Outputs[0] }

// another connects beside the trickster, with a bearer token and a resume token.
func (p *trickster) another(bearer, resume string) {
	other := *p
	other.token, other.left = bearer, nil
	other.enter(resume)
	other.leave()
}

// plain sends text to the server's port and hangs up after a moment.
func (p *trickster) plain(text string) {
	address, _, _ := strings.Cut(strings.TrimPrefix(p.url, "ws://"), "/")
	c, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	_, _ = c.Write([]byte(text))
	time.Sleep(time.Millisecond)
	_ = c.Close()
}

// childEnv makes the test program a trickster in a process of its own.
const childEnv = "COSIM_TEST_TRICKSTER"

// childWork is what it is to do.
type childWork struct {
	URL, Token, Protocol, Name, Set string
	Seq                             int64
	Place                           place
	Signal                          syscall.Signal // that it gives itself
}

// child starts a trickster in a process of its own; end ends it.
func child(w childWork) (end func(), err error) {
	text, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestIntegrationTricksterOfItsOwn$")
	c.Env = append(os.Environ(), childEnv+"="+string(text))
	if err := c.Start(); err != nil {
		cancel()
		return nil, err
	}
	return func() { _ = c.Process.Kill(); _ = c.Wait(); cancel() }, nil
}

// It is no test but where childEnv says what to do.
func TestIntegrationTricksterOfItsOwn(t *testing.T) {
	text := os.Getenv(childEnv)
	if text == "" {
		return
	}
	var w childWork
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	d := load(t, "S-2", strings.Split(w.Set, "\n")...)
	p := newTrickster(w.URL, w.Token, ws.CodecOf(w.Protocol), castMember(t, d, w.Name), w.Place)
	if p.enter("") && p.behave(w.Seq) {
		p.begin()
		time.Sleep(time.Millisecond) // what was written is on its way
		_ = syscall.Kill(os.Getpid(), w.Signal)
		time.Sleep(time.Minute) // until the signal is there, or the process is killed
	}
}
