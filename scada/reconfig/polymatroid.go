package reconfig

import (
	"cmp"
	"math"
	"slices"
)

// envelope makes rows of the convex envelope of a cone over binaries.
//
// Sort the options of one chain and step by variance, 0 ≤ σ²_1 ≤ σ²_2 ≤ …, and
// let y_j = Σ_{o≥j} z_o ∈ {0,1} say that the option is the j-th or a later one.
// Then v = Σ δ_j y_j with δ_j = σ²_j − σ²_{j−1} ≥ 0 over all chains, steps and j,
// and √(P+v) is a concave function of a sum, hence submodular in the set of
// those y that are 1. For any order of the y, with V_j the sum of δ up to and
// with j,
//
//	√(P + v) ≥ √P + Σ_j ρ_j y_j,   ρ_j = √(P + V_j) − √(P + V_{j−1}),
//
// as y_j adds no less to the set of those that really precede it than to all of
// them. It is exact where the y that are 1 come first; sorted by falling ȳ it is
// the largest such bound at ȳ, the Lovász extension, and no convex function
// that is right at all binaries is larger. In particular it is never below the
// hyperplane that supports ‖(√P, σz̄)‖ (Cauchy's inequality). Rows of this kind
// were first used by Atamtürk and Narayanan, Oper. Res. Lett. 36, 2008.
type envelope struct {
	r     *relaxation
	share [][]float64 // by chain; option and step
}

// increment is one y_j.
type increment struct {
	chain, rank, step int
	size              float64 // δ
	share             float64 // ȳ
	gain              float64 // ρ
}

func newEnvelope(r *relaxation) *envelope {
	e := &envelope{r: r, share: make([][]float64, len(r.chains))}
	for l := range r.chains {
		e.share[l] = r.mem.floats.take(len(r.chains[l].Options) * r.steps)
	}
	return e
}

// observe takes the master's solution.
func (e *envelope) observe(m *master) {
	for l := range e.share {
		clear(e.share[l])
	}
	m.weights(func(k *column, x float64) {
		for t, o := range k.options {
			e.share[k.chain][o*e.r.steps+t] += x
		}
	})
}

// cut returns the row of pool, step and class that is broken most at the
// solution observed, nil if that is by less than nothing to speak of. mean is
// what the solution draws.
func (e *envelope) cut(pool, step int, k class, mean float64) *row {
	p := e.r.p.fixedVar(pool, step, k)
	limit, _ := e.r.p.elasticLimit(pool, step, k)
	limit += tolerance * math.Max(1, math.Abs(limit))
	e.collect(pool, step, k)
	if len(e.r.mem.items) == 0 {
		return nil // nothing is random, the chord's row is exact
	}
	e.sort()
	v, root := p, math.Sqrt(p)
	lhs := mean + e.r.p.Kappa*root
	for _, i := range e.r.mem.order {
		x := &e.r.mem.items[i]
		v += x.size
		next := math.Sqrt(v)
		x.gain = e.r.p.Kappa * (next - root)
		lhs += x.gain * x.share
		root = next
	}
	if lhs-limit <= 1e-7*math.Max(1, limit) {
		return nil
	}
	return e.row(pool, step, k, limit-e.r.p.Kappa*math.Sqrt(p))
}

// sort orders the increments by falling share, those of one share as they are.
// Nearly all shares are 0 or 1, of chains that mix nothing.
func (e *envelope) sort() {
	e.r.mem.order, e.r.mem.some = e.r.mem.order[:0], e.r.mem.some[:0]
	for i := range e.r.mem.items {
		if x := e.r.mem.items[i].share; x != 0 && x != 1 {
			e.r.mem.some = append(e.r.mem.some, i)
		}
	}
	slices.SortFunc(e.r.mem.some, func(i, j int) int {
		if c := cmp.Compare(e.r.mem.items[j].share, e.r.mem.items[i].share); c != 0 {
			return c
		}
		return cmp.Compare(i, j)
	})
	some := e.r.mem.some
	for _, share := range []float64{1, 0} {
		for len(some) > 0 && e.r.mem.items[some[0]].share > share {
			e.r.mem.order, some = append(e.r.mem.order, some[0]), some[1:]
		}
		for i := range e.r.mem.items {
			if e.r.mem.items[i].share == share {
				e.r.mem.order = append(e.r.mem.order, i)
			}
		}
	}
	e.r.mem.order = append(e.r.mem.order, some...)
}

