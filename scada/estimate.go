package scada

import (
	"fmt"
	"math"
)

// GridModel is what the control centre knows of the grid's dynamics: a linear
// model of few states on steps of StepNS,
//
//	x⁺ = A x + B u + B_d d,   y = C x + D d
//
// with u the inputs that commands hold, in the commands' units (MW, p.u.), d
// the load in MW above the forecast and y the frequency of the centre of
// inertia (Hz) and the mean voltage at the PMUs (p.u.), as deviations. The
// matrices are plain so that whoever models the grid can hand them over.
type GridModel struct {
	StepNS  int64
	A       [][]float64 // n × n
	B       [][]float64 // n × inputs
	LoadB   []float64   // n, per MW of load
	C       [2][]float64
	LoadD   [2]float64
	AGC     []int     // input by Config.Generators, -1 for none
	AVR     []int     // likewise
	Blocks  []int     // by Config.Blocks
	PMUVolt []float64 // voltage at the operating point by Config.PMUs, p.u.
}

// Outputs of a GridModel.
const (
	FreqOutput = iota // Hz
	VoltageOutput
)

// validate reports a model that does not fit the configuration.
func (m *GridModel) validate(cfg *Config) error {
	n, inputs := len(m.A), -1
	fits := n > 0 && len(m.B) == n && len(m.LoadB) == n && len(m.C[0]) == n && len(m.C[1]) == n
	for i := 0; fits && i < n; i++ {
		if inputs < 0 {
			inputs = len(m.B[i])
		}
		fits = len(m.A[i]) == n && len(m.B[i]) == inputs
	}
	if !fits {
		return fmt.Errorf("scada: the matrices of a grid model of %d states do not fit together", n)
	}
	if len(m.AGC) != len(cfg.Generators) || len(m.AVR) != len(cfg.Generators) || len(m.Blocks) != len(cfg.Blocks) || len(m.PMUVolt) != len(cfg.PMUs) {
		return fmt.Errorf("scada: a grid model of %d and %d generators, %d blocks and %d PMUs for %d, %d and %d",
			len(m.AGC), len(m.AVR), len(m.Blocks), len(m.PMUVolt), len(cfg.Generators), len(cfg.Blocks), len(cfg.PMUs))
	}
	for _, of := range [3][]int{m.AGC, m.AVR, m.Blocks} {
		for _, column := range of {
			if column < -1 || column >= inputs {
				return fmt.Errorf("scada: a grid model has no input %d of %d", column, inputs)
			}
		}
	}
	return nil
}

// step sets next to the state after one step.
func (m *GridModel) step(x, u []float64, loadMW float64, next []float64) {
	for i := range next {
		next[i] = dot(m.A[i], x) + dot(m.B[i], u) + m.LoadB[i]*loadMW
	}
}

// loadWalkMW is the standard deviation of the change of load in a step. It is
// chosen for contingencies of some hundred MW, which shall be known within half
// a second; the loads' own wandering is 1 MW a step. What it costs is noise: an
// estimate that changes by 9 MW from step to step where nothing happens.
const loadWalkMW = 60

// Estimator follows the state of a GridModel and the load, which nobody tells
// it, from measurements: a Kalman filter on (x, d) with d a random walk,
//
//	predict  z⁺ = F z + (B u, 0),  P⁺ = F P Fᵀ + q g gᵀ,   g = (B_d, 1)
//	correct  ν = y − H z,  S = H P Hᵀ + r,  K = P Hᵀ / S,  z += K ν,  P −= K S Kᵀ
//
// one scalar measurement after another. Load changes anywhere within a step, so
// that the walk acts on the state at once.
type Estimator struct {
	model *GridModel
	x, h  []float64 // (x, d); scratch
	p     [][]float64
	next  []float64
	fp    [][]float64 // scratch
	gain  []float64
}

// NewEstimator starts at rest, with no load above the forecast.
func NewEstimator(m *GridModel) *Estimator {
	n := len(m.A) + 1
	e := &Estimator{model: m, x: make([]float64, n), h: make([]float64, n), next: make([]float64, n), gain: make([]float64, n)}
	e.p, e.fp = square(n), square(n)
	e.spread(loadWalkMW)
	return e
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

// State is the estimated state; the caller must not change it.
func (e *Estimator) State() []float64 { return e.x[:len(e.x)-1] }

// LoadMW is the estimated load above the forecast, and its standard deviation.
func (e *Estimator) LoadMW() (mean, sigma float64) {
	n := len(e.x) - 1
	return e.x[n], math.Sqrt(math.Max(0, e.p[n][n]))
}

// Output is an estimated output, of which measurements are told to Observe.
func (e *Estimator) Output(output int) float64 {
	n := len(e.x) - 1
	return dot(e.model.C[output], e.x[:n]) + e.model.LoadD[output]*e.x[n]
}

// Advance moves the estimate by one step with the inputs u.
func (e *Estimator) Advance(u []float64) {
	n := len(e.x) - 1
	e.model.step(e.x[:n], u, e.x[n], e.next[:n])
	copy(e.x, e.next[:n])
	for j := range e.p {
		for i := range n {
			sum := e.model.LoadB[i] * e.p[n][j]
			for k := range n {
				sum += e.model.A[i][k] * e.p[k][j]
			}
			e.fp[i][j] = sum
		}
		e.fp[n][j] = e.p[n][j]
	}
	for i := range e.p {
		for j := range n {
			sum := e.model.LoadB[j] * e.fp[i][n]
			for k := range n {
				sum += e.model.A[j][k] * e.fp[i][k]
			}
			e.p[i][j] = sum
		}
		e.p[i][n] = e.fp[i][n]
	}
	e.spread(loadWalkMW)
}

// spread adds the uncertainty of a change of load of standard deviation sigma
// in the last step.
func (e *Estimator) spread(sigmaMW float64) {
	for i := range e.p {
		for j := range e.p {
			e.p[i][j] += sigmaMW * sigmaMW * e.loadEffect(i) * e.loadEffect(j)
		}
	}
}

func (e *Estimator) loadEffect(i int) float64 {
	if i == len(e.x)-1 {
		return 1
	}
	return e.model.LoadB[i]
}

// Observe corrects the estimate by a measured output of some variance.
func (e *Estimator) Observe(output int, value, variance float64) {
	n := len(e.x) - 1
	copy(e.h, e.model.C[output])
	e.h[n] = e.model.LoadD[output]
	innovation := value - dot(e.h, e.x)
	s := e.project() + variance
	for i := range e.x {
		e.x[i] += e.gain[i] / s * innovation
		for j := range e.x {
			e.p[i][j] -= e.gain[i] * e.gain[j] / s
		}
	}
}

// project sets gain to P Hᵀ and returns H P Hᵀ.
func (e *Estimator) project() float64 {
	for i, row := range e.p {
		e.gain[i] = dot(row, e.h)
	}
	return dot(e.h, e.gain)
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
