package metrics

import (
	"math"
	"slices"
	"testing"

	"cosim/internal/rng"

	"pgregory.net/rapid"
)

func TestKeyUseByHand(t *testing.T) {
	var k KeyUse
	if k.Ratio().Defined() {
		t.Errorf("use of nothing is %v", k.Ratio())
	}
	k.Add(300, 1000)
	k.Add(500, 600)
	if got := k.Ratio(); got != 0.5 {
		t.Errorf("%v, want 0.5", got)
	}
}

func TestJainByHand(t *testing.T) {
	for _, c := range []struct {
		shares []float64
		want   Number
	}{
		{[]float64{1, 1, 1, 1}, 1},
		{[]float64{0.3, 0.3}, 1},
		{[]float64{1, 0, 0, 0}, 0.25},
		{[]float64{1, 0.5}, 0.9},                   // 1.5² / (2 · 1.25)
		{[]float64{1, 0.8, 0.6, 0.4}, 7.84 / 8.64}, // 2.8² / (4 · 2.16)
		{[]float64{1, math.NaN(), 0.5}, 0.9},       // who asked for nothing is left out
		{[]float64{0, 0, 0}, 1},                    // equally badly served
	} {
		if got := Jain(c.shares); math.Abs(float64(got-c.want)) > 1e-15 {
			t.Errorf("J%v = %v, want %v", c.shares, got, c.want)
		}
	}
	if got := Jain(nil); got.Defined() {
		t.Errorf("J of nothing is %v", got)
	}
}

func TestJainLiesBetweenOneNthAndOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		shares := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 20).Draw(rt, "shares")
		j := float64(Jain(shares))
		if j < 1/float64(len(shares))-1e-12 || j > 1+1e-12 {
			rt.Fatalf("J = %v of %d shares", j, len(shares))
		}
	})
}

func TestFairnessForgetsWhatLeavesTheWindow(t *testing.T) {
	f := NewFairness(3, 10*s, 100*ms)
	if f.Index(0).Defined() {
		t.Error("fairness without a task is defined")
	}
	f.Ask(0, 1*s, 1000)
	f.Grant(0, 1*s, 1000)
	f.Ask(1, 2*s, 1000)
	f.Grant(1, 2*s, 300)
	f.Grant(1, 2*s, 200) // drawn later for the same task; operator 2 asks for nothing
	check := func(now int64, want float64) {
		t.Helper()
		if got := f.Index(now); math.Abs(float64(got)-want) > 1e-15 {
			t.Errorf("F_K at %v s: %v, want %v", float64(now)/1e9, got, want)
		}
	}
	check(2*s, 0.9)
	check(11*s, 0.9)
	check(11*s+100*ms, 1) // operator 0's task has left: one share
	f.Ask(2, 12*s, 500)
	f.Grant(2, 12*s, 900) // more than asked counts as all
	check(12*s, 0.9)
	f.Grant(1, 1*s, 1e6) // a time whose bucket is gone
	check(12*s, 0.9)
	if f.Index(23 * s).Defined() {
		t.Error("the window is empty, the index is not")
	}
}

func TestBinsHoldTheirValuesWithinTheirError(t *testing.T) {
	last := -1
	check := func(d int64) {
		b := bin(d)
		if b < last || b >= bins {
			t.Fatalf("%d ns in bin %d of %d after bin %d", d, b, bins, last)
		}
		last = b
		if e := math.Abs(middle(b)-float64(d)) / math.Max(1, float64(d)); e > 1.0/256 {
			t.Fatalf("%d ns in bin of middle %v: relative error %v", d, middle(b), e)
		}
	}
	for d := int64(0); d < 5000; d++ {
		check(d)
	}
	for d := int64(5000); d < math.MaxInt64/11*10; d += d / 1000 {
		check(d)
	}
	check(math.MaxInt64)
}

func TestHistogramQuantilesAreWithinHalfAPercent(t *testing.T) {
	r := rng.Stream(1, "latencies")
	var h Histogram
	exact := make([]int64, 20_000)
	for i := range exact {
		exact[i] = int64(20e6 * math.Exp(r.NormFloat64())) // around 20 ms
		h.Add(exact[i])
	}
	slices.Sort(exact)
	worst := 0.0
	for _, q := range []float64{0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1} {
		want := float64(exact[max(1, int(math.Ceil(q*float64(len(exact)))))-1]) / 1e9
		e := math.Abs(float64(h.QuantileS(q))-want) / want
		worst = max(worst, e)
		if e > 0.005 {
			t.Errorf("q = %v: %v s, want %v s", q, h.QuantileS(q), want)
		}
	}
	t.Logf("largest relative error %.2f %%", 100*worst)
	if h.QuantileS(0) != Number(float64(exact[0])/1e9) || h.MaxS() != Number(float64(exact[len(exact)-1])/1e9) {
		t.Error("the extremes are not exact")
	}
}

func TestMergedHistogramsEqualOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ds := rapid.SliceOf(rapid.Int64Range(-5, 1e12)).Draw(rt, "durations")
		cut := rapid.IntRange(0, len(ds)).Draw(rt, "cut")
		var one, a, b Histogram
		for i, d := range ds {
			one.Add(d)
			if i < cut {
				a.Add(d)
			} else {
				b.Add(d)
			}
		}
		if a.Merge(&b); a != one {
			rt.Fatal("merged histogram differs")
		}
	})
}

func TestLatencyByClass(t *testing.T) {
	var l Latency
	for i := int64(1); i <= 100; i++ {
		l.Add("pmu", i*ms)
	}
	l.Violate("pmu")
	l.Violate("pmu")
	l.Add("agc", 300*ms)
	got := l.ByClass()
	if len(got) != 2 || got[0] != (ClassLatency{"agc", 1, 0, 0.3, 0.3, 0.3, 0.3}) {
		t.Fatalf("%+v", got)
	}
	pmu := got[1]
	for name, c := range map[string][2]Number{"p50": {pmu.P50S, 0.050}, "p95": {pmu.P95S, 0.095}, "p99": {pmu.P99S, 0.099}, "max": {pmu.MaxS, 0.1}} {
		if math.Abs(float64(c[0]/c[1]-1)) > 0.005 {
			t.Errorf("%s: %v s, want %v s", name, c[0], c[1])
		}
	}
	if pmu.Delivered != 100 || pmu.Violations != 2 {
		t.Errorf("%d delivered, %d late; want 100, 2", pmu.Delivered, pmu.Violations)
	}
	var none Histogram
	if none.QuantileS(0.5).Defined() || none.MaxS().Defined() {
		t.Error("quantiles of nothing are defined")
	}
}

func BenchmarkLatency(b *testing.B) {
	var l Latency
	b.ReportAllocs()
	var d int64
	for b.Loop() {
		d += 12345
		l.Add("pmu", d%(200*ms))
	}
}

func BenchmarkFairnessIndex(b *testing.B) {
	f := NewFairness(4, 10*s, 100*ms)
	b.ReportAllocs()
	var t int64
	for b.Loop() {
		t += 100 * ms
		f.Ask(int(t/(100*ms)%4), t, 1000)
		f.Index(t)
	}
}
