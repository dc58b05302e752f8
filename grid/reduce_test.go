package grid_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"cosim/grid"
)

// everything is a reduction with all running generators, their buses' voltages
// and eight blocks at loads.
func everything(c *grid.Case, states int) grid.Reduction {
	r := grid.Reduction{States: states}
	for g := range c.Gens {
		if c.Gens[g].InService {
			bus, _ := c.BusIndex(c.Gens[g].Bus)
			r.Gens, r.Voltages = append(r.Gens, g), append(r.Voltages, bus)
		}
	}
	for i := range c.Buses {
		if c.Buses[i].LoadMW > 0 && len(r.Blocks) < 8 {
			r.Blocks = append(r.Blocks, i)
		}
	}
	return r
}

func mustReduce(t testing.TB, c *grid.Case, opt grid.Options, r grid.Reduction) *grid.ReducedModel {
	t.Helper()
	m, err := grid.Reduce(c, opt, r)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// With all states kept, what is left of the model is the simulator, input by
// input.
func TestWithAllStatesTheModelIsTheSimulator(t *testing.T) {
	const unlimited, stepS, samples = 1000, 0.01, 300
	c := mustLoad(t, "ieee39")
	opt := grid.Options{AVR: true}
	r := everything(c, unlimited)
	m := mustReduce(t, c, opt, r)
	phi, gamma := m.Sample(stepS)
	vref, _ := m.VrefColumn(2)
	for name, input := range map[string]struct {
		column int
		size   float64
		act    func(s *grid.Simulator)
	}{
		"Pref":  {m.PrefColumn(3), 80, func(s *grid.Simulator) { s.SetPrefMW(r.Gens[3], 80) }},
		"Vref":  {vref, 0.02, func(s *grid.Simulator) { s.SetVrefPU(r.Gens[2], 0.02) }},
		"block": {m.BlockColumn(5), 60, func(s *grid.Simulator) { s.SetBlockMW(s.AddBlock(r.Blocks[5], 60), 60) }},
		"load": {m.LoadColumn(), 100, func(s *grid.Simulator) {
			total := 0.0
			for i := range c.Buses {
				total += c.Buses[i].LoadMW
			}
			for i := range c.Buses {
				s.AddLoadMW(i, 100*c.Buses[i].LoadMW/total, 0)
			}
		}},
	} {
		s := mustSim(t, c, opt)
		input.act(s)
		n, _ := phi.Dims()
		x, next, volts := make([]float64, n), make([]float64, n), make([]float64, len(c.Buses))
		hz, pu := &worst{name: name + ": Hz", tolerance: 1e-8}, &worst{name: name + ": p.u.", tolerance: 1e-8}
		for range samples {
			s.Step(1)
			s.BusVoltageDeviationPU(volts)
			mean := 0.0
			for _, bus := range r.Voltages {
				mean += volts[bus] / float64(len(r.Voltages))
			}
			for i := range next {
				next[i] = gamma.At(i, input.column) * input.size
				for k := range x {
					next[i] += phi.At(i, k) * x[k]
				}
			}
			x, next = next, x
			var y [2]float64
			for j := range y {
				y[j] = m.D.At(j, input.column) * input.size
				for k := range x {
					y[j] += m.C.At(j, k) * x[k]
				}
			}
			hz.see(y[0], s.COIFreqHz(), name)
			pu.see(y[1], mean, name)
		}
		hz.report(t)
		pu.report(t)
	}
}

// The errors that docs/verification.md states, for steps of 100 MW or 0.05
// p.u., by kind of input: frequency within 1 s and 20 s relative to the
// answer's peak, voltage within 1 s in p.u.
func TestEightStatesFollowTheFullModel(t *testing.T) {
	type limits struct{ hz1, hz20, pu1 float64 }
	for _, tc := range []struct {
		name string
		opt  grid.Options
		want map[string]limits
	}{
		{"ieee39", modelM2, map[string]limits{"Pref": {0.02, 0.01, 1.5e-3}, "block": {0.01, 0.01, 1.5e-3}, "load": {0.001, 0.001, 3e-4}}},
		{"ieee39", grid.Options{AVR: true}, map[string]limits{
			"Pref": {0.06, 0.02, 1.5e-3}, "Vref": {math.Inf(1), math.Inf(1), 2e-3}, "block": {0.02, 0.02, 2e-3}, "load": {0.01, 0.02, 5e-4},
		}},
		{"ieee118", modelM2, map[string]limits{"Pref": {0.1, 0.1, 3e-3}, "block": {0.03, 0.12, 4e-3}, "load": {0.02, 0.1, 1e-3}}},
	} {
		c := mustLoad(t, tc.name)
		start := time.Now()
		m := mustReduce(t, c, tc.opt, everything(c, 8))
		t.Logf("%s, AVR %v: %d states to %d in %v, σ %.2g, bound %.3g, discount %.3g /s",
			tc.name, tc.opt.AVR, len(m.Hankel), m.A.RawMatrix().Rows, time.Since(start), m.Hankel[:10], m.ErrorBound, m.DiscountPerS)
		short, long := worstByKind(m.StepErrors(1)), worstByKind(m.StepErrors(20))
		for kind, want := range tc.want {
			s, l := short[kind], long[kind]
			t.Logf("  %-5s 1 s: %.2f of %.1f mHz, %.2f of %.1f mp.u.   20 s: %.2f of %.1f mHz, %.2f of %.1f mp.u.", kind,
				1e3*s.Hz.Max, 1e3*s.Hz.Peak, 1e3*s.PU.Max, 1e3*s.PU.Peak, 1e3*l.Hz.Max, 1e3*l.Hz.Peak, 1e3*l.PU.Max, 1e3*l.PU.Peak)
			if s.Hz.Max > want.hz1*s.Hz.Peak || l.Hz.Max > want.hz20*l.Hz.Peak || s.PU.Max > want.pu1 {
				t.Errorf("%s, %s: want frequency within %g and %g, voltage within %g", tc.name, kind, want.hz1, want.hz20, want.pu1)
			}
		}
	}
}

// worstByKind keeps, output by output, the input with the greatest error.
func worstByKind(all []grid.ReductionError) map[string]grid.ReductionError {
	out := map[string]grid.ReductionError{}
	for _, e := range all {
		kind, _, _ := strings.Cut(e.Input, " ")
		w := out[kind]
		if e.Hz.Max > w.Hz.Max {
			w.Hz = e.Hz
		}
		if e.PU.Max > w.PU.Max {
			w.PU = e.PU
		}
		out[kind] = w
	}
	return out
}

func TestMoreStatesBoundTheErrorLower(t *testing.T) {
	c := mustLoad(t, "ieee39")
	last := math.Inf(1)
	for n := 4; n <= 12; n++ {
		m := mustReduce(t, c, grid.Options{AVR: true}, everything(c, n))
		if m.ErrorBound >= last {
			t.Errorf("%d states: bound %g, with one fewer %g", n, m.ErrorBound, last)
		}
		last = m.ErrorBound
	}
}

// Without damping and governors the frequency is an integral of the load and
// swings never die: A has no inverse, and the Gramians are discounted.
func TestSystemWithoutDampingIsReduced(t *testing.T) {
	c := mustLoad(t, "ieee39")
	m := mustReduce(t, c, grid.Options{NoDamping: true, NoGovernors: true}, everything(c, 8))
	if m.DiscountPerS == 0 {
		t.Error("no discount for modes that never decay")
	}
	e := worstByKind(m.StepErrors(1))["load"]
	if e.Hz.Max > 1e-3*e.Hz.Peak {
		t.Errorf("load: frequency off by %g of %g Hz within 1 s", e.Hz.Max, e.Hz.Peak)
	}
}

func TestReductionRefusesWhatItCannotDo(t *testing.T) {
	c := mustLoad(t, "ieee39")
	for name, tc := range map[string]struct {
		change func(r *grid.Reduction)
		want   string
	}{
		"no states":  {func(r *grid.Reduction) { r.States = 0 }, "0 states"},
		"no voltage": {func(r *grid.Reduction) { r.Voltages = nil }, "needs a bus"},
	} {
		r := everything(c, 8)
		tc.change(&r)
		if _, err := grid.Reduce(c, modelM2, r); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestInputsAreNamedAndFound(t *testing.T) {
	c := mustLoad(t, "ieee39")
	r := everything(c, 4)
	m := mustReduce(t, c, grid.Options{AVR: true}, r)
	vref, ok := m.VrefColumn(1)
	for column, want := range map[int]string{
		m.PrefColumn(0): "Pref " + c.Gens[r.Gens[0]].Bus, vref: "Vref " + c.Gens[r.Gens[1]].Bus,
		m.BlockColumn(7): "block " + c.Buses[r.Blocks[7]].ID, m.LoadColumn(): "load",
	} {
		if m.Inputs[column] != want {
			t.Errorf("column %d is %s, want %s", column, m.Inputs[column], want)
		}
	}
	if _, without := mustReduce(t, c, modelM2, r).VrefColumn(1); without || !ok {
		t.Error("voltage references are inputs with AVR and only then")
	}
}
