package quantum

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// gys is the link of Gobby, Yuan and Shields (2004), on which Ma, Qi, Zhao and
// Lo (2005) show their method.
func gys() LinkConfig {
	cfg := DefaultLinkConfig()
	cfg.Model, cfg.PulseRateHz = ModelBB84Decoy, 1
	cfg.AttenuationDBPerKM, cfg.DetectorEfficiency, cfg.DarkCountProb = 0.21, 0.045, 1.7e-6
	cfg.Misalignment, cfg.ErrorCorrectionEfficiency = 0.033, 1.22
	cfg.Decoy.SignalIntensity, cfg.Decoy.WeakIntensity = 0.48, 0.05
	return cfg
}

func relative(got, want float64) float64 {
	return math.Abs(got-want) / math.Max(math.Abs(want), 1e-300)
}

func TestDecoyTable(t *testing.T) {
	rows, _ := table(t, "decoy_bb84_gys_curve.csv")
	m := newVacuumWeak(gys())
	worst := 0.0
	for _, r := range rows {
		loss := 0.21 * r[0]
		eta := m.transmittance(loss)
		clicks, errors := m.of(m.mu, eta, 0)
		yield, single := m.single(eta, 0)
		_, rate := m.Rate(loss, 0)
		for _, v := range []struct {
			what      string
			got, want float64
			within    float64 // the table's digits
		}{
			{"eta", eta, r[1], 5e-7},
			{"Q_mu", clicks, r[2], 5e-7},
			{"E_mu", errors / clicks, r[3], 2e-5},
			{"Y1", yield, r[7], 5e-7},
			{"e1", single, r[8], 2e-5},
			{"R", rate, r[9], 5e-7},
		} {
			off := relative(v.got, v.want)
			worst = math.Max(worst, off)
			if off > v.within {
				t.Errorf("%v km: %s = %.7g, want %.7g", r[0], v.what, v.got, v.want)
			}
		}
	}
	t.Logf("%d rows, greatest relative difference %.1e", len(rows), worst)
}

// The paper prints 140.55 km for vacuum and weak decoy.
func TestDecoyReachesAsFarAsPublished(t *testing.T) {
	cfg := gys()
	low, high := 100.0, 200.0
	for high-low > 1e-3 {
		cfg.LengthKM = (low + high) / 2
		if NominalRateBPS(cfg) > 0 {
			low = cfg.LengthKM
		} else {
			high = cfg.LengthKM
		}
	}
	if math.Abs(low-140.55) > 0.15 {
		t.Errorf("key up to %.2f km, published 140.55", low)
	}
}

func TestFiniteKeyTable(t *testing.T) {
	rows, _ := table(t, "finitekey_1decoy_rusca.csv")
	worst := 0.0
	for _, r := range rows {
		cfg := DefaultLinkConfig()
		cfg.Model, cfg.FiniteKey = ModelBB84Decoy, true
		cfg.DarkCountProb, cfg.Misalignment = 2e-7, 0.01 // two detectors
		cfg.Decoy = DecoyConfig{0.42, 0.18, 0.75, 0.9, r[0], 1e-9, 1e-15}
		m := newOneDecoy(cfg)
		clicks, errors, _ := m.shares(0.2*r[1], 0)
		part, phase, single := m.secret(clicks, errors)
		if r[0] < 1e6 {
			single = r[5] // the table prints 0 where there is no key
		}
		for _, v := range []struct {
			what      string
			got, want float64
		}{
			{"QBER", errors[0] + errors[1], r[3]},
			{"phase error", phase, r[4]},
			{"single photons", single, r[5]},
			{"secret part", part, r[6]},
		} {
			worst = math.Max(worst, math.Abs(v.got-v.want))
			if math.Abs(v.got-v.want) > 1.01e-6 {
				t.Errorf("n_Z = %.0e, %v km: %s = %.6f, want %.6f", r[0], r[1], v.what, v.got, v.want)
			}
		}
	}
	t.Logf("%d rows, greatest difference %.1e", len(rows), worst)
}

func TestFiniteKeyGrowsWithTheBlock(t *testing.T) {
	cfg := DefaultLinkConfig()
	cfg.Model, cfg.FiniteKey = ModelBB84Decoy, true
	last := -1.0
	for _, n := range []float64{1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e12} {
		cfg.Decoy.BlockBits = n
		rate := NominalRateBPS(cfg)
		if rate < last || last > 0 && rate == last {
			t.Errorf("a block of %.0e bits gives %.1f bit/s, a smaller one %.1f", n, rate, last)
		}
		last = rate
	}
}

