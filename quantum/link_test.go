package quantum

import (
	"math"
	"slices"
	"strings"
	"testing"

	"cosim/internal/rng"

	"pgregory.net/rapid"
)

func newTestLink(t testing.TB, cfg LinkConfig, stepNS int64, ds []Disturbance, seed uint64) *Link {
	t.Helper()
	l, err := NewLink(cfg, stepNS, ds, streams(seed))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// quiet is a link without any randomness.
func quiet() LinkConfig {
	cfg := DefaultLinkConfig()
	cfg.AttenuationSigmaDBPerKM, cfg.OUSigmaRel, cfg.BreakRateHz = 0, 0, 0
	return cfg
}

func TestOUStepIsExact(t *testing.T) {
	rows, _ := table(t, "ou_exact.csv")
	for _, r := range rows {
		theta, sigma, dt, stationary, correlation, stepVar := r[0], r[1], r[2], r[3], r[4], r[5]
		o, s := newOUStep(theta, dt), math.Sqrt(stationary)
		if math.Abs(sigma*sigma/(2*theta)-stationary) > 1e-8 {
			t.Errorf("θ %v: stationary variance %v", theta, stationary)
		}
		if math.Abs(o.decay-correlation) > 1e-8 {
			t.Errorf("θ %v, Δt %v: autocorrelation %v, want %v", theta, dt, o.decay, correlation)
		}
		if got := s * s * o.noise * o.noise; math.Abs(got-stepVar) > 1e-8 {
			t.Errorf("θ %v, Δt %v: variance of a step %v, want %v", theta, dt, got, stepVar)
		}
		// Ten short steps are one long step.
		short := newOUStep(theta, dt/10)
		if got := math.Pow(short.decay, 10); math.Abs(got-o.decay) > 1e-12 {
			t.Errorf("θ %v: ten steps decay to %v, one to %v", theta, got, o.decay)
		}
	}
}

// moments of a series: mean, variance and autocorrelation at a lag.
func moments(x []float64, lag int) (mean, variance, correlation float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for i, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
		if i >= lag {
			correlation += (v - mean) * (x[i-lag] - mean) / float64(len(x)-lag)
		}
	}
	return mean, variance, correlation / variance
}

// The same link on grids of 10 and 100 ms has the same statistics, those of
// the continuous process, at the same lag of 1 s. A sample of duration T of a
// process of correlation time τ holds T/2τ independent values; four standard
// errors are allowed.
func TestStatisticsDoNotDependOnStep(t *testing.T) {
	cfg := DefaultLinkConfig()
	cfg.BreakRateHz = 0
	const seconds = 40000
	lag := map[int64]int{10 * millisecond: 100, 100 * millisecond: 10}
	for _, stepNS := range []int64{10 * millisecond, 100 * millisecond} {
		l := newTestLink(t, cfg, stepNS, nil, 3)
		delta := make([]float64, seconds*int(second/stepNS))
		relative := make([]float64, len(delta))
		for i := range delta {
			l.Advance(int64(i+1) * stepNS)
			delta[i], relative[i] = l.delta, l.RateBPS()/l.TargetBPS()
		}
		check := func(what string, got, want, deviation float64) {
			t.Helper()
			t.Logf("step %3d ms: %s %.4g, want %.4g ± %.2g", stepNS/millisecond, what, got, want, deviation)
			if math.Abs(got-want) > 4*deviation {
				t.Errorf("step %d ms: %s %.4g, want %.4g ± %.2g", stepNS/millisecond, what, got, want, deviation)
			}
		}
		n := seconds / (2 * cfg.AttenuationTauS)
		variance := cfg.AttenuationSigmaDBPerKM * cfg.AttenuationSigmaDBPerKM
		m, v, c := moments(delta, lag[stepNS])
		check("mean of Δα", m, 0, math.Sqrt(variance/n))
		check("variance of Δα", v, variance, variance*math.Sqrt(2/n))
		check("correlation of Δα at 1 s", c, math.Exp(-1/cfg.AttenuationTauS), 0.002)

		// G lags behind Ḡ, which adds a little to the deviation of G/Ḡ: with
		// Ḡ lognormal, its rate of change over the lag 1/λ.
		_, v, c = moments(relative, lag[stepNS])
		logSD := cfg.AttenuationSigmaDBPerKM * cfg.LengthKM * math.Ln10 / 10
		lagging := logSD * logSD / (1 + cfg.OURate*cfg.AttenuationTauS)
		want := cfg.OUSigmaRel*cfg.OUSigmaRel + lagging
		check("variance of G/Ḡ", v, want, want*0.05)
		check("correlation of G/Ḡ at 1 s", c, math.Exp(-cfg.OURate), 0.02)
	}
}

