package sync_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cosim/sync"
)

// plan is a random federation: sources of messages, events and vectors at
// random rates, read by some of the others, direct or delayed.
type plan struct {
	nodes       []*node
	connections []sync.Connection
}

// node is a federate of a plan. Its vector depends on all that it read, so
// that an error in what was read shows in every later frame.
type node struct {
	name     string
	step     sync.Time
	offsets  []sync.Time // of messages and events in a step, in order of emission
	work     time.Duration
	state    float64
	sent     uint64
	received [2]map[sync.Time][]string // by input (direct, delayed), by time
}

const stop = 300 * sync.Millisecond

func drawPlan(t *rapid.T) *plan {
	p := &plan{}
	ms := func(low, high int, label string) sync.Time {
		return sync.Time(rapid.IntRange(low, high).Draw(t, label)) * sync.Millisecond
	}
	for i := range rapid.IntRange(2, 5).Draw(t, "federates") {
		n := &node{name: fmt.Sprintf("n%d", i), step: rapid.SampledFrom([]sync.Time{10, 20, 30, 50, 100}).Draw(t, "step") * sync.Millisecond}
		for range rapid.IntRange(0, 3).Draw(t, "messages") {
			n.offsets = append(n.offsets, ms(0, int(n.step/sync.Millisecond), "offset"))
		}
		p.nodes = append(p.nodes, n)
	}
	var pairs [][2]int
	for to := range p.nodes {
		for from := range p.nodes {
			pairs = append(pairs, [2]int{from, to})
		}
	}
	for _, pair := range rapid.Permutation(pairs).Draw(t, "pairs") {
		from, to := pair[0], pair[1]
		if from < to && rapid.Bool().Draw(t, "direct") {
			p.connect(from, to, "direct")
		}
		if rapid.Bool().Draw(t, "delayed") {
			p.connect(from, to, "delayed")
		}
	}
	return p
}

func (p *plan) connect(from, to int, input string) {
	p.connections = append(p.connections,
		sync.Connection{From: p.nodes[from].name + ".m", To: p.nodes[to].name + "." + input},
		sync.Connection{From: p.nodes[from].name + ".e", To: p.nodes[to].name + "." + input + "-events"})
}

