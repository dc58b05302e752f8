package stackelberg

import (
	"cmp"
	"slices"

	"cosim/scada/reconfig"
)

// exchange is a change of one chain of the leader: to an option from a step on,
// or before a step.
type exchange struct {
	chain, option, from, to int
	cost                    float64 // of the model, more than the incumbent
}

// exchanges of the incumbent, those first that the model likes best. Where its
// proposals end they are tried one by one: the model sees only one side of a
// plan at which the followers' response has a kink.
func (m *match) exchanges() []exchange {
	m.rho = 0
	m.model.set(m)
	h := m.p.Steps
	var list []exchange
	for i := range m.leaders {
		c := &m.model.part.Chains[i]
		now := m.best.plan[i]
		before := c.Cost(now)
		for o := range c.Options {
			for t := range h {
				list = m.tryOut(list, exchange{chain: i, option: o, from: t, to: h}, before)
				if t > 0 {
					list = m.tryOut(list, exchange{chain: i, option: o, from: 0, to: t}, before)
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b exchange) int { return cmp.Compare(a.cost, b.cost) })
	return list
}

// tryOut adds an exchange to the list if it changes anything and can be had.
func (m *match) tryOut(list []exchange, x exchange, before float64) []exchange {
	c := &m.model.part.Chains[x.chain]
	now := m.best.plan[x.chain]
	if now[x.from] == x.option && x.to-x.from > 1 && x.to == len(now) || now[x.to-1] == x.option && x.from == 0 {
		return list // another exchange does the same
	}
	changes := false
	for t := x.from; t < x.to; t++ {
		changes = changes || now[t] != x.option
	}
	if !changes {
		return list
	}
	x.apply(now, m.scratch)
	if x.cost = c.Cost(m.scratch) - before; x.cost > mostCost {
		return list
	}
	x.cost += m.model.terminal(x.chain, now, m.scratch)
	return append(list, x)
}

const mostCost = 1e300 // less than what cannot be had

// apply writes the options after the exchange.
func (x *exchange) apply(now, to []int) {
	copy(to, now)
	for t := x.from; t < x.to; t++ {
		to[t] = x.option
	}
}

// terminal is what a chain's change costs in the pools' terminal rows.
func (s *model) terminal(i int, from, to []int) float64 {
	c := &s.part.Chains[i]
	sum := 0.0
	for e := range s.part.Pools {
		more := 0.0
		for t := range to {
			if from[t] != to[t] {
				more += drawn(&c.Options[to[t]], e, t) - drawn(&c.Options[from[t]], e, t)
			}
		}
		if more != 0 {
			sum += s.part.EndCost(e, s.end[e]+more) - s.part.EndCost(e, s.end[e])
		}
	}
	return sum
}

// drawn is what an option is expected to draw from a pool in a step.
func drawn(o *reconfig.Option, pool, t int) float64 {
	for i := range o.Draws {
		if o.Draws[i].Pool == pool {
			return o.Draws[i].MeanBits[t]
		}
	}
	return 0
}

// exchanged is the incumbent after the next exchange that keeps the rows and was
// not answered yet; nil when none is left.
func (m *match) exchanged() (reconfig.Plan, error) {
	if m.listed != m.best {
		m.listed, m.list = m.best, m.exchanges()
	}
	for len(m.list) > 0 {
		x := m.list[0]
		m.list = m.list[1:]
		plan := m.best.plan.Clone()
		x.apply(m.best.plan[x.chain], plan[x.chain])
		if m.answered(plan) {
			continue
		}
		if e, err := m.alone.Evaluate(plan); err != nil || e.Feasible {
			return plan, err
		}
	}
	return nil, nil
}