func TestTransmittanceIsLognormal(t *testing.T) {
	rows, _ := table(t, "stochastic_attenuation.csv")
	for _, r := range rows {
		cfg := DefaultLinkConfig()
		cfg.AttenuationDBPerKM, cfg.AttenuationSigmaDBPerKM, cfg.LengthKM = r[0], r[1], r[2]
		cfg.AttenuationTauS, cfg.BreakRateHz = 0.05, 0 // nearly independent draws
		if median := math.Pow(10, -cfg.lossDB(0)/10); math.Abs(median-r[3]) > 1e-6*r[3] {
			t.Errorf("median transmittance %v, want %v", median, r[3])
		}
		l := newTestLink(t, cfg, gridNS, nil, 5)
		const n = 100000
		var logs, etas []float64
		for i := range n {
			l.Advance(int64(i+1) * gridNS)
			eta := math.Pow(10, -l.AttenuationDBPerKM()*cfg.LengthKM/10)
			logs, etas = append(logs, math.Log(eta)), append(etas, eta)
		}
		_, logVar, _ := moments(logs, 1)
		mean, variance, _ := moments(etas, 1)
		if r[1] == 0 {
			if math.Abs(mean-r[5]) > 1e-6*r[5] || variance > 1e-20 {
				t.Errorf("constant attenuation: transmittance %v ± %v, want %v", mean, math.Sqrt(variance), r[5])
			}
			continue
		}
		// Correlation e^(-2) a step leaves n·0.76 independent values; four
		// standard errors of a deviation are 4/sqrt(2·0.76·n) = 1 %.
		if got := math.Sqrt(logVar); math.Abs(got-r[4]) > 0.011*r[4] {
			t.Errorf("σ %v: log-deviation %.5f, want %.5f", r[1], got, r[4])
		}
		if math.Abs(mean-r[5]) > 4*math.Sqrt(variance/(0.76*n)) {
			t.Errorf("σ %v: mean %.6g, want %.6g", r[1], mean, r[5])
		}
		if got := math.Sqrt(variance) / mean; math.Abs(got-r[6]) > 0.015*r[6] {
			t.Errorf("σ %v: coefficient of variation %.5f, want %.5f", r[1], got, r[6])
		}
	}
}

// Breaks are a Poisson process that does not stop during a break, hence the
// rows of overlapping outages. (The row of the renewal process is another
// process; at one break in 300 s the two differ by 9e-5.)
func TestAvailabilityUnderPoissonBreaks(t *testing.T) {
	rows, text := table(t, "link_break_availability.csv")
	tested := 0
	for i, r := range rows {
		if text[i][2] != "overlapping_MGinf" {
			continue
		}
		tested++
		cfg := DefaultLinkConfig()
		cfg.BreakRateHz = r[0]
		const breaks, stepNS = 20000, 100 * second
		l := newTestLink(t, cfg, stepNS, nil, 11)
		steps := int(breaks / r[0] / 100)
		up := 0.0
		for i := range steps {
			l.Advance(int64(i+1) * stepNS)
			up += float64(l.Observation().UpNS)
		}
		up /= float64(steps) * float64(stepNS)
		// The down time is a sum of some 20,000 durations: its relative
		// standard error is sqrt(1 + (c.v. of the duration)²)/sqrt(breaks).
		down, wantDown := 1-up, 1-r[3]
		if math.Abs(down-wantDown) > 4*wantDown*1.02/math.Sqrt(breaks) {
			t.Errorf("λ %v: down for %.6f of the time, want %.6f", r[0], down, wantDown)
		}
		t.Logf("λ %.3g: availability %.6f, want %.6f", r[0], up, r[3])
	}
	if tested != 4 {
		t.Errorf("%d rows tested, want 4", tested)
	}
}

