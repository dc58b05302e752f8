package reconfig

import "math"

// descent improves a plan by changing one chain at a time: to one option from
// some step on, or up to some step, whichever saves most. Moves are judged by
// what they really cost, terminal rows included, so that it also finds plans
// that no prices lead to.
type descent struct {
	r      *relaxation
	ledger *ledger
	// sums of an option's costs and draws before each step, by chain: of the
	// costs by option and step 0..H, of the draws by option, slot and step
	cost [][]float64
	mean [][]float64
	// an option is available from from[l][o] to the end, and before until[l][o]
	from, until [][]int

	options []int
	// of a move, drawn up to each step
	drawnMean, drawnVar []float64
	judged              []judgement // by chain
	// of the chain at hand, by step 0..H: what its plan costs before it, with
	// changes; and by slot: what it draws before it
	paid    []float64
	drawn   []float64
	relief  []float64 // see visit
	least   []float64 // that any plan of a chain costs, by chain
	ending  []float64 // what its pools' terminal costs are, by slot
	touched []touched
	// touching is the option that touched is about
	touching int
}

// move is one change of a chain's plan.
type move struct {
	option, step int
	prefix       bool // option before step, else from step on
	gain         float64
}

func newDescent(r *relaxation, g *ledger) *descent {
	n, h := len(r.chains), r.steps
	d := &descent{
		r: r, ledger: g, cost: make([][]float64, n), mean: make([][]float64, n), from: make([][]int, n), until: make([][]int, n),
		options: make([]int, h), paid: make([]float64, h+1), relief: make([]float64, h+1), least: make([]float64, n),
		judged: make([]judgement, n),
	}
	slots := 0
	for l := range r.chains {
		slots = max(slots, len(r.chains[l].pools))
		d.prepare(l)
	}
	d.drawn, d.ending = make([]float64, slots*(h+1)), make([]float64, slots)
	d.drawnMean, d.drawnVar = make([]float64, h), make([]float64, h)
	return d
}

func (d *descent) prepare(l int) {
	c := &d.r.chains[l]
	h, n, slots := d.r.steps, len(c.Options), len(c.pools)
	d.cost[l], d.mean[l] = d.r.mem.floats.take(n*(h+1)), d.r.mem.floats.take(n*slots*(h+1))
	d.from[l], d.until[l] = d.r.mem.ints.take(n), d.r.mem.ints.take(n)
	for t := range h {
		least := math.Inf(1)
		for o := range n {
			least = math.Min(least, c.cost[o*h+t])
		}
		d.least[l] += least
	}
	for o := range n {
		cost := d.cost[l][o*(h+1) : (o+1)*(h+1)]
		d.until[l][o] = h
		for t := range h {
			cost[t+1] = cost[t]
			if c.allowed[t]&(1<<o) == 0 {
				d.from[l][o] = t + 1
				d.until[l][o] = min(d.until[l][o], t)
			} else {
				cost[t+1] += c.cost[o*h+t]
			}
		}
		for _, x := range c.draws[o] {
			mean := d.mean[l][(o*slots+x.slot)*(h+1) : (o*slots+x.slot+1)*(h+1)]
			for t := range h {
				mean[t+1] = mean[t] + x.mean[t]
			}
		}
	}
}

// improve changes chains in turn, but for one, until none can save. known makes
// the column of a chain's options.
func (d *descent) improve(but int, known func(l int, options []int) *column) {
	n := len(d.r.chains)
	for l, idle := 0, 0; idle < n; l, idle = (l+1)%n, idle+1 {
		if l == but {
			continue
		}
		if m, ok := d.best(l); ok {
			d.apply(l, m)
			d.ledger.exchange(known(l, d.options))
			idle = -1
		}
	}
}

// steepest makes the best move of the chains given until none can save.
func (d *descent) steepest(chains []int, known func(l int, options []int) *column) {
	for range 3 * len(chains) {
		most, at := move{}, noChain
		for _, l := range chains {
			if m, ok := d.best(l); ok && m.gain > most.gain {
				most, at = m, l
			}
		}
		if at == noChain {
			return
		}
		d.apply(at, most)
		d.ledger.exchange(known(at, d.options))
	}
}

