//go:build integration

package reconfig

import (
	"fmt"
	"math"
	"strconv"
)

// approximation is a problem as a programme.
type approximation struct {
	programme
	p     *Problem
	cones []*cone
	cuts  int
}

func newApproximation(p *Problem) *approximation {
	x := &approximation{p: p}
	for l := range p.Chains {
		x.addChain(l)
	}
	for e := range p.Pools {
		x.addPool(e)
		x.addCones(e)
	}
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
	x.atMost(row, was)
}

// addPending: g_t says that the command has been sent by step t, and s_{o,t}
// that it is sent then and by that option. With binary z they are binary too.
func (x *approximation) addPending(l int) {
	c := x.p.Chains[l].Pending
	for t := range x.p.Steps {
		gone := fmt.Sprintf("g_%d_%d", l, t)
		x.atMost1 = append(x.atMost1, gone)
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
			x.atMost(sum{{1, sending(l, o, t)}, {-1, z(l, o, t)}}, 0)
		}
		x.atMost(late, 0)
		x.atMost(on, 0)
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
			held := 0.0 // by others' commands
			if g.Held != nil {
				held = g.Held[j][t]
			}
			x.equal(read, -held)
			x.atMost(sum{{1, y}, {-1, "abs_" + y}}, 0)
			x.atMost(sum{{-1, y}, {-1, "abs_" + y}}, 0)
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
	x.atMost(row, price*(x.p.terminalRoom(e)+missing)-w.Cost(missing))
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
	for _, c := range x.cones {
		x.support(c, values, relative)
	}
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
				x.atMost(sum{{2 * at, y}, {-1, "square_" + y}}, at*at)
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

// cutPlan refines the cones that a plan breaks, or else excludes the plan.
func (x *approximation) cutPlan(plan Plan, feasible bool) error {
	broken, refined := 0, 0
	for _, c := range x.cones {
		b, r := c.judge(plan)
		if b {
			broken++
		}
		if r {
			refined++
		}
	}
	x.cuts += refined
	if feasible != (broken == 0) {
		return fmt.Errorf("a plan that is feasible (%v) breaks %d constraints", feasible, broken)
	}
	if broken > 0 && refined == 0 {
		x.exclude(plan)
	}
	return nil
}

// exclude one plan and nothing else.
func (x *approximation) exclude(plan Plan) {
	var row sum
	for l := range plan {
		for t, o := range plan[l] {
			row.add(1, z(l, o, t))
		}
	}
	x.atMost(row, float64(len(row)-1))
	x.cuts++
}

// text in LP format with the cones as they are now.
func (x *approximation) text(relaxed bool) string {
	whole := x.programme.clone()
	for _, c := range x.cones {
		c.write(whole)
	}
	return whole.text(relaxed)
}
