package reconfig

import "math"

// master starts the linear programme of a node from the columns it allows, and
// bounds the node by the prices it was made with.
func (s *search) master(n *node) *master {
	m := newMaster(s.r)
	s.pricer.set(n.rows, n.prices)
	bound := s.r.constant - s.worth(n.rows, n.prices)
	for l := range s.r.chains {
		bound += s.pricer.cheapest(l, n.allowed[l], s.scratch)
		first, _ := s.known(l, s.scratch)
		for _, k := range s.pool[l] {
			if k.allows(n.allowed[l]) {
				i := m.add(k)
				if k == first {
					m.key[l] = i
				}
			}
		}
	}
	s.work.Evaluations++
	if bound > n.bound {
		n.bound = bound
	}
	for _, w := range n.rows {
		m.activate(w)
	}
	return m
}

// generate adds rows and columns until the bound of the node is that of the
// relaxation, or good enough, or the budget is used up.
func (s *search) generate(n *node, m *master) {
	for {
		s.optimise(m)
		for !s.spent() && (s.addRows(m) || s.addCuts(m)) {
			s.optimise(m)
		}
		bound, added := s.addColumns(n, m)
		if bound > n.bound {
			n.bound = bound
		}
		objective := m.objective() + s.r.constant
		if s.relaxed {
			s.upper = objective
		}
		if !added || objective-n.bound <= 1e-10*math.Max(1, math.Abs(objective)) || s.closed(n.bound) || s.spent() {
			break
		}
	}
}

// optimise solves the master within the budget.
func (s *search) optimise(m *master) {
	limit := 20 * (len(m.rows) + len(m.key) + 10)
	if s.budget.Pivots > 0 {
		limit = min(limit, s.budget.Pivots-s.work.Pivots)
	}
	s.work.Pivots += m.solve(limit)
}

// addColumns prices all chains, adds what is cheaper than the master knows, and
// returns the Lagrangian bound Σ_ℓ min(c + p·a) − p·limit.
func (s *search) addColumns(n *node, m *master) (bound float64, added bool) {
	s.clip(m.rows, m.prices)
	bound = s.r.constant - s.worth(m.rows, m.prices)
	s.pricer.set(m.rows, m.prices)
	small := 1e-10 * math.Max(1, s.r.maxSwing)
	for l := range s.r.chains {
		v := s.pricer.cheapest(l, n.allowed[l], s.scratch)
		bound += v
		if v < m.theta[l]-small {
			if k, made := s.known(l, s.scratch); made {
				m.add(k)
				added = true
			}
		}
	}
	s.work.Evaluations++
	return bound, added
}

// clip makes prices, a scaled unit each, admissible: not negative, and not
// above what the excess costs.
func (s *search) clip(rows []*row, prices []float64) {
	clear(s.terminal)
	for i, w := range rows {
		if !(prices[i] > 0) { // not a number neither: any prices give a bound
			prices[i] = 0
		}
		prices[i] = math.Min(prices[i], w.price/w.scale)
		if w.kind == terminalRow {
			s.terminal[w.pool] += prices[i] * w.scale
		}
	}
	for i, w := range rows {
		if w.kind != terminalRow {
			continue
		}
		if most := s.r.p.Pools[w.pool].Terminal.PricePerBit; s.terminal[w.pool] > most {
			prices[i] *= most / s.terminal[w.pool]
		}
	}
}

// worth of the limits at admissible prices: Σ p·limit, and of the terminal
// costs π·room + φ*(π) with π the sum over all tangents. That is never more
// than their own limits are worth, as φ* is convex.
func (s *search) worth(rows []*row, prices []float64) float64 {
	clear(s.terminal)
	sum := 0.0
	for i, w := range rows {
		if w.kind == terminalRow {
			s.terminal[w.pool] += prices[i] * w.scale
		} else {
			sum += prices[i] * w.limit * w.scale
		}
	}
	for e, price := range s.terminal {
		if price > 0 {
			sum += price*s.r.p.terminalRoom(e) + s.r.p.Pools[e].Terminal.conjugate(price)
		}
	}
	return sum
}

