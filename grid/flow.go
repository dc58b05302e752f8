package grid

import (
	"fmt"
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/mat"
)

// FlowOptions says how [SolveFlow] starts and ends. The zero value is a flat
// start without reactive limits.
type FlowOptions struct {
	// GivenStart begins at the voltages of the bus table instead of 1 p.u. and
	// the slack bus's angle.
	GivenStart bool
	// EnforceQLimits holds a PV bus whose generators reach a reactive limit at
	// that limit and lets its voltage go. The slack bus is exempt.
	EnforceQLimits bool
	// MaxIterations of one Newton solution; 0 means 20.
	MaxIterations int
	// TolerancePU is the largest mismatch of a solution; 0 means 1e-10 p.u.
	TolerancePU float64
}

// Flow is a solved power flow. Rows stand in the order of the case's tables.
type Flow struct {
	Case        *Case `json:"-"`
	Iterations  int
	MismatchPU  float64 // largest remaining mismatch
	MismatchBus string
	Buses       []BusFlow
	Gens        []GenFlow
	Branches    []BranchFlow
	GenMW       float64
	LoadMW      float64
	LossMW      float64 // in branches, shunts not counted
	LossMVAr    float64 // in series reactances, charging not counted
}

// BusFlow is the state of one bus.
type BusFlow struct {
	Bus       string
	VoltagePU float64
	AngleDeg  float64
}

// GenFlow is the output of one generator; AtLimit tells that its bus was
// held at a reactive limit.
type GenFlow struct {
	Bus          string
	PowerMW      float64
	ReactiveMVAr float64
	AtLimit      bool
}

// BranchFlow is the power that enters a branch at its ends.
type BranchFlow struct {
	Branch   string
	From, To string
	FromMW   float64
	FromMVAr float64
	ToMW     float64
	ToMVAr   float64
	LossMW   float64
	// LoadingPU is the greater apparent power by the rating, 0 without one.
	LoadingPU float64
}

// DivergenceError says that the power flow found no solution and where it was
// farthest from one.
type DivergenceError struct {
	Iterations int
	MismatchPU float64
	Bus        string
}

func (e *DivergenceError) Error() string {
	return fmt.Sprintf("grid: power flow diverged after %d iterations (mismatch %.3g pu at bus %s)",
		e.Iterations, e.MismatchPU, e.Bus)
}

// SolveFlow solves the power flow of c by Newton's method in polar
// coordinates: find θ and V with
//
//	P_i(θ,V) = P_i^gen − P_i^load  at PQ and PV buses
//	Q_i(θ,V) = Q_i^gen − Q_i^load  at PQ buses
//
// A PV bus without a generator in service counts as PQ, as in MATPOWER. Bus
// generators share reactive power in proportion to their ranges; the first
// unit at the slack bus takes the balance of active power.
func SolveFlow(c *Case, opt FlowOptions) (*Flow, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if opt.MaxIterations == 0 {
		opt.MaxIterations = 20
	}
	if opt.TolerancePU == 0 {
		opt.TolerancePU = 1e-10
	}
	s := newFlowSolver(c, opt)
	if err := s.run(); err != nil {
		return nil, err
	}
	return s.result(), nil
}

// flowSolver carries one power flow. Powers are per unit.
type flowSolver struct {
	c          *Case
	opt        FlowOptions
	net        *network
	kind       []BusKind
	theta, v   []float64
	setV       []float64 // voltage set point of a bus with generators
	genP, genQ []float64 // scheduled, by bus
	minQ, maxQ []float64 // of a bus's generators
	atLimit    []int     // −1, 0, +1 by bus
	p, q       []float64 // injections at (theta, v)
	iterations int
	worst      float64
	worstBus   int
}

func newFlowSolver(c *Case, opt FlowOptions) *flowSolver {
	n := len(c.Buses)
	s := &flowSolver{c: c, opt: opt, net: newNetwork(c, nil), kind: make([]BusKind, n), atLimit: make([]int, n)}
	for _, f := range []*[]float64{&s.theta, &s.v, &s.setV, &s.genP, &s.genQ, &s.minQ, &s.maxQ, &s.p, &s.q} {
		*f = make([]float64, n)
	}
	index := c.busIndices()
	for g := range c.Gens {
		gen := &c.Gens[g]
		if !gen.InService {
			continue
		}
		i := index[gen.Bus]
		s.genP[i] += gen.PowerMW / c.BaseMVA
		s.genQ[i] += gen.ReactiveMVAr / c.BaseMVA
		s.minQ[i] += gen.MinMVAr / c.BaseMVA
		s.maxQ[i] += gen.MaxMVAr / c.BaseMVA
		if s.setV[i] == 0 {
			s.setV[i] = gen.VoltagePU
		}
	}
	slackAngle := 0.0
	for i := range c.Buses {
		s.kind[i] = c.Buses[i].Kind
		if s.kind[i] == PV && s.setV[i] == 0 {
			s.kind[i] = PQ
		}
		if s.kind[i] == Slack {
			slackAngle = radians(c.Buses[i].AngleDeg)
		}
	}
	for i := range c.Buses {
		s.theta[i], s.v[i] = slackAngle, 1
		if opt.GivenStart {
			s.theta[i], s.v[i] = radians(c.Buses[i].AngleDeg), c.Buses[i].VoltagePU
		}
		if s.kind[i] == PV || s.kind[i] == Slack {
			s.v[i] = s.setV[i]
		}
	}
	return s
}

