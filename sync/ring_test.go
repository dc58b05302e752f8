package sync_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

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
func (r *ringFederate) Init(out []sync.Signal) error { return nil }
func (r *ringFederate) Step(s *sync.Step) error {
	out := s.Out[0].Values
	for i, x := range s.In[0].Values {
		out[i] = 0.5*x + float64(i)
	}
	return nil
}
func (r *ringFederate) Close() error { return nil }

func ring(n int) ([]sync.Federate, []sync.Connection) {
	var federates []sync.Federate
	var connections []sync.Connection
	for i := range n {
		federates = append(federates, &ringFederate{fmt.Sprintf("f%d", i)})
		connections = append(connections, sync.Connection{From: fmt.Sprintf("f%d.out", i), To: fmt.Sprintf("f%d.in", (i+1)%n)})
	}
	return federates, connections
}

// BenchmarkRing measures a step of a whole ring; docs/performance.md holds it
// against other orchestrators.
func BenchmarkRing(b *testing.B) {
	for _, n := range []int{2, 16} {
		b.Run(fmt.Sprintf("N=%d", n), func(b *testing.B) {
			federates, connections := ring(n)
			m, err := sync.New(federates, connections, sync.Options{Stop: sync.Time(b.N) * 10 * sync.Millisecond})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			if err := m.Run(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkRingFingerprint adds the hash chain over all values.
func BenchmarkRingFingerprint(b *testing.B) {
	federates, connections := ring(16)
	m, err := sync.New(federates, connections, sync.Options{
		Stop: sync.Time(b.N) * 10 * sync.Millisecond, Observers: []sync.Observer{&sync.Fingerprint{}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	if err := m.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// allocations counts what the process allocates between two frames.
type allocations struct {
	from, to int64
	before   uint64
	made     uint64
}

func (a *allocations) Begin(*sync.Frame) error { return nil }
func (a *allocations) End(error) error         { return nil }
func (a *allocations) Observe(f *sync.Frame) error {
	var m runtime.MemStats
	switch f.Seq {
	case a.from:
		runtime.ReadMemStats(&m)
		a.before = m.Mallocs
	case a.to:
		runtime.ReadMemStats(&m)
		a.made = m.Mallocs - a.before
	}
	return nil
}

// chatter sends a message and an event a step, reads its neighbour's and
// takes as long as asked.
type chatter struct {
	ringFederate
	work time.Duration
}

func (c *chatter) Describe() sync.Description {
	return sync.Description{
		Name: c.name, Step: 10 * sync.Millisecond,
		Inputs: []sync.Port{
			{Name: "v", Unit: "ms", Elements: []string{"b", "a"}},
			{Name: "m", Kind: sync.Messages},
			{Name: "e", Kind: sync.Events},
		},
		Outputs: []sync.Port{
			{Name: "v", Unit: "s", Elements: []string{"a", "b"}},
			{Name: "m", Kind: sync.Messages},
			{Name: "e", Kind: sync.Events},
		},
	}
}

func (c *chatter) Step(s *sync.Step) error {
	time.Sleep(c.work)
	s.Out[1].Messages = append(s.Out[1].Messages, sync.Message{At: s.To}, sync.Message{At: s.From})
	s.Out[2].Events = append(s.Out[2].Events, sync.Event{At: s.To}, sync.Event{At: s.From})
	return nil
}

func TestStepsDoNotAllocate(t *testing.T) {
	for _, work := range []time.Duration{0, 50 * time.Microsecond} {
		t.Run(work.String(), func(t *testing.T) {
			var federates []sync.Federate
			var connections []sync.Connection
			for i := range 4 {
				name, next := fmt.Sprintf("f%d", i), fmt.Sprintf("f%d", (i+1)%4)
				federates = append(federates, &chatter{ringFederate{name}, work})
				for _, port := range []string{".v", ".m", ".e"} {
					connections = append(connections, sync.Connection{From: name + port, To: next + port})
				}
			}
			counted := &allocations{from: 200, to: 600}
			m, err := sync.New(federates, connections, sync.Options{
				Stop: 7 * sync.Second, Observers: []sync.Observer{&sync.Fingerprint{}, counted},
				Faults: []sync.Fault{
					{Port: "f0.v", Action: sync.Offset, Value: 1, To: 6500 * sync.Millisecond},
					{Port: "f0.m", Action: sync.Drop, To: 6500 * sync.Millisecond},
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			// The watchdog and the runtime's own work fall in between; a step
			// that allocates does so 400 times.
			if counted.made >= 200 {
				t.Errorf("%d allocations in 400 steps", counted.made)
			}
		})
	}
}
