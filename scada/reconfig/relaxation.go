package reconfig

import "math"

// relaxation is a Problem laid out for speed, with the linear rows that every
// feasible plan keeps.
type relaxation struct {
	p        *Problem
	mem      *slab
	steps    int
	chains   []flatChain
	rows     []row
	spare    [2][]float64 // least room in any step, by class and pool
	response *response
	constant float64      // of the grid, whatever is sent
	draws    []flatDraw   // of all chains and options
	byOption [][]flatDraw // not given to a chain yet
	// maxSwing is the largest cost that one chain could avoid by drawing.
	maxSwing float64
	// negligible is a saving that may be rounding; see rounding.
	negligible float64
}

// flatChain is a chain with its options' costs and draws in arrays.
type flatChain struct {
	*Chain
	cost    []float64 // by option, step; +Inf where presolve or the caller forbids it
	allowed []uint64  // by step, a bit an option
	send    []float64 // by option, step: one-off cost of sending what is pending there
	pools   []int     // that some option draws from
	slot    []int     // by pool: index in pools or −1
	draws   [][]flatDraw
}

// flatDraw is one option's draw from pools[slot].
type flatDraw struct {
	slot           int
	mean, variance []float64
}

// rowKind says how a row's coefficients are made.
type rowKind int

const (
	chanceRow   rowKind = iota // pool, class, step
	terminalRow                // pool
	gridRow                    // output, step, sign
)

// row is Σ a·z − excess ≤ limit, excess ≥ 0 at price each. In bits (or Hz), to
// be multiplied by scale.
//
// # Chance rows
//
// With m and v the mean and variance that a plan draws, linear in the binaries
// z because z² = z, a chance constraint is m + h(v) ≤ b, h(v) = κ√(P+v). As h is
// concave, the set of (m, v) that keep it is not convex; what a linear row can
// do best is its convex hull. Every draw has r ≤ m/v ≤ R, so that every plan
// lies in the cone r·v ≤ m ≤ R·v, which the curve m = b − h(v) cuts at v_hi (on
// m = r·v) and at v_lo (on m = R·v; v_lo = 0 if there are draws without
// variance). Between them the curve is convex in v and lies below its chord:
//
//	m ≤ b − h(v_lo) − a·(v − v_lo),   a = (h(v_hi) − h(v_lo))/(v_hi − v_lo).
//
// The row also holds left of v_lo, where m ≤ R·v < R·v_lo = b − h(v_lo) and
// a·(v − v_lo) ≤ 0; and nothing feasible lies right of v_hi. The variance never
// exceeds V, what all chains together can draw, so that v_hi may be min(v_hi, V).
// If v_lo = v_hi every plan keeps v ≤ v_lo, and any a ≥ 0 does.
//
// Rows with weights of their own are those of envelope, exact at more plans.
type row struct {
	kind    rowKind
	pool    int
	step    int // last step that counts
	class   class
	slope   float64 // a: cost of variance in bits a bit²
	limit   float64
	price   float64
	scale   float64
	factor  float64     // of the mean in a terminal row
	output  int         // of a grid row
	sign    float64     // of a grid row
	weights [][]float64 // of an envelope row: by chain; option and step, in bits
	// parent is the row of a pool's terminal cost whose excess counts here too,
	// link times; see tangent.
	parent *row
	link   float64
}

// hardPrice bounds the duals of rows that may not be broken, in units of the
// largest swing of one chain a scaled unit. A bound made with smaller prices
// remains a bound.
const hardPrice = 1e4

