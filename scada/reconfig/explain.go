package reconfig

import (
	"cmp"
	"math"
	"slices"
)

// Cost is what options cost a chain but for what it shares with others: key and
// the grid.
func (c *Chain) Cost(options []int) float64 {
	service, switching, pending := c.cost(options)
	return service + switching + pending
}

// Alternative is an option of a chain for the first step, the one that is
// carried out, with the best that can follow it.
type Alternative struct {
	Option int
	// Cost over the horizon: the chain's own, what its key is worth at the
	// prices of a result, and what it does to the grid while the others keep
	// to the plan.
	Cost float64
}

// Alternatives are the options that chain l can have in the first step, the
// cheapest first, at the prices of r. Variance is priced by the slope of the
// cone at the plan. The plan itself need not have the cheapest: prices are those
// of the relaxation.
func (p *Problem) Alternatives(r *Result, l int) []Alternative {
	cost := p.pricedCosts(r, l)
	pending := p.pendingCosts(r, l)
	c := &p.Chains[l]
	var list []Alternative
	follow := c.follow(cost, pending, p.Steps)
	for o := range c.Options {
		v := follow[o]
		if c.Before != NoOption && o != c.Before {
			v += c.SwitchCost
		}
		if !math.IsInf(v, 1) {
			list = append(list, Alternative{o, v})
		}
	}
	slices.SortStableFunc(list, func(a, b Alternative) int { return cmp.Compare(a.Cost, b.Cost) })
	return list
}

// pricedCosts are the costs of chain l's options with their key, by option and
// step.
func (p *Problem) pricedCosts(r *Result, l int) [][]float64 {
	c := &p.Chains[l]
	mean, variance := p.bitPrices(r, c.Highest)
	cost := make([][]float64, len(c.Options))
	for o := range c.Options {
		cost[o] = slices.Clone(c.Options[o].Cost)
		for _, d := range c.Options[o].Draws {
			for t := range p.Steps {
				cost[o][t] += d.MeanBits[t]*mean[d.Pool][t] + d.VarBits2[t]*variance[d.Pool][t]
			}
		}
	}
	return cost
}

// bitPrices are what a bit of mean and a bit² of variance drawn in a step cost,
// by pool and step: they count in the rows of that step and all later ones.
func (p *Problem) bitPrices(r *Result, highest bool) (mean, variance [][]float64) {
	for e := range p.Pools {
		m, v := make([]float64, p.Steps), make([]float64, p.Steps)
		if e < len(r.Prices) {
			x := &r.Prices[e]
			p.addRowPrices(m, v, x.Everyone, p.spread(r.Plan, e, everyone))
			if !highest {
				p.addRowPrices(m, v, x.Lower, p.spread(r.Plan, e, lower))
			}
			for t := range m {
				m[t] += x.Terminal * (1 + p.Pools[e].Terminal.LookaheadFactor)
			}
		}
		mean, variance = append(mean, m), append(variance, v)
	}
	return mean, variance
}

// addRowPrices adds the prices of the rows from each step on.
func (p *Problem) addRowPrices(mean, variance, rows, spread []float64) {
	m, v := 0.0, 0.0
	for t := min(p.Steps, len(rows)) - 1; t >= 0; t-- {
		m += rows[t]
		if spread[t] > 0 {
			v += rows[t] * p.Kappa / (2 * spread[t])
		}
		mean[t] += m
		variance[t] += v
	}
}

// spread is √(P+v) of a plan by step.
func (p *Problem) spread(plan Plan, pool int, k class) []float64 {
	s := make([]float64, p.Steps)
	sum := 0.0
	for t := range s {
		for l := range p.Chains {
			if k == lower && p.Chains[l].Highest {
				continue
			}
			for _, d := range p.Chains[l].Options[plan[l][t]].Draws {
				if d.Pool == pool {
					sum += d.VarBits2[t]
				}
			}
		}
		s[t] = math.Sqrt(p.fixedVar(pool, t, k) + sum)
	}
	return s
}

// pendingCosts are what it costs, by option and step, to send there what waits
// for chain l, beside what not sending it costs, which stands last for off; nil
// if nothing waits.
func (p *Problem) pendingCosts(r *Result, l int) [][]float64 {
	c := &p.Chains[l]
	if c.Pending == nil {
		return nil
	}
	plan := r.Plan.Clone()
	var answer *response
	if p.Grid != nil {
		answer = p.Grid.response(p.Steps)
	}
	grid := func(o, t int) float64 {
		if answer == nil {
			return 0
		}
		clear(plan[l])
		if t < p.Steps {
			plan[l][t] = o
		}
		return p.gridCost(plan, answer)
	}
	cost := make([][]float64, len(c.Options))
	for o := 1; o < len(cost); o++ {
		for t := range p.Steps {
			cost[o] = append(cost[o], c.Pending.oneOffCost(t)+grid(o, t))
		}
	}
	cost[0] = []float64{c.Pending.NeverCost + grid(0, p.Steps)}
	return cost
}

// follow is the least cost from the first step on by the option there: a
// dynamic programme from the last step back.
func (c *Chain) follow(cost, pending [][]float64, steps int) []float64 {
	// least[sent][o]: from step t on with option o there, where what waits was
	// sent before t or not.
	var least, later [2][]float64
	for sent := range least {
		least[sent], later[sent] = make([]float64, len(cost)), make([]float64, len(cost))
	}
	for t := steps - 1; t >= 0; t-- {
		for sent := range least {
			for o := range cost {
				v, after := cost[o][t], sent
				if pending != nil && sent == 0 && o != 0 {
					v, after = v+pending[o][t], 1
				}
				switch {
				case t < steps-1:
					v += c.next(later[after], o)
				case pending != nil && after == 0:
					v += pending[0][0]
				}
				least[sent][o] = v
			}
		}
		least, later = later, least
	}
	return later[0]
}

// next is the least of what may follow option o.
func (c *Chain) next(later []float64, o int) float64 {
	best := math.Inf(1)
	for x, v := range later {
		if x != o {
			v += c.SwitchCost
		}
		best = min(best, v)
	}
	return best
}
