package metrics

import (
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

const (
	ms = int64(1e6)
	s  = int64(1e9)
)

// span is a time in which |Δf| is 0.1 Hz, in seconds.
type span struct{ from, to float64 }

// measure samples the signal every 10 ms from 0 to end and announces each
// fault before the first sample at or after it.
func measure(spans []span, faults []float64, end float64) []FaultRecovery {
	r := NewRecovery(SafeHz, CalmNS, 10*ms)
	next := 0
	for t := int64(0); t < int64(end*1e9); t += 10 * ms {
		for next < len(faults) && int64(faults[next]*1e9) <= t {
			r.Fault(int64(faults[next]*1e9), "")
			next++
		}
		x := 0.05 // the limit itself is safe
		for i, sp := range spans {
			if float64(t) >= sp.from*1e9 && float64(t) < sp.to*1e9 {
				x = 0.1 - 0.2*float64(i%2)
			}
		}
		r.Add(t, x)
	}
	return r.Faults()
}

func TestTRRByHand(t *testing.T) {
	for _, c := range []struct {
		name   string
		spans  []span
		faults []float64
		end    float64
		want   []FaultRecovery
	}{
		{
			"square wave of 1 s each side",
			[]span{{10, 11}, {12, 13}, {14, 15}},
			[]float64{10},
			30,
			[]FaultRecovery{{10 * s, "", 3 * s, 15 * s, true}},
		},
		{
			"not noticed", nil,
			[]float64{10},
			30,
			[]FaultRecovery{{10 * s, "", 0, 10 * s, true}},
		},
		{
			"answer comes late",
			[]span{{11, 13}},
			[]float64{10},
			30,
			[]FaultRecovery{{10 * s, "", 2 * s, 13 * s, true}},
		},
		{
			"calm of 4.9 s does not last",
			[]span{{10, 11}, {15.9, 16}},
			[]float64{10},
			30,
			[]FaultRecovery{{10 * s, "", 1100 * ms, 16 * s, true}},
		},
		{
			"calm of 5 s lasts",
			[]span{{10, 11}, {16, 17}},
			[]float64{10},
			30,
			[]FaultRecovery{{10 * s, "", 1 * s, 11 * s, true}},
		},
		{
			"exceedance before the fault is not its own",
			[]span{{8, 12}},
			[]float64{10},
			30,
			[]FaultRecovery{{10 * s, "", 2 * s, 12 * s, true}},
		},
		{
			"fault within a sample",
			[]span{{8, 12}},
			[]float64{10.004},
			30,
			[]FaultRecovery{{10004 * ms, "", 1996 * ms, 12 * s, true}},
		},
		{
			"overlapping faults share what follows both",
			[]span{{10, 14}},
			[]float64{10, 12},
			30,
			[]FaultRecovery{{10 * s, "", 4 * s, 14 * s, true}, {12 * s, "", 2 * s, 14 * s, true}},
		},
		{
			"first fault returned before the second",
			[]span{{10, 11}, {20, 22}},
			[]float64{10, 20},
			40,
			[]FaultRecovery{{10 * s, "", 1 * s, 11 * s, true}, {20 * s, "", 2 * s, 22 * s, true}},
		},
		{
			"end of the run hides the return",
			[]span{{10, 11}},
			[]float64{10},
			15,
			[]FaultRecovery{{10 * s, "", 1 * s, 11 * s, false}},
		},
		{
			"never returned",
			[]span{{10, 99}},
			[]float64{10},
			20,
			[]FaultRecovery{{10 * s, "", 10 * s, 20 * s, false}},
		},
	} {
		if got := measure(c.spans, c.faults, c.end); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestFaultAnnouncedWithinTheLastSample(t *testing.T) {
	r := NewRecovery(SafeHz, CalmNS, 100*ms)
	r.Add(0, -0.06)
	r.Fault(40*ms, "fibre CC-GW1")
	r.Add(100*ms, -0.06)
	for i := int64(2); i < 60; i++ {
		r.Add(i*100*ms, 0)
	}
	want := []FaultRecovery{{40 * ms, "fibre CC-GW1", 160 * ms, 200 * ms, true}}
	if got := r.Faults(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestCalmInAGapLasts(t *testing.T) {
	r := NewRecovery(SafeHz, CalmNS, 100*ms)
	r.Fault(0, "")
	r.Add(0, 0.06)
	r.Add(6*s, 0.06)
	want := []FaultRecovery{{0, "", 100 * ms, 100 * ms, true}}
	if got := r.Faults(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The definition once more, over the whole series at a time: the lasting
// return is the first step from the fault on that begins calm steps without
// exceedance, and TRR counts the exceeding steps before it.
func trrOfSeries(over []bool, fault, calm int) (trr, back int, lasting bool) {
	back = fault
	for i := fault; i < len(over); i++ {
		if i-back >= calm {
			return trr, back, true
		}
		if over[i] {
			trr++
			back = i + 1
		}
	}
	return trr, back, len(over)-back >= calm
}

func TestStreamedTRREqualsTRROfTheSeries(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		over := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bool { return rapid.IntRange(0, 6).Draw(t, "p") == 0 }), 1, 80).Draw(rt, "over")
		calm := rapid.IntRange(1, 8).Draw(rt, "calm")
		isFault := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bool { return rapid.IntRange(0, 9).Draw(t, "p") == 0 }), len(over), len(over)).Draw(rt, "faults")
		r := NewRecovery(1, int64(calm), 1)
		var want []FaultRecovery
		for i, o := range over {
			if isFault[i] {
				r.Fault(int64(i), "")
				trr, back, lasting := trrOfSeries(over, i, calm)
				want = append(want, FaultRecovery{int64(i), "", int64(trr), int64(back), lasting})
			}
			x := 0.5
			if o {
				x = -2
			}
			r.Add(int64(i), x)
		}
		if got := r.Faults(); !reflect.DeepEqual(got, want) {
			rt.Fatalf("streamed %+v, of the series %+v", got, want)
		}
	})
}

func TestMissingSampleIsNoExceedance(t *testing.T) {
	r := NewRecovery(SafeHz, CalmNS, 10*ms)
	r.Fault(0, "")
	r.Add(0, math.NaN())
	if got := r.Faults()[0].TRRNS; got != 0 {
		t.Errorf("TRR %d ns", got)
	}
}

func BenchmarkRecovery(b *testing.B) {
	r := NewRecovery(SafeHz, CalmNS, 10*ms)
	b.ReportAllocs()
	var t int64
	for b.Loop() {
		if t%(120*s) == 0 {
			r.Fault(t, "")
		}
		r.Add(t, 0.06)
		t += 10 * ms
	}
}
