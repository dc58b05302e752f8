package reconfig

import "math"

// master is the linear programme over known columns and active rows,
//
//	min Σ_k c_k x_k + Σ_i price_i·excess_i
//	Σ_k a_ik x_k + slack_i − excess_i = limit_i    for each row i
//	Σ_{k of chain ℓ} x_k = 1                       for each chain ℓ
//	x, slack, excess ≥ 0,
//
// solved by the primal simplex method for generalised upper bounds (Dantzig
// and Van Slyke, J. Comput. Syst. Sci. 1, 1967): every chain has a key column
// that its convexity row eliminates, so that the inverse is only as large as
// the number of rows.
type master struct {
	r       *relaxation
	rows    []*row
	parent  []int     // by row, of a row whose excess counts here too, or −1
	link    []float64 // how often, scaled
	columns []lpColumn
	key     []int // by chain, an index of columns
	basis   []int // by row: a column ≥ 0, slack(i) or excess(i)
	inverse [][]float64
	x       []float64 // of the basic variables
	prices  []float64 // p ≥ 0 by row
	theta   []float64 // by chain
	claims  []float64 // by row, see claim
	w       []float64
	spread  []float64 // of w over chains
	// candidates are the columns that cheapest looks at first
	candidates []int
}

type lpColumn struct {
	*column
	price float64   // its cost here
	a     []float64 // by row
}

// slack and excess of row i among the members of basis.
func slack(i int) int  { return -1 - 2*i }
func excess(i int) int { return -2 - 2*i }

func newMaster(r *relaxation) *master {
	return &master{
		r: r, key: make([]int, len(r.chains)), theta: make([]float64, len(r.chains)),
		spread: make([]float64, len(r.chains)),
	}
}

// add makes a column known.
func (m *master) add(k *column) int {
	c := lpColumn{k, k.cost, m.r.mem.floats.take(len(m.rows) + 8)[:len(m.rows)]}
	for i, w := range m.rows {
		c.a[i] = m.r.coefficient(w, k)
	}
	m.columns = append(m.columns, c)
	return len(m.columns) - 1
}

func (m *master) capOf(i int) float64   { return m.rows[i].price / m.rows[i].scale }
func (m *master) limitOf(i int) float64 { return m.rows[i].limit * m.rows[i].scale }

// activate adds a row. Its slack or, where it is broken now, its excess joins
// the basis.
func (m *master) activate(w *row) {
	parent, link := -1, 0.0
	if w.parent != nil {
		parent = m.indexOf(w.parent)
		if parent < 0 {
			m.activate(w.parent)
			parent = len(m.rows) - 1
		}
		link = w.scale * w.link / w.parent.scale
	}
	n := len(m.rows)
	m.rows = append(m.rows, w)
	m.parent, m.link = append(m.parent, parent), append(m.link, link)
	m.claims = append(m.claims, 0)
	for k := range m.columns {
		c := &m.columns[k]
		c.a = m.r.mem.floats.append(c.a, m.r.coefficient(w, c.column))
	}
	// Limits differ a little from the true ones so that no two bases are at the
	// same point (no cycling). Bounds are made with the true ones.
	room := m.limitOf(n) + 1e-8*float64(1+n*7%11)
	for _, k := range m.key {
		room -= m.columns[k].a[n]
	}
	for i, b := range m.basis {
		room -= m.x[i] * m.entry(b, n)
	}
	sign, member := 1.0, slack(n)
	if room < 0 {
		sign, member = -1, excess(n)
	}
	last := m.r.mem.floats.take(n + 9)[:n+1]
	for i, b := range m.basis {
		if g := m.entry(b, n); g != 0 {
			for j := range n {
				last[j] -= sign * g * m.inverse[i][j]
			}
		}
	}
	last[n] = sign
	for i := range m.inverse {
		m.inverse[i] = m.r.mem.floats.append(m.inverse[i], 0)
	}
	m.inverse = append(m.inverse, last)
	m.basis = append(m.basis, member)
	m.x = append(m.x, math.Abs(room))
	m.prices = append(m.prices, 0)
	m.w = append(m.w, 0)
}

// entry is the coefficient of a basic variable in row i, after its chain's key
// was eliminated.
func (m *master) entry(b, i int) float64 {
	switch {
	case b >= 0:
		c := &m.columns[b]
		return c.a[i] - m.columns[m.key[c.chain]].a[i]
	case b == slack(i):
		return 1
	case b == excess(i):
		return -1
	case m.parent[i] >= 0 && b == excess(m.parent[i]):
		return -m.link[i]
	}
	return 0
}

// indexOf an active row, −1 if it is not.
func (m *master) indexOf(w *row) int {
	for i, x := range m.rows {
		if x == w {
			return i
		}
	}
	return -1
}

// claim sums what a unit of each row's excess is worth in all rows.
func (m *master) claim() {
	copy(m.claims, m.prices)
	for i, parent := range m.parent {
		if parent >= 0 {
			m.claims[parent] += m.link[i] * m.prices[i]
		}
	}
}

func (m *master) costOf(b int) float64 {
	switch {
	case b >= 0:
		c := &m.columns[b]
		return c.price - m.columns[m.key[c.chain]].price
	case b&1 == 0: // excess(i) is even
		return m.capOf((-b - 2) / 2)
	}
	return 0
}

// setPrices computes the prices of the basis.
func (m *master) setPrices() {
	clear(m.prices)
	for i, b := range m.basis {
		if c := m.costOf(b); c != 0 {
			for j, x := range m.inverse[i] {
				m.prices[j] -= c * x
			}
		}
	}
	for l, k := range m.key {
		m.theta[l] = m.priced(k)
	}
}

