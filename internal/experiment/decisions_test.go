package experiment

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBinsCountEveryDecisionOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var times []time.Duration
		for _, ns := range rapid.SliceOfN(rapid.Int64Range(0, 3e10), 1, 200).Draw(t, "times") {
			times = append(times, time.Duration(ns))
		}
		slices.Sort(times)
		b := newTimeBins(times)
		if len(b.UpToS) != len(b.Count) || !slices.IsSorted(b.UpToS) {
			t.Fatalf("bins %v, counts %v", b.UpToS, b.Count)
		}
		below := -1.0
		for i, end := range b.UpToS {
			want := int64(0)
			for _, x := range times {
				if x.Seconds() > below && x.Seconds() <= end {
					want++
				}
			}
			if b.Count[i] != want {
				t.Fatalf("%d decisions up to %g s, expected %d", b.Count[i], end, want)
			}
			below = end
		}
		if longest := times[len(times)-1].Seconds(); longest > below || times[0] > 0 && b.Count[0] != 0 {
			t.Fatalf("bins end at %g s, the longest took %g s; %d in the first", below, longest, b.Count[0])
		}
	})
}

func TestPeriodIsTheEndOfABin(t *testing.T) {
	b := newTimeBins([]time.Duration{time.Millisecond, 100 * time.Millisecond, 100*time.Millisecond + 1})
	i := slices.Index(b.UpToS, 0.1)
	if i < 0 || b.Count[i] != 1 || b.Count[i+1] != 1 || len(b.Count) != i+2 {
		t.Errorf("bins %v, counts %v", b.UpToS, b.Count)
	}
	if len(b.UpToS) != 43 {
		t.Errorf("%d bins for two decades, expected 20 each", len(b.UpToS))
	}
}
