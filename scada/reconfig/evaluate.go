package reconfig

import (
	"fmt"
	"math"
)

// Evaluation is what a plan costs, and whether every chance constraint holds,
// computed from the problem alone.
type Evaluation struct {
	Objective float64 // sum of the five terms
	Service   float64 // dropped and degraded messages
	Switching float64
	Terminal  float64 // missing stock at the end of the horizon
	Pending   float64 // one-off costs of pending commands
	Grid      float64
	// Feasible: every option is available, and every row holds to a relative
	// error of 1e-9, after Problem.Slacks.
	Feasible bool
	// ExcessBits is the largest excess of a row over its limit, negative where
	// there is room in all of them.
	ExcessBits float64
	ExcessPool int
	ExcessStep int
}

// Evaluate judges a plan by the exact cone m + κ√(P+v) ≤ b of every row.
func (p *Problem) Evaluate(plan Plan) (Evaluation, error) {
	if err := p.checkShape(plan); err != nil {
		return Evaluation{}, err
	}
	var r *response
	if p.Grid != nil {
		r = p.Grid.response(p.Steps)
	}
	return p.evaluate(plan, r, make([]consumption, len(p.Pools)*p.Steps)), nil
}

// evaluate is Evaluate of a plan of the right shape, with the response of the
// grid and room for what is drawn by pool and step.
func (p *Problem) evaluate(plan Plan, r *response, drawn []consumption) Evaluation {
	e := Evaluation{Feasible: true, ExcessBits: math.Inf(-1)}
	for l := range p.Chains {
		e.addChain(&p.Chains[l], plan[l])
	}
	p.consume(plan, drawn)
	for pool := range p.Pools {
		e.addPool(p, drawn[pool*p.Steps:(pool+1)*p.Steps], pool)
	}
	if p.Grid != nil {
		e.Grid = p.gridCost(plan, r)
	}
	e.Objective = e.Service + e.Switching + e.Terminal + e.Pending + e.Grid
	return e
}

func (p *Problem) checkShape(plan Plan) error {
	if len(plan) != len(p.Chains) {
		return fmt.Errorf("reconfig: a plan of %d chains for %d", len(plan), len(p.Chains))
	}
	for l, options := range plan {
		if len(options) != p.Steps {
			return fmt.Errorf("reconfig: chain %s: a plan of %d steps for %d", p.Chains[l].ID, len(options), p.Steps)
		}
		for t, o := range options {
			if o < 0 || o >= len(p.Chains[l].Options) {
				return fmt.Errorf("reconfig: chain %s, step %d: no option %d", p.Chains[l].ID, t, o)
			}
		}
	}
	return nil
}

func (e *Evaluation) addChain(c *Chain, options []int) {
	service, switching, pending := c.cost(options)
	e.Service += service
	e.Switching += switching
	e.Pending += pending
	if math.IsInf(service, 1) {
		e.Feasible = false
	}
}

// cost of a chain's options but for what it shares with others.
func (c *Chain) cost(options []int) (service, switching, pending float64) {
	before := c.Before
	for t, o := range options {
		service += c.Options[o].Cost[t]
		if before != NoOption && o != before {
			switching += c.SwitchCost
		}
		before = o
	}
	if c.Pending != nil {
		if t, _, ok := sent(options); ok {
			pending = c.Pending.oneOffCost(t)
		} else {
			pending = c.Pending.NeverCost
		}
	}
	return service, switching, pending
}

// consumption is what is drawn from a pool up to the end of a step, by class of
// row.
type consumption struct{ mean, variance [2]float64 }

// consume sums what a plan draws, by pool and step.
func (p *Problem) consume(plan Plan, drawn []consumption) {
	h := p.Steps
	for t := range h {
		for e := range p.Pools {
			if x := &drawn[e*h+t]; t > 0 {
				*x = drawn[e*h+t-1]
			} else {
				*x = consumption{}
			}
		}
		for l := range p.Chains {
			c := &p.Chains[l]
			draws := c.Options[plan[l][t]].Draws
			for i := range draws {
				d := &draws[i]
				x := &drawn[d.Pool*h+t]
				x.mean[everyone] += d.MeanBits[t]
				x.variance[everyone] += d.VarBits2[t]
				if !c.Highest {
					x.mean[lower] += d.MeanBits[t]
					x.variance[lower] += d.VarBits2[t]
				}
			}
		}
	}
}

// addPool checks the rows of one pool and adds its terminal cost.
func (e *Evaluation) addPool(p *Problem, drawn []consumption, pool int) {
	for t := range p.Steps {
		for _, c := range []class{everyone, lower} {
			limit, _ := p.elasticLimit(pool, t, c)
			lhs := drawn[t].mean[c] + p.Kappa*math.Sqrt(p.fixedVar(pool, t, c)+drawn[t].variance[c])
			if lhs-limit > e.ExcessBits {
				e.ExcessBits, e.ExcessPool, e.ExcessStep = lhs-limit, pool, t
			}
			if !holds(lhs, limit) {
				e.Feasible = false
			}
		}
	}
	e.Terminal += p.terminalCost(pool, drawn[p.Steps-1].mean[everyone])
}

// terminalCost of drawing mean bits over the horizon.
func (p *Problem) terminalCost(pool int, mean float64) float64 {
	s := p.Pools[pool].Terminal
	return s.Cost((1+s.LookaheadFactor)*mean - p.terminalRoom(pool))
}

// terminalRoom is how many bits the expected stock may lose, less what others
// are to draw.
func (p *Problem) terminalRoom(pool int) float64 {
	e := &p.Pools[pool]
	room := math.Max(0, e.StockBits[p.Steps-1]-e.Terminal.ThresholdBits)
	if e.Others != nil {
		room -= (1 + e.Terminal.LookaheadFactor) * e.Others.EndBits
	}
	return room
}

func (p *Problem) gridCost(plan Plan, r *response) float64 {
	cost := 0.0
	for j := range p.Grid.Outputs {
		for k := range p.Steps {
			y := r.free[j][k]
			for l := range p.Chains {
				if c := p.Chains[l].Pending; c != nil {
					if t, o, ok := sent(plan[l]); ok {
						y += r.of(c, t, o, j, k)
					}
				}
			}
			cost += p.Grid.Outputs[j].cost(y)
		}
	}
	return cost
}