func TestRateOfEveryModelFallsWithLossAndError(t *testing.T) {
	for _, set := range []func(*LinkConfig){
		func(c *LinkConfig) { c.Model = ModelBB84Decoy },
		func(c *LinkConfig) { c.Model, c.FiniteKey = ModelBB84Decoy, true },
		func(c *LinkConfig) { c.Model, c.PulseRateHz = ModelBBM92, 2e6 },
	} {
		cfg := DefaultLinkConfig()
		set(&cfg)
		model, err := cfg.RateModel()
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			loss := rapid.Float64Range(0, 60).Draw(t, "loss")
			more := rapid.Float64Range(0, 20).Draw(t, "more loss")
			added := rapid.Float64Range(0, 0.6).Draw(t, "added error")
			q0, r0 := model.Rate(loss, added)
			q1, r1 := model.Rate(loss+more, added)
			q2, r2 := model.Rate(loss, added+0.01)
			const round = 1e-9
			if r1 > r0*(1+round) || r2 > r0*(1+round) || q1 < q0-round || q2 < q0-round || !(r0 >= 0) || !(q0 >= 0 && q0 <= 0.5) {
				t.Fatalf("%s, finite %v: rate %v → %v, %v; QBER %v → %v, %v", cfg.Model, cfg.FiniteKey, r0, r1, r2, q0, q1, q2)
			}
		})
	}
}

func TestDeadTimeAfterpulsesAndTagsCostKey(t *testing.T) {
	for _, name := range Models() {
		cfg := DefaultLinkConfig()
		cfg.Model, cfg.PulseRateHz = name, 1e8
		plain := NominalRateBPS(cfg)

		dead := cfg
		dead.DetectorDeadTimeS = 1e-6
		if got := NominalRateBPS(dead); !(got > 0 && got < plain) {
			t.Errorf("%s: %v bit/s with a dead time, %v without", name, got, plain)
		}
		after := cfg
		after.AfterpulseProb = 0.02
		model, _ := after.RateModel()
		before, _ := cfg.RateModel()
		q0, _ := before.Rate(4, 0)
		q1, _ := model.Rate(4, 0)
		if math.Abs(q1-q0-0.01) > 1e-12 {
			t.Errorf("%s: afterpulses of 2 %% add %v to the QBER, want 0.01", name, q1-q0)
		}
		tags := cfg
		tags.AuthenticationBits = cfg.BlockBits
		if got := NominalRateBPS(tags); relative(got, plain/2) > 1e-12 {
			t.Errorf("%s: %v bit/s where tags cost as much as a block holds, %v without", name, got, plain)
		}
	}
	// R/(1 + Rτ) saturates at 1/τ clicks.
	cfg := DefaultLinkConfig()
	cfg.DetectorDeadTimeS, cfg.PulseRateHz = 1e-5, 1e12
	most := 1e5 * cfg.Sifting
	if got := NominalRateBPS(cfg); got > most || got < most/2 {
		t.Errorf("a detector blind for 10 µs gives %v bit/s of sifted %v", got, most)
	}
}

func TestRatesDoNotAllocate(t *testing.T) {
	for _, finite := range []bool{false, true} {
		for _, name := range Models() {
			cfg := DefaultLinkConfig()
			cfg.Model, cfg.FiniteKey, cfg.AuthenticationBits = name, finite, 256
			m, err := cfg.RateModel()
			if err != nil {
				t.Fatal(err)
			}
			if n := testing.AllocsPerRun(100, func() { m.Rate(4, 0) }); n != 0 {
				t.Errorf("%s, finite %v: %v allocations", name, finite, n)
			}
		}
	}
}

func BenchmarkRate(b *testing.B) {
	for _, finite := range []bool{false, true} {
		for _, name := range Models() {
			if finite && name != ModelBB84Decoy {
				continue
			}
			cfg := DefaultLinkConfig()
			cfg.Model, cfg.FiniteKey = name, finite
			m, err := cfg.RateModel()
			if err != nil {
				b.Fatal(err)
			}
			label := name
			if finite {
				label += "-finite"
			}
			b.Run(label, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					m.Rate(4, 0)
				}
			})
		}
	}
}
