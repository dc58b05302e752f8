package main

import (
	"math"
	"testing"

	"cosim/sync"
)

// One seed, one sky; and the plant stays between clear and thickest cloud.
func TestCloudsFollowFromTheSeed(t *testing.T) {
	sky := func(seed uint64) []float64 {
		p := &pv{PeakMW: 200, CloudDepth: 0.7, CloudS: 8}
		p.seed(seed)
		s := &sync.Step{Out: []sync.Signal{{Values: make([]float64, 1)}}}
		if err := p.Init(s.Out); err != nil {
			t.Fatal(err)
		}
		var all []float64
		for range 600 {
			if err := p.Step(s); err != nil {
				t.Fatal(err)
			}
			if x := s.Out[0].Values[0] + p.scheduledMW; x < 60 || x > 200 {
				t.Fatalf("%v MW", x)
			}
			all = append(all, s.Out[0].Values[0])
		}
		return all
	}
	a, again, other := sky(1), sky(1), sky(2)
	differs := 0.0
	for i := range a {
		if a[i] != again[i] {
			t.Fatalf("step %d: %v and %v", i, a[i], again[i])
		}
		differs += math.Abs(a[i] - other[i])
	}
	if differs < 100 {
		t.Errorf("two seeds have nearly one sky: %v MW apart in all", differs)
	}
}
