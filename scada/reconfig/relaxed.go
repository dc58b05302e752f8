package reconfig

import "math"

// Mix is a plan of the relaxation: of each chain, plans with weights that add
// up to one.
type Mix [][]Weighted

// Weighted is the options of one chain over the horizon, and how much of a mix
// they are.
type Weighted struct {
	Options []int
	Weight  float64
}

// Pure is the mix that is a plan.
func (plan Plan) Pure() Mix {
	mix := make(Mix, len(plan))
	parts := make([]Weighted, len(plan))
	for l := range plan {
		parts[l] = Weighted{plan[l], 1}
		mix[l] = parts[l : l+1]
	}
	return mix
}

// Relaxed is an optimum of the relaxation at the root: the linear programme
// over mixes with the linear rows that stand for cones and terminal costs.
type Relaxed struct {
	Objective float64 // of the programme, whose tangents may leave out some terminal cost
	Bound     float64 // no mix, and no plan, costs less
	Mix       Mix
	Rows      []RelaxedRow // that the programme knew, those of a cone in sum
	Work      Work

	prices []PoolPrices
}

// RelaxedRow is a row of a pool with its multiplier: of the complementarity
// pair 0 ≤ SlackBits ⟂ Price ≥ 0.
type RelaxedRow struct {
	Pool, Step      int
	Lower, Terminal bool
	SlackBits       float64
	Price           float64 // by how much a bit less raises the objective
	// Rate is by how much a bit less raises the other objective that Relax was
	// asked about, the basis of the programme staying as it is.
	Rate float64
}

// Other is a linear objective beside that of a problem, by chain, option and
// step (at option·Steps + step; nil for nothing). Terminal and grid costs
// belong to it in full.
type Other [][]float64

// Relax solves the relaxation at the root and says how another objective, made
// of the mix that was found, follows the rows (nil for none). Integer plans are
// not looked for.
func (engine Engine) Relax(p *Problem, warm *Warm, budget Budget, other func(Mix) Other) (*Relaxed, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	s := newSearch(p, budget, true)
	defer s.r.mem.release()
	s.interrupt = engine.Interrupt
	s.start(warm)
	n := s.rootNode()
	s.work.Nodes++
	m := s.master(n)
	s.generate(n, m)
	s.rootPrices(m)
	s.work.Rows = len(s.r.rows)
	r := &Relaxed{Objective: m.objective() + s.r.constant, Bound: n.bound, Mix: s.mix(m), Work: s.work, prices: s.root}
	var second Other
	if other != nil {
		second = other(r.Mix)
	}
	r.Rows = s.relaxedRows(m, second)
	return r, nil
}

// mix is the master's solution; its options are copies.
func (s *search) mix(m *master) Mix {
	mix := make(Mix, len(s.r.chains))
	m.weights(func(k *column, x float64) {
		if x > 1e-12 {
			mix[k.chain] = append(mix[k.chain], Weighted{append([]int(nil), k.options...), x})
		}
	})
	return mix
}

// relaxedRows are the rows of the master in the order of pool, kind and step.
func (s *search) relaxedRows(m *master, other Other) []RelaxedRow {
	rates := s.rates(m, other)
	room := s.rowRoom(m)
	h := s.r.steps
	// by pool: rows of everyone by step, of the lower classes, the terminal one
	at := make([]RelaxedRow, len(s.r.p.Pools)*(2*h+1))
	known := make([]bool, len(at))
	for i, w := range m.rows {
		if w.kind == gridRow {
			continue
		}
		j := w.pool*(2*h+1) + int(w.class)*h + w.step
		if w.kind == terminalRow {
			j = w.pool*(2*h+1) + 2*h
		}
		x := &at[j]
		if !known[j] {
			known[j] = true
			*x = RelaxedRow{Pool: w.pool, Step: w.step, Lower: w.class == lower, Terminal: w.kind == terminalRow, SlackBits: math.Inf(1)}
		}
		x.Price += m.prices[i] * w.scale
		x.Rate += rates[i] * w.scale
		x.SlackBits = math.Min(x.SlackBits, room[i]/w.scale)
	}
	var rows []RelaxedRow
	for j := range at {
		if known[j] {
			rows = append(rows, at[j])
		}
	}
	return rows
}

