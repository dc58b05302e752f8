package reconfig

import (
	"math"
	"slices"
)

// offer takes a plan if it is feasible and cheaper than the best.
func (s *search) offer(plan []*column) {
	s.ledger.set(plan)
	s.take()
}

// take offers the plan of the ledger and says whether it is the best now.
func (s *search) take() bool {
	for l, k := range s.ledger.plan {
		s.offered[l] = k.options
	}
	if e := s.r.p.evaluate(s.offered, s.r.response, s.drawn); e.Feasible && e.Objective < s.upper {
		s.upper = e.Objective
		s.best = append(s.best[:0], s.ledger.plan...)
		return true
	}
	return false
}

// plans makes plans of the master's solution, which is spoilt by it: its
// largest columns, and a dive. Chains that mix two columns may also change from
// one to the other midway.
func (s *search) plans(n *node, m *master) {
	if s.work.Nodes == 1 {
		s.keep = make([][][]int, len(s.r.chains))
		m.weights(func(k *column, _ float64) {
			s.keep[k.chain] = append(s.keep[k.chain], append([]int(nil), k.options...))
		})
	}
	plan, share := s.largest(m)
	s.mixed = s.mixed[:0]
	for l, x := range share {
		if x < 1-1e-6 {
			s.mixed = append(s.mixed, l)
		}
	}
	s.round(plan)
	s.mixed = s.mixed[:0]
	if s.work.Nodes > 1 {
		return // what follows is dear, and seldom finds more than at the root
	}
	if !s.closed(n.bound) {
		s.shake()
	}
	if !s.closed(n.bound) {
		s.cross(n, m)
		s.round(s.dive(m))
	}
}

// largest is the column of most weight by chain, and its weight.
func (s *search) largest(m *master) (plan []*column, share []float64) {
	plan, share = make([]*column, len(s.r.chains)), make([]float64, len(s.r.chains))
	for l, k := range m.key {
		plan[l] = m.columns[k].column
	}
	m.weights(func(k *column, x float64) {
		if x > share[k.chain] {
			plan[k.chain], share[k.chain] = k, x
		}
	})
	return plan, share
}

// cross adds to the master what changes midway from one of a chain's columns
// to the other.
func (s *search) cross(n *node, m *master) {
	first := make([]*column, len(s.r.chains))
	var mixed [][2]*column
	m.weights(func(k *column, x float64) {
		if x < 1e-9 {
			return
		}
		if first[k.chain] != nil {
			mixed = append(mixed, [2]*column{first[k.chain], k}, [2]*column{k, first[k.chain]})
		}
		first[k.chain] = k
	})
	for _, ab := range mixed {
		for t := 1; t < s.r.steps; t++ {
			copy(s.scratch, ab[0].options[:t])
			copy(s.scratch[t:], ab[1].options[t:])
			l := ab[0].chain
			if k, made := s.known(l, s.scratch); made && k.allows(n.allowed[l]) {
				m.add(k)
			}
		}
	}
}

// dive fixes, one by one, the chain that is next to integral to its closest
// column and lets the master adapt the others.
func (s *search) dive(m *master) []*column {
	fixed := make([]bool, len(s.r.chains))
	forbidding := 1e3 * max(1, s.r.maxSwing)
	for range s.r.chains {
		s.optimise(m)
		if s.spent() {
			break
		}
		plan, share := s.largest(m)
		l, most := -1, 0.0
		for c, x := range share {
			if !fixed[c] && x < 1-1e-9 && x > most {
				l, most = c, x
			}
		}
		if l < 0 {
			return plan
		}
		fixed[l] = true
		only := m.closest(l)
		for i := range m.columns {
			if k := &m.columns[i]; k.chain == l && i != only {
				k.price += forbidding
			}
		}
	}
	plan, _ := s.largest(m)
	return plan
}

// closest is the column of chain l that costs least in the place of the mixture
// that the solution has, all other chains staying as they are.
func (m *master) closest(l int) int {
	room := make([]float64, len(m.rows))
	for i := range room {
		room[i] = m.limitOf(i)
	}
	take := func(k int, x float64) {
		if c := &m.columns[k]; c.chain != l {
			for i, a := range c.a {
				room[i] -= x * a
			}
		}
	}
	for c, k := range m.key {
		take(k, m.keyValue(c))
	}
	for i, b := range m.basis {
		if b >= 0 {
			take(b, m.x[i])
		}
	}
	best, least := m.key[l], math.Inf(1)
	for k := range m.columns {
		c := &m.columns[k]
		if c.chain != l {
			continue
		}
		cost := c.price
		for i, a := range c.a {
			if over := a - room[i]; over > 0 && m.parent[i] < 0 {
				cost += m.capOf(i) * over
			}
		}
		if cost < least {
			best, least = k, cost
		}
	}
	return best
}

// round repairs a plan, improves it and offers it.
func (s *search) round(plan []*column) {
	s.ledger.set(plan)
	s.repair()
	s.descent.steepest(s.mixed, s.column)
	s.improve(noChain)
	// Pairs are dear: they are tried where single exchanges led to a new best.
	for s.take() && s.improvePair() {
		s.improve(noChain)
	}
}

