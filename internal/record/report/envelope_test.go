package report

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestEnvelopeKeepsExtremes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1, 1), 1, 500).Draw(t, "values")
		e := newEnvelope(2 * rapid.IntRange(1, 20).Draw(t, "half the pieces"))
		for i, y := range values {
			e.add(float64(i), y)
		}
		x, y := e.line(1)
		if slices.Min(y) != slices.Min(values) || slices.Max(y) != slices.Max(values) {
			t.Fatalf("extremes %g and %g became %g and %g", slices.Min(values), slices.Max(values), slices.Min(y), slices.Max(y))
		}
		least, greatest := e.extremes()
		if values[int(least.t)] != slices.Min(values) || values[int(greatest.t)] != slices.Max(values) {
			t.Fatalf("extremes at %g and %g", least.t, greatest.t)
		}
		for i := range x {
			if i > 0 && x[i] <= x[i-1] {
				t.Fatalf("time goes from %g to %g", x[i-1], x[i])
			}
			if values[int(x[i])] != y[i] {
				t.Fatalf("at %g it was %g, drawn as %g", x[i], values[int(x[i])], y[i])
			}
		}
		if x[0] != 0 || x[len(x)-1] != float64(len(values)-1) {
			t.Fatal("an end is gone")
		}
	})
}

func TestEnvelopeIsBounded(t *testing.T) {
	e := newEnvelope(100)
	for i := range 1_000_000 {
		e.add(float64(i), math.Sin(float64(i)))
	}
	if len(e.pieces) > 100 || cap(e.pieces) > 256 {
		t.Errorf("%d pieces, room for %d", len(e.pieces), cap(e.pieces))
	}
}

func TestMissingValuesAreLeftOut(t *testing.T) {
	e := newEnvelope(4)
	for i, y := range []float64{math.NaN(), 1, math.Inf(1), 2} {
		e.add(float64(i), y)
	}
	if x, y := e.line(1); !slices.Equal(x, []float64{1, 3}) || !slices.Equal(y, []float64{1, 2}) {
		t.Errorf("%v, %v", x, y)
	}
}

func TestThinnedValuesAreEvenlyChosen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20*thinnedLimit).Draw(t, "values")
		var s thinned
		for i := range n {
			s.add(float64(i), 0)
		}
		if len(s.values) > thinnedLimit || len(s.values) < min(n, thinnedLimit/2) {
			t.Fatalf("%d of %d values", len(s.values), n)
		}
		for i, v := range s.values {
			if v[0] != float64(i*s.every) {
				t.Fatalf("value %d is that of %g, one of %d is kept", i, v[0], s.every)
			}
		}
	})
}
