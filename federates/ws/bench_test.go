package ws_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	"cosim/sync"
)

// ringFederate publishes ten doubles made of those of its neighbour.
type ringFederate struct{ name string }

var tenElements = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

func (r *ringFederate) Describe() sync.Description {
	return sync.Description{
		Name: r.name, Step: 10 * sync.Millisecond,
		Inputs:  []sync.Port{{Name: "in", Unit: "pu", Elements: tenElements}},
		Outputs: []sync.Port{{Name: "out", Unit: "pu", Elements: tenElements}},
	}
}
func (r *ringFederate) Init([]sync.Signal) error { return nil }
func (r *ringFederate) Step(s *sync.Step) error {
	for i, x := range s.In[0].Values {
		s.Out[0].Values[i] = 0.5*x + float64(i)
	}
	return nil
}
func (r *ringFederate) Close() error { return nil }

// playRing is the main function of a federate in a process of its own.
func playRing() int {
	words := strings.Fields(os.Getenv(peerEnv))
	if words[2] == "echo" {
		return echo(words[0])
	}
	err := client.Run(context.Background(), words[0], &ringFederate{words[1]}, client.Options{Codec: ws.CodecOf(words[2])})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// echo sends back what comes.
func echo(url string) int {
	socket, _, err := websocket.DefaultDialer.Dial(url, nil)
	for err == nil {
		var kind int
		var frame []byte
		if kind, frame, err = socket.ReadMessage(); err == nil {
			err = socket.WriteMessage(kind, frame)
		}
	}
	return 0
}

// BenchmarkFloor measures what a step of n federates costs without one: a
// frame of a step's size to each and back, bare WebSocket.
func BenchmarkFloor(b *testing.B) {
	for _, apart := range []bool{false, true} {
		for _, n := range []int{1, 16} {
			b.Run(fmt.Sprintf("apart=%v/N=%d", apart, n), func(b *testing.B) { benchmarkFloor(b, n, apart) })
		}
	}
}

func benchmarkFloor(b *testing.B, n int, apart bool) {
	sockets := make(chan *websocket.Conn, n)
	upgrader := websocket.Upgrader{ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, err := upgrader.Upgrade(w, r, nil); err == nil {
			sockets <- s
		}
	}))
	defer web.Close()
	url := "ws" + strings.TrimPrefix(web.URL, "http")
	var all []*websocket.Conn
	for range n {
		if apart {
			startPeer(b, url+" f echo")
		} else {
			go echo(url)
		}
		all = append(all, <-sockets)
	}
	frame := make([]byte, 150)
	b.ResetTimer()
	for range b.N {
		for _, s := range all {
			_ = s.WriteMessage(websocket.BinaryMessage, frame)
		}
		for _, s := range all {
			if _, _, err := s.ReadMessage(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.StopTimer()
	for _, s := range all {
		_ = s.Close()
	}
}

// startPeer runs this test program as a federate of its own, until it ends.
func startPeer(b testing.TB, words string) {
	b.Helper()
	peer := exec.Command(os.Args[0])
	peer.Env = append(os.Environ(), peerEnv+"="+words, "GOMAXPROCS=2")
	stderr, err := peer.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := peer.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			b.Log(words, lines.Text())
		}
		if err := peer.Wait(); err != nil {
			b.Error(err)
		}
	})
}

// outsideRing makes a ring of n federates outside: apart in processes of their
// own, or all in this one.
func outsideRing(b testing.TB, n int, codec *ws.Codec, apart bool, stop sync.Time) ([]sync.Federate, []sync.Connection) {
	c := ws.Config{Run: "ring", Stop: stop}
	for i := range n {
		c.Federates = append(c.Federates, ws.Expected{Name: fmt.Sprintf("f%d", i)})
	}
	h := open(b, c)
	var federates []sync.Federate
	var connections []sync.Connection
	for i, e := range h.Federates() {
		federates = append(federates, e)
		connections = append(connections, sync.Connection{From: e.Name() + ".out", To: fmt.Sprintf("f%d.in", (i+1)%n)})
		if !apart {
			ended := h.join(e.Name(), &ringFederate{e.Name()}, client.Options{Codec: codec})
			b.Cleanup(func() { <-ended })
			continue
		}
		startPeer(b, strings.Join([]string{h.url(e.Name()), e.Name(), codec.Protocol()}, " "))
	}
	h.await(b)
	return federates, connections
}

// BenchmarkRing measures a step of a ring of external federates, in this
// process and in processes of their own; docs/performance.md holds it against
// other orchestrators.
func BenchmarkRing(b *testing.B) {
	for _, codec := range []*ws.Codec{ws.CBOR, ws.JSON} {
		for _, apart := range []bool{false, true} {
			for _, n := range []int{1, 16} {
				name := fmt.Sprintf("%s/apart=%v/N=%d", strings.TrimPrefix(codec.Protocol(), "cosim.v1."), apart, n)
				b.Run(name, func(b *testing.B) { benchmarkRing(b, n, codec, apart) })
			}
		}
	}
}

func benchmarkRing(b *testing.B, n int, codec *ws.Codec, apart bool) {
	stop := sync.Time(b.N) * 10 * sync.Millisecond
	federates, connections := outsideRing(b, n, codec, apart, stop)
	m, err := sync.New(federates, connections, sync.Options{Stop: stop})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := m.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
}

// BenchmarkCodec measures what of a step is encoding.
func BenchmarkCodec(b *testing.B) {
	port := (&ringFederate{}).Describe().Outputs[0]
	signal := sync.Signal{Values: []float64{0.1, 1.0 / 3, 2.5, -3.75, 4.123456789, 5e-9, 6, 7.7, 8.25, 9.999}}
	for _, codec := range []*ws.Codec{ws.CBOR, ws.JSON} {
		b.Run(codec.Protocol(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				frame, err := codec.Encode(&ws.Done{Type: ws.TypeDone, Seq: 42, Outputs: map[string]ws.Content{"out": ws.ContentOf(&port, &signal)}})
				if err != nil {
					b.Fatal(err)
				}
				d := &ws.Done{}
				if err := codec.Decode(frame, d); err != nil {
					b.Fatal(err)
				}
				content := d.Outputs["out"]
				if err := codec.Fill(&signal, &port, &content, 0, 10); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A message that waits for its predecessor's acknowledgement, or for company,
// takes 40 ms on this system; a step takes well under one.
func TestNothingDelaysAStep(t *testing.T) {
	const steps = 100
	federates, connections := outsideRing(t, 2, ws.CBOR, true, steps*10*sync.Millisecond)
	begun := time.Now()
	if _, err := run(federates, connections, sync.Options{Stop: steps * 10 * sync.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if each := time.Since(begun) / steps; each > 10*time.Millisecond {
		t.Errorf("a step takes %v", each)
	}
}