// addTangent activates the tangent of a terminal cost at the master's plan,
// unless it is right already.
func (s *search) addTangent(base *row, m *master) bool {
	c := &s.r.p.Pools[base.pool].Terminal
	missing := base.factor*s.mean[everyone][base.pool*s.r.steps+base.step] - s.r.p.terminalRoom(base.pool)
	booked := 0.0
	for i, b := range m.basis {
		if b < 0 && b&1 == 0 && m.rows[-b/2-1] == base {
			booked = c.PricePerBit * m.x[i] / base.scale
		}
	}
	if len(m.rows) >= maxRows || !(c.Cost(missing)-booked > s.sharpness()) {
		return false
	}
	if price := c.priceAt(missing); price < c.PricePerBit {
		// The same tangent again: the master's limits, spread by 1e-8 against
		// ties, are coarser than what is asked.
		for _, w := range m.rows {
			if w.parent == base && math.Abs(w.link-c.PricePerBit/price) < 1e-6*w.link {
				return false
			}
		}
		m.activate(s.r.tangent(base, price))
		return true
	}
	if m.indexOf(base) >= 0 {
		return false
	}
	m.activate(base)
	return true
}

// sharpness is the error in a terminal cost that is not worth a tangent.
func (s *search) sharpness() float64 {
	return max(1e-12, 0.02*s.budget.Gap) * math.Max(1, math.Min(math.Abs(s.upper), s.r.maxSwing))
}

// addRows activates, of each pool, class and kind, the row that the master's
// plan breaks most.
func (s *search) addRows(m *master) bool {
	h := s.r.steps
	for c := range 2 {
		clear(s.mean[c])
		clear(s.vari[c])
	}
	var grid []*column
	var share []float64
	m.weights(func(k *column, x float64) {
		c := &s.r.chains[k.chain]
		for slot, e := range c.pools {
			for t := range h {
				a, b := x*k.mean[slot*h+t], x*k.variance[slot*h+t]
				s.mean[everyone][e*h+t] += a
				s.vari[everyone][e*h+t] += b
				if !c.Highest {
					s.mean[lower][e*h+t] += a
					s.vari[lower][e*h+t] += b
				}
			}
		}
		if k.sentAt >= 0 {
			grid, share = append(grid, k), append(share, x)
		}
	})
	var worst *row
	most := 0.0
	added := false
	flush := func() {
		if worst != nil {
			m.activate(worst)
			added = true
		}
		worst, most = nil, 1e-9
	}
	flush()
	for i := range s.r.rows {
		w := &s.r.rows[i]
		if i > 0 {
			if v := &s.r.rows[i-1]; v.kind != w.kind || v.pool != w.pool || v.class != w.class || v.output != w.output {
				flush()
			}
		}
		broken := -w.limit
		switch w.kind {
		case chanceRow:
			broken += s.mean[w.class][w.pool*h+w.step] + w.slope*s.vari[w.class][w.pool*h+w.step]
		case terminalRow:
			added = s.addTangent(w, m) || added
			continue
		case gridRow:
			for j, k := range grid {
				broken += share[j] * s.r.coefficient(w, k) / w.scale
			}
		}
		if broken *= w.scale; broken > most && m.indexOf(w) < 0 {
			worst, most = w, broken
		}
	}
	flush()
	return added
}

// addCuts activates, of each pool and class, an envelope row of the cone that
// the master's plan breaks most. It follows addRows, whose sums it reads.
func (s *search) addCuts(m *master) bool {
	if len(m.rows) >= maxRows || s.r.p.Kappa == 0 {
		return false
	}
	h := s.r.steps
	observed, added := false, false
	for e := range s.r.p.Pools {
		for k := everyone; k <= lower; k++ {
			worst, most := -1, max(1e-7, 0.1*s.budget.Gap)
			for t := range h {
				i := e*h + t
				limit, _ := s.r.p.elasticLimit(e, t, k)
				over := s.mean[k][i] + s.r.p.Kappa*math.Sqrt(s.r.p.fixedVar(e, t, k)+s.vari[k][i]) - limit
				if over /= math.Max(1, limit); over > most && s.mean[k][i] > 0 {
					worst, most = t, over
				}
			}
			if worst < 0 {
				continue
			}
			if !observed {
				s.cone.observe(m)
				observed = true
			}
			if w := s.cone.cut(e, worst, k, s.mean[k][e*h+worst]); w != nil {
				m.activate(w)
				added = true
			}
		}
	}
	return added
}

// maxRows ends the search for envelope rows of one node.
const maxRows = 30
