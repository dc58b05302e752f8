//go:build integration

package reconfig

import (
	"fmt"
	"math"
	"strconv"
)

// offline solves a problem by outer approximation: a mixed-integer linear
// programme with a binary for each option and step, in which convex cones and
// costs are approximated from outside, is solved by HiGHS; its plan is judged by
// the exact ones and what it breaks is added, until it breaks nothing. It shares
// no row, price or bound with Engine.
type offline struct{ highs *highs }

var _ Solver = offline{}

// closeness is the relative difference up to which the optimum is proven.
const closeness = 1e-7

// Solve returns an optimal plan; warm and budget are not read. Work.Nodes is
// the number of programmes solved, Work.Rows that of rows added.
func (s offline) Solve(p *Problem, _ *Warm, _ Budget) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	x, before := newApproximation(p), s.highs.solves
	for range 30 {
		if x.cut(s.highs.solve(x.text(true), 0).Values, 1e-4) == 0 {
			break
		}
	}
	r := &Result{Bound: math.Inf(-1)}
	upper := math.MaxFloat64
	for precision := 1e-2; upper-r.Bound > closeness*math.Max(1, math.Abs(upper)); {
		if precision < closeness/1000 {
			return nil, fmt.Errorf("no progress between %.12g and %.12g: %+v", r.Bound, upper, r.Evaluation)
		}
		a := s.highs.solve(x.text(false), precision)
		r.Bound = math.Max(r.Bound, a.Bound)
		plan, err := x.plan(a.Values)
		if err != nil {
			return nil, err
		}
		e, err := p.Evaluate(plan)
		if err != nil {
			return nil, err
		}
		if e.Feasible && e.Objective < upper {
			r.Plan, r.Evaluation, upper = plan, e, e.Objective
		}
		added, err := x.cutPlan(plan, e.Feasible)
		if err != nil {
			return nil, err
		}
		if added+x.cut(a.Values, 1e-9) == 0 {
			precision /= 10
		}
	}
	r.Gap, r.Slacks = gap(upper, r.Bound), p.Slacks()
	r.Work = Work{Nodes: s.highs.solves - before, Rows: x.cuts}
	return r, nil
}

// approximation is a problem as a programme.
type approximation struct {
	programme
	p      *Problem
	cuts   int
	broken map[string]bool // plans that were cut off
}

func newApproximation(p *Problem) *approximation {
	x := &approximation{p: p, broken: map[string]bool{}}
	for l := range p.Chains {
		x.addChain(l)
	}
	for e := range p.Pools {
		x.addPool(e)
	}
	x.addRows()
	if p.Grid != nil {
		x.addGrid()
	}
	return x
}

// z is the variable of option o of chain l in step t.
func z(l, o, t int) string { return fmt.Sprintf("z_%d_%d_%d", l, o, t) }

// available options of a chain in a step.
func (x *approximation) available(l, t int) []int {
	var all []int
	for o := range x.p.Chains[l].Options {
		if !math.IsInf(x.p.Chains[l].Options[o].Cost[t], 1) {
			all = append(all, o)
		}
	}
	return all
}

// addChain: Σ_o z = 1, and changes d_o ≥ z_{o,t} − z_{o,t−1}, of which the
// option that is changed to has the only one.
func (x *approximation) addChain(l int) {
	c := &x.p.Chains[l]
	for t := range x.p.Steps {
		var only sum
		for _, o := range x.available(l, t) {
			x.binary = append(x.binary, z(l, o, t))
			x.objective.add(c.Options[o].Cost[t], z(l, o, t))
			only.add(1, z(l, o, t))
			x.addChange(l, o, t)
		}
		x.equal(only, 1)
	}
	if c.Pending != nil {
		x.addPending(l)
	}
}

func (x *approximation) addChange(l, o, t int) {
	c := &x.p.Chains[l]
	if c.SwitchCost == 0 || t == 0 && c.Before == NoOption {
		return
	}
	change := fmt.Sprintf("d_%d_%d_%d", l, o, t)
	x.objective.add(c.SwitchCost, change)
	var row sum
	row.add(1, z(l, o, t))
	row.add(-1, change)
	was := 0.0
	switch {
	case t == 0 && o == c.Before:
		was = 1
	case t > 0 && !math.IsInf(c.Options[o].Cost[t-1], 1):
		row.add(-1, z(l, o, t-1))
	}
	x.atMost(row, was, 1)
}

