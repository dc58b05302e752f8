package quantum

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// ForecastScore says how good a forecaster was. Errors are relative to the
// link's nominal rate; a coverage is the share of truths within 1.96 deviations
// of the mean.
type ForecastScore struct {
	RMSE1, RMSE10, Bias10   float64 // of G one and ten steps ahead
	Cover1, Cover10, CoverK float64 // of G one and ten steps ahead, of the key over ten steps
	Samples                 int
}

const (
	scoreHorizon = 10
	scoreWarmUp  = 600 // steps in which a forecaster may learn
)

// ScoreForecast advances links of configuration cfg, one for each of runs, by
// steps of stepNS and holds what make's forecasters predict against what comes.
// Streams are those of NewLink, by run.
func ScoreForecast(newForecaster func() (Forecaster, error), cfg LinkConfig, stepNS int64, steps, runs int,
	disturb func(run int) []Disturbance, stream func(run int, name string) *rand.Rand,
) (ForecastScore, error) {
	var s ForecastScore
	var sums scoreSums
	for run := range runs {
		link, err := NewLink(cfg, stepNS, disturb(run), func(name string) *rand.Rand { return stream(run, name) })
		if err != nil {
			return s, err
		}
		f, err := newForecaster()
		if err != nil {
			return s, err
		}
		rate, key := make([]float64, steps), make([]float64, steps)
		made := make([][scoreHorizon]Prediction, steps)
		for i := range steps {
			link.Advance(int64(i+1) * stepNS)
			o := link.Observation()
			f.Observe(o)
			f.Forecast(made[i][:])
			if rate[i], key[i] = link.RateBPS(), o.KeyBits; o.Down {
				rate[i] = 0
			}
		}
		for i := scoreWarmUp; i+scoreHorizon < steps; i++ {
			total := 0.0
			for _, k := range key[i+1 : i+1+scoreHorizon] {
				total += k
			}
			sums.add(&made[i], rate[i+1], rate[i+scoreHorizon], total)
		}
	}
	if sums.n == 0 {
		return s, fmt.Errorf("quantum: %d runs of %d steps hold nothing to judge a forecast by, expected more than %d steps", runs, steps, scoreWarmUp+scoreHorizon)
	}
	return sums.score(NominalRateBPS(cfg)), nil
}

type scoreSums struct {
	square1, square10, error10 float64
	in1, in10, inK, n          int
}

func (s *scoreSums) add(p *[scoreHorizon]Prediction, rate1, rate10, key float64) {
	first, last := &p[0], &p[scoreHorizon-1]
	e1, e10 := rate1-first.RateBPS, rate10-last.RateBPS
	s.square1, s.square10, s.error10 = s.square1+e1*e1, s.square10+e10*e10, s.error10+e10
	s.in1 += inside(rate1, first.RateBPS, first.RateVar)
	s.in10 += inside(rate10, last.RateBPS, last.RateVar)
	s.inK += inside(key, last.KeyBits, last.KeyBitsVar)
	s.n++
}

func inside(truth, mean, variance float64) int {
	if math.Abs(truth-mean) <= 1.96*math.Sqrt(variance) {
		return 1
	}
	return 0
}

func (s *scoreSums) score(nominal float64) ForecastScore {
	n := float64(s.n)
	return ForecastScore{
		RMSE1: math.Sqrt(s.square1/n) / nominal, RMSE10: math.Sqrt(s.square10/n) / nominal, Bias10: s.error10 / n / nominal,
		Cover1: float64(s.in1) / n, Cover10: float64(s.in10) / n, CoverK: float64(s.inK) / n, Samples: s.n,
	}
}