// relax lays p out. Options that break a row of theirs all alone are left out
// unless mixes are wanted, which may have a part of one.
func relax(p *Problem, mixes bool) *relaxation {
	r := &relaxation{p: p, mem: slabs.Get().(*slab), steps: p.Steps, chains: make([]flatChain, len(p.Chains))}
	draws, options := 0, 0
	for l := range p.Chains {
		options += len(p.Chains[l].Options)
		for o := range p.Chains[l].Options {
			draws += len(p.Chains[l].Options[o].Draws)
		}
	}
	r.draws, r.byOption = r.mem.draws.take(draws)[:0], r.mem.options.take(options)
	for l := range p.Chains {
		r.chains[l] = r.flatten(&p.Chains[l], p)
	}
	if !mixes {
		r.forbid()
	}
	allowed := make([]uint64, len(r.chains)*r.steps)
	for l := range r.chains {
		r.chains[l].allowed, allowed = allowed[:r.steps:r.steps], allowed[r.steps:]
		r.chains[l].allow(r.steps)
		r.maxSwing = math.Max(r.maxSwing, r.chains[l].swing(r.steps))
	}
	if p.Grid != nil {
		r.response = p.Grid.response(p.Steps)
		r.maxSwing += p.gridCost(p.AllOff(), r.response)
	}
	mosts := r.mosts()
	for e := range p.Pools {
		h := r.steps
		r.addPoolRows(e, [2][]most{mosts[everyone][e*h : (e+1)*h], mosts[lower][e*h : (e+1)*h]})
	}
	r.addGridRows()
	r.negligible = math.Max(worth, rounding*r.largest(mosts[everyone]))
	return r
}

// worth is a saving that is worth a change of plan, unless it is rounding: that
// of costs of up to 10⁵ is less.
const worth = 1e-9

// rounding is some 45 times the relative spacing of doubles: what sums over a
// chain's steps and options may be off by, of the largest number in them.
const rounding = 1e-14

// largest bounds the costs that plans are compared by: of one chain, and of a
// pool at the end, where all chains may draw as mosts say.
func (r *relaxation) largest(mosts []most) float64 {
	high := r.maxSwing
	for l := range r.chains {
		high = math.Max(high, r.chains[l].largest(r.steps))
	}
	for e := range r.p.Pools {
		s := r.p.Pools[e].Terminal
		bits := (1+s.LookaheadFactor)*mosts[e*r.steps+r.steps-1].mean + math.Abs(r.p.terminalRoom(e))
		high = math.Max(high, s.PricePerBit*bits)
	}
	return high
}

func (r *relaxation) flatten(c *Chain, p *Problem) flatChain {
	f := flatChain{Chain: c, slot: r.mem.ints.take(len(p.Pools)), pools: r.mem.ints.take(len(p.Pools))[:0]}
	f.draws, r.byOption = r.byOption[:len(c.Options)], r.byOption[len(c.Options):]
	for e := range f.slot {
		f.slot[e] = -1
	}
	f.cost = r.mem.floats.take(len(c.Options) * p.Steps)
	for o := range c.Options {
		copy(f.cost[o*p.Steps:], c.Options[o].Cost)
		first := len(r.draws)
		for _, d := range c.Options[o].Draws {
			if f.slot[d.Pool] < 0 {
				f.slot[d.Pool] = len(f.pools)
				f.pools = append(f.pools, d.Pool)
			}
			r.draws = append(r.draws, flatDraw{f.slot[d.Pool], d.MeanBits, d.VarBits2})
		}
		f.draws[o] = r.draws[first:]
	}
	return f
}

// forbid removes options that break a row of theirs all alone.
func (r *relaxation) forbid() {
	for k := range r.spare {
		r.spare[k] = r.mem.floats.take(len(r.p.Pools))
		for e := range r.p.Pools {
			least := math.Inf(1)
			for t := range r.steps {
				limit, _ := r.p.elasticLimit(e, t, class(k))
				least = math.Min(least, limit-r.p.Kappa*math.Sqrt(r.p.fixedVar(e, t, class(k))))
			}
			r.spare[k][e] = least
		}
	}
	for l := range r.chains {
		c := &r.chains[l]
		for o := range c.draws {
			for _, d := range c.draws[o] {
				if !r.mayBreak(c, d) {
					continue
				}
				for s := range r.steps {
					if r.breaksAlone(c, d, s) {
						c.cost[o*r.steps+s] = math.Inf(1)
					}
				}
			}
		}
	}
}