// judgement is the best move of a chain, as long as its plan and the sums that
// the move was judged by stay as they are.
type judgement struct {
	plan   *column
	stamps []int
	best   move
	ok     bool
}

// best is the move of chain l that saves most among those that fit.
func (d *descent) best(l int) (best move, ok bool) {
	c, g, j := &d.r.chains[l], d.ledger, &d.judged[l]
	grid := len(g.stamps) - 1
	if j.stamps == nil {
		j.stamps = d.r.mem.ints.take(len(c.pools) + 1)
	}
	same := j.plan == g.plan[l] && (c.Pending == nil || j.stamps[len(c.pools)] == g.stamps[grid])
	j.plan, j.stamps[len(c.pools)] = g.plan[l], g.stamps[grid]
	for slot, e := range c.pools {
		if j.stamps[slot] != g.stamps[e] {
			j.stamps[slot], same = g.stamps[e], false
		}
	}
	if !same {
		j.best, j.ok = d.judge(l)
	}
	return j.best, j.ok
}

// judge finds the best move of chain l.
func (d *descent) judge(l int) (best move, ok bool) {
	c := &d.r.chains[l]
	if c.Pending != nil {
		return d.bestPending(l)
	}
	if d.visit(l); d.idle(l) {
		return best, false
	}
	h := d.r.steps
	plan := d.ledger.plan[l].options
	best.gain = d.r.negligible
	for o := range c.Options {
		cost := d.cost[l][o*(h+1) : (o+1)*(h+1)]
		d.touching = noChain
		for t := d.from[l][o]; t < h; t++ {
			if plan[t] == o && t > 0 { // the same as from a later step
				continue
			}
			m := move{o, t, false, d.paid[h] - d.paid[t] - c.change(before(c, plan, t), o) - cost[h] + cost[t]}
			if m.gain+d.relief[h]-d.relief[t] <= best.gain {
				continue
			}
			if m.gain += d.terminal(l, o, t, h); m.gain > best.gain && d.fits(l, m) {
				best, ok = m, true
			}
		}
		for t := 1; t < min(d.until[l][o]+1, h); t++ {
			if plan[t-1] == o {
				continue
			}
			m := move{o, t, true, d.paid[t] - cost[t] -
				c.change(before(c, plan, 0), o) - c.change(o, plan[t]) + c.change(plan[t-1], plan[t])}
			if m.gain+d.relief[t] <= best.gain {
				continue
			}
			if m.gain += d.terminal(l, o, 0, t); m.gain > best.gain && d.fits(l, m) {
				best, ok = m, true
			}
		}
	}
	return best, ok
}

// visit sums what the plan of chain l costs and draws, and what it would save at
// most not to draw: no bit of the terminal costs, which are convex, saves more
// than the next one costs.
func (d *descent) visit(l int) {
	c := &d.r.chains[l]
	h := d.r.steps
	plan := d.ledger.plan[l]
	for t, o := range plan.options {
		d.paid[t+1] = d.paid[t] + c.change(before(c, plan.options, t), o) + c.cost[o*h+t]
	}
	clear(d.relief)
	for slot, e := range c.pools {
		drawn := d.drawn[slot*(h+1) : (slot+1)*(h+1)]
		copy(drawn[1:], plan.mean[slot*h:(slot+1)*h])
		w := &d.ledger.soft[e]
		total := d.ledger.mean[everyone][e*h+h-1]
		d.ending[slot] = w.cost(total)
		price := w.factor * w.priceAt(w.factor*total-w.room)
		for t, bits := range drawn {
			d.relief[t] += price * bits
		}
	}
}

// idle says that nothing could save: the chain costs the least it can and what
// it draws is not worth more.
func (d *descent) idle(l int) bool {
	h := d.r.steps
	return d.paid[h]-d.least[l]+d.relief[h] <= d.r.negligible
}

