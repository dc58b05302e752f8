package reconfig

import "math"

// ledger keeps a plan with all sums over chains, so that an exchange of one
// chain's column is judged by the exact cone in the pools that it touches.
type ledger struct {
	r      *relaxation
	plan   []*column
	limit  [2][]float64 // by class; pool and step; tolerance included
	mean   [2][]float64
	spread [2][]float64 // P + variance
	output []float64    // of the grid, by output and step
	soft   []softRow    // by pool
	kappa2 float64
	// stamps are by pool, and of the grid last: equal ones mean equal sums, to
	// the bit.
	stamps []int
	clock  int
	saved  *sums // see save
}

func newLedger(r *relaxation) *ledger {
	g := &ledger{r: r, plan: make([]*column, len(r.chains)), stamps: r.mem.ints.take(len(r.p.Pools) + 1), kappa2: r.p.Kappa * r.p.Kappa}
	n := len(r.p.Pools) * r.steps
	for c := range 2 {
		g.limit[c], g.mean[c], g.spread[c] = make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range n {
			limit, _ := r.p.elasticLimit(i/r.steps, i%r.steps, class(c))
			g.limit[c][i] = limit + 0.9*tolerance*math.Max(1, math.Abs(limit))
		}
	}
	for e := range r.p.Pools {
		s := r.p.Pools[e].Terminal
		g.soft = append(g.soft, softRow{s, 1 + s.LookaheadFactor, r.p.terminalRoom(e)})
	}
	if r.p.Grid != nil {
		g.output = make([]float64, len(r.p.Grid.Outputs)*r.steps)
	}
	return g
}

// softRow is the terminal row of a pool, φ(factor·m − room).
type softRow struct {
	Terminal
	factor, room float64
}

func (w *softRow) cost(m float64) float64 { return w.Cost(w.factor*m - w.room) }

// set replaces the whole plan.
func (g *ledger) set(plan []*column) {
	for c := range 2 {
		clear(g.mean[c])
		for i := range g.spread[c] {
			g.spread[c][i] = g.r.p.fixedVar(i/g.r.steps, i%g.r.steps, class(c))
		}
	}
	for i := range g.output {
		g.output[i] = g.r.response.free[i/g.r.steps][i%g.r.steps]
	}
	for i := range g.stamps {
		g.touch(i)
	}
	copy(g.plan, plan)
	for _, k := range plan {
		g.book(k, 1)
	}
}

// touch says that the sums of a pool, or of the grid, change.
func (g *ledger) touch(i int) {
	g.clock++
	g.stamps[i] = g.clock
}

// sums are all that a ledger knows of a plan.
type sums struct {
	plan         []*column
	mean, spread [2][]float64
	output       []float64
	stamps       []int
}

// save keeps the plan and its sums for restore.
func (g *ledger) save() {
	if g.saved == nil {
		g.saved = new(sums)
	}
	x := g.saved
	for c := range 2 {
		x.mean[c], x.spread[c] = append(x.mean[c][:0], g.mean[c]...), append(x.spread[c][:0], g.spread[c]...)
	}
	x.plan, x.output, x.stamps = append(x.plan[:0], g.plan...), append(x.output[:0], g.output...), append(x.stamps[:0], g.stamps...)
}

// restore takes back what was booked since save.
func (g *ledger) restore() {
	x := g.saved
	for c := range 2 {
		copy(g.mean[c], x.mean[c])
		copy(g.spread[c], x.spread[c])
	}
	copy(g.plan, x.plan)
	copy(g.output, x.output)
	copy(g.stamps, x.stamps)
}

func (g *ledger) book(k *column, sign float64) {
	c := &g.r.chains[k.chain]
	h := g.r.steps
	for slot, e := range c.pools {
		if !k.drawsFrom(slot, h) {
			continue
		}
		g.touch(e)
		for t := range h {
			m, v := sign*k.mean[slot*h+t], sign*k.variance[slot*h+t]
			g.mean[everyone][e*h+t] += m
			g.spread[everyone][e*h+t] += v
			if !c.Highest {
				g.mean[lower][e*h+t] += m
				g.spread[lower][e*h+t] += v
			}
		}
	}
	if k.sentAt >= 0 {
		g.touch(len(g.stamps) - 1)
		for i := range g.output {
			g.output[i] += sign * g.r.response.of(c.Pending, k.sentAt, k.sentBy, i/h, i%h)
		}
	}
}

// exchange puts k in the place of its chain's column.
func (g *ledger) exchange(k *column) {
	g.book(g.plan[k.chain], -1)
	g.book(k, 1)
	g.plan[k.chain] = k
}

