package reconfig

import "math"

// Engine is the solver of the experiments. The rows that chains share are
// dualised; what is left is one dynamic programme a chain over the horizon.
// Prices come from column generation on a small linear programme (master),
// whose rows are added as they are broken; the bound is the Lagrangian's at
// those prices, valid for any. Plans come from rounding the linear programme
// and exchanging columns, and the rest of the gap from best-bound branching on
// (chain, step) within the budget.
type Engine struct {
	// Interrupt, where it is set, ends a solve when it says so: the watchdog of
	// runs in real time. It is asked whenever the budget is.
	Interrupt func() bool
}

var _ Solver = Engine{}

// Solve always returns a feasible plan (after Problem.Slacks) and a proven
// bound, however small the budget.
func (engine Engine) Solve(p *Problem, warm *Warm, budget Budget) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	s := newSearch(p, budget, false)
	defer s.r.mem.release()
	s.interrupt = engine.Interrupt
	s.start(warm)
	s.run()
	return s.result()
}

// search is one solve.
type search struct {
	r         *relaxation
	budget    Budget
	interrupt func() bool
	pricer    *pricer
	pool      [][]*column // by chain: every column made so far
	ledger    *ledger
	best      []*column
	offered   Plan // the options of the ledger's plan
	drawn     []consumption
	upper     float64
	lower     float64
	work      Work
	open      nodeHeap
	scratch   []int
	root      []PoolPrices
	keep      [][][]int
	hints     []*row
	// hintPrices are the prices of hints in the last decision
	hintPrices []float64
	mean       [2][]float64 // consumption of a fractional plan
	vari       [2][]float64
	cone       *envelope
	descent    *descent
	relaxed    bool      // integer plans are not asked for
	mixed      []int     // chains of which the master's plan mixes columns
	terminal   []float64 // price by pool, see worth
}

func newSearch(p *Problem, budget Budget, mixes bool) *search {
	r := relax(p, mixes)
	s := &search{
		r: r, relaxed: mixes, budget: budget, pricer: newPricer(r), pool: make([][]*column, len(r.chains)),
		ledger: newLedger(r), offered: make(Plan, len(r.chains)), drawn: make([]consumption, len(p.Pools)*p.Steps), cone: newEnvelope(r), terminal: make([]float64, len(p.Pools)), upper: math.Inf(1), lower: math.Inf(-1), scratch: make([]int, p.Steps),
	}
	s.descent = newDescent(r, s.ledger)
	for c := range 2 {
		s.mean[c], s.vari[c] = make([]float64, len(p.Pools)*p.Steps), make([]float64, len(p.Pools)*p.Steps)
	}
	return s
}

// known finds or makes the column of chain l with the given options.
func (s *search) known(l int, options []int) (k *column, made bool) {
	for _, k := range s.pool[l] {
		if k.equal(options) {
			return k, false
		}
	}
	own := s.r.mem.ints.take(len(options))
	copy(own, options)
	k = s.r.column(l, own)
	s.pool[l] = append(s.pool[l], k)
	s.work.Columns++
	return k, true
}

// start makes the first columns and the first plan: all off, or the last plan
// with what no longer fits taken out. Without a last plan it also makes, of every
// option, the column that takes it throughout.
func (s *search) start(warm *Warm) {
	if warm != nil && len(warm.plan) != len(s.r.chains) {
		warm = nil
	}
	off := make([]*column, len(s.r.chains))
	for l := range s.r.chains {
		clear(s.scratch)
		off[l], _ = s.known(l, s.scratch)
		for o := 1; o < len(s.r.chains[l].Options) && warm == nil; o++ {
			for t, allowed := range s.r.chains[l].allowed {
				s.scratch[t] = 0
				if allowed&(1<<o) != 0 {
					s.scratch[t] = o
				}
			}
			s.known(l, s.scratch)
		}
	}
	s.offer(off)
	if warm == nil {
		return
	}
	s.hints, s.hintPrices = s.hinted(warm.prices)
	for l, columns := range warm.columns {
		for _, options := range columns {
			s.admit(l, options)
		}
	}
	plan := append([]*column(nil), off...)
	for l, options := range warm.plan {
		if k := s.admit(l, options); k != nil {
			plan[l] = k
		}
	}
	if !s.relaxed {
		s.round(plan)
	}
}

// admit makes a column known with options that are not available replaced by
// off; nil if it is not of this problem.
func (s *search) admit(l int, options []int) *column {
	c := &s.r.chains[l]
	if len(options) != s.r.steps {
		return nil
	}
	for t, o := range options {
		if o >= len(c.Options) {
			return nil
		}
		s.scratch[t] = 0
		if c.allowed[t]&(1<<o) != 0 {
			s.scratch[t] = o
		}
	}
	k, _ := s.known(l, s.scratch)
	return k
}

// hinted are the rows that had a price in the last decision, and the prices.
func (s *search) hinted(last []PoolPrices) (rows []*row, prices []float64) {
	if len(last) != len(s.r.p.Pools) {
		return nil, nil
	}
	for i := range s.r.rows {
		w := &s.r.rows[i]
		price := 0.0
		if w.kind != gridRow {
			price = last[w.pool].of(w)
		}
		if price = math.Min(price, w.price); price > 0 {
			if w.kind == terminalRow && price < w.price {
				w = s.r.tangent(w, price)
			}
			rows, prices = append(rows, w), append(prices, price/w.scale)
		}
	}
	return rows, prices
}

// of is the price of a pool's row.
func (x *PoolPrices) of(w *row) float64 {
	prices := x.Everyone
	if w.class == lower {
		prices = x.Lower
	}
	switch {
	case w.kind == terminalRow:
		return x.Terminal
	case w.step < len(prices):
		return prices[w.step]
	}
	return 0
}

// result of the search so far.
func (s *search) result() (*Result, error) {
	plan := make(Plan, len(s.best))
	for l, k := range s.best {
		plan[l] = append([]int(nil), k.options...)
	}
	if err := s.r.p.checkShape(plan); err != nil {
		return nil, err
	}
	e := s.r.p.evaluate(plan, s.r.response, s.drawn)
	s.work.Rows = len(s.r.rows)
	bound := math.Min(s.lower, e.Objective)
	return &Result{
		Plan: plan, Evaluation: e, Bound: bound, Gap: gap(e.Objective, bound),
		Work: s.work, Slacks: s.r.p.Slacks(), Prices: s.root, columns: s.keep,
	}, nil
}
