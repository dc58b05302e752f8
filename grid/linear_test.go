package grid

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// smallCase is a two-area system of four buses with a tap, a phase shifter, a
// shunt and machines with and without governor, for tests inside the package.
func smallCase() *Case {
	unit := Dynamics{
		InertiaS: 5, DampingPU: 1, TransientXPU: 0.2, DirectXPU: 1.5, QuadratureXPU: 1.2, FieldTimeS: 6,
		GovernorMVA: 150, DroopPU: 0.05, GovernorTimeS: 0.2, LeadTimeS: 2.1, ReheatTimeS: 7,
		ExciterGain: 20, ExciterTimeS: 0.05, ExciterLeadTimeS: 1, ExciterLagTimeS: 10,
	}
	at := func(d Dynamics, bus string, h, governor float64) Dynamics {
		d.Bus, d.InertiaS, d.GovernorMVA = bus, h, governor
		return d
	}
	c := &Case{
		Name: "small", BaseMVA: 100, FreqHz: 60,
		Buses: []Bus{
			{ID: "a", Kind: Slack, VoltagePU: 1.02},
			{ID: "b", Kind: PQ, VoltagePU: 1, LoadMW: 90, LoadMVAr: 30, ShuntMVAr: 10, ShuntMW: 1},
			{ID: "c", Kind: PV, VoltagePU: 1, LoadMW: 20, LoadMVAr: -5},
			{ID: "d", Kind: PV, VoltagePU: 1, LoadMW: 60, LoadMVAr: 20},
		},
		Gens: []Gen{
			{Bus: "a", VoltagePU: 1.02, InService: true, PowerMW: 70, MinMVAr: -99, MaxMVAr: 99},
			{Bus: "c", VoltagePU: 1, InService: true, PowerMW: 50, MinMVAr: -99, MaxMVAr: 99},
			{Bus: "d", VoltagePU: 1.01, InService: true, PowerMW: 50, MinMVAr: -99, MaxMVAr: 99},
		},
		Branches: []Branch{
			{From: "a", To: "b", ResistancePU: 0.01, ReactancePU: 0.1, SusceptancePU: 0.05, Tap: 1.03, InService: true},
			{From: "b", To: "c", ResistancePU: 0.02, ReactancePU: 0.15, SusceptancePU: 0.04, Tap: 1, ShiftDeg: 3, InService: true},
			{From: "c", To: "d", ResistancePU: 0.01, ReactancePU: 0.12, Tap: 1, InService: true},
			{From: "a", To: "d", ResistancePU: 0.01, ReactancePU: 0.2, Tap: 1, InService: true},
			{From: "b", To: "c", ResistancePU: 0.03, ReactancePU: 0.3, Tap: 0.98, InService: true},
		},
		Dynamics: []Dynamics{at(unit, "a", 8, 150), at(unit, "c", 5, 100), at(unit, "d", 3, 0)},
	}
	c.nameBranches()
	return c
}