// touch finds the pools whose draw changes between the plan of chain l and
// option o.
func (d *descent) touch(l, o int) {
	c := &d.r.chains[l]
	h := d.r.steps
	d.touched = d.touched[:0]
	for slot, e := range c.pools {
		mean := d.mean[l][(o*len(c.pools)+slot)*(h+1) : (o*len(c.pools)+slot+1)*(h+1)]
		drawn := d.drawn[slot*(h+1) : (slot+1)*(h+1)]
		if w := &d.ledger.soft[e]; w.PricePerBit > 0 && (mean[h] > 0 || drawn[h] > 0) {
			total := d.ledger.mean[everyone][e*h+h-1]
			d.touched = append(d.touched, touched{w, mean, drawn, total, d.ending[slot]})
		}
	}
}

// touched is a pool as a chain's plan and an option see it.
type touched struct {
	soft        *softRow
	mean, drawn []float64 // by the option and by the plan, before each step
	total, cost float64   // drawn by all chains, and what that costs at the end
}

// terminal is what chain l saves of the terminal costs by drawing as option o
// does in steps [from, to).
func (d *descent) terminal(l, o, from, to int) float64 {
	if d.touching != o {
		d.touch(l, o)
		d.touching = o
	}
	sum := 0.0
	for i := range d.touched {
		x := &d.touched[i]
		if more := x.mean[to] - x.mean[from] - x.drawn[to] + x.drawn[from]; more != 0 {
			sum += x.cost - x.soft.cost(x.total+more)
		}
	}
	return sum
}

// before is the option before step t.
func before(c *flatChain, options []int, t int) int {
	if t == 0 {
		return c.Before
	}
	return options[t-1]
}

// change is what a change of option costs.
func (c *Chain) change(from, to int) float64 {
	if from == to || from == NoOption {
		return 0
	}
	return c.SwitchCost
}

// apply writes the options after a move.
func (d *descent) apply(l int, m move) {
	copy(d.options, d.ledger.plan[l].options)
	from, to := m.step, len(d.options)
	if m.prefix {
		from, to = 0, m.step
	}
	for t := from; t < to; t++ {
		d.options[t] = m.option
	}
}

// fits says whether all rows hold after a move; as before it, so does its chain's
// draw up to the first step that changes.
func (d *descent) fits(l int, m move) bool {
	c, plan := &d.r.chains[l], d.ledger.plan[l]
	h := d.r.steps
	from, to := m.step, h
	if m.prefix {
		from, to = 0, m.step
	}
	for slot, e := range c.pools {
		x := c.draw(m.option, slot)
		if x == nil && !plan.drawsFrom(slot, h) {
			continue
		}
		mean, variance := 0.0, 0.0
		if from > 0 {
			mean, variance = plan.mean[slot*h+from-1], plan.variance[slot*h+from-1]
		}
		for t := from; t < h; t++ {
			if t >= to {
				x = c.draw(plan.options[t], slot)
			}
			if x != nil {
				mean += x.mean[t]
				variance += x.variance[t]
			}
			d.drawnMean[t], d.drawnVar[t] = mean, variance
		}
		if !d.ledger.fitsPool(c, e, from, plan.mean[slot*h:(slot+1)*h], plan.variance[slot*h:(slot+1)*h], d.drawnMean, d.drawnVar) {
			return false
		}
	}
	return true
}

// bestPending is judge where the step of the first message matters too: moves
// are judged by their columns.
func (d *descent) bestPending(l int) (best move, ok bool) {
	c := &d.r.chains[l]
	best.gain = d.r.negligible
	for o := range c.Options {
		for _, prefix := range []bool{false, true} {
			for t := range d.r.steps {
				m := move{option: o, step: t, prefix: prefix}
				if prefix && (t == 0 || t > d.until[l][o]) || !prefix && t < d.from[l][o] {
					continue
				}
				d.apply(l, m)
				if k := d.r.column(l, d.options); !math.IsInf(k.cost, 1) {
					if m.gain = d.ledger.saves(k); m.gain > best.gain && d.ledger.fits(k) {
						best, ok = m, true
					}
				}
			}
		}
	}
	return best, ok
}
