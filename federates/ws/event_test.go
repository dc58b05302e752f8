package ws_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	"cosim/sync"
)

// relay is an event-stepped federate: a level and events wake it, and it names
// times that follow from what it read. testdata/peers has it in other languages.
type relay struct {
	name  string
	state float64
	sent  uint64
	acts  []sync.Time
	wrong sync.Time // that it names after the first step; 0: none
}

func (r *relay) Describe() sync.Description {
	return sync.Description{
		Name: r.name, ByEvent: true,
		Inputs: []sync.Port{
			{Name: "v", Unit: "MW", Elements: adderElements, Direct: true, Wake: &sync.Wake{Elements: []string{"a"}, Levels: []float64{2, 2.5, 3}}},
			{Name: "mail", Kind: sync.Messages},
			{Name: "orders", Kind: sync.Events, Wake: &sync.Wake{}},
		},
		Outputs: []sync.Port{
			{Name: "trip", Unit: "MW", Elements: adderElements},
			{Name: "mail", Kind: sync.Messages},
			{Name: "orders", Kind: sync.Events},
		},
	}
}

func (r *relay) Init(out []sync.Signal) error {
	out[0].Values[1] = -1
	return nil
}

func (r *relay) Step(s *sync.Step) error {
	r.acts = append(r.acts, s.From)
	r.state = 0.5*r.state + s.In[0].Values[0] + float64(len(s.In[1].Messages))/4
	for _, e := range s.In[2].Events {
		r.state += e.Value / 8
	}
	if s.Woken {
		r.state++
	}
	r.sent++
	k := int64(math.Floor(r.state * 7))
	if k%5 != 0 {
		s.Next = s.From + 1 + sync.Time(k%70)*sync.Millisecond
	}
	if r.wrong != 0 && s.From > 0 {
		s.Next = r.wrong
	}
	s.Out[1].Messages = append(s.Out[1].Messages, sync.Message{At: s.From + 1, ID: r.sent, Payload: []byte{byte(k)}})
	if k%2 != 0 {
		s.Out[2].Events = append(s.Out[2].Events, sync.Event{At: s.From + 2, Type: "k", Value: r.state})
	}
	if k%4 != 0 {
		s.Out[0].Values[0], s.Out[0].Values[1] = r.state, float64(k)
	}
	return nil
}

func (r *relay) Close() error { return nil }

// relays are two that wake each other, among three adders.
func relays() (federates []sync.Federate, connections []sync.Connection) {
	federates, connections = adders(3)
	federates = append(federates, &relay{name: "r"}, &relay{name: "s"})
	return federates, append(connections,
		sync.Connection{From: "a.out", To: "r.v"}, sync.Connection{From: "b.mail", To: "r.mail"}, sync.Connection{From: "s.orders", To: "r.orders"},
		sync.Connection{From: "b.out", To: "s.v"}, sync.Connection{From: "r.mail", To: "s.mail"}, sync.Connection{From: "r.orders", To: "s.orders"},
	)
}

// amongRelays plays them, r from elsewhere if there is a house.
func amongRelays(t *testing.T, h *house, stop sync.Time) (string, error) {
	t.Helper()
	federates, connections := relays()
	if h != nil {
		h.await(t)
		federates[3] = h.Federates()[0]
	}
	print, err := run(federates, connections, sync.Options{Stop: stop})
	if r, here := federates[3].(*relay); here && (len(r.acts) < 20 || len(r.acts) > 250) {
		t.Errorf("the relay acts %d times in 300 steps of the federation: %v", len(r.acts), r.acts)
	}
	return print, err
}