// run solves, and with limits solves again until no bus changes between PV
// and PQ. The bound on rounds ends a bus that would flip for ever.
func (s *flowSolver) run() error {
	for range 1 + 2*len(s.kind) {
		if err := s.newton(); err != nil {
			return err
		}
		if !s.opt.EnforceQLimits || !s.limitQ() {
			return nil
		}
	}
	return fmt.Errorf("grid: reactive limits found no consistent set of PV buses")
}

// unknowns numbers the angles of non-slack buses first, then the voltages of
// PQ buses; −1 marks a given value.
func (s *flowSolver) unknowns() (angle, voltage []int, count int) {
	angle, voltage = make([]int, len(s.kind)), make([]int, len(s.kind))
	for i, k := range s.kind {
		angle[i], voltage[i] = -1, -1
		if k == PQ || k == PV {
			angle[i] = count
			count++
		}
	}
	for i, k := range s.kind {
		if k == PQ {
			voltage[i] = count
			count++
		}
	}
	return angle, voltage, count
}

func (s *flowSolver) newton() error {
	angle, voltage, count := s.unknowns()
	s.mismatch(angle, voltage, nil)
	if count == 0 {
		return nil
	}
	rhs := mat.NewDense(count, 1, nil)
	jacobian := mat.NewDense(count, count, nil)
	for k := 0; ; k++ {
		s.mismatch(angle, voltage, rhs)
		if s.worst <= s.opt.TolerancePU {
			return s.checkVoltages()
		}
		if k == s.opt.MaxIterations || math.IsInf(s.worst, 1) {
			return s.divergence(k)
		}
		s.fillJacobian(angle, voltage, jacobian)
		if solve(jacobian, rhs) != nil {
			return s.divergence(k)
		}
		s.iterations++
		for i := range s.v {
			if a := angle[i]; a >= 0 {
				s.theta[i] += rhs.At(a, 0)
			}
			if u := voltage[i]; u >= 0 {
				s.v[i] += rhs.At(u, 0)
			}
		}
	}
}

// checkVoltages refuses a solution of the equations that is none of the
// network.
func (s *flowSolver) checkVoltages() error {
	for i, v := range s.v {
		if v <= 0 {
			return fmt.Errorf("grid: power flow ended at a false solution (%.3g pu at bus %s)", v, s.c.Buses[i].ID)
		}
	}
	return nil
}

func (s *flowSolver) divergence(iterations int) error {
	return &DivergenceError{iterations, s.worst, s.c.Buses[s.worstBus].ID}
}

// mismatch computes the injections and fills rhs (may be nil) with what is
// missing at every equation.
func (s *flowSolver) mismatch(angle, voltage []int, rhs *mat.Dense) {
	s.net.injections(s.theta, s.v, s.p, s.q)
	s.worst, s.worstBus = 0, 0
	note := func(bus, row int, value float64) {
		if rhs != nil {
			rhs.Set(row, 0, value)
		}
		if m := math.Abs(value); m > s.worst || math.IsNaN(m) {
			if math.IsNaN(m) {
				m = math.Inf(1)
			}
			s.worst, s.worstBus = m, bus
		}
	}
	for i := range s.kind {
		b := &s.c.Buses[i]
		if angle[i] >= 0 {
			note(i, angle[i], s.genP[i]-b.LoadMW/s.c.BaseMVA-s.p[i])
		}
		if voltage[i] >= 0 {
			note(i, voltage[i], s.genQ[i]-b.LoadMVAr/s.c.BaseMVA-s.q[i])
		}
	}
}

func (s *flowSolver) fillJacobian(angle, voltage []int, jacobian *mat.Dense) {
	jacobian.Zero()
	s.net.derivatives(s.theta, s.v, s.p, s.q, func(i, j int, pTheta, pV, qTheta, qV float64) {
		for _, e := range [4]struct {
			row, column int
			value       float64
		}{
			{angle[i], angle[j], pTheta},
			{angle[i], voltage[j], pV},
			{voltage[i], angle[j], qTheta},
			{voltage[i], voltage[j], qV},
		} {
			if e.row >= 0 && e.column >= 0 {
				jacobian.Set(e.row, e.column, e.value)
			}
		}
	})
}

