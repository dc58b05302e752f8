package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	stdsync "sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	"cosim/sync"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon is over when a test that hangs should fail.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// counter publishes the sum of what it has read, and how often it was asked.
type counter struct {
	name  string
	sum   float64
	steps int
	fails int // the step that fails, if above 0
}

var elements = []string{"sum", "steps"}

func (c *counter) Describe() sync.Description {
	return sync.Description{
		Name: c.name, Step: sync.Millisecond,
		Inputs:  []sync.Port{{Name: "in", Elements: elements, Optional: true}},
		Outputs: []sync.Port{{Name: "out", Elements: elements}},
	}
}
func (c *counter) Init([]sync.Signal) error { return nil }
func (c *counter) Close() error             { return nil }
func (c *counter) Step(s *sync.Step) error {
	c.steps++
	if c.steps == c.fails {
		return errors.New("the licence has expired")
	}
	if v := s.In[0].Values; v != nil {
		c.sum += v[0]/3 + v[1]
	}
	s.Out[0].Values[0], s.Out[0].Values[1] = c.sum, float64(c.steps)
	return nil
}

// serve opens a server for federates a and b.
func serve(t *testing.T, stop sync.Time) (*ws.Server, string) {
	t.Helper()
	server, err := ws.NewServer(ws.Config{Stop: stop, Federates: []ws.Expected{
		{Name: "a", Grace: 20 * time.Second, Deadline: 20 * time.Second}, {Name: "b", Grace: 20 * time.Second, Deadline: 20 * time.Second},
	}})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web, done := ws.HTTPServer(server), make(chan struct{})
	go func() { defer close(done); _ = web.Serve(listener) }()
	t.Cleanup(func() { _ = web.Close(); _ = server.Close(); <-done })
	return server, listener.Addr().String()
}

// cutter passes bytes on and cuts each connection after a drawn number of
// them, wherever in a frame that is.
type cutter struct {
	listener net.Listener
	to       string
	mu       stdsync.Mutex
	random   *rand.Rand
	cuts     int
	busy     stdsync.WaitGroup
}

func newCutter(t *testing.T, to string, seed uint64) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: listener, to: to, random: rand.New(rand.NewPCG(seed, 1))}
	c.busy.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			c.busy.Go(func() { c.pass(in) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); c.busy.Wait() })
	return c
}

func (c *cutter) pass(in net.Conn) {
	out, err := net.Dial("tcp", c.to)
	if err != nil {
		_ = in.Close()
		return
	}
	c.mu.Lock()
	there, back := 300+c.random.Int64N(6000), 300+c.random.Int64N(6000)
	c.cuts++
	c.mu.Unlock()
	var one stdsync.WaitGroup
	for _, way := range []struct {
		to, from net.Conn
		most     int64
	}{{out, in, there}, {in, out, back}} {
		one.Go(func() {
			_, _ = io.CopyN(way.to, way.from, way.most)
			_ = in.Close()
			_ = out.Close()
		})
	}
	one.Wait()
}

// fingerprint runs a and b in a ring.
func fingerprint(t *testing.T, federates []sync.Federate, stop sync.Time) (string, error) {
	t.Helper()
	print := &sync.Fingerprint{}
	m, err := sync.New(federates, []sync.Connection{{From: "a.out", To: "b.in"}, {From: "b.out", To: "a.in"}}, sync.Options{Stop: stop, Observers: []sync.Observer{print}})
	if err != nil {
		t.Fatal(err)
	}
	err = m.Run(context.Background())
	return print.String(), err
}

// Whenever the connection breaks, no step is lost and none is made twice.
func TestClientComesBack(t *testing.T) {
	const stop = 300 * sync.Millisecond
	want, err := fingerprint(t, []sync.Federate{&counter{name: "a"}, &counter{name: "b"}}, stop)
	if err != nil {
		t.Fatal(err)
	}
	for seed, codec := range []*ws.Codec{ws.JSON, ws.CBOR, ws.JSON, ws.CBOR} {
		t.Run(fmt.Sprint(codec.Protocol(), seed), func(t *testing.T) {
			server, at := serve(t, stop)
			c := newCutter(t, at, uint64(seed))
			ended := make(chan error, 2)
			for _, name := range []string{"a", "b"} {
				url := "ws://" + c.listener.Addr().String() + "/v1/federates/" + name
				go func() {
					ended <- client.Run(context.Background(), url, &counter{name: name}, client.Options{Codec: codec})
				}()
			}
			if err := server.Await(soon(t), func([]string) {}); err != nil {
				t.Fatal(err)
			}
			got, err := fingerprint(t, []sync.Federate{server.Federates()[0], server.Federates()[1]}, stop)
			if err != nil || got != want {
				t.Errorf("fingerprint %s instead of %s, error %v", got, want, err)
			}
			c.mu.Lock()
			if c.cuts < 6 {
				t.Errorf("only %d connections", c.cuts)
			}
			c.mu.Unlock()
			_ = server.Close()
			_ = c.listener.Close()
			for range 2 { // the stop itself may have been cut off
				<-ended
			}
		})
	}
}

func TestClientTellsWhyItFails(t *testing.T) {
	const stop = 50 * sync.Millisecond
	server, at := serve(t, stop)
	ended := make(chan error, 2)
	for _, f := range []*counter{{name: "a"}, {name: "b", fails: 20}} {
		go func() {
			ended <- client.Run(context.Background(), "ws://"+at+"/v1/federates/"+f.name, f, client.Options{})
		}()
	}
	if err := server.Await(soon(t), func([]string) {}); err != nil {
		t.Fatal(err)
	}
	_, err := fingerprint(t, []sync.Federate{server.Federates()[0], server.Federates()[1]}, stop)
	var e *ws.Error
	if !errors.As(err, &e) || e.Code != ws.CodeFailed || e.Message != "the licence has expired" {
		t.Errorf("error %v", err)
	}
	first, second := <-ended, <-ended
	if (first == nil) == (second == nil) {
		t.Errorf("one fails, the other is stopped: %v, %v", first, second)
	}
}

func TestClientGivesUpInTime(t *testing.T) {
	_, at := serve(t, sync.Second)
	for name, test := range map[string]struct {
		url  string
		stop time.Duration
	}{
		"nobody there":  {"ws://127.0.0.1:1/v1/federates/a", time.Hour},
		"no such name":  {"ws://" + at + "/v1/federates/c", time.Hour},
		"cancelled":     {"ws://127.0.0.1:1/v1/federates/a", 10 * time.Millisecond},
		"waits for run": {"ws://" + at + "/v1/federates/a", 50 * time.Millisecond},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), test.stop)
		o := client.Options{Patience: 100 * time.Millisecond}
		if test.stop < time.Hour {
			o.Patience = time.Hour
		}
		begun := time.Now()
		if err := client.Run(ctx, test.url, &counter{name: "a"}, o); err == nil {
			t.Errorf("%s: no error", name)
		}
		cancel()
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}
