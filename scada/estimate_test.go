package scada

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"cosim/internal/rng"
)

// toyGrid is the world's one mass, sampled: frequency (Hz), governors' power
// (MW), one input an AGC chain and block of cfg. Voltage falls by 0.01 p.u. for
// 100 MW of load.
func toyGrid(cfg *Config) *GridModel {
	const stepNS, substeps = 100 * ms, 10000
	g := newOneMass(cfg)
	h := float64(stepNS) / 1e9 / substeps
	run := func(f, p, set, load float64) (float64, float64) {
		for range substeps {
			f, p = f+h*(p-load-g.dampingMWPerHz*f)/g.massMWsPerHz, p+h*(set-g.droopMWPerHz*f-p)/0.5
		}
		return f, p
	}
	af, ap := run(1, 0, 0, 0)
	bf, bp := run(0, 1, 0, 0)
	uf, up := run(0, 0, 1, 0)
	df, dp := run(0, 0, 0, 1)
	m := &GridModel{
		StepNS: stepNS, A: [][]float64{{af, bf}, {ap, bp}}, B: make([][]float64, 2), LoadB: []float64{df, dp},
		C: [2][]float64{{1, 0}, {0, 0}}, LoadD: [2]float64{0, -1e-4},
	}
	input := func(f, p float64) int {
		m.B[0], m.B[1] = append(m.B[0], f), append(m.B[1], p)
		return len(m.B[0]) - 1
	}
	for range cfg.Generators {
		m.AGC, m.AVR = append(m.AGC, input(uf, up)), append(m.AVR, -1)
	}
	for range cfg.Blocks {
		m.Blocks = append(m.Blocks, input(-df, -dp))
	}
	for range cfg.PMUs {
		m.PMUVolt = append(m.PMUVolt, 1)
	}
	return m
}

// truth is the grid that an estimator follows.
type truth struct {
	m     *GridModel
	x     []float64
	noise *rand.Rand
}

func (w *truth) step(u, load float64) {
	next := make([]float64, 2)
	w.m.step(w.x, inputs(w.m, u), load, next)
	w.x = next
}

// inputs are those of m with u as the first.
func inputs(m *GridModel, u float64) []float64 {
	all := make([]float64, len(m.B[0]))
	all[0] = u
	return all
}

func toy() *GridModel {
	cfg := testConfig().Resolved()
	return toyGrid(&cfg)
}

func (w *truth) freqHz() float64 { return w.x[0] + 0.001*w.noise.NormFloat64() }

func TestEstimatorFindsALoadStepThatNobodyTells(t *testing.T) {
	m := toy()
	w, e := &truth{m, make([]float64, 2), rng.Stream(1, "estimate")}, NewEstimator(m)
	load := 0.0
	for k := range 60 {
		if k == 20 {
			load = 548
		}
		w.step(0, load)
		e.Advance(inputs(m, 0))
		e.Observe(FreqOutput, w.freqHz(), 1e-6)
		got, sigma := e.LoadMW()
		if settled := k < 20 || k >= 30; settled && math.Abs(got-load) > 150 {
			t.Errorf("step %d: load %.0f ± %.0f MW, is %.0f", k, got, sigma, load)
		}
	}
	if got := e.Output(FreqOutput); math.Abs(got-w.x[0]) > 0.002 {
		t.Errorf("frequency %.4f, is %.4f Hz", got, w.x[0])
	}
}

// A command that is told is no load; one that is not told is.
func TestEstimatorTellsKnownInputsFromLoad(t *testing.T) {
	m := toy()
	for _, tc := range []struct{ told, want float64 }{{300, 0}, {0, -300}} {
		w, e := &truth{m, make([]float64, 2), rng.Stream(2, "estimate")}, NewEstimator(m)
		sum := 0.0
		for k := range 200 {
			w.step(300, 0)
			e.Advance(inputs(m, tc.told))
			e.Observe(FreqOutput, w.freqHz(), 1e-6)
			if k >= 100 {
				got, _ := e.LoadMW()
				sum += got / 100
			}
		}
		if math.Abs(sum-tc.want) > 20 {
			t.Errorf("told %g MW: load %.0f MW on average, want %.0f", tc.told, sum, tc.want)
		}
	}
}