func TestBreakCutsYieldAtExactTimes(t *testing.T) {
	cfg := quiet()
	rate := NominalRateBPS(cfg)
	ds := []Disturbance{
		{FromNS: 1_030 * millisecond, ToNS: 1_250 * millisecond, Break: true},
		{FromNS: 1_200 * millisecond, ToNS: 1_305 * millisecond, Break: true}, // overlaps
		{FromNS: 1_350 * millisecond, ToNS: 1_360 * millisecond, Break: true}, // inside one step
		{FromNS: 2_000 * millisecond, ToNS: 2_100 * millisecond, Break: true}, // on the grid
	}
	l := newTestLink(t, cfg, gridNS, ds, 1)
	var events []Event
	upNS, key := int64(0), 0.0
	for i := range 30 {
		l.Advance(int64(i+1) * gridNS)
		for _, e := range l.Events() {
			if e.AtNS < l.NowNS()-gridNS || e.AtNS >= l.NowNS() {
				t.Errorf("%s at %d ns is reported by the advance to %d ns", e.Kind, e.AtNS, l.NowNS())
			}
		}
		events = append(events, l.Events()...)
		upNS += l.Observation().UpNS
		key += l.Observation().KeyBits
	}
	q := l.QBER()
	want := []Event{
		{1_030 * millisecond, EventBreak, q},
		{1_305 * millisecond, EventRepair, q},
		{1_350 * millisecond, EventBreak, q},
		{1_360 * millisecond, EventRepair, q},
		{2_000 * millisecond, EventBreak, q},
		{2_100 * millisecond, EventRepair, q},
	}
	if !slices.Equal(events, want) {
		t.Errorf("events %v, want %v", events, want)
	}
	if want := 3*second - 385*millisecond; upNS != want {
		t.Errorf("up for %d ns, want %d", upNS, want)
	}
	if want := rate * 2.615; math.Abs(key-want) > 1e-6 {
		t.Errorf("%.6f bits, want %.6f", key, want)
	}
}

// While G moves along a line, a break in the second half of a step costs what
// the line has there.
func TestYieldIsIntegralOfRateOverUpTime(t *testing.T) {
	cfg := DefaultLinkConfig()
	cfg.BreakRateHz = 0
	whole := newTestLink(t, cfg, gridNS, nil, 9)
	cut := newTestLink(t, cfg, gridNS, []Disturbance{{FromNS: 75 * millisecond, ToNS: 100 * millisecond, Break: true}}, 9)
	g0 := whole.RateBPS()
	whole.Advance(gridNS)
	cut.Advance(gridNS)
	g1 := whole.RateBPS()
	if g1 != cut.RateBPS() || g0 == g1 {
		t.Fatalf("rate moves from %v to %v, with a break to %v", g0, g1, cut.RateBPS())
	}
	if got, want := whole.Observation().KeyBits, (g0+g1)/2*0.1; math.Abs(got-want) > 1e-9 {
		t.Errorf("whole step yields %v bits, want %v", got, want)
	}
	at75 := g0 + 0.75*(g1-g0)
	if got, want := cut.Observation().KeyBits, (g0+at75)/2*0.075; math.Abs(got-want) > 1e-9 {
		t.Errorf("three quarters of the step yield %v bits, want %v", got, want)
	}
}

