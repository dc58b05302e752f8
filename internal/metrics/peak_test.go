package metrics

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestPeakKeepsSignTimeAndPlace(t *testing.T) {
	var p Peak
	p.AddVector(1, []float64{0, math.NaN(), 0.1})
	p.AddVector(2, []float64{0.2, -0.3, 0.3})
	p.AddVector(3, []float64{0.3, -0.3, math.NaN()})
	if p.Value() != -0.3 || p.Magnitude() != 0.3 || p.AtNS() != 2 || p.Index() != 1 {
		t.Errorf("%v (%v) at %d of signal %d, want -0.3 (0.3) at 2 of signal 1", p.Value(), p.Magnitude(), p.AtNS(), p.Index())
	}
}

func TestLowestKeepsTimeAndPlace(t *testing.T) {
	var l Lowest
	l.AddVector(1, []float64{5, math.NaN(), 3})
	l.AddVector(2, []float64{4, -1, 3})
	l.Add(3, -1)
	if l.Value() != -1 || l.AtNS() != 2 || l.Index() != 1 {
		t.Errorf("%v at %d of signal %d, want -1 at 2 of signal 1", l.Value(), l.AtNS(), l.Index())
	}
}

func TestExtremesOfNothingAreUndefined(t *testing.T) {
	var p Peak
	var l Lowest
	p.Add(0, math.NaN())
	l.Add(0, math.NaN())
	if p.Value().Defined() || p.Magnitude().Defined() || l.Value().Defined() {
		t.Errorf("%v, %v, %v", p.Value(), p.Magnitude(), l.Value())
	}
}

func TestMergedPeaksEqualOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		xs := rapid.SliceOf(rapid.Float64Range(-2, 2)).Draw(rt, "xs")
		cut := rapid.IntRange(0, len(xs)).Draw(rt, "cut")
		var one, a, b Peak
		for i, x := range xs {
			one.Add(int64(i), x)
			if i < cut {
				a.Add(int64(i), x)
			} else {
				b.Add(int64(i), x)
			}
		}
		if a.Merge(&b); a != one {
			rt.Fatalf("merged %+v, one %+v", a, one)
		}
	})
}