// rowRoom is the value of each row's slack, negative where there is excess.
func (s *search) rowRoom(m *master) []float64 {
	room := make([]float64, len(m.rows))
	for i, b := range m.basis {
		if b < 0 && b&1 != 0 { // slack(i) is odd
			room[(-b-1)/2] = m.x[i]
		} else if b < 0 {
			room[(-b-2)/2] = -m.x[i]
		}
	}
	return room
}

// rates are −∂G/∂limit of each row at the master's basis, G the other
// objective: its prices, had the basis been found for it.
func (s *search) rates(m *master, other Other) []float64 {
	rates := make([]float64, len(m.rows))
	cost := func(k *column) float64 {
		sum := s.ledger.sendCost(&s.r.chains[k.chain], k)
		if k.chain < len(other) && other[k.chain] != nil {
			for t, o := range k.options {
				sum += other[k.chain][o*s.r.steps+t]
			}
		}
		return sum
	}
	for i, b := range m.basis {
		g := 0.0
		switch {
		case b >= 0:
			g = cost(m.columns[b].column) - cost(m.columns[m.key[m.columns[b].chain]].column)
		case b&1 == 0:
			g = m.capOf((-b - 2) / 2)
		}
		if g != 0 {
			for j, x := range m.inverse[i] {
				rates[j] -= g * x
			}
		}
	}
	return rates
}

// Next is a warm start for the same chains with little else changed.
func (r *Relaxed) Next() *Warm {
	w := &Warm{plan: make(Plan, len(r.Mix)), columns: make([][][]int, len(r.Mix)), prices: r.prices}
	for l, parts := range r.Mix {
		most := 0.0
		for _, x := range parts {
			w.columns[l] = append(w.columns[l], x.Options)
			if x.Weight > most {
				w.plan[l], most = x.Options, x.Weight
			}
		}
	}
	return w
}

// SharedCost is what a mix of all chains costs in the terms that no chain has
// alone: the terminal costs of pools and the grid.
func (p *Problem) SharedCost(mix Mix) float64 {
	cost := 0.0
	for e, bits := range p.EndBits(mix) {
		cost += p.terminalCost(e, bits)
	}
	if p.Grid == nil {
		return cost
	}
	y := p.moved(mix)
	free := p.Grid.simulate(p.Steps, p.Grid.State, NoOption)
	for j := range y {
		for k := range y[j] {
			cost += p.Grid.Outputs[j].cost(free[j][k] + y[j][k])
		}
	}
	return cost
}

// EndBits is what a mix is expected to draw from each pool over the horizon.
func (p *Problem) EndBits(mix Mix) []float64 {
	bits := make([]float64, len(p.Pools))
	for l := range mix {
		c := &p.Chains[l]
		for _, x := range mix[l] {
			for t, o := range x.Options {
				for i := range c.Options[o].Draws {
					d := &c.Options[o].Draws[i]
					bits[d.Pool] += x.Weight * d.MeanBits[t]
				}
			}
		}
	}
	return bits
}

// EndCost is what drawing so many bits of pool e over the horizon costs at its
// end.
func (p *Problem) EndCost(e int, bits float64) float64 { return p.terminalCost(e, bits) }

// EndPrice is what the next bit missing from pool e at the end of the horizon
// costs when a plan draws so much over it.
func (p *Problem) EndPrice(e int, bits float64) float64 {
	s := p.Pools[e].Terminal
	missing := (1+s.LookaheadFactor)*bits - p.terminalRoom(e)
	if missing <= 0 || s.PricePerBit == 0 {
		return 0
	}
	return s.priceAt(missing)
}

// Spread is √(P+v) of a pool's rows under a mix, of all classes and of all but
// the highest, by step.
func (p *Problem) Spread(mix Mix) (everyone, lower [][]float64) {
	for _, o := range p.drawn(mix) {
		e := len(everyone)
		a, b := make([]float64, p.Steps), make([]float64, p.Steps)
		for t := range a {
			a[t] = math.Sqrt(p.Pools[e].StockVarBits[t] + o.VarBits2[t])
			b[t] = math.Sqrt(p.Pools[e].StockVarBits[t] + o.LowerVarBits2[t])
		}
		everyone, lower = append(everyone, a), append(lower, b)
	}
	return everyone, lower
}