// repair exchanges columns, those first that cost least a bit of excess
// removed, until every row holds. All chains off is always reached at last.
func (s *search) repair() {
	excess := make([]float64, len(s.r.p.Pools))
	for range 4 * len(s.r.chains) { // rounding could lead round in circles
		var broken []int
		for e := range excess {
			if excess[e] = s.ledger.excess(e, nil); excess[e] > 0 {
				broken = append(broken, e)
			}
		}
		if len(broken) == 0 {
			return
		}
		best := s.cheapestRepair(broken, excess)
		if best == nil {
			break
		}
		s.ledger.exchange(best)
	}
	for l := range s.pool {
		s.ledger.exchange(s.pool[l][0]) // off
	}
}

// cheapestRepair is the column that costs least a bit of excess removed; excess
// is by pool, and some in those that are broken.
func (s *search) cheapestRepair(broken []int, excess []float64) (best *column) {
	least := math.Inf(1)
	for l := range s.pool {
		c := &s.r.chains[l]
		old := s.ledger.plan[l]
		if !slices.ContainsFunc(broken, func(e int) bool { return old.drawsFrom(c.slot[e], s.r.steps) }) {
			continue
		}
		for _, k := range s.pool[l] {
			if k == old {
				continue
			}
			removed := 0.0
			for slot, e := range c.pools {
				if old.drawsFrom(slot, s.r.steps) || k.drawsFrom(slot, s.r.steps) {
					removed += excess[e] - s.ledger.excess(e, k)
				}
			}
			if removed <= 0 {
				continue
			}
			if rate := -s.ledger.saves(k) / removed; rate < least {
				best, least = k, rate
			}
		}
	}
	return best
}

// improve changes single chains, but for one, as long as that saves and fits.
func (s *search) improve(but int) {
	s.descent.improve(but, s.column)
}

// column is known's.
func (s *search) column(l int, options []int) *column {
	k, _ := s.known(l, options)
	return k
}

// shake takes the changes of option out of one chain at a time, lets the others
// make good for it, and keeps what is better.
func (s *search) shake() {
	s.ledger.set(s.best)
	s.ledger.save()
	for better := true; better; {
		better = false
		for l := range s.r.chains {
			c := &s.r.chains[l]
			k := s.best[l]
			if c.Before == NoOption || !k.changes(c.Before) || c.Pending != nil || s.spent() {
				continue
			}
			for t := range s.scratch {
				s.scratch[t] = c.Before
				if c.allowed[t]&(1<<c.Before) == 0 {
					s.scratch[t] = 0
				}
			}
			if keep, _ := s.known(l, s.scratch); keep != k && s.ledger.fits(keep) {
				s.ledger.exchange(keep)
				s.improve(l)
				s.improve(noChain)
				if s.take() {
					better = true
					s.ledger.set(s.best)
					s.ledger.save()
				} else {
					s.ledger.restore()
				}
			}
		}
	}
}

// noChain is none of the chains.
const noChain = -1

// changes says whether the option changes from before on.
func (k *column) changes(before int) bool {
	for _, o := range k.options {
		if o != before {
			return true
		}
	}
	return false
}

// improvePair makes one exchange of two columns that save together: one that
// saves but does not fit, and one that makes room.
func (s *search) improvePair() bool {
	for l := range s.pool {
		for _, k := range s.pool[l] {
			gain := s.ledger.saves(k)
			if k == s.ledger.plan[l] || gain <= s.r.negligible {
				continue
			}
			old := s.ledger.plan[l]
			s.ledger.exchange(k)
			if s.makeRoom(l, gain-s.r.negligible) {
				return true
			}
			s.ledger.exchange(old)
		}
	}
	return false
}

// makeRoom exchanges the column of a chain other than l, at a cost below gain,
// so that the rows of all pools hold again.
func (s *search) makeRoom(l int, gain float64) bool {
	var broken []int
	for _, e := range s.r.chains[l].pools {
		if !s.ledger.keeps(e, nil) {
			broken = append(broken, e)
		}
	}
	for j := range s.pool {
		if j == l || !s.r.chains[j].drawsFrom(broken) {
			continue
		}
		for _, q := range s.pool[j] {
			if q == s.ledger.plan[j] || gain+s.ledger.saves(q) <= 0 || !s.mends(broken, q) || !s.ledger.fits(q) {
				continue
			}
			s.ledger.exchange(q)
			return true
		}
	}
	return false
}

// mends says whether the rows of the pools hold with q in place.
func (s *search) mends(pools []int, q *column) bool {
	for _, e := range pools {
		if !s.ledger.keeps(e, q) {
			return false
		}
	}
	return true
}

// drawsFrom says whether the chain may draw from every one of the pools.
func (c *flatChain) drawsFrom(pools []int) bool {
	for _, e := range pools {
		if c.slot[e] < 0 {
			return false
		}
	}
	return true
}

// rootPrices keeps the prices of the root in cost a bit.
func (s *search) rootPrices(m *master) {
	s.root = make([]PoolPrices, len(s.r.p.Pools))
	for e := range s.root {
		s.root[e] = PoolPrices{Everyone: make([]float64, s.r.steps), Lower: make([]float64, s.r.steps)}
	}
	for i, w := range m.rows {
		price := m.prices[i] * w.scale
		switch {
		case w.kind == terminalRow:
			s.root[w.pool].Terminal += price
		case w.kind == chanceRow && w.class == everyone:
			s.root[w.pool].Everyone[w.step] += price
		case w.kind == chanceRow:
			s.root[w.pool].Lower[w.step] += price
		}
	}
}

// pricedRows are the active rows with a price.
func (m *master) pricedRows() (rows []*row, prices []float64) {
	for i, w := range m.rows {
		if m.prices[i] > 0 {
			rows, prices = append(rows, w), append(prices, m.prices[i])
		}
	}
	return rows, prices
}