func TestSurgeAndErrorActOverTheirInterval(t *testing.T) {
	cfg := quiet()
	nominal := NominalRateBPS(cfg)
	model, err := cfg.RateModel()
	if err != nil {
		t.Fatal(err)
	}
	_, surged := model.Rate(cfg.lossDB(0)+3, 0)
	ds := []Disturbance{
		{FromNS: 10 * second, ToNS: 70 * second, AttenuationDB: 3},
		{FromNS: 100 * second, ToNS: 110 * second, QBERAdd: 0.2},
	}
	l := newTestLink(t, cfg, gridNS, ds, 1)
	var events []Event
	key := 0.0
	for i := range 1500 {
		l.Advance(int64(i+1) * gridNS)
		events = append(events, l.Events()...)
		now := l.NowNS()
		want := nominal
		switch {
		case now >= 10*second && now < 70*second:
			want = surged
		case now >= 100*second && now < 110*second:
			want = 0
		}
		if l.TargetBPS() != want {
			t.Fatalf("at %d ms the target is %v, want %v", now/millisecond, l.TargetBPS(), want)
		}
		if now > 100*second && now <= 110*second {
			key += l.Observation().KeyBits
		}
		// The rate follows with 1/λ = 2 s.
		if now == 69*second && math.Abs(l.RateBPS()-surged) > 1e-9*nominal {
			t.Errorf("the rate has not settled to the surge: %v, want %v", l.RateBPS(), surged)
		}
	}
	if len(events) != 2 || events[0].Kind != EventNoYield || events[0].AtNS != 100*second ||
		events[1].Kind != EventYield || events[1].AtNS != 110*second || events[0].QBER < 0.2 {
		t.Errorf("events %v, want no-yield at 100 s and yield at 110 s", events)
	}
	// The last step's line rises to the rate after the return.
	if limit := 0.5 * 0.1 * nominal; key > limit {
		t.Errorf("%.1f bits distilled above the error bound, at most %.1f expected", key, limit)
	}
}

func TestAdvanceInAnyPiecesIsTheSame(t *testing.T) {
	cfg := DefaultLinkConfig()
	cfg.BreakRateHz = 0.05
	ds := []Disturbance{{FromNS: 5*second + 1, ToNS: 9*second + 7, Break: true, AttenuationDB: 1}}
	const end = 60 * second
	type record struct {
		blocks []Delivery
		events []Event
	}
	run := func(next func(now int64) int64) (r record, rate float64) {
		l := newTestLink(t, cfg, gridNS, ds, 21)
		for now := int64(0); now < end; {
			now = min(end, next(now))
			l.Advance(now)
			r.blocks = append(r.blocks, l.Blocks()...)
			r.events = append(r.events, l.Events()...)
		}
		return r, l.RateBPS()
	}
	want, wantRate := run(func(now int64) int64 { return now + gridNS })
	if len(want.blocks) == 0 || len(want.events) == 0 {
		t.Fatal("nothing happened")
	}
	rapid.Check(t, func(t *rapid.T) {
		got, rate := run(func(now int64) int64 {
			return now + rapid.Int64Range(1, 10*second).Draw(t, "advance")
		})
		if rate != wantRate || !slices.Equal(got.blocks, want.blocks) || !slices.Equal(got.events, want.events) {
			t.Fatal("a link advanced in other pieces came out differently")
		}
	})
}

func TestSameSeedSameLink(t *testing.T) {
	a := newTestLink(t, DefaultLinkConfig(), gridNS, nil, 4)
	b := newTestLink(t, DefaultLinkConfig(), gridNS, nil, 4)
	c := newTestLink(t, DefaultLinkConfig(), gridNS, nil, 5)
	for i := range 1000 {
		for _, l := range []*Link{a, b, c} {
			l.Advance(int64(i+1) * gridNS)
		}
		if a.RateBPS() != b.RateBPS() || a.QBER() != b.QBER() || !slices.Equal(a.Blocks(), b.Blocks()) {
			t.Fatal("same seed, different link")
		}
	}
	if a.RateBPS() == c.RateBPS() {
		t.Error("two seeds give the same link")
	}
}