// priced is the cost of a column at the prices.
func (m *master) priced(k int) float64 {
	c := &m.columns[k]
	sum := c.price
	a := c.a[:len(m.prices)]
	for i, p := range m.prices {
		sum += p * a[i]
	}
	return sum
}

// solve goes on to the optimum, or to the limit of pivots, and returns how many
// it needed.
func (m *master) solve(limit int) (pivots int) {
	small := 1e-10 * math.Max(1, m.r.maxSwing)
	for {
		m.setPrices()
		m.claim()
		q, best, found := m.cheapest(small)
		for i, p := range m.prices {
			if p < best {
				q, best, found = slack(i), p, true
			}
			if d := m.capOf(i) - m.claims[i]; d < best {
				q, best, found = excess(i), d, true
			}
		}
		if !found || pivots >= limit || !m.enter(q) {
			return pivots
		}
		pivots++
	}
}

// cheapest is the column of least reduced cost among those that were below
// −small when all were last looked at; when none is left all are looked at.
func (m *master) cheapest(small float64) (q int, least float64, found bool) {
	least = -small
	for range 2 {
		for _, k := range m.candidates {
			if d := m.priced(k) - m.theta[m.columns[k].chain]; d < least {
				q, least, found = k, d, true
			}
		}
		if found {
			return q, least, true
		}
		m.candidates = m.candidates[:0]
		for k := range m.columns {
			if m.priced(k)-m.theta[m.columns[k].chain] < -small {
				m.candidates = append(m.candidates, k)
			}
		}
	}
	return 0, least, false
}

// enter brings q into the basis; false if nothing stops it.
func (m *master) enter(q int) bool {
	m.direction(q)
	home := -1
	if q >= 0 {
		home = m.columns[q].chain
	}
	const flat = 1e-9
	clear(m.spread)
	step, out, pivot := math.Inf(1), -1, 0.0
	for i, b := range m.basis {
		if b >= 0 {
			m.spread[m.columns[b].chain] += m.w[i]
		}
		if m.w[i] > flat {
			if s := math.Max(0, m.x[i]) / m.w[i]; s < step-1e-12 || s < step+1e-12 && m.w[i] > pivot {
				step, out, pivot = s, i, m.w[i]
			}
		}
	}
	if home >= 0 {
		m.spread[home]--
	}
	keyOut := -1
	for l, d := range m.spread {
		if d < -flat {
			if s := math.Max(0, m.keyValue(l)) / -d; s < step-1e-12 || s < step+1e-12 && -d > pivot {
				step, keyOut, pivot = s, l, -d
			}
		}
	}
	if math.IsInf(step, 1) {
		return false
	}
	if keyOut >= 0 {
		i := m.member(keyOut)
		if i < 0 { // the only column of its chain: q becomes the key
			for j := range m.x {
				m.x[j] -= step * m.w[j]
			}
			m.key[keyOut] = q
			return true
		}
		m.rekey(keyOut, i, pivot)
		out = i
	}
	for j := range m.x {
		m.x[j] -= step * m.w[j]
	}
	m.x[out] = step
	m.basis[out] = q
	m.eliminate(out)
	return true
}

// direction computes w, the rates at which the basic variables fall with q.
func (m *master) direction(q int) {
	clear(m.w)
	for j := range m.rows {
		if g := m.entry(q, j); g != 0 {
			for i := range m.w {
				m.w[i] += m.inverse[i][j] * g
			}
		}
	}
}

// keyValue is the value of a chain's key column.
func (m *master) keyValue(l int) float64 {
	v := 1.0
	for i, b := range m.basis {
		if b >= 0 && m.columns[b].chain == l {
			v -= m.x[i]
		}
	}
	return v
}

// member is a basic column of chain l that is not its key, or −1.
func (m *master) member(l int) int {
	for i, b := range m.basis {
		if b >= 0 && m.columns[b].chain == l {
			return i
		}
	}
	return -1
}

// rekey makes basic variable i the key of chain l and the old key basic in its
// place. In terms of the new basis only coefficient i of a vector changes, to
// minus the sum over the chain; that of the entering column is then pivot.
func (m *master) rekey(l, i int, pivot float64) {
	value := m.keyValue(l)
	row := m.inverse[i]
	for j := range row {
		row[j] = -row[j]
	}
	for k, b := range m.basis {
		if k != i && b >= 0 && m.columns[b].chain == l {
			for j := range row {
				row[j] -= m.inverse[k][j]
			}
		}
	}
	m.basis[i], m.key[l] = m.key[l], m.basis[i]
	m.x[i] = value
	m.w[i] = pivot
}

// eliminate updates the inverse for the variable that entered at position out.
func (m *master) eliminate(out int) {
	row := m.inverse[out]
	scale := 1 / m.w[out]
	for j := range row {
		row[j] *= scale
	}
	for i, other := range m.inverse {
		if f := m.w[i]; i != out && f != 0 {
			for j := range other {
				other[j] -= f * row[j]
			}
		}
	}
}

// objective of the basic solution.
func (m *master) objective() float64 {
	sum := 0.0
	for _, k := range m.key {
		sum += m.columns[k].price
	}
	for i, b := range m.basis {
		sum += m.costOf(b) * m.x[i]
	}
	return sum
}

// weights calls f with every column of positive weight.
func (m *master) weights(f func(k *column, x float64)) {
	for l, k := range m.key {
		if v := m.keyValue(l); v > 0 {
			f(m.columns[k].column, v)
		}
	}
	for i, b := range m.basis {
		if b >= 0 && m.x[i] > 0 {
			f(m.columns[b].column, m.x[i])
		}
	}
}
