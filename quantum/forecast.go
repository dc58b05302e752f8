package quantum

import (
	"fmt"
	"math"
	"strings"
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
	ForecastLSTM        = "lstm-kalman"
)

// Forecasters lists the forecasters that NewForecaster knows.
func Forecasters() []string { return []string{ForecastPersistence, ForecastKalman, ForecastLSTM} }

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
	case ForecastLSTM:
		return EmbeddedWeights().Forecaster(cfg, stepNS)
	default:
		return nil, &FieldError{"forecaster", fmt.Sprintf("must be one of %s, is %q", strings.Join(Forecasters(), ", "), name)}
	}
}

// Delivered turns a prediction of the key distilled into one of the key
// delivered, which comes in whole blocks: pendingBits are already distilled,
// and of pendingBits + K only the full blocks of blockBits count. It returns
// mean and variance in bits.
func (p Prediction) Delivered(pendingBits float64, blockBits int) (mean, variance float64) {
	block := float64(blockBits)
	x, deviation := (pendingBits+p.KeyBits)/block, math.Sqrt(p.KeyBitsVar)/block
	if deviation > 4 { // the unfinished block is as good as uniform
		return (x - 0.5) * block, p.KeyBitsVar + block*block/12
	}
	if deviation == 0 {
		return math.Floor(x) * block, 0
	}
	// With N the number of blocks, E[N] = Σ P(N ≥ n), E[N²] = Σ (2n−1)·P(N ≥ n).
	n := math.Max(0, math.Floor(x-8*deviation))
	m1, m2 := n, n*n
	for n++; n < x+8*deviation; n++ {
		atLeast := math.Erfc((n-x)/deviation/math.Sqrt2) / 2
		m1 += atLeast
		m2 += (2*n - 1) * atLeast
	}
	return m1 * block, math.Max(0, m2-m1*m1) * block * block
}