// collect makes the increments of all chains that the row counts.
func (e *envelope) collect(pool, step int, k class) {
	e.r.mem.items = e.r.mem.items[:0]
	for l := range e.r.chains {
		c := &e.r.chains[l]
		if c.slot[pool] < 0 || k == lower && c.Highest {
			continue
		}
		for s := 0; s <= step; s++ {
			e.collectStep(l, c, c.slot[pool], s)
		}
	}
}

func (e *envelope) collectStep(l int, c *flatChain, slot, s int) {
	first := len(e.r.mem.items)
	for o := range c.draws {
		for i := range c.draws[o] {
			if d := &c.draws[o][i]; d.slot == slot && d.variance[s] > 0 && c.allowed[s]&(1<<o) != 0 {
				e.r.mem.items = append(e.r.mem.items, increment{chain: l, rank: o, step: s, size: d.variance[s], share: e.share[l][o*e.r.steps+s]})
			}
		}
	}
	mine := e.r.mem.items[first:]
	for i := range mine { // by size; there are few
		for j := i; j > 0 && mine[j].size < mine[j-1].size; j-- {
			mine[j], mine[j-1] = mine[j-1], mine[j]
		}
	}
	// Options of equal variance are one increment; rank counts increments.
	n := 0
	for i := range mine {
		if n > 0 && mine[n-1].size == mine[i].size {
			mine[n-1].share += mine[i].share
		} else {
			mine[n] = mine[i]
			n++
		}
	}
	mine = mine[:n]
	for i := n - 1; i >= 0; i-- {
		mine[i].rank = i
		if i+1 < n {
			mine[i].share += mine[i+1].share
		}
		if i > 0 {
			mine[i].size -= mine[i-1].size
		}
	}
	e.r.mem.items = e.r.mem.items[:first+n]
}

// row makes the row of the increments' gains: an option has the gains of all
// increments up to its own variance.
func (e *envelope) row(pool, step int, k class, limit float64) *row {
	h := e.r.steps
	w := &row{kind: chanceRow, pool: pool, step: step, class: k, limit: limit, weights: make([][]float64, len(e.r.chains))}
	total := 0.0
	for i := 0; i < len(e.r.mem.items); {
		x := e.r.mem.items[i]
		c := &e.r.chains[x.chain]
		if w.weights[x.chain] == nil {
			w.weights[x.chain] = e.r.mem.floats.take(len(c.draws) * h)
		}
		var sizes, gains [MaxOptions]float64
		n := 0
		size, gain := 0.0, 0.0
		for ; i < len(e.r.mem.items) && e.r.mem.items[i].chain == x.chain && e.r.mem.items[i].step == x.step; i++ {
			size += e.r.mem.items[i].size
			gain += e.r.mem.items[i].gain
			sizes[n], gains[n] = size, gain
			n++
		}
		most := 0.0
		for o := range c.draws {
			for _, d := range c.draws[o] {
				if d.slot != c.slot[pool] || c.allowed[x.step]&(1<<o) == 0 {
					continue
				}
				for j := n - 1; j >= 0; j-- {
					if d.variance[x.step] >= sizes[j]*(1-1e-12) {
						w.weights[x.chain][o*h+x.step] = gains[j]
						break
					}
				}
				most = max(most, d.mean[x.step]+w.weights[x.chain][o*h+x.step])
			}
		}
		total += most
	}
	w.scale = 1 / total
	w.price = hardPrice * math.Max(1, e.r.maxSwing) * w.scale
	return w
}
