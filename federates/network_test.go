package federates

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"cosim/network"
	"cosim/quantum"
	cosync "cosim/sync"
)

// twoLinks is CC ══ GW ── IED: 20 km at 1 Mb/s and a LAN.
func twoLinks() network.Config {
	return network.Config{
		Nodes: []network.Node{{Name: "CC", Kind: network.ControlCentre}, {Name: "GW", Kind: network.Gateway}, {Name: "IED", Kind: network.IED}},
		Links: []network.Link{
			{Name: "CC-GW", A: "CC", B: "GW", RateBPS: 1e6, LengthKM: 20, Queue: network.QueueConfig{Discipline: network.Priority}},
			{Name: "GW-IED", A: "GW", B: "IED", RateBPS: 1e8},
		},
	}
}

func newNetwork(t testing.TB, cfg network.Config) *Network {
	t.Helper()
	engine, err := network.New(cfg, testStream)
	if err != nil {
		t.Fatal(err)
	}
	n, err := NewNetwork(engine, cfg, map[string]int{"shed": 0, "pmu": 2}, []string{cfg.Links[0].Name}, 10*ms, 100*ms)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNetworkStatesItsPorts(t *testing.T) {
	const queues = "queue/CC>GW queue/GW>CC"
	checkPorts(t, newNetwork(t, twoLinks()), `
network 10ms
in frames messages direct
in fibre events direct optional
out deliveries messages
out commands messages
out drops messages
out utilization vector 1 `+queues+`
out wait vector s `+queues+`
out kingman_wait vector s `+queues+`
out balance vector 1 routed/sent routed/added routed/delivered routed/dropped routed/in-flight background/sent background/added background/delivered background/dropped background/in-flight
out attacks vector 1 tampered replayed injected delayed dropped
out marked messages
`)
}

// 100 octets and 28 of headers take 1.024 ms at 1 Mb/s, and 20 km take 0.1 ms.
func TestFramesArriveAfterSerialisationAndPropagation(t *testing.T) {
	b := newBench(t, newNetwork(t, twoLinks()))
	payload := make([]byte, 100)
	b.in("frames").Messages = []cosync.Message{
		{At: 2 * ms, ID: 7, From: "CC", To: "CC>GW", Class: "pmu", Payload: payload},
		{At: 5 * ms, ID: 8, From: "GW", To: "GW>IED", Class: "shed", Payload: payload},
	}
	b.advance()
	delivered, commands := b.out("deliveries").Messages, b.out("commands").Messages
	if len(delivered) != 1 || len(commands) != 1 {
		t.Fatalf("%d deliveries and %d commands, want one each", len(delivered), len(commands))
	}
	if m := delivered[0]; m.At != 2*ms+1_124_000 || m.ID != 7 || m.From != "CC" || m.To != "GW" || &m.Payload[0] != &payload[0] {
		t.Errorf("delivery %+v, want frame 7 at GW after 1.124 ms", m)
	}
	if m := commands[0]; m.At != 5*ms+10_240 || m.ID != 8 || m.From != "GW" || m.To != "IED" {
		t.Errorf("command %+v, want frame 8 at the IED after 10.24 µs", m)
	}
}

func TestClassesDecideWhoGoesFirst(t *testing.T) {
	b := newBench(t, newNetwork(t, twoLinks()))
	for i, class := range []string{"pmu", "pmu", "shed"} { // the first one is in service
		b.in("frames").Messages = append(b.in("frames").Messages,
			cosync.Message{At: ms, ID: uint64(i + 1), To: "CC>GW", Class: class, Payload: make([]byte, 100)})
	}
	b.advance()
	var order []uint64
	for _, m := range b.out("deliveries").Messages {
		order = append(order, m.ID)
	}
	if fmt.Sprint(order) != "[1 3 2]" {
		t.Errorf("arrived in the order %v, want [1 3 2]", order)
	}
}

func TestUnknownWatchesClassesAndRoutesAreRefused(t *testing.T) {
	cfg := twoLinks()
	engine, err := network.New(cfg, testStream)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewNetwork(engine, cfg, nil, []string{"CC-GW9"}, 10*ms, 100*ms); err == nil || !strings.Contains(err.Error(), `"CC-GW9"`) {
		t.Errorf("an unknown link was watched: %v", err)
	}
	if _, err := NewNetwork(engine, cfg, map[string]int{"pmu": 8}, nil, 10*ms, 100*ms); err == nil || !strings.Contains(err.Error(), "outside [0, 7]") {
		t.Errorf("traffic class 8 was taken: %v", err)
	}
	b := newBench(t, newNetwork(t, cfg))
	b.in("frames").Messages = []cosync.Message{{To: "CC>IED"}}
	b.step.To = 10 * ms
	if err := b.fed.Step(&b.step); err == nil {
		t.Error("a frame was sent where no link leads")
	}
}

// A queue that is offered more than it can carry has no mean wait; what is
// published stays finite.
func TestOverloadedQueueHasAFiniteWait(t *testing.T) {
	cfg := twoLinks()
	cfg.Links[0].Background = []network.Traffic{{RateBPS: 2e6, PacketBits: 5600}}
	b := newBench(t, newNetwork(t, cfg))
	b.until(2 * cosync.Second)
	for i, wait := range b.out("kingman_wait").Values {
		if wait != overloadedS {
			t.Errorf("%s waits %v s at twice its rate", b.about.Outputs[networkKingman].Elements[i], wait)
		}
	}
	if u := b.out("utilization").Values[0]; u < 0.999 {
		t.Errorf("utilization of an overloaded link is %v", u)
	}
}

func TestMessagesAreConserved(t *testing.T) {
	cfg := twoLinks()
	cfg.Links[0].Background = []network.Traffic{{Class: 7, RateBPS: 2e5, PacketBits: 5600}}
	cfg.Links[0].Loss = 0.2
	b := newBench(t, newNetwork(t, cfg))
	drops, arrived := 0, 0
	for i := range uint64(300) {
		b.in("frames").Messages = []cosync.Message{{At: b.step.To, ID: i, To: "CC>GW", Class: "pmu", Payload: make([]byte, 60)}}
		b.advance()
		drops += len(b.out("drops").Messages)
		arrived += len(b.out("deliveries").Messages)
		if v := b.out("balance").Values; v[0]+v[1] != v[2]+v[3]+v[4] || v[5]+v[6] != v[7]+v[8]+v[9] {
			t.Fatalf("balance at %v is open: %v", b.step.To, v)
		}
	}
	v := b.out("balance").Values
	if v[0] != 300 || v[2] != float64(arrived) || v[3] != float64(drops) || drops == 0 || v[7] == 0 {
		t.Errorf("balance %v after %d deliveries and %d drops of 300 frames", v, arrived, drops)
	}
}

func TestFibreOfAForeignLinkIsIgnored(t *testing.T) {
	b := newBench(t, newNetwork(t, twoLinks()))
	b.in("fibre").Events = []cosync.Event{{At: ms, Type: EventLinkDown, Element: "X-Y"}}
	b.in("frames").Messages = []cosync.Message{{At: 2 * ms, ID: 1, To: "CC>GW"}}
	b.advance()
	if len(b.out("deliveries").Messages) != 1 {
		t.Error("another link's break stopped a frame")
	}
}

// sender emits one frame at its time; it stands where scada does.
type sender struct{ frame cosync.Message }

func (s *sender) Describe() cosync.Description {
	return cosync.Description{Name: "sender", Step: 10 * ms, Outputs: []cosync.Port{{Name: "frames", Kind: cosync.Messages}}}
}
func (s *sender) Init([]cosync.Signal) error { return nil }
func (s *sender) Close() error               { return nil }
func (s *sender) Step(st *cosync.Step) error {
	if s.frame.At >= st.From && s.frame.At < st.To {
		st.Out[0].Messages = append(st.Out[0].Messages, s.frame)
	}
	return nil
}

// looker keeps what an output held, with the step in which it was seen.
type looker struct {
	output   string
	messages []cosync.Message
	seen     []cosync.Time
}

func (l *looker) Begin(*cosync.Frame) error { return nil }
func (l *looker) End(error) error           { return nil }
func (l *looker) Observe(f *cosync.Frame) error {
	i, _ := f.Index(l.output)
	for _, m := range f.Outputs[i].Messages {
		l.messages, l.seen = append(l.messages, m), append(l.seen, f.From)
	}
	return nil
}

// The quantum federate steps 100 ms at once and says of a break at 123.4 ms in
// its step from 100 ms on; the network acts every 10 ms and drops what is on
// the wire at that very time.
func TestBreakInAStepDropsThePacketInFlight(t *testing.T) {
	cfg := twoLinks()
	cfg.Links[0].LengthKM = 10_000 // 50 ms on the wire
	for _, c := range []struct {
		sentAt cosync.Time
		drop   cosync.Time // 0: delivered
		reason string
	}{
		{70 * ms, 0, ""},                        // arrives at 121.024 ms
		{72_376_000, 0, ""},                     // arrives with the break, its last bit is through
		{110 * ms, 123_400_000, "link-down"},    // on the wire
		{123 * ms, 123_400_000, "link-down"},    // being sent
		{123_400_000, 123_400_000, "link-down"}, // into a broken link
		{150_123_456, 150_123_456, "link-down"}, // likewise, later
		{200 * ms, 0, ""},                       // after the repair at 180.7 ms
		{180_700_000, 0, ""},                    // with the repair
		{180_699_999, 180_699_999, "link-down"}, // just before
		{72_375_999 - 1_000, 0, ""},             // arrives just before the break
		{122_900_000, 123_400_000, "link-down"}, // half of it sent
	} {
		link, err := quantum.NewLink(quietLink(), int64(100*ms), []quantum.Disturbance{{FromNS: 123_400_000, ToNS: 180_700_000, Break: true}}, testStream)
		if err != nil {
			t.Fatal(err)
		}
		fibre := NewQuantum([]QuantumLink{{Name: "CC-GW", Link: link, CutsFibre: true}}, 100*ms)
		from := &sender{cosync.Message{At: c.sentAt, ID: 1, To: "CC>GW", Payload: make([]byte, 100)}}
		drops, arrivals := &looker{output: "network.drops"}, &looker{output: "network.deliveries"}
		m, err := cosync.New([]cosync.Federate{fibre, newNetwork(t, cfg), from}, []cosync.Connection{
			{From: "quantum.fibre", To: "network.fibre"}, {From: "sender.frames", To: "network.frames"},
		}, cosync.Options{Stop: 400 * ms, Observers: []cosync.Observer{drops, arrivals}})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		switch {
		case c.drop == 0 && (len(arrivals.messages) != 1 || arrivals.messages[0].At != c.sentAt+51_024_000 || len(drops.messages) != 0):
			t.Errorf("sent at %v: arrivals %v, drops %v; want it delivered", c.sentAt, arrivals.messages, drops.messages)
		case c.drop != 0 && (len(drops.messages) != 1 || drops.messages[0].At != c.drop || drops.messages[0].Class != c.reason || len(arrivals.messages) != 0):
			t.Errorf("sent at %v: arrivals %v, drops %v; want it dropped at %v", c.sentAt, arrivals.messages, drops.messages, c.drop)
		case c.drop != 0 && drops.seen[0] != c.drop-c.drop%(10*ms):
			t.Errorf("sent at %v: the drop was told in the step from %v", c.sentAt, drops.seen[0])
		}
	}
}
