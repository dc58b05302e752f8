package reconfig

import (
	"container/heap"
	"math"
	"math/bits"
)

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
	s := newSearch(p, budget)
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
	mixed      []int     // chains of which the master's plan mixes columns
	terminal   []float64 // price by pool, see worth
}

func newSearch(p *Problem, budget Budget) *search {
	r := relax(p)
	s := &search{
		r: r, budget: budget, pricer: newPricer(r), pool: make([][]*column, len(r.chains)),
		ledger: newLedger(r), cone: newEnvelope(r), terminal: make([]float64, len(p.Pools)), upper: math.Inf(1), lower: math.Inf(-1), scratch: make([]int, p.Steps),
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
	s.round(plan)
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

// node is a part of the plans: those that keep to allowed.
type node struct {
	bound   float64
	number  int // breaks ties, oldest first
	allowed [][]uint64
	rows    []*row
	prices  []float64
}

type nodeHeap []*node

func (h nodeHeap) Len() int { return len(h) }
func (h nodeHeap) Less(i, j int) bool {
	if h[i].bound != h[j].bound {
		return h[i].bound < h[j].bound
	}
	return h[i].number < h[j].number
}
func (h nodeHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *nodeHeap) Push(x any)   { *h = append(*h, x.(*node)) }
func (h *nodeHeap) Pop() any {
	old := *h
	n := old[len(old)-1]
	*h = old[:len(old)-1]
	return n
}

// run is best-bound branch and bound.
func (s *search) run() {
	root := &node{bound: math.Inf(-1), allowed: make([][]uint64, len(s.r.chains)), rows: s.hints, prices: s.hintPrices}
	for l := range s.r.chains {
		root.allowed[l] = s.r.chains[l].allowed
	}
	heap.Push(&s.open, root)
	for number := 1; len(s.open) > 0; {
		n := heap.Pop(&s.open).(*node)
		s.lower = math.Max(s.lower, math.Min(n.bound, s.upper))
		if s.closed(n.bound) || s.work.Nodes > 0 && s.exhausted() { // the root is always bounded
			heap.Push(&s.open, n)
			break
		}
		s.work.Nodes++
		for _, child := range s.branch(n) {
			child.number = number
			number++
			heap.Push(&s.open, child)
		}
	}
	s.lower = s.upper
	for _, n := range s.open {
		s.lower = math.Min(s.lower, n.bound)
	}
}

// closed says that a part with this bound need not be looked into.
func (s *search) closed(bound float64) bool {
	return gap(s.upper, bound) <= s.budget.Gap || s.upper-bound <= exactness*math.Max(1, math.Abs(s.upper))
}

// exactness is the relative difference at which two objectives are equal.
const exactness = 1e-11

func (s *search) exhausted() bool {
	return s.budget.Nodes > 0 && s.work.Nodes >= s.budget.Nodes || s.spent()
}

// spent says that what is begun should be brought to an end.
func (s *search) spent() bool {
	if s.work.Interrupted {
		return true
	}
	s.work.Checks++
	if s.interrupt != nil && s.interrupt() {
		s.work.Interrupted = true
		return true
	}
	return s.budget.Checks > 0 && s.work.Checks >= s.budget.Checks ||
		s.budget.Evaluations > 0 && s.work.Evaluations >= s.budget.Evaluations ||
		s.budget.Pivots > 0 && s.work.Pivots >= s.budget.Pivots
}

// branch bounds a node and divides it, unless that closes it.
func (s *search) branch(n *node) []*node {
	m := s.master(n)
	s.generate(n, m)
	if s.work.Nodes == 1 {
		s.rootPrices(m)
	}
	l, t, set := s.division(n, m)
	rows, prices := m.pricedRows()
	s.plans(n, m)
	if s.closed(n.bound) {
		// n.bound may still be the least of all: it stays in the bound.
		if gap(s.upper, n.bound) > exactness {
			return []*node{n}
		}
		return nil
	}
	if l < 0 {
		return nil // a single plan, which is the best known or dearer
	}
	var children []*node
	for _, allowed := range []uint64{set, n.allowed[l][t] &^ set} {
		child := &node{bound: n.bound, allowed: append([][]uint64(nil), n.allowed...), rows: rows, prices: prices}
		child.allowed[l] = append([]uint64(nil), n.allowed[l]...)
		child.allowed[l][t] = allowed
		children = append(children, child)
	}
	return children
}

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
				over := s.mean[k][i] + s.r.p.Kappa*math.Sqrt(s.r.p.Pools[e].StockVarBits[t]+s.vari[k][i]) - limit
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

// division is where to branch: the chain and step whose options the master
// mixes most evenly, and the option that has most of it. Where it mixes
// nothing, the first step that is still open.
func (s *search) division(n *node, m *master) (l, t int, set uint64) {
	best := 1e-7
	l = -1
	type mixed struct {
		k *column
		x float64
	}
	byChain := make([][]mixed, len(s.r.chains))
	m.weights(func(k *column, x float64) { byChain[k.chain] = append(byChain[k.chain], mixed{k, x}) })
	var share [MaxOptions]float64
	for c, columns := range byChain {
		if len(columns) < 2 {
			continue
		}
		for step := range s.r.steps {
			share = [MaxOptions]float64{}
			top := 0
			for _, k := range columns {
				o := k.k.options[step]
				share[o] += k.x
				if share[o] > share[top] {
					top = o
				}
			}
			if uneven := 1 - share[top]; uneven > best+1e-9 {
				best, l, t, set = uneven, c, step, 1<<top
			}
		}
	}
	if l >= 0 {
		return l, t, set
	}
	for c, allowed := range n.allowed {
		for step, a := range allowed {
			if bits.OnesCount64(a) > 1 {
				return c, step, 1 << s.planned(m, c, step)
			}
		}
	}
	return -1, 0, 0
}

// planned is the option of the chain's key column.
func (s *search) planned(m *master, l, t int) int { return m.columns[m.key[l]].options[t] }

// result of the search so far.
func (s *search) result() (*Result, error) {
	plan := make(Plan, len(s.best))
	for l, k := range s.best {
		plan[l] = append([]int(nil), k.options...)
	}
	e, err := s.r.p.Evaluate(plan)
	if err != nil {
		return nil, err
	}
	s.work.Rows = len(s.r.rows)
	bound := math.Min(s.lower, e.Objective)
	return &Result{
		Plan: plan, Evaluation: e, Bound: bound, Gap: gap(e.Objective, bound),
		Work: s.work, Slacks: s.r.p.Slacks(), Prices: s.root, columns: s.keep,
	}, nil
}