// mayBreak is false where no step's draw could break a row alone: it is quicker
// than breaksAlone, and pools are seldom that low.
func (r *relaxation) mayBreak(c *flatChain, d flatDraw) bool {
	mean, variance := 0.0, 0.0
	for t := range d.mean {
		mean, variance = max(mean, d.mean[t]), max(variance, d.variance[t])
	}
	return mean > 0 && mean+r.p.Kappa*math.Sqrt(variance) > r.spare[c.class()][c.pools[d.slot]]
}

func (r *relaxation) breaksAlone(c *flatChain, d flatDraw, s int) bool {
	if d.mean[s] == 0 && d.variance[s] == 0 {
		return false
	}
	e := c.pools[d.slot]
	for t := s; t < r.steps; t++ {
		lhs := d.mean[s] + r.p.Kappa*math.Sqrt(r.p.fixedVar(e, t, c.class())+d.variance[s])
		limit, _ := r.p.elasticLimit(e, t, c.class())
		if !holds(lhs, limit) {
			return true
		}
	}
	return false
}

// class of the tightest rows that count the chain.
func (c *Chain) class() class {
	if c.Highest {
		return everyone
	}
	return lower
}

func (c *flatChain) allow(steps int) {
	for o := range c.Options {
		for t := range steps {
			if !math.IsInf(c.cost[o*steps+t], 1) {
				c.allowed[t] |= 1 << o
			}
		}
	}
}

// swing is the difference between the dearest and the cheapest options.
func (c *flatChain) swing(steps int) float64 {
	sum := 2 * c.SwitchCost * float64(steps)
	for t := range steps {
		low, high := math.Inf(1), math.Inf(-1)
		for o := range c.Options {
			if x := c.cost[o*steps+t]; !math.IsInf(x, 1) {
				low, high = math.Min(low, x), math.Max(high, x)
			}
		}
		sum += high - low
	}
	if c.Pending != nil {
		sum += math.Abs(c.Pending.NeverCost)
		for _, x := range c.Pending.LateCost {
			sum += math.Abs(x)
		}
	}
	return sum
}

// largest bounds what any plan of the chain costs, changes aside.
func (c *flatChain) largest(steps int) float64 {
	sum := 0.0
	for t := range steps {
		high := 0.0
		for o := range c.Options {
			if x := math.Abs(c.cost[o*steps+t]); !math.IsInf(x, 1) {
				high = math.Max(high, x)
			}
		}
		sum += high
	}
	return sum
}

// most is the largest mean and variance that all chains of a class could draw
// from a pool up to a step, and the least and largest ratio of the two.
type most struct {
	mean, variance, least, largest float64
}

// mosts are those of all pools, by class, pool and step.
func (r *relaxation) mosts() [2][]most {
	h := r.steps
	var all [2][]most
	for k := range all {
		all[k] = r.mem.mosts.take(len(r.p.Pools) * h)
	}
	own := make([][]most, len(r.chains)) // by slot and step
	for l := range r.chains {
		own[l] = r.mem.mosts.take(len(r.chains[l].pools) * h)
		r.chains[l].mosts(own[l], h)
	}
	for s := range h {
		for k := range all {
			for i := s; i < len(all[k]); i += h {
				all[k][i].least = math.Inf(1)
				if s > 0 {
					all[k][i] = all[k][i-1]
				}
			}
		}
		for l := range r.chains {
			c := &r.chains[l]
			for slot, e := range c.pools {
				m := &own[l][slot*h+s]
				all[everyone][e*h+s].join(m)
				if !c.Highest {
					all[lower][e*h+s].join(m)
				}
			}
		}
	}
	return all
}

// mosts of one chain, by slot and step.
func (c *flatChain) mosts(own []most, h int) {
	for i := range own {
		own[i].least = math.Inf(1)
	}
	for o := range c.draws {
		for i := range c.draws[o] {
			d := &c.draws[o][i]
			for s := range h {
				if c.allowed[s]&(1<<o) == 0 {
					continue
				}
				m := &own[d.slot*h+s]
				m.mean, m.variance = max(m.mean, d.mean[s]), max(m.variance, d.variance[s])
				m.ratio(d.mean[s], d.variance[s])
			}
		}
	}
}