// addPending: g_t says that the command has been sent by step t, and s_{o,t}
// that it is sent then and by that option. With binary z they are binary too.
func (x *approximation) addPending(l int) {
	c := x.p.Chains[l].Pending
	for t := range x.p.Steps {
		gone := fmt.Sprintf("g_%d_%d", l, t)
		x.upper1 = append(x.upper1, gone)
		var late, increment sum // g_t ≤ g_{t−1} + Σ z;  Σ s = g_t − g_{t−1}
		late.add(1, gone)
		increment.add(-1, gone)
		x.objective.add(c.oneOffCost(t), gone)
		if t > 0 {
			before := fmt.Sprintf("g_%d_%d", l, t-1)
			late.add(-1, before)
			increment.add(1, before)
			x.objective.add(-c.oneOffCost(t), before)
		}
		var on sum // Σ z ≤ g_t
		on.add(-1, gone)
		for _, o := range x.available(l, t) {
			if o == 0 {
				continue
			}
			late.add(-1, z(l, o, t))
			on.add(1, z(l, o, t))
			increment.add(1, sending(l, o, t))
			x.atMost(sum{{1, sending(l, o, t)}, {-1, z(l, o, t)}}, 0, 1)
		}
		x.atMost(late, 0, 1)
		x.atMost(on, 0, 1)
		x.equal(increment, 0)
	}
	x.objective.add(-c.NeverCost, fmt.Sprintf("g_%d_%d", l, x.p.Steps-1))
	x.objective.add(c.NeverCost, one)
}

func sending(l, o, t int) string { return fmt.Sprintf("s_%d_%d_%d", l, o, t) }

// addGrid: x_{t+1} = A x_t + B u_t and y = C x, with the cost |y| as a variable
// of its own, and y² as another one above tangents.
func (x *approximation) addGrid() {
	g := x.p.Grid
	state := func(i, t int) string { return fmt.Sprintf("x_%d_%d", i, t) }
	for i := range g.State {
		x.free = append(x.free, state(i, 0))
		x.equal(sum{{1, state(i, 0)}}, g.State[i])
	}
	for t := range x.p.Steps {
		for i := range g.State {
			x.free = append(x.free, state(i, t+1))
			next := sum{{-1, state(i, t+1)}}
			for j := range g.State {
				next.add(g.A[i][j], state(j, t))
			}
			for l := range x.p.Chains {
				x.addInput(&next, g.B[i], l, t)
			}
			x.equal(next, 0)
		}
		for j := range g.Outputs {
			out, y := &g.Outputs[j], output(j, t)
			x.free = append(x.free, y)
			read := sum{{-1, y}}
			for i := range g.State {
				read.add(out.C[i], state(i, t+1))
			}
			x.equal(read, 0)
			x.atMost(sum{{1, y}, {-1, "abs_" + y}}, 0, 1)
			x.atMost(sum{{-1, y}, {-1, "abs_" + y}}, 0, 1)
			x.objective.add(out.AbsWeight, "abs_"+y)
			x.objective.add(out.SquareWeight, "square_"+y)
		}
	}
}

func output(j, t int) string { return fmt.Sprintf("y_%d_%d", j, t) }

// addInput adds what chain l's command has moved by step t.
func (x *approximation) addInput(s *sum, b []float64, l, t int) {
	c := x.p.Chains[l].Pending
	if c == nil {
		return
	}
	for sent := range t + 1 {
		for _, o := range x.available(l, sent) {
			if o > 0 && sent+c.DelaySteps[o] <= t {
				s.add(b[c.Input]*c.Amount, sending(l, o, sent))
			}
		}
	}
}

// draw is what one option of a chain takes in one step from some pool.
type draw struct {
	l, o, t        int
	mean, variance float64
}