// A disturbance changes its own effect and nothing else: the random numbers
// before and after are the same.
func TestDisturbanceShiftsNoRandomNumbers(t *testing.T) {
	cfg := DefaultLinkConfig()
	plain := newTestLink(t, cfg, gridNS, nil, 6)
	stormy := newTestLink(t, cfg, gridNS, []Disturbance{{FromNS: second, ToNS: 3 * second, Break: true, AttenuationDB: 2, QBERAdd: 0.3}}, 6)
	plain.Advance(60 * second)
	stormy.Advance(60 * second)
	if plain.AttenuationDBPerKM() != stormy.AttenuationDBPerKM() {
		t.Error("the attenuation differs after the storm")
	}
	if d := math.Abs(plain.RateBPS()-stormy.RateBPS()) / plain.RateBPS(); d > 1e-9 {
		t.Errorf("the rate differs by %.1e a minute after the storm", d)
	}
}

func TestKeyIsDeliveredInWholeBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := DefaultLinkConfig()
		cfg.PulseRateHz = rapid.Float64Range(1e3, 1e7).Draw(t, "pulse rate")
		cfg.BlockBits = 8 * rapid.IntRange(1, 2000).Draw(t, "block octets")
		cfg.BreakRateHz = rapid.SampledFrom([]float64{0, 0.01, 1, 100}).Draw(t, "breaks")
		cfg.AttenuationBoundsDBPerKM = [2]float64{0.18, 0.22}
		l, err := NewLink(cfg, gridNS, nil, streams(rapid.Uint64().Draw(t, "seed")))
		if err != nil {
			t.Fatal(err)
		}
		distilled, delivered := 0.0, int64(0)
		for i := range 200 {
			l.Advance(int64(i+1) * gridNS)
			o := l.Observation()
			distilled += o.KeyBits
			for _, d := range l.Blocks() {
				delivered += d.Bits
				if d.AtNS != l.NowNS() || d.Bits != int64(d.Blocks)*int64(cfg.BlockBits) || d.Blocks <= 0 {
					t.Fatalf("delivery %+v at %d", d, l.NowNS())
				}
			}
			if a := l.AttenuationDBPerKM(); a < 0.18 || a > 0.22 {
				t.Fatalf("attenuation %v leaves its bounds", a)
			}
			if o.UpNS < 0 || o.UpNS > gridNS || o.KeyBits < 0 || o.Down == l.Up() {
				t.Fatalf("observation %+v", o)
			}
		}
		if p := l.PendingBits(); p < 0 || p >= float64(cfg.BlockBits) || math.Abs(distilled-float64(delivered)-p) > 1e-6*(1+distilled) {
			t.Fatalf("distilled %v, delivered %d, pending %v", distilled, delivered, p)
		}
	})
}

func TestBadDisturbancesAreRefused(t *testing.T) {
	_, err := NewLink(DefaultLinkConfig(), gridNS, []Disturbance{
		{FromNS: 5, ToNS: 5, Break: true},
		{FromNS: 0, ToNS: 9, AttenuationDB: -1, QBERAdd: math.Inf(1)},
	}, streams(1))
	for _, want := range []string{"disturbances[0].to", "disturbances[1].attenuation_db", "disturbances[1].qber_add"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
	if _, err := NewLink(DefaultLinkConfig(), 0, nil, streams(1)); err == nil {
		t.Error("a step of zero is accepted")
	}
}

func TestAdvanceDoesNotAllocate(t *testing.T) {
	l := newTestLink(t, DefaultLinkConfig(), gridNS, nil, 1)
	now := 600 * second
	l.Advance(now)
	if n := testing.AllocsPerRun(1000, func() { now += gridNS; l.Advance(now) }); n != 0 {
		t.Errorf("%v allocations an advance", n)
	}
}

func BenchmarkLinkAdvance(b *testing.B) {
	l, err := NewLink(DefaultLinkConfig(), gridNS, nil, streams(rng.Stream(1, "bench").Uint64()))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	now := int64(0)
	for b.Loop() {
		now += gridNS
		l.Advance(now)
	}
}
