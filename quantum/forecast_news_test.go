package quantum

import (
	"math"
	"math/rand/v2"
	"testing"

	"cosim/internal/rng"
)

// heardTwice is the filter that, before it is told what came, is told its own
// prediction as news, with the variance that the prediction really has: of the
// rate alone, as in equations (12)-(14), or of the whole state. No prediction
// made from the same observations is better, so that it stands for the best
// network that could be put in front of a filter.
type heardTwice struct {
	*kalman
	whole bool
}

func (f heardTwice) Observe(o Observation) {
	if o.UpNS != f.stepNS || o.AboveBound {
		f.kalman.Observe(o)
		return
	}
	// A measurement at the mean leaves the mean, and halves the variance of
	// what it measures.
	x := f.predict(f.x)
	p := x
	if f.whole {
		x.gg, x.gd, x.dd, x.gk, x.dk, x.kk = p.gg/2, p.gd/2, p.dd/2, p.gk/2, p.dk/2, p.kk/2
	} else if p.gg > 0 {
		x.gg -= p.gg / 2
		x.gd -= p.gd / 2
		x.gk -= p.gk / 2
		x.dd -= p.gd * p.gd / (2 * p.gg)
		x.dk -= p.gd * p.gk / (2 * p.gg)
		x.kk -= p.gk * p.gk / (2 * p.gg)
	}
	x.correct(o.KeyBits)
	x.restart()
	f.x, f.aboveBound, f.down, f.downS = x, false, o.Down, 0
}

// Why the network stands behind the filter and not in front of it.
func TestPredictionTakenForNewsHelpsNothing(t *testing.T) {
	cfg, seeds := DefaultLinkConfig(), heldBackSeeds()[:12]
	heard := func(whole bool) ForecastScore {
		s, err := ScoreForecast(func() (Forecaster, error) {
			f, err := newKalman(cfg, gridNS)
			return heardTwice{f, whole}, err
		}, cfg, gridNS, 6000, len(seeds), func(int) []Disturbance { return nil },
			func(run int, name string) *rand.Rand { return rng.Stream(seeds[run], name) })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	alone, rate, state := evaluate(t, ForecastKalman, cfg, nil, seeds, 600), heard(false), heard(true)
	for i, s := range []ForecastScore{alone, rate, state} {
		t.Logf("heard twice: %-5s  RMSE/nominal 1 step %.4f, 10 steps %.4f; coverage G %.3f, %.3f, ∫G %.3f",
			[]string{"none", "rate", "state"}[i], s.RMSE1, s.RMSE10, s.Cover1, s.Cover10, s.CoverK)
	}
	// The key of a step is counted without error and outweighs what was thought
	// of the rate; the attenuation is not, and is soon held for known.
	if relative(rate.RMSE10, alone.RMSE10) > 1e-3 || math.Abs(rate.CoverK-alone.CoverK) > 1e-3 {
		t.Errorf("the rate heard twice changes the forecast: %+v, %+v without", rate, alone)
	}
	if state.CoverK > 0.9 || state.RMSE10 < 1.1*alone.RMSE10 {
		t.Errorf("the state heard twice does little harm: %+v, %+v without", state, alone)
	}
}