// drawn lists what a row of pool e up to step t counts.
func (x *approximation) drawn(e, t int, k class) []draw {
	var all []draw
	for l := range x.p.Chains {
		if k == lower && x.p.Chains[l].Highest {
			continue
		}
		for s := range t + 1 {
			for _, o := range x.available(l, s) {
				for _, d := range x.p.Chains[l].Options[o].Draws {
					if d.Pool == e {
						all = append(all, draw{l, o, s, d.MeanBits[s], d.VarBits2[s]})
					}
				}
			}
		}
	}
	return all
}

// each calls f with every chance constraint: its draws, and the right side that
// Evaluate allows.
func (x *approximation) each(f func(draws []draw, supplyVar, limit float64)) {
	for e := range x.p.Pools {
		pool := &x.p.Pools[e]
		for t := range x.p.Steps {
			for _, k := range []class{everyone, lower} {
				limit := pool.StockBits[t]
				if k == lower {
					limit -= pool.ReserveBits
				}
				limit = math.Max(limit, x.p.Kappa*math.Sqrt(pool.StockVarBits[t]))
				f(x.drawn(e, t, k), pool.StockVarBits[t], limit+tolerance*math.Max(1, limit))
			}
		}
	}
}

func (x *approximation) addPool(e int) {
	if w := x.p.Pools[e].Terminal; w.PricePerBit > 0 {
		x.objective.add(1, terminal(e))
		for _, missing := range []float64{w.RampBits / 2, w.RampBits} {
			x.tangent(e, missing)
		}
	}
}

func terminal(e int) string { return "t_" + strconv.Itoa(e) }

// tangent of a pool's terminal cost: T ≥ φ(s̄) + φ'(s̄)(s − s̄).
func (x *approximation) tangent(e int, missing float64) {
	w := x.p.Pools[e].Terminal
	price := w.priceAt(missing)
	row := sum{{-1, terminal(e)}}
	for _, d := range x.drawn(e, x.p.Steps-1, everyone) {
		row.add(price*(1+w.LookaheadFactor)*d.mean, z(d.l, d.o, d.t))
	}
	x.atMost(row, price*(x.p.terminalRoom(e)+missing)-w.Cost(missing), 1)
	x.cuts++
}

// cut adds what a solution breaks by more than a relative error: of the convex
// costs their tangents, of the cones m + κ‖(√P, σz)‖ ≤ b the hyperplane that
// supports the norm at z̄,
//
//	m + κ·(P + Σ σ² z̄ z)/‖(√P, σz̄)‖ ≤ b.
func (x *approximation) cut(values map[string]float64, relative float64) int {
	before := x.cuts
	for e := range x.p.Pools {
		w := x.p.Pools[e].Terminal
		missing := -x.p.terminalRoom(e)
		for _, d := range x.drawn(e, x.p.Steps-1, everyone) {
			missing += (1 + w.LookaheadFactor) * d.mean * values[z(d.l, d.o, d.t)]
		}
		if cost := w.Cost(missing); cost > values[terminal(e)]+relative*math.Max(1, cost) {
			x.tangent(e, missing)
		}
	}
	x.cutGrid(values, relative)
	x.each(func(draws []draw, supplyVar, limit float64) {
		mean, square := 0.0, supplyVar
		for _, d := range draws {
			share := values[z(d.l, d.o, d.t)]
			mean += d.mean * share
			square += d.variance * share * share
		}
		norm := math.Sqrt(square)
		if mean+x.p.Kappa*norm <= limit+math.Max(relative, 1e-6)*math.Max(1, limit) || norm == 0 {
			return
		}
		var row sum
		for _, d := range draws {
			row.add(d.mean+x.p.Kappa*d.variance*values[z(d.l, d.o, d.t)]/norm, z(d.l, d.o, d.t))
		}
		x.atMost(row, limit-x.p.Kappa*supplyVar/norm, 1/limit)
		x.cuts++
	})
	return x.cuts - before
}

// cutGrid: y² ≥ 2ȳy − ȳ².
func (x *approximation) cutGrid(values map[string]float64, relative float64) {
	if x.p.Grid == nil {
		return
	}
	for j, out := range x.p.Grid.Outputs {
		for t := range x.p.Steps {
			y := output(j, t)
			at := values[y]
			if out.SquareWeight*(at*at-values["square_"+y]) > relative {
				x.atMost(sum{{2 * at, y}, {-1, "square_" + y}}, at*at, 1)
				x.cuts++
			}
		}
	}
}