// Without measurements the estimate runs on the model, ever less certain, and
// comes back with the first that are heard.
func TestEstimatorOutlastsASilence(t *testing.T) {
	m := toy()
	w, e := &truth{m, make([]float64, 2), rng.Stream(3, "estimate")}, NewEstimator(m)
	last := 0.0
	for k := range 100 {
		load := 200.0
		if k >= 45 { // during the silence
			load = 400
		}
		w.step(0, load)
		e.Advance(inputs(m, 0))
		_, sigma := e.LoadMW()
		if k >= 40 && k < 60 {
			if sigma <= last {
				t.Errorf("step %d: ± %.1f MW after ± %.1f without a measurement", k, sigma, last)
			}
			last = sigma
			continue
		}
		e.Observe(FreqOutput, w.freqHz(), 1e-6)
	}
	if got, _ := e.LoadMW(); math.Abs(got-400) > 120 {
		t.Errorf("load %.0f MW after the silence, is 400", got)
	}
}

// The covariance stays one: symmetric, nowhere negative, whatever is measured
// and missed.
func TestEstimatorCovarianceStaysACovariance(t *testing.T) {
	m := toy()
	rapid.Check(t, func(t *rapid.T) {
		e := NewEstimator(m)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			e.Advance(inputs(m, rapid.Float64Range(-500, 500).Draw(t, "u")))
			for output := range 2 {
				if rapid.Bool().Draw(t, "heard") {
					e.Observe(output, rapid.Float64Range(-1, 1).Draw(t, "y"), rapid.Float64Range(1e-8, 1).Draw(t, "variance"))
				}
			}
		}
		for i := range e.p {
			for j := range i {
				scale := math.Sqrt(e.p[i][i] * e.p[j][j])
				if math.Abs(e.p[i][j]-e.p[j][i]) > 1e-9*scale || math.Abs(e.p[i][j]) > scale*(1+1e-9) {
					t.Fatalf("P %v", e.p)
				}
			}
			if !(e.p[i][i] >= 0) || math.IsNaN(e.x[i]) {
				t.Fatalf("P %v, x %v", e.p, e.x)
			}
		}
	})
}

// The stated uncertainty is that of the errors, where the load walks as assumed.
func TestEstimatorStatesItsError(t *testing.T) {
	m := toy()
	w, e := &truth{m, make([]float64, 2), rng.Stream(4, "estimate")}, NewEstimator(m)
	const steps = 4000
	load, sum := 0.0, 0.0
	for range steps {
		load += loadWalkMW * w.noise.NormFloat64()
		w.step(0, load)
		e.Advance(inputs(m, 0))
		e.Observe(FreqOutput, w.freqHz(), 1e-6)
		got, sigma := e.LoadMW()
		sum += (got - load) * (got - load) / (sigma * sigma)
	}
	// Errors of neighbouring steps are related: some 1,000 are independent.
	if mean := sum / steps; math.Abs(mean-1) > 0.15 {
		t.Errorf("mean squared error is %.3f of the stated", mean)
	}
}

func TestGridModelMustFitTheConfiguration(t *testing.T) {
	cfg := testConfig().Resolved()
	fit := func() *GridModel { return toyGrid(&cfg) }
	if err := fit().validate(&cfg); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(m *GridModel){
		"no states":       func(m *GridModel) { m.A = nil },
		"ragged A":        func(m *GridModel) { m.A[1] = m.A[1][:1] },
		"short C":         func(m *GridModel) { m.C[1] = nil },
		"input too high":  func(m *GridModel) { m.AGC[3] = len(m.B[0]) },
		"blocks missing":  func(m *GridModel) { m.Blocks = m.Blocks[1:] },
		"voltage missing": func(m *GridModel) { m.PMUVolt = nil },
	} {
		m := fit()
		spoil(m)
		if m.validate(&cfg) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
