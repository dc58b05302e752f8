package reconfig

import "math"

// offer takes a plan if it is feasible and cheaper than the best.
func (s *search) offer(plan []*column) {
	s.ledger.set(plan)
	s.take()
}

// take offers the plan of the ledger.
func (s *search) take() {
	e, err := s.r.p.Evaluate(s.ledger.options())
	if err == nil && e.Feasible && e.Objective < s.upper {
		s.upper = e.Objective
		s.best = append(s.best[:0], s.ledger.plan...)
	}
}

// plans rounds the master's solution: each chain takes its largest column, and
// chains that mix two columns may also change from one to the other midway.
func (s *search) plans(n *node, m *master) {
	plan := make([]*column, len(s.r.chains))
	share := make([]float64, len(s.r.chains))
	var mixed [][2]*column
	m.weights(func(k *column, x float64) {
		if plan[k.chain] != nil && x > 1e-9 {
			mixed = append(mixed, [2]*column{plan[k.chain], k})
		}
		if x > share[k.chain] {
			plan[k.chain], share[k.chain] = k, x
		}
	})
	for _, pair := range mixed {
		for _, ab := range [][2]*column{pair, {pair[1], pair[0]}} {
			for t := 1; t < s.r.steps; t++ {
				copy(s.scratch, ab[0].options[:t])
				copy(s.scratch[t:], ab[1].options[t:])
				s.known(ab[0].chain, s.scratch)
			}
		}
	}
	if s.work.Nodes == 1 {
		s.keep = make([][][]int, len(s.r.chains))
		m.weights(func(k *column, _ float64) { s.keep[k.chain] = append(s.keep[k.chain], k.options) })
	}
	s.round(plan)
}

// round repairs a plan, improves it and offers it.
func (s *search) round(plan []*column) {
	s.ledger.set(plan)
	s.repair()
	s.improve()
	s.take()
}

// repair exchanges columns, those first that cost least a bit of excess
// removed, until every row holds. All chains off is always reached at last.
func (s *search) repair() {
	for excess := s.ledger.excess(nil); excess > 0; excess = s.ledger.excess(nil) {
		var best *column
		least := math.Inf(1)
		for l := range s.pool {
			for _, k := range s.pool[l] {
				if k == s.ledger.plan[l] {
					continue
				}
				removed := excess - s.ledger.excess(k)
				if removed <= 0 {
					continue
				}
				if rate := -s.ledger.saves(k) / removed; rate < least {
					best, least = k, rate
				}
			}
		}
		if best == nil {
			for l := range s.pool {
				s.ledger.exchange(s.pool[l][0]) // off
			}
			return
		}
		s.ledger.exchange(best)
	}
}

// improve exchanges single columns as long as one saves and fits, then pairs.
func (s *search) improve() {
	const worth = 1e-12
	for range 50 {
		better := false
		for l := range s.pool {
			for _, k := range s.pool[l] {
				if k != s.ledger.plan[l] && s.ledger.saves(k) > worth && s.ledger.fits(k) {
					s.ledger.exchange(k)
					better = true
				}
			}
		}
		if !better && !s.improvePair() {
			return
		}
	}
}

// improvePair makes one exchange of two columns that save together.
func (s *search) improvePair() bool {
	const worth = 1e-12
	for l := range s.pool {
		for _, k := range s.pool[l] {
			gain := s.ledger.saves(k)
			if k == s.ledger.plan[l] || gain <= worth {
				continue
			}
			old := s.ledger.plan[l]
			s.ledger.exchange(k)
			for j := range s.pool {
				if j == l || !s.share(l, j) {
					continue
				}
				for _, q := range s.pool[j] {
					if q != s.ledger.plan[j] && gain+s.ledger.saves(q) > worth && s.ledger.excess(q) == 0 {
						s.ledger.exchange(q)
						return true
					}
				}
			}
			s.ledger.exchange(old)
		}
	}
	return false
}

// share says whether two chains may draw from a common pool.
func (s *search) share(l, j int) bool {
	for _, e := range s.r.chains[l].pools {
		if s.r.chains[j].slot[e] >= 0 {
			return true
		}
	}
	return false
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

// active says whether the row is in the master.
func (m *master) active(w *row) bool {
	for _, x := range m.rows {
		if x == w {
			return true
		}
	}
	return false
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
