package sync_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cosim/sync"
)

// mover is an event-stepped federate whose outputs and times follow from all
// that it read, so that a step too many or too few shows from there on.
type mover struct {
	sync.Description
	state float64
	sent  uint64
	log   []string
}

func (m *mover) Describe() sync.Description { return m.Description }

func (m *mover) Init(out []sync.Signal) error {
	m.state, m.sent, m.log = float64(len(m.Name)), 0, nil
	out[2].Values[0] = m.state
	m.emit(out, 0)
	return nil
}

func (m *mover) Step(s *sync.Step) error {
	line := fmt.Sprintf("%s step %d [%v, %v) woken %v:", m.Name, s.Seq, s.From, s.To, s.Woken)
	m.state = math.Mod(1.7*m.state+float64(s.From/sync.Millisecond)+0.3, 101)
	for i := range s.In {
		line += " " + show(&s.In[i], m.Inputs[i].Kind)
		for _, x := range s.In[i].Values {
			m.state += x / 7
		}
		m.state += float64(len(s.In[i].Messages) + 2*len(s.In[i].Events))
	}
	m.log = append(m.log, line)
	if k := int(m.state) % 5; k < 3 { // else it leaves it to its inputs
		s.Next = s.From + sync.Time(1+int(m.state*13)%60)*sync.Millisecond
	}
	if int(m.state)%3 == 0 {
		m.emit(s.Out, s.From+(s.To-s.From)*sync.Time(int(m.state)%4)/3)
	}
	if int(m.state)%2 == 0 {
		s.Out[2].Values[0] = m.state
	}
	return nil
}

func (m *mover) emit(out []sync.Signal, at sync.Time) {
	out[0].Messages = append(out[0].Messages, sync.Message{At: at, ID: m.sent, From: m.Name})
	out[1].Events = append(out[1].Events, sync.Event{At: at, Type: m.Name, Value: float64(m.sent)})
	m.sent++
}

func (m *mover) Close() error { return nil }

// polled makes of an event-stepped federate one of fixed steps that asks itself
// at each whether to act: the rules of event-stepped federates, once more.
type polled struct {
	inner *mover
	step  sync.Step
	next  sync.Time
	seen  [][]float64
}

func (p *polled) Describe() sync.Description {
	d := p.inner.Description
	d.ByEvent = false
	if d.Step == 0 {
		d.Step = 10 * sync.Millisecond
	}
	d.Inputs = slices.Clone(d.Inputs)
	for i := range d.Inputs {
		d.Inputs[i].Wake = nil
	}
	return d
}

func (p *polled) Init(out []sync.Signal) error {
	p.step.In, p.seen = make([]sync.Signal, len(p.inner.Inputs)), make([][]float64, len(p.inner.Inputs))
	return p.inner.Init(out)
}

func (p *polled) Step(s *sync.Step) error {
	woken := false
	for i, port := range p.inner.Inputs {
		in := &p.step.In[i]
		in.Values = s.In[i].Values
		in.Messages = append(in.Messages, s.In[i].Messages...)
		in.Events = append(in.Events, s.In[i].Events...)
		woken = woken || port.Wake != nil && (len(in.Messages)+len(in.Events) > 0 || p.seen[i] != nil && p.moved(i))
	}
	woken = woken && s.From > 0
	if !woken && (p.next < 0 || s.From < p.next) {
		return nil
	}
	p.step.From, p.step.To, p.step.Out, p.step.Woken, p.step.Next = s.From, s.To, s.Out, woken, -1
	err := p.inner.Step(&p.step)
	p.next = p.step.Next
	p.step.Seq++
	for i := range p.step.In {
		in := &p.step.In[i]
		in.Messages, in.Events = nil, nil
		p.seen[i] = append([]float64{}, in.Values...)
	}
	return err
}

// moved says whether a vector that wakes has changed since the last act.
func (p *polled) moved(i int) bool {
	port := p.inner.Inputs[i]
	for k, x := range p.step.In[i].Values {
		before := p.seen[i][k]
		if wake := port.Wake; len(wake.Levels) == 0 && x != before || slices.ContainsFunc(wake.Levels, func(level float64) bool {
			return min(x, before) < level && max(x, before) >= level
		}) {
			return true
		}
	}
	return false
}

func (p *polled) Close() error { return nil }

// drawMovers draws a federation of event-stepped federates and one of fixed
// steps. Every input has one source.
func drawMovers(t *rapid.T) (movers []*mover, connections []sync.Connection) {
	n := rapid.IntRange(2, 5).Draw(t, "federates")
	for i := range n {
		m := &mover{}
		m.Name = fmt.Sprintf("m%d", i)
		m.ByEvent = true
		m.Description.Step = rapid.SampledFrom([]sync.Time{0, 0, 10, 20, 30, 50}).Draw(t, "step") * sync.Millisecond
		m.Outputs = []sync.Port{{Name: "m", Kind: sync.Messages}, {Name: "e", Kind: sync.Events}, {Name: "v", Elements: []string{"x"}}}
		for from := range n {
			for _, out := range m.Outputs {
				if rapid.IntRange(0, 2).Draw(t, "connected") > 0 {
					continue
				}
				in := out
				in.Name = fmt.Sprintf("%s%d", out.Name, from)
				in.Direct = from < i && rapid.Bool().Draw(t, "direct")
				if rapid.Bool().Draw(t, "wakes") {
					in.Wake = &sync.Wake{}
					if in.Kind == sync.Vector && rapid.Bool().Draw(t, "by levels") {
						in.Wake.Levels = []float64{20, 50}
					}
				}
				m.Inputs = append(m.Inputs, in)
				connections = append(connections, sync.Connection{From: fmt.Sprintf("m%d.%s", from, out.Name), To: m.Name + "." + in.Name})
			}
		}
		movers = append(movers, m)
	}
	return movers, connections
}