func TestEventStepsOverAWebSocketLeaveNoTrace(t *testing.T) {
	const stop = 3 * sync.Second
	want, err := amongRelays(t, nil, stop)
	if err != nil {
		t.Fatal(err)
	}
	for name, codec := range map[string]*ws.Codec{"JSON": ws.JSON, "CBOR": ws.CBOR} {
		t.Run(name, func(t *testing.T) {
			h := open(t, ws.Config{Stop: stop, Federates: []ws.Expected{{Name: "r"}}})
			ended := h.join("r", &relay{name: "r"}, client.Options{Codec: codec})
			if got, err := amongRelays(t, h, stop); err != nil || got != want {
				t.Errorf("fingerprint %s instead of %s, error %v", got, want, err)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	eachLanguage(t, func(t *testing.T, start starter) {
		h := open(t, ws.Config{Stop: stop, Federates: []ws.Expected{{Name: "r"}}})
		p := start(h.url("r"), nil, "relay")
		if got, err := amongRelays(t, h, stop); err != nil || got != want {
			t.Errorf("fingerprint %s instead of %s, error %v", got, want, err)
		}
		p.says(t, true, "end\n", "")
	})
}

// The answer that is sent again after a broken connection names the same time.
func TestEventStepsOutliveBrokenConnections(t *testing.T) {
	const stop = 3 * sync.Second
	want, err := amongRelays(t, nil, stop)
	if err != nil {
		t.Fatal(err)
	}
	eachLanguage(t, func(t *testing.T, start starter) {
		h := open(t, ws.Config{Stop: stop, Federates: []ws.Expected{{Name: "r", Grace: 20 * time.Second, Deadline: 20 * time.Second}}})
		s := newShears(t, h.at)
		start("ws://"+s.listener.Addr().String()+"/v1/federates/r", nil, "relay")
		if got, err := amongRelays(t, h, stop); err != nil || got != want {
			t.Errorf("fingerprint %s instead of %s, error %v", got, want, err)
		}
	})
}

func TestTimesThatAreNotAheadAreRefused(t *testing.T) {
	for _, codec := range []*ws.Codec{ws.JSON, ws.CBOR} {
		h := open(t, ws.Config{Stop: sync.Second, Federates: []ws.Expected{{Name: "r"}}})
		ended := h.join("r", &relay{name: "r", wrong: 1}, client.Options{Codec: codec})
		_, err := amongRelays(t, h, sync.Second)
		var rule *ws.Error
		if !errors.As(err, &rule) || rule.Code != ws.CodeBadNext || !strings.Contains(rule.Message, "or none; got 1") {
			t.Errorf("error %v", err)
		}
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "bad-next: next_ns: expected more than ") {
			t.Errorf("the federate hears %v", err)
		}
	}
	mistakes := map[string]string{
		"relay-past": "where the step begins", "relay-fraction": "expected a whole number ", "relay-huge": "got 922337203685477",
	}
	eachLanguage(t, func(t *testing.T, start starter) {
		houses, programs := map[string]*house{}, map[string]*program{}
		for wrong := range mistakes { // they take longer to start than to run
			houses[wrong] = open(t, ws.Config{Stop: sync.Second, Federates: []ws.Expected{{Name: "r"}}})
			programs[wrong] = start(houses[wrong].url("r"), nil, wrong)
		}
		for wrong, says := range mistakes {
			_, err := amongRelays(t, houses[wrong], sync.Second)
			var told *ws.Error
			if !errors.As(err, &told) || told.Code != ws.CodeFailed || !strings.Contains(told.Message, says) {
				t.Errorf("%s: error %v", wrong, err)
			}
			programs[wrong].says(t, false, "", says)
		}
	})
}

// What no client sends, from one made by hand.
func TestNextThatIsNoTimeIsRefused(t *testing.T) {
	hello := `{"type":"hello","federate":"a","step":"event","outputs":[{"name":"v","kind":"vector","elements":["x"]}]}`
	for next, says := range map[string]string{
		"0":                   "bad-next: next_ns: expected more than 0, where the step begins, or none; got 0",
		"-5":                  "bad-next: next_ns: expected more than 0, where the step begins, or none; got -5",
		"30000000.5":          "bad-message: done: next_ns: found number 30000000.5",
		"9223372036854775808": "bad-message: done: next_ns: found number 9223372036854775808",
		`"30000000"`:          "bad-message: done: next_ns: found string",
		"null":                "bad-message: done: ",
	} {
		h := open(t, ws.Config{Stop: sync.Second, Federates: []ws.Expected{{Name: "a"}}})
		v := &villain{t: t, house: h, adder: &adder{name: "a"}}
		if err := v.dial(); err != nil {
			t.Fatal(err)
		}
		v.sendText(hello)
		go func() {
			v.receive(&ws.Welcome{})
			v.receive(&ws.Step{})
			v.sendText(`{"type":"done","seq":-1}`)
			v.receive(&ws.Step{})
			v.sendText(`{"type":"done","seq":0,"next_ns":` + next + `}`)
		}()
		h.await(t)
		_, err := run([]sync.Federate{h.Federates()[0]}, nil, sync.Options{Stop: sync.Second, Step: 10 * sync.Millisecond})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("next_ns %s: error %v", next, err)
		}
	}
}