// keeps says whether the rows of pool e hold, with k in place of its chain's
// column; k may be nil.
func (g *ledger) keeps(e int, k *column) bool {
	h := g.r.steps
	slot := -1
	if k != nil {
		slot = g.r.chains[k.chain].slot[e]
	}
	for t := range h {
		i := e*h + t
		dm, dv := 0.0, 0.0
		if slot >= 0 {
			old := g.plan[k.chain]
			dm, dv = k.mean[slot*h+t]-old.mean[slot*h+t], k.variance[slot*h+t]-old.variance[slot*h+t]
		}
		if !g.kept(everyone, i, g.mean[everyone][i]+dm, g.spread[everyone][i]+dv) {
			return false
		}
		if slot >= 0 && g.r.chains[k.chain].Highest {
			dm, dv = 0, 0
		}
		if !g.kept(lower, i, g.mean[lower][i]+dm, g.spread[lower][i]+dv) {
			return false
		}
	}
	return true
}

func (g *ledger) kept(c class, i int, mean, variance float64) bool {
	room := g.limit[c][i] - mean
	return room >= 0 && room*room >= g.kappa2*variance
}

// fits says whether every row would hold with k in place; it need only look at
// the pools of k's chain.
func (g *ledger) fits(k *column) bool {
	c := &g.r.chains[k.chain]
	old := g.plan[k.chain]
	h := g.r.steps
	for slot, e := range c.pools {
		a, b := slot*h, (slot+1)*h
		if !g.fitsPool(c, e, 0, old.mean[a:b], old.variance[a:b], k.mean[a:b], k.variance[a:b]) {
			return false
		}
	}
	return true
}

// fitsPool says whether the rows of pool e would hold from a step on if chain c
// drew other than it does now.
func (g *ledger) fitsPool(c *flatChain, e, from int, mean, variance, newMean, newVariance []float64) bool {
	h := g.r.steps
	for t := h - 1; t >= from; t-- {
		dm, dv := newMean[t]-mean[t], newVariance[t]-variance[t]
		if dm <= 0 && dv <= 0 {
			continue
		}
		i := e*h + t
		if !g.kept(everyone, i, g.mean[everyone][i]+dm, g.spread[everyone][i]+dv) {
			return false
		}
		if !c.Highest && !g.kept(lower, i, g.mean[lower][i]+dm, g.spread[lower][i]+dv) {
			return false
		}
	}
	return true
}

// excess is by how many bits rows of pool e are broken in sum, with k in place
// of its chain's column; k may be nil.
func (g *ledger) excess(e int, k *column) float64 {
	h := g.r.steps
	slot := -1
	if k != nil {
		slot = g.r.chains[k.chain].slot[e]
	}
	sum := 0.0
	for c := everyone; c <= lower; c++ {
		changes := slot >= 0 && (c == everyone || !g.r.chains[k.chain].Highest)
		for t := range h {
			i := e*h + t
			m, v := g.mean[c][i], g.spread[c][i]
			if changes {
				j, old := slot*h+t, g.plan[k.chain]
				m += k.mean[j] - old.mean[j]
				v += k.variance[j] - old.variance[j]
			}
			if !g.kept(c, i, m, v) {
				sum += m + g.r.p.Kappa*math.Sqrt(math.Max(0, v)) - g.limit[c][i]
			}
		}
	}
	return sum
}

// saves is by how much the objective falls with k in place.
func (g *ledger) saves(k *column) float64 {
	c := &g.r.chains[k.chain]
	old := g.plan[k.chain]
	h := g.r.steps
	sum := old.cost - k.cost
	for slot, e := range c.pools {
		if d := k.mean[slot*h+h-1] - old.mean[slot*h+h-1]; d != 0 && g.soft[e].PricePerBit > 0 {
			m := g.mean[everyone][e*h+h-1]
			sum += g.soft[e].cost(m) - g.soft[e].cost(m+d)
		}
	}
	if g.output != nil && c.Pending != nil && (k.sentAt != old.sentAt || k.sentBy != old.sentBy) {
		sum += g.gridSaves(c, old, k)
	}
	return sum
}

func (g *ledger) gridSaves(c *flatChain, old, k *column) float64 {
	h := g.r.steps
	sum := 0.0
	for i, y := range g.output {
		out := &g.r.p.Grid.Outputs[i/h]
		sum += out.cost(y)
		if old.sentAt >= 0 {
			y -= g.r.response.of(c.Pending, old.sentAt, old.sentBy, i/h, i%h)
		}
		if k.sentAt >= 0 {
			y += g.r.response.of(c.Pending, k.sentAt, k.sentBy, i/h, i%h)
		}
		sum -= out.cost(y)
	}
	// What column costs already hold of the linear pieces counts once.
	return sum + g.sendCost(c, k) - g.sendCost(c, old)
}

func (g *ledger) sendCost(c *flatChain, k *column) float64 {
	if k.sentAt < 0 {
		return 0
	}
	return c.send[k.sentBy*g.r.steps+k.sentAt] - c.Pending.oneOffCost(k.sentAt)
}