// run runs the plan with the federates listed in the given order.
func (p *plan) run(t interface{ Fatal(...any) }, order []int) string {
	var federates []sync.Federate
	for _, i := range order {
		federates = append(federates, p.nodes[i])
	}
	print := &sync.Fingerprint{}
	m, err := sync.New(federates, p.connections, sync.Options{Stop: stop, Observers: []sync.Observer{print}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return print.String()
}

func (p *plan) inOrder() []int {
	order := make([]int, len(p.nodes))
	for i := range order {
		order[i] = i
	}
	return order
}

func (n *node) Describe() sync.Description {
	return sync.Description{
		Name: n.name, Step: n.step,
		Inputs: []sync.Port{
			{Name: "direct", Kind: sync.Messages, Direct: true, Optional: true},
			{Name: "delayed", Kind: sync.Messages, Optional: true},
			{Name: "direct-events", Kind: sync.Events, Direct: true, Optional: true},
			{Name: "delayed-events", Kind: sync.Events, Optional: true},
		},
		Outputs: []sync.Port{
			{Name: "m", Kind: sync.Messages},
			{Name: "e", Kind: sync.Events},
			{Name: "v", Elements: []string{"state"}},
		},
	}
}

func (n *node) Init(out []sync.Signal) error {
	n.state, n.sent = 1, 0
	n.received = [2]map[sync.Time][]string{{}, {}}
	n.emit(out, 0)
	return nil
}

func (n *node) Step(s *sync.Step) error {
	for i := range n.received {
		var messages, events []string
		for _, m := range s.In[i].Messages {
			messages = append(messages, label(m.From, m.ID, m.At))
			n.state = 0.9*n.state + float64(m.ID)
		}
		for _, e := range s.In[i+2].Events {
			events = append(events, label(e.Element, uint64(e.Value), e.At))
		}
		if !slices.Equal(messages, events) {
			return fmt.Errorf("messages %v came otherwise than events %v", messages, events)
		}
		n.received[i][s.From] = messages
	}
	time.Sleep(n.work)
	for _, offset := range n.offsets {
		n.emit(s.Out, s.From+offset)
	}
	s.Out[2].Values[0] = n.state
	return nil
}

func (n *node) emit(out []sync.Signal, at sync.Time) {
	out[0].Messages = append(out[0].Messages, sync.Message{At: at, ID: n.sent, From: n.name})
	out[1].Events = append(out[1].Events, sync.Event{At: at, Element: n.name, Value: float64(n.sent)})
	n.sent++
}

func (n *node) Close() error { return nil }

func label(from string, id uint64, at sync.Time) string { return fmt.Sprintf("%s#%d@%v", from, id, at) }

// sending is a message as the rules of doc.go have it.
type sending struct {
	label    string
	at       sync.Time
	readable [2]sync.Time // from when on: direct, delayed
}

// sendings lists all that n sends in a run.
func (n *node) sendings() []sending {
	all := []sending{{label: label(n.name, 0, 0)}}
	for t := sync.Time(0); t < stop; t += n.step {
		for _, offset := range n.offsets {
			all = append(all, sending{label(n.name, uint64(len(all)), t+offset), t + offset, [2]sync.Time{t, t + n.step}})
		}
	}
	return all
}

// expected returns what input i (0 direct, 1 delayed) of n is handed at t.
func (p *plan) expected(n *node, i int, t sync.Time) []string {
	input := n.name + "." + []string{"direct", "delayed"}[i]
	var handed []sending
	for _, c := range p.connections {
		if c.To != input {
			continue
		}
		for _, source := range p.nodes {
			if c.From != source.name+".m" {
				continue
			}
			for _, s := range source.sendings() {
				if readable := s.readable[i]; readable <= t && (t == 0 || readable > t-n.step) {
					handed = append(handed, s)
				}
			}
		}
	}
	slices.SortStableFunc(handed, func(a, b sending) int { return int(a.at - b.at) })
	var labels []string
	for _, s := range handed {
		labels = append(labels, s.label)
	}
	return labels
}

func TestEveryMessageIsHandedOverOnceAndInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		p.run(t, p.inOrder())
		for _, n := range p.nodes {
			for i := range n.received {
				for at := sync.Time(0); at < stop; at += n.step {
					if got, want := n.received[i][at], p.expected(n, i, at); !slices.Equal(got, want) {
						t.Fatalf("%s at %v, input %d: got %v, want %v", n.name, at, i, got, want)
					}
				}
			}
		}
	})
}

func TestOrderOfFederatesLeavesNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		listed := p.run(t, p.inOrder())
		shuffled := p.run(t, rapid.Permutation(p.inOrder()).Draw(t, "order"))
		if listed != shuffled {
			t.Fatalf("fingerprints %s and %s", listed, shuffled)
		}
	})
}

func TestSameFingerprintForAnyGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	random := rand.New(rand.NewPCG(1, 2))
	p := &plan{}
	for i := range 12 {
		n := &node{name: fmt.Sprintf("n%d", i), step: sync.Time(10+10*random.IntN(2)) * sync.Millisecond}
		n.offsets = []sync.Time{sync.Time(random.IntN(10)) * sync.Millisecond, 5 * sync.Millisecond}
		if i%3 == 0 {
			n.work = 200 * time.Microsecond // worth a helper
		}
		p.nodes = append(p.nodes, n)
	}
	for i := range p.nodes {
		p.connect(i, (i+5)%len(p.nodes), "delayed")
		p.connect(i, (i+1)%len(p.nodes), "delayed")
		if i >= 6 {
			p.connect(i-6, i, "direct")
		}
	}
	var prints []string
	for _, procs := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(procs)
		prints = append(prints, p.run(t, p.inOrder()))
	}
	if prints[0] != prints[1] || prints[0] != prints[2] {
		t.Errorf("fingerprints %v", prints)
	}
}
