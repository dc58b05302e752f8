package ws_test

import (
	"context"
	"io"
	"log"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	"cosim/sync"
)

// peerEnv makes the test program a federate of the ring in a process of its
// own; see BenchmarkRing.
const peerEnv = "COSIM_TEST_PEER"

func TestMain(m *testing.M) {
	if os.Getenv(peerEnv) != "" {
		os.Exit(playRing())
	}
	goleak.VerifyTestMain(m)
}

// silent takes what net/http would print of refused handshakes.
var silent = log.New(io.Discard, "", 0)

// house is a server and where it listens.
type house struct {
	*ws.Server
	at string
}

func (h *house) url(name string) string { return "ws://" + h.at + "/v1/federates/" + name }

// open starts a server that is closed when the test ends.
func open(t testing.TB, c ws.Config) *house {
	t.Helper()
	server, err := ws.NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := ws.HTTPServer(server)
	done := make(chan struct{})
	go func() { defer close(done); _ = web.Serve(listener) }()
	t.Cleanup(func() {
		_ = web.Close()
		_ = server.Close()
		<-done
	})
	return &house{server, listener.Addr().String()}
}

// await waits for all federates.
func (h *house) await(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := h.Await(ctx, func([]string) {}); err != nil {
		t.Fatal(err)
	}
}

// join plays a federate until the run ends; the channel receives how.
func (h *house) join(name string, f sync.Federate, o client.Options) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- client.Run(context.Background(), h.url(name), f, o) }()
	return ended
}

// adder is a federate that publishes what it reads plus one, half of its state
// in each element, messages and events.
type adder struct {
	name   string
	step   sync.Time
	closed bool
	state  float64
	sent   uint64
}

var adderElements = []string{"a", "b"}

func (a *adder) Describe() sync.Description {
	return sync.Description{
		Name: a.name, Step: a.step,
		Inputs: []sync.Port{
			{Name: "in", Unit: "MW", Elements: adderElements, Optional: true},
			{Name: "mail", Kind: sync.Messages, Optional: true},
			{Name: "news", Kind: sync.Events, Direct: true, Optional: true},
		},
		Outputs: []sync.Port{
			{Name: "out", Unit: "MW", Elements: adderElements},
			{Name: "mail", Kind: sync.Messages},
			{Name: "news", Kind: sync.Events},
		},
	}
}

func (a *adder) Init(out []sync.Signal) error {
	out[0].Values[0] = 1.0 / 3
	a.emit(out, 0)
	return nil
}

func (a *adder) Step(s *sync.Step) error {
	if v := s.In[0].Values; v != nil {
		a.state = 0.9*v[0] + 0.1*a.state + v[1]/7
	}
	for _, m := range s.In[1].Messages {
		a.state += float64(m.ID+uint64(len(m.Payload))) / 1e3
	}
	for _, e := range s.In[2].Events {
		a.state -= e.Value / 1e5
	}
	a.state += 1
	s.Out[0].Values[0], s.Out[0].Values[1] = a.state/2, -a.state/3
	a.emit(s.Out, s.From+a.step/3)
	return nil
}

func (a *adder) emit(out []sync.Signal, at sync.Time) {
	a.sent++
	out[1].Messages = append(out[1].Messages, sync.Message{At: at, ID: a.sent, From: a.name, To: "x>y", Class: "pmu", Payload: []byte{0, 255, byte(a.sent)}})
	out[2].Events = append(out[2].Events, sync.Event{At: at, Type: "step", Element: a.name, Value: a.state, Detail: "µ \"quoted\""})
}

func (a *adder) Close() error { a.closed = true; return nil }

// adders are n in a ring: values and messages go round one step late; the
// first also hears the last one's events.
func adders(n int) (federates []sync.Federate, connections []sync.Connection) {
	names := []string{"a", "b", "c", "d", "e", "f"}[:n]
	for i, name := range names {
		next := names[(i+1)%n]
		federates = append(federates, &adder{name: name, step: 10 * sync.Millisecond})
		connections = append(connections,
			sync.Connection{From: name + ".out", To: next + ".in"}, sync.Connection{From: name + ".mail", To: next + ".mail"})
		if i > 0 {
			connections = append(connections, sync.Connection{From: name + ".news", To: "a.news"})
		}
	}
	return federates, connections
}

// run simulates and returns the fingerprint of all that was exchanged.
func run(federates []sync.Federate, connections []sync.Connection, o sync.Options) (string, error) {
	print := &sync.Fingerprint{}
	o.Observers = append(o.Observers, print)
	m, err := sync.New(federates, connections, o)
	if err != nil {
		return "", err
	}
	err = m.Run(context.Background())
	return print.String(), err
}
