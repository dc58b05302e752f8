package sync_test

import (
	"context"
	"fmt"
	"testing"

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
