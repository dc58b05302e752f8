package scada

import "cosim/scada/reconfig"

// priceOrders adds to γ of each uplink the key that the order to its gateway and
// the answer take, at the prices of a decision's hard rows: what the next decision
// pays for a change where key is short now. (The terminal row's price, which is
// there with plenty of key, too, only widened gaps.) The solver knows one price of
// a change a chain, so that it is the mean over the options.
func (p *Planner) priceOrders(r *reconfig.Result) {
	price := p.bitPrice[:len(r.Prices)]
	for e, x := range r.Prices {
		price[e] = 0
		for t := range x.Lower {
			price[e] += x.Everyone[t] + x.Lower[t]
		}
	}
	for i := range p.options {
		c := &p.system.chains[i]
		if !c.up || len(p.options[i]) < 2 {
			continue
		}
		sum := 0.0
		for o, option := range p.options[i] {
			bits := 2 * float64(p.system.policy.DrawBits(option.Mode, 8*orderSize, false))
			for _, d := range p.problem.Chains[i].Options[o].Draws {
				sum += bits * p.bitPrice[d.Pool]
			}
		}
		p.problem.Chains[i].SwitchCost = p.switchCost(c) + sum/float64(len(p.options[i])-1)
	}
}

// switchCost is γ of a chain.
func (p *Planner) switchCost(c *chain) float64 {
	if c.SwitchCost > 0 {
		return c.SwitchCost
	}
	return p.cfg.Weights.Switch
}