func (m *most) join(x *most) {
	m.mean += x.mean
	m.variance += x.variance
	m.least, m.largest = min(m.least, x.least), max(m.largest, x.largest)
}

func (m *most) ratio(mean, variance float64) {
	switch {
	case variance > 0:
		m.least, m.largest = min(m.least, mean/variance), max(m.largest, mean/variance)
	case mean > 0:
		m.largest = math.Inf(1)
	}
}

// addPoolRows adds the rows of a pool that some plan could break and that no
// later row implies; mosts are those of the pool, by class and step.
func (r *relaxation) addPoolRows(e int, mosts [2][]most) {
	pool := &r.p.Pools[e]
	for _, k := range []class{everyone, lower} {
		following := math.Inf(1)
		for t := r.steps - 1; t >= 0; t-- {
			limit, _ := r.p.elasticLimit(e, t, k)
			p := r.p.fixedVar(e, t, k)
			if t+1 < r.steps && following <= limit && p <= r.p.fixedVar(e, t+1, k) {
				continue // implied by the next row
			}
			following = limit
			m := mosts[k][t]
			if m.mean == 0 && m.variance == 0 || m.mean+r.p.Kappa*math.Sqrt(p+m.variance) <= limit {
				continue
			}
			slope, room := chord(limit+tolerance*math.Max(1, math.Abs(limit)), r.p.Kappa, p, m)
			scale := 1 / (m.mean + slope*m.variance)
			r.rows = append(r.rows, row{
				kind: chanceRow, pool: e, step: t, class: k, slope: slope, limit: room,
				price: hardPrice * math.Max(1, r.maxSwing) * scale, scale: scale,
			})
		}
	}
	if s := pool.Terminal; s.PricePerBit > 0 {
		m := mosts[everyone][r.steps-1]
		switch room, factor := r.p.terminalRoom(e), 1+s.LookaheadFactor; {
		case m.mean == 0:
			r.constant += s.Cost(-room)
		case factor*m.mean > room:
			r.rows = append(r.rows, row{
				kind: terminalRow, pool: e, step: r.steps - 1, limit: room + s.RampBits/2, factor: factor,
				price: s.PricePerBit, scale: 1 / (factor * m.mean),
			})
		}
	}
}

// tangent of a pool's terminal cost at price π, where base is that at full
// price ρ,
//
//	T ≥ π·(Σ a·z − room) − φ*(π),
//
// as a row Σ a·z − T/π ≤ room + φ*(π)/π. T is ρ times the excess of base.
func (r *relaxation) tangent(base *row, price float64) *row {
	w := *base
	s := r.p.Pools[base.pool].Terminal
	w.parent, w.link = base, s.PricePerBit/price
	w.limit += s.conjugate(price)/price - s.RampBits/2
	w.price = hardPrice * math.Max(1, r.maxSwing) * w.scale
	return &w
}

// chord gives the row m + slope·v ≤ room that holds wherever
// m + κ√(P+v) ≤ b does; see row.
func chord(b, kappa, p float64, m most) (slope, room float64) {
	h := func(v float64) float64 { return kappa * math.Sqrt(p+v) }
	if kappa == 0 || m.variance == 0 {
		return 0, b - h(0)
	}
	high := math.Min(m.variance, crossing(b, kappa, p, m.least))
	low := 0.0
	if !math.IsInf(m.largest, 1) {
		low = crossing(b, kappa, p, m.largest)
	}
	switch {
	case high > low*(1+1e-9) && high > 0:
		slope = (h(high) - h(low)) / (high - low)
	case p+low > 0:
		slope = kappa / (2 * math.Sqrt(p+low))
	}
	return slope, b - h(low) + slope*low
}

// crossing is the v ≥ 0 with ratio·v + κ√(P+v) = b; 0 if b ≤ κ√P.
func crossing(b, kappa, p, ratio float64) float64 {
	var s float64 // √(P+v)
	if ratio == 0 {
		s = b / kappa
	} else {
		s = 2 * (b + ratio*p) / (kappa + math.Sqrt(kappa*kappa+4*ratio*(b+ratio*p)))
	}
	return math.Max(0, s*s-p)
}