// limitQ holds PV buses beyond a limit at it, frees held ones whose voltage
// shows that the limit no longer binds, and tells whether anything changed.
func (s *flowSolver) limitQ() bool {
	const slack = 1e-9
	changed := false
	for i, k := range s.kind {
		need := s.q[i] + s.c.Buses[i].LoadMVAr/s.c.BaseMVA
		switch {
		case k == PV && need > s.maxQ[i]+slack:
			s.kind[i], s.atLimit[i], s.genQ[i] = PQ, 1, s.maxQ[i]
		case k == PV && need < s.minQ[i]-slack:
			s.kind[i], s.atLimit[i], s.genQ[i] = PQ, -1, s.minQ[i]
		case s.atLimit[i] != 0 && float64(s.atLimit[i])*(s.v[i]-s.setV[i]) > slack:
			s.kind[i], s.atLimit[i], s.v[i] = PV, 0, s.setV[i]
		default:
			continue
		}
		changed = true
	}
	return changed
}

func (s *flowSolver) result() *Flow {
	f := &Flow{
		Case: s.c, Iterations: s.iterations, MismatchPU: s.worst, MismatchBus: s.c.Buses[s.worstBus].ID,
		LoadMW: s.c.LoadMW(),
	}
	for i := range s.v {
		f.Buses = append(f.Buses, BusFlow{s.c.Buses[i].ID, s.v[i], degrees(s.theta[i])})
	}
	s.addGens(f)
	for k := range s.net.branches {
		b, t := &s.c.Branches[k], &s.net.branches[k]
		flow := BranchFlow{Branch: b.ID, From: b.From, To: b.To}
		if t.inService {
			vf, vt := cmplx.Rect(s.v[t.from], s.theta[t.from]), cmplx.Rect(s.v[t.to], s.theta[t.to])
			base := complex(s.c.BaseMVA, 0)
			sf := base * vf * cmplx.Conj(t.yff*vf+t.yft*vt)
			st := base * vt * cmplx.Conj(t.ytf*vf+t.ytt*vt)
			series := base * cmplx.Conj(t.series) * complex(square(vf/t.tap-vt), 0)
			flow.FromMW, flow.FromMVAr, flow.ToMW, flow.ToMVAr = real(sf), imag(sf), real(st), imag(st)
			flow.LossMW = real(series)
			if b.RateMVA > 0 {
				flow.LoadingPU = math.Max(cmplx.Abs(sf), cmplx.Abs(st)) / b.RateMVA
			}
			f.LossMW += real(series)
			f.LossMVAr += imag(series)
		}
		f.Branches = append(f.Branches, flow)
	}
	return f
}

func square(z complex128) float64 { return real(z)*real(z) + imag(z)*imag(z) }

// addGens shares each bus's generation among its units.
func (s *flowSolver) addGens(f *Flow) {
	index := s.c.busIndices()
	units := make([]int, len(s.kind))
	for g := range s.c.Gens {
		if s.c.Gens[g].InService {
			units[index[s.c.Gens[g].Bus]]++
		}
	}
	first := make([]bool, len(s.kind))
	for g := range s.c.Gens {
		gen := &s.c.Gens[g]
		out := GenFlow{Bus: gen.Bus}
		if gen.InService {
			i := index[gen.Bus]
			out.PowerMW, out.ReactiveMVAr, out.AtLimit = gen.PowerMW, gen.ReactiveMVAr, s.atLimit[i] != 0
			if s.kind[i] == Slack && !first[i] {
				first[i] = true
				out.PowerMW += (s.p[i]-s.genP[i])*s.c.BaseMVA + s.c.Buses[i].LoadMW
			}
			if s.kind[i] != PQ || out.AtLimit {
				q := s.q[i]*s.c.BaseMVA + s.c.Buses[i].LoadMVAr
				out.ReactiveMVAr = shareQ(gen, q, s.minQ[i]*s.c.BaseMVA, s.maxQ[i]*s.c.BaseMVA, units[i])
			}
			f.GenMW += out.PowerMW
		}
		f.Gens = append(f.Gens, out)
	}
}

// shareQ returns a unit's part of its bus's reactive power: all units stand
// at the same fraction of their range, or share equally where the range is
// empty or unlimited.
func shareQ(gen *Gen, q, minQ, maxQ float64, units int) float64 {
	if units == 1 {
		return q
	}
	if span := maxQ - minQ; span > 0 && !math.IsInf(span, 1) {
		return gen.MinMVAr + (q-minQ)/span*(gen.MaxMVAr-gen.MinMVAr)
	}
	return q / float64(units)
}