func mustSystem(t *testing.T, c *Case, opt Options) *system {
	t.Helper()
	if err := opt.complete(); err != nil {
		t.Fatal(err)
	}
	s, err := newSystem(c, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustDAE(t *testing.T, s *system, genOut ...int) *dae {
	t.Helper()
	out := make([]bool, len(s.machines))
	for _, g := range genOut {
		out[g] = true
	}
	d, err := newDAE(s, out, make([]bool, len(s.c.Branches)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var modelOptions = map[string]Options{
	"classical": {NoDamping: true, NoGovernors: true, Load: LoadModel{ActiveExponent: 2, ReactiveExponent: 2}},
	"governor":  {},
	"avr":       {AVR: true},
	"load":      {AVR: true, Load: LoadModel{ActiveExponent: 1.3, ReactiveExponent: 2.5, ActiveFreq: 1.5, ReactiveFreq: -1}},
}

func TestPowerFlowSolutionIsAnEquilibrium(t *testing.T) {
	for name, opt := range modelOptions {
		d := mustDAE(t, mustSystem(t, smallCase(), opt))
		r := make([]float64, d.layout.n+2*d.net.n)
		d.residual(d.x0, d.y0, r[:d.layout.n], r[d.layout.n:])
		if worst, at := largest(r); worst > 1e-8 {
			t.Errorf("%s: residual %.3g at %d", name, worst, at)
		}
	}
}

// The analytic Jacobians agree with central differences away from equilibrium.
func TestJacobiansMatchFiniteDifferences(t *testing.T) {
	for name, opt := range modelOptions {
		for _, genOut := range [][]int{nil, {1}} {
			d := mustDAE(t, mustSystem(t, smallCase(), opt), genOut...)
			rng := rand.New(rand.NewPCG(1, 2))
			nx, ny := d.layout.n, 2*d.net.n
			z := append(append([]float64(nil), d.x0...), d.y0...)
			for i := range z {
				z[i] += 0.05 * rng.NormFloat64()
			}
			jac := d.jacobians(z[:nx], z[nx:])
			var all mat.Dense
			all.Stack(augment(jac.fx, jac.fy), augment(jac.gx, jac.gy))
			plus, minus := make([]float64, nx+ny), make([]float64, nx+ny)
			for k := range z {
				const h = 1e-6
				keep := z[k]
				z[k] = keep + h
				d.residual(z[:nx], z[nx:], plus[:nx], plus[nx:])
				z[k] = keep - h
				d.residual(z[:nx], z[nx:], minus[:nx], minus[nx:])
				z[k] = keep
				for r := range plus {
					want := (plus[r] - minus[r]) / (2 * h)
					if got := all.At(r, k); math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
						t.Errorf("%s out %v: d[%d]/d[%d] = %g, difference quotient %g", name, genOut, r, k, got, want)
					}
				}
			}
		}
	}
}

func augment(a, b *mat.Dense) *mat.Dense {
	var m mat.Dense
	m.Augment(a, b)
	return &m
}

func TestZeroOrderHoldMatchesMatrixExponential(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 3, 12} {
		for _, scale := range []float64{0.01, 1, 300} {
			a := mat.NewDense(n, n, nil)
			for i := range n {
				for j := range n {
					a.Set(i, j, scale*rng.NormFloat64())
				}
				a.Set(i, i, a.At(i, i)-2*scale*math.Sqrt(float64(n)))
			}
			phi, m := zeroOrderHold(a, 0.01)
			big := mat.NewDense(2*n, 2*n, nil)
			for i := range n {
				for j := range n {
					big.Set(i, j, 0.01*a.At(i, j))
				}
				big.Set(i, n+i, 0.01)
			}
			var e mat.Dense
			e.Exp(big)
			for i := range n {
				for j := range n {
					if d := math.Abs(phi.At(i, j) - e.At(i, j)); d > 1e-12 {
						t.Errorf("n %d scale %g: Φ differs by %g", n, scale, d)
					}
					if d := math.Abs(m.At(i, j) - e.At(i, n+j)); d > 1e-14 {
						t.Errorf("n %d scale %g: M differs by %g", n, scale, d)
					}
				}
			}
		}
	}
}

// Only differences of angles matter.
func TestUniformRotationChangesNothing(t *testing.T) {
	d := mustDAE(t, mustSystem(t, smallCase(), Options{AVR: true}))
	lin, err := newLinear(d)
	if err != nil {
		t.Fatal(err)
	}
	for r := range d.layout.n {
		sum := 0.0
		for _, i := range d.layout.delta {
			sum += lin.a.At(r, i)
		}
		if math.Abs(sum) > 1e-10 {
			t.Errorf("%s feels a common angle: %g", d.layout.names[r], sum)
		}
	}
}

func TestTrippedEquilibriumSettlesOnDroop(t *testing.T) {
	s := mustSystem(t, smallCase(), Options{})
	d := mustDAE(t, s, 1)
	lin, err := newLinear(d)
	if err != nil {
		t.Fatal(err)
	}
	lost := s.machines[1].pm0
	beta := s.machines[0].d + s.machines[0].invR + s.machines[2].d + s.machines[2].invR
	got, bare := d.coiSpeed(lin.x0, 0), -lost/beta
	// Losses change with the trip, so the bare droop is only near.
	if got >= 0 || math.Abs(got-bare) > 0.05*math.Abs(bare) {
		t.Errorf("speed %.5g, droop alone gives %.5g", got, bare)
	}
}