// plan of a solution's binaries.
func (x *approximation) plan(values map[string]float64) (Plan, error) {
	plan := x.p.AllOff()
	for l := range plan {
		for t := range plan[l] {
			found := 0
			for _, o := range x.available(l, t) {
				if values[z(l, o, t)] > 0.5 {
					plan[l][t] = o
					found++
				}
			}
			if found != 1 {
				return nil, fmt.Errorf("chain %d, step %d has %d options", l, t, found)
			}
		}
	}
	return plan, nil
}

// cutPlan adds a row for each chance constraint that a plan breaks. The
// variance v = x + y of any other plan consists of x, of the draws that this
// plan has too (all of them: x̄), and y, of others (at most Y). As the root is
// concave, with g(v) = √(P+v)
//
//	g(x+y) ≥ g(x) + g(x̄+y) − g(x̄),   g(x) ≥ g(0) + x·(g(x̄) − g(0))/x̄,
//	g(x̄+y) − g(x̄) ≥ y·(g(x̄+Y) − g(x̄))/Y.
//
// The sum is linear in z and right at the plan itself; it is never below the
// hyperplane that supports the norm there.
func (x *approximation) cutPlan(plan Plan, feasible bool) (added int, err error) {
	before := x.cuts
	x.each(func(draws []draw, supplyVar, limit float64) {
		mean, common := 0.0, 0.0
		for _, d := range draws {
			if plan[d.l][d.t] == d.o {
				mean += d.mean
				common += d.variance
			}
		}
		if mean+x.p.Kappa*math.Sqrt(supplyVar+common) > limit {
			x.chords(plan, draws, supplyVar, limit, common)
		}
	})
	added = x.cuts - before
	if feasible != (added == 0) {
		return 0, fmt.Errorf("a plan that is feasible (%v) breaks %d rows", feasible, added)
	}
	if name := fmt.Sprint(plan); !feasible {
		if x.broken[name] {
			x.exclude(plan)
		}
		x.broken[name] = true
	}
	return added, nil
}

// chords adds the row of cutPlan.
func (x *approximation) chords(plan Plan, draws []draw, supplyVar, limit, common float64) {
	g := func(v float64) float64 { return x.p.Kappa * math.Sqrt(supplyVar+v) }
	// No more than each chain's most random option in each step, nor than what
	// would break the row without any mean.
	others := 0.0
	most := map[[2]int]float64{}
	for _, d := range draws {
		if key := [2]int{d.l, d.t}; plan[d.l][d.t] != d.o && d.variance > most[key] {
			others += d.variance - most[key]
			most[key] = d.variance
		}
	}
	if x.p.Kappa > 0 {
		others = math.Min(others, math.Pow(limit/x.p.Kappa, 2)-supplyVar)
	}
	slope := func(from, length float64) float64 {
		if length <= 0 {
			return 0
		}
		return (g(from+length) - g(from)) / length
	}
	mine, theirs := slope(0, common), slope(common, others)
	var row sum
	for _, d := range draws {
		a := theirs
		if plan[d.l][d.t] == d.o {
			a = mine
		}
		row.add(d.mean+a*d.variance, z(d.l, d.o, d.t))
	}
	x.atMost(row, limit-g(0), 1/limit)
	x.cuts++
}

// exclude one plan and nothing else.
func (x *approximation) exclude(plan Plan) {
	var row sum
	for l := range plan {
		for t, o := range plan[l] {
			row.add(1, z(l, o, t))
		}
	}
	x.atMost(row, float64(len(row)-1), 1)
	x.cuts++
}

// addRows: every chance constraint with the root replaced by its chord.
func (x *approximation) addRows() {
	off := x.p.AllOff()
	x.each(func(draws []draw, supplyVar, limit float64) {
		if len(draws) > 0 && limit > 0 {
			x.chords(off, draws, supplyVar, limit, 0)
		}
	})
}
