package quantum

import (
	"fmt"
	"math"
)

// Observation is what the ends of a link know of one grid step of it. The
// residual of the unfinished block is known to them, so that KeyBits is the
// key distilled, not the blocks delivered.
type Observation struct {
	UpNS       int64   // time in which the link was up
	KeyBits    float64 // key distilled
	Down       bool    // the link is down at the end of the step
	AboveBound bool    // the error rate at the end of the step is above the bound
}

// Prediction of one pool's supply at some number of steps ahead. The variances
// are those of a Gaussian approximation [16].
type Prediction struct {
	RateBPS    float64 // mean of G at the end of the horizon, 0 while down
	RateVar    float64 // (bit/s)²
	KeyBits    float64 // mean of the key distilled over the horizon
	KeyBitsVar float64 // bit²
}

// Forecaster predicts the key a link will yield. It is told of every grid step
// of the link, in order.
type Forecaster interface {
	Observe(o Observation)
	// Forecast writes the predictions 1, 2, …, len(dst) steps ahead of the
	// last observation to dst.
	Forecast(dst []Prediction)
}

// The forecasters that NewForecaster knows.
const (
	ForecastPersistence = "persistence"
	ForecastKalman      = "kalman"
)

// NewForecaster returns the forecaster of the given name for a link of
// configuration cfg with grid steps of stepNS.
func NewForecaster(name string, cfg LinkConfig, stepNS int64) (Forecaster, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if stepNS <= 0 {
		return nil, fmt.Errorf("quantum: step of a forecaster must be positive, is %d ns", stepNS)
	}
	switch name {
	case ForecastPersistence:
		return &persistence{stepNS: stepNS, rateBPS: NominalRateBPS(cfg)}, nil
	case ForecastKalman:
		return newKalman(cfg, stepNS)
	default:
		return nil, &FieldError{"forecaster", fmt.Sprintf("must be %q or %q, is %q", ForecastPersistence, ForecastKalman, name)}
	}
}

// persistence expects the last rate to last. Its variance is that of a random
// walk whose step is estimated from the changes seen, forgotten over some 600
// of them (a minute).
type persistence struct {
	stepNS  int64
	rateBPS float64
	down    bool
	known   bool
	changes float64 // number of changes seen
	stepVar float64 // mean square change of the rate a step
}

func (p *persistence) Observe(o Observation) {
	p.down = o.Down || o.AboveBound
	if o.UpNS < p.stepNS || o.AboveBound {
		p.known = false
		return
	}
	rate := o.KeyBits / (float64(p.stepNS) / 1e9)
	if p.known {
		p.changes = math.Min(p.changes+1, 600)
		p.stepVar += ((rate-p.rateBPS)*(rate-p.rateBPS) - p.stepVar) / p.changes
	}
	p.rateBPS, p.known = rate, true
}

func (p *persistence) Forecast(dst []Prediction) {
	stepS := float64(p.stepNS) / 1e9
	for i := range dst {
		if p.down {
			dst[i] = Prediction{}
			continue
		}
		h := float64(i + 1)
		dst[i] = Prediction{
			RateBPS:    p.rateBPS,
			RateVar:    h * p.stepVar,
			KeyBits:    p.rateBPS * h * stepS,
			KeyBitsVar: p.stepVar * stepS * stepS * h * (h + 1) * (2*h + 1) / 6,
		}
	}
}
