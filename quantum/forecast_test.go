package quantum

import (
	"math"
	"math/rand/v2"
	"testing"

	"cosim/internal/rng"
)

// streams returns the streams of a test's link.
func streams(seed uint64) func(string) *rand.Rand {
	return func(name string) *rand.Rand { return rng.Stream(seed, name) }
}

const (
	millisecond = int64(1e6)
	second      = int64(1e9)
	gridNS      = 100 * millisecond
)

// evaluate scores a forecaster on links of the given seeds for seconds each.
func evaluate(t *testing.T, name string, cfg LinkConfig, ds []Disturbance, seeds []uint64, seconds int) ForecastScore {
	t.Helper()
	s, err := ScoreForecast(func() (Forecaster, error) { return NewForecaster(name, cfg, gridNS) }, cfg, gridNS,
		seconds*int(second/gridNS), len(seeds), func(int) []Disturbance { return ds },
		func(run int, name string) *rand.Rand { return rng.Stream(seeds[run], name) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func heldBackSeeds() []uint64 {
	seeds := make([]uint64, 20)
	for i := range seeds {
		seeds[i] = uint64(1000 + i)
	}
	return seeds
}

// The intervals are judged on the link as it is by default, breaks included.
// 20 runs of 9 minutes; truths within one run are correlated, so that the
// standard error of a coverage is some 0.3 % at ten steps.
func TestForecastIntervalsCover95Percent(t *testing.T) {
	for _, lengthKM := range []float64{20, 50} {
		cfg := DefaultLinkConfig()
		cfg.LengthKM = lengthKM
		scores := map[string]ForecastScore{}
		for _, name := range Forecasters() {
			s := evaluate(t, name, cfg, nil, heldBackSeeds(), 600)
			scores[name] = s
			t.Logf("%2.0f km %-11s RMSE/nominal 1 step %.4f, 10 steps %.4f, bias %+.4f; coverage G %.3f, %.3f, ∫G %.3f",
				lengthKM, name, s.RMSE1, s.RMSE10, s.Bias10, s.Cover1, s.Cover10, s.CoverK)
			for what, c := range map[string]float64{"G one step": s.Cover1, "G ten steps": s.Cover10, "∫G ten steps": s.CoverK} {
				if c < 0.93 || c > 0.97 {
					t.Errorf("%v km %s: 95 %% interval of %s covers %.3f", lengthKM, name, what, c)
				}
			}
			if math.Abs(s.Bias10) > 0.003 {
				t.Errorf("%v km %s: biased by %.4f of the nominal rate ten steps ahead", lengthKM, name, s.Bias10)
			}
		}
		p, k := scores[ForecastPersistence], scores[ForecastKalman]
		if k.RMSE1 >= p.RMSE1 || k.RMSE10 >= p.RMSE10 {
			t.Errorf("%v km: the Kalman filter (%.4f, %.4f) does not beat persistence (%.4f, %.4f)",
				lengthKM, k.RMSE1, k.RMSE10, p.RMSE1, p.RMSE10)
		}
	}
}

// A scheduled surge is outside the filter's model: it must be learnt from the
// key rate. The interval may fail during it and must have recovered after it.
func TestKalmanRecoversFromAttenuationSurge(t *testing.T) {
	surge := []Disturbance{{FromNS: 200 * second, ToNS: 260 * second, AttenuationDB: 3}}
	with := evaluate(t, ForecastKalman, DefaultLinkConfig(), surge, heldBackSeeds(), 600)
	t.Logf("with a surge of 3 dB for 60 of 600 s: coverage G %.3f, %.3f, ∫G %.3f, RMSE %.4f, %.4f",
		with.Cover1, with.Cover10, with.CoverK, with.RMSE1, with.RMSE10)
	if with.CoverK < 0.90 {
		t.Errorf("coverage of ∫G %.3f over runs with a surge", with.CoverK)
	}
}

// Just before the longest break is over the repair is nearly certain, and the
// variance of the time up the difference of two nearly equal numbers.
func TestVarianceIsNeverNegativeWhileDown(t *testing.T) {
	cfg := DefaultLinkConfig()
	var p [10]Prediction
	for begin := range int64(100) {
		f, err := NewForecaster(ForecastKalman, cfg, gridNS)
		if err != nil {
			t.Fatal(err)
		}
		f.Observe(Observation{KeyBits: NominalRateBPS(cfg) / 10, UpNS: gridNS})
		f.Observe(Observation{KeyBits: NominalRateBPS(cfg) / 10 * float64(begin) / 100, UpNS: begin * gridNS / 100, Down: true})
		for i := range 60 {
			f.Forecast(p[:])
			for step, x := range p {
				if !(x.KeyBitsVar >= 0) || !(x.RateVar >= 0) {
					t.Fatalf("break begins at %d %% of a step, %d steps on, step %d: variances %g and %g", begin, i, step, x.KeyBitsVar, x.RateVar)
				}
			}
			f.Observe(Observation{Down: true})
		}
	}
}

func TestForecastWhileDownKnowsTheLongestRepair(t *testing.T) {
	cfg := DefaultLinkConfig()
	f, err := NewForecaster(ForecastKalman, cfg, gridNS)
	if err != nil {
		t.Fatal(err)
	}
	down := Observation{Down: true}
	var p [10]Prediction
	for i := range 60 {
		f.Observe(down)
		f.Forecast(p[:])
		downS := float64(i+1) / 10
		full := NominalRateBPS(cfg)
		switch key := p[9].KeyBits; {
		case downS <= 2 && key > 1e-6*full:
			t.Errorf("down for %.1f s of at least 3: %.0f bits expected within 1 s", downS, key)
		case downS > 2.2 && downS < 4.8 && (key <= 0 || key >= full || p[9].KeyBitsVar <= 0):
			t.Errorf("down for %.1f s of at most 5: %.0f ± %.0f bits expected within 1 s", downS, key, math.Sqrt(p[9].KeyBitsVar))
		case downS >= 5.1 && key != 0:
			t.Errorf("down for %.1f s, longer than any break: %.0f bits expected", downS, key)
		}
	}
	// Halfway through the window, R ~ U(0, 1): E[max(0, 1−R)] = 1/2 s.
	f, _ = NewForecaster(ForecastKalman, cfg, gridNS)
	for range 40 {
		f.Observe(down)
	}
	f.Forecast(p[:])
	if got, want := p[9].KeyBits/NominalRateBPS(cfg), 0.5; math.Abs(got-want) > 0.02 {
		t.Errorf("down for 4 s: %.3f s of key expected in the next, want %.3f", got, want)
	}
}

func TestForecastIsZeroAboveErrorBound(t *testing.T) {
	for _, name := range Forecasters() {
		f, err := NewForecaster(name, DefaultLinkConfig(), gridNS)
		if err != nil {
			t.Fatal(err)
		}
		f.Observe(Observation{UpNS: gridNS, AboveBound: true})
		var p [3]Prediction
		f.Forecast(p[:])
		if p != [3]Prediction{} {
			t.Errorf("%s expects %+v from a link without secret key", name, p)
		}
	}
}

func TestForecastIsExactWithoutNoise(t *testing.T) {
	cfg := DefaultLinkConfig()
	cfg.AttenuationSigmaDBPerKM, cfg.OUSigmaRel, cfg.BreakRateHz = 0, 0, 0
	for _, name := range Forecasters() {
		s := evaluate(t, name, cfg, nil, []uint64{1}, 120)
		if s.RMSE1 > 1e-9 || s.RMSE10 > 1e-9 {
			t.Errorf("%s: RMSE %.2g and %.2g of a constant rate", name, s.RMSE1, s.RMSE10)
		}
	}
}

func TestUnknownForecasterIsRefused(t *testing.T) {
	if _, err := NewForecaster("oracle", DefaultLinkConfig(), gridNS); err == nil {
		t.Error("forecaster oracle is accepted")
	}
	if _, err := NewForecaster(ForecastKalman, DefaultLinkConfig(), 0); err == nil {
		t.Error("a step of zero is accepted")
	}
}

func TestForecastDoesNotAllocate(t *testing.T) {
	for _, name := range Forecasters() {
		f, err := NewForecaster(name, DefaultLinkConfig(), gridNS)
		if err != nil {
			t.Fatal(err)
		}
		var p [10]Prediction
		o := Observation{UpNS: gridNS, KeyBits: 3000}
		if n := testing.AllocsPerRun(100, func() { f.Observe(o); f.Forecast(p[:]) }); n != 0 {
			t.Errorf("%s: %v allocations a step", name, n)
		}
	}
}

// BenchmarkForecast8Links is one step of eight links, ten steps ahead; the
// limit is 0.2 ms.
func BenchmarkForecast8Links(b *testing.B) {
	for _, name := range Forecasters() {
		b.Run(name, func(b *testing.B) {
			var links [8]Forecaster
			for i := range links {
				f, err := NewForecaster(name, DefaultLinkConfig(), gridNS)
				if err != nil {
					b.Fatal(err)
				}
				links[i] = f
			}
			var p [10]Prediction
			o := Observation{UpNS: gridNS, KeyBits: 3000}
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range links {
					f.Observe(o)
					f.Forecast(p[:])
				}
			}
		})
	}
}

// Delivered is compared with a direct sum over the distribution of the key.
func TestDeliveredCountsWholeBlocks(t *testing.T) {
	for _, c := range []struct{ pending, mean, deviation float64 }{
		{0, 10000, 300}, {4000, 100, 5}, {4000, 100, 50}, {100, 3000, 2000}, {0, 0, 0}, {2000, 2096, 0}, {10, 500000, 20000},
	} {
		p := Prediction{KeyBits: c.mean, KeyBitsVar: c.deviation * c.deviation}
		mean, variance := p.Delivered(c.pending, 4096)
		var m1, m2, weight float64
		for z := -8.0; z <= 8; z += 1e-4 {
			n := math.Max(0, math.Floor((c.pending+c.mean+z*c.deviation)/4096)) * 4096
			w := math.Exp(-z * z / 2)
			m1, m2, weight = m1+w*n, m2+w*n*n, weight+w
		}
		m1, m2 = m1/weight, m2/weight
		wantVar := m2 - m1*m1
		if math.Abs(mean-m1) > 2 || math.Abs(variance-wantVar) > 1e-3*4096*4096 {
			t.Errorf("%+v: delivered %.1f ± %.1f, want %.1f ± %.1f", c, mean, math.Sqrt(variance), m1, math.Sqrt(wantVar))
		}
	}
}