// runMovers returns what all read in every step, and what observers saw.
func runMovers(t *rapid.T, movers []*mover, connections []sync.Connection, as func(*mover) sync.Federate, order []int) string {
	federates := make([]sync.Federate, 0, len(movers)+1)
	for _, i := range order {
		federates = append(federates, as(movers[i]))
	}
	federates = append(federates, newActor("clock", nil))
	frames := &valuesPrinter{}
	m, err := sync.New(federates, connections, sync.Options{Stop: stop, Observers: []sync.Observer{frames}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, m := range movers {
		b.WriteString(strings.Join(m.log, "\n") + "\n")
	}
	return b.String() + frames.String()
}

// valuesPrinter writes down all outputs, in order of name.
type valuesPrinter struct{ strings.Builder }

func (p *valuesPrinter) Begin(f *sync.Frame) error { return p.Observe(f) }
func (p *valuesPrinter) End(error) error           { return nil }
func (p *valuesPrinter) Observe(f *sync.Frame) error {
	var words []string
	for _, o := range f.Outputs {
		words = append(words, o.Name+"="+show(&o.Signal, o.Port.Kind))
	}
	slices.Sort(words)
	fmt.Fprintf(p, "%v %s\n", f.From, strings.Join(words, " "))
	return nil
}

func TestEventStepsEqualAskingAtEveryStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		movers, connections := drawMovers(t)
		order := make([]int, len(movers))
		for i := range order {
			order[i] = i
		}
		want := runMovers(t, movers, connections, func(m *mover) sync.Federate { return &polled{inner: m} }, order)
		got := runMovers(t, movers, connections, func(m *mover) sync.Federate { return m }, rapid.Permutation(order).Draw(t, "order"))
		if got != want {
			t.Fatalf("event-stepped:\n%s\nasked at every step:\n%s", got, want)
		}
	})
}

// watcher reads and names a time that lies every so far ahead.
type watcher struct {
	sync.Description
	every sync.Time // 0: never
}

func (w *watcher) Describe() sync.Description { return w.Description }
func (w *watcher) Init([]sync.Signal) error   { return nil }
func (w *watcher) Close() error               { return nil }
func (w *watcher) Step(s *sync.Step) error {
	if w.every > 0 {
		s.Next = s.From + w.every
	}
	return nil
}

func TestEventStepsDoNotAllocate(t *testing.T) {
	relay := &watcher{sync.Description{Name: "relay", ByEvent: true, Inputs: []sync.Port{
		{Name: "v", Unit: "ms", Elements: []string{"a", "b"}, Wake: &sync.Wake{Levels: []float64{0.5}}},
		{Name: "m", Kind: sync.Messages, Wake: &sync.Wake{}},
	}}, 30 * sync.Millisecond}
	source := &chatter{ringFederate{"source"}, 0}
	counted := &allocations{from: 200, to: 600}
	m, err := sync.New([]sync.Federate{source, relay}, []sync.Connection{
		{From: "source.v", To: "relay.v"},
		{From: "source.m", To: "relay.m"},
		{From: "source.v", To: "source.v"},
		{From: "source.m", To: "source.m"},
		{From: "source.e", To: "source.e"},
	}, sync.Options{Stop: 7 * sync.Second, Observers: []sync.Observer{counted}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if counted.made >= 200 { // as in TestStepsDoNotAllocate
		t.Errorf("%d allocations in 400 steps", counted.made)
	}
}

// BenchmarkIdle measures a step of a federation of 16 event-stepped federates
// in which nothing happens; each watches ten values for a level.
func BenchmarkIdle(b *testing.B) {
	clock := &ringFederate{"clock"}
	federates := []sync.Federate{clock}
	connections := []sync.Connection{{From: "clock.out", To: "clock.in"}}
	for i := range 16 {
		name := fmt.Sprintf("f%d", i)
		federates = append(federates, &watcher{Description: sync.Description{Name: name, ByEvent: true, Inputs: []sync.Port{
			{Name: "in", Unit: "pu", Elements: tenElements, Wake: &sync.Wake{Levels: []float64{100}}},
		}}})
		connections = append(connections, sync.Connection{From: "clock.out", To: name + ".in"})
	}
	m, err := sync.New(federates, connections, sync.Options{Stop: sync.Time(b.N) * 10 * sync.Millisecond})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := m.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
}
