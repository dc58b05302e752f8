package federates

import (
	"testing"

	"cosim/scada"
	cosync "cosim/sync"
)

func TestKeyFairnessIsOfTheLastTenSeconds(t *testing.T) {
	f := newFairness(3)
	var out []cosync.Signal
	for i := 0; i < scadaFairness; i++ {
		out = append(out, cosync.Signal{})
	}
	for _, p := range fairnessPorts([]scada.Operator{{Name: "a"}, {Name: "b"}, {Name: "c"}}) {
		out = append(out, cosync.Signal{Values: make([]float64, len(p.Elements))})
	}
	step := func(at cosync.Time, moves ...scada.KeyMove) []float64 {
		f.step(&scada.Output{Key: moves}, &cosync.Step{From: at, To: at + FairnessEvery, Out: out})
		return out[scadaFairness].Values
	}
	// The first has all it asked for, the second half, and the third asked for nothing.
	got := step(0, scada.KeyMove{Operator: 0, AskedBits: 100, DrawnBits: 100}, scada.KeyMove{Operator: 1, AskedBits: 100, DrawnBits: 50})
	if want := 1.5 * 1.5 / (2 * 1.25); got[0] != want || got[1] != 1 || got[2] != 0.5 || got[3] != 1 {
		t.Errorf("index and shares %v, want index %v", got, want)
	}
	if got = step(9800 * cosync.Millisecond); got[2] != 0.5 {
		t.Errorf("after 9.9 s the share is %v", got[2])
	}
	if got = step(10100 * cosync.Millisecond); got[0] != 1 || got[2] != 1 {
		t.Errorf("after 10.2 s index and shares are %v", got)
	}
	if asked, granted := out[scadaAsked].Values, out[scadaGranted].Values; asked[1] != 100 || granted[1] != 50 {
		t.Errorf("asked %v, granted %v", asked, granted)
	}
}
