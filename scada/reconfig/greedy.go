package reconfig

import (
	"cmp"
	"math"
	"slices"
)

// Greedy serves chains one after the other, those first whose absence costs
// most, each by the option that costs least by itself and for which the key
// left suffices in every step. It plans one option for the whole horizon, sees
// no price of key and proves nothing: the ablation of the optimiser.
type Greedy struct{}

// Solve returns the greedy plan. Its bound is the sum of what each chain would
// cost at the least if key were without limit, a valid one, since terminal and
// grid terms are never negative; warm and budget are not read.
func (Greedy) Solve(p *Problem, _ *Warm, _ Budget) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	g := greedy{p: p, mean: make([][2]float64, len(p.Pools)*p.Steps), variance: make([][2]float64, len(p.Pools)*p.Steps)}
	order := make([]int, len(p.Chains))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(g.absence(b), g.absence(a)) })
	plan, bound := p.AllOff(), 0.0
	for _, l := range order {
		option := g.serve(l)
		bound += p.Chains[l].least(p.Steps)
		for t := range plan[l] {
			plan[l][t] = option
		}
	}
	e, err := p.Evaluate(plan)
	if err != nil {
		return nil, err
	}
	return &Result{
		Plan: plan, Evaluation: e, Bound: min(bound, e.Objective), Gap: gap(e.Objective, min(bound, e.Objective)),
		Work: Work{Evaluations: 1}, Slacks: p.Slacks(), Prices: make([]PoolPrices, len(p.Pools)),
	}, nil
}

// greedy holds what the chains served so far draw, by pool and step and by
// class of row.
type greedy struct {
	p              *Problem
	mean, variance [][2]float64
}

// absence is what it costs to leave a chain off.
func (g *greedy) absence(l int) (cost float64) {
	for _, c := range g.p.Chains[l].Options[0].Cost {
		cost += c
	}
	return cost
}

// serve picks an option of chain l and takes its key.
func (g *greedy) serve(l int) (option int) {
	chain := &g.p.Chains[l]
	best := math.Inf(1)
	for o := range chain.Options {
		service, switching, pending := chain.cost(constant(o, g.p.Steps))
		cost := service + switching + pending
		if cost < best && g.fits(l, o) {
			option, best = o, cost
		}
	}
	g.take(l, option)
	return option
}

// least is what a chain costs at the least, whatever the others do: the
// cheapest option of every step, changes free, and the cheapest time to send
// what waits.
func (c *Chain) least(steps int) (cost float64) {
	for t := range steps {
		best := math.Inf(1)
		for o := range c.Options {
			best = min(best, c.Options[o].Cost[t])
		}
		cost += best
	}
	if c.Pending == nil {
		return cost
	}
	pending := c.Pending.NeverCost
	for t := range steps {
		pending = min(pending, c.Pending.oneOffCost(t))
	}
	return cost + pending
}

func constant(o, steps int) []int {
	options := make([]int, steps)
	for t := range options {
		options[t] = o
	}
	return options
}

// fits says whether the key left suffices for option o in every step.
func (g *greedy) fits(l, o int) bool {
	chain := &g.p.Chains[l]
	for _, d := range chain.Options[o].Draws {
		mean, variance := 0.0, 0.0
		for t := range g.p.Steps {
			mean += d.MeanBits[t]
			variance += d.VarBits2[t]
			at := d.Pool*g.p.Steps + t
			for _, c := range []class{everyone, lower} {
				if c == lower && chain.Highest {
					continue
				}
				limit, _ := g.p.elasticLimit(d.Pool, t, c)
				spread := math.Sqrt(g.p.fixedVar(d.Pool, t, c) + g.variance[at][c] + variance)
				if !holds(g.mean[at][c]+mean+g.p.Kappa*spread, limit) {
					return false
				}
			}
		}
	}
	return true
}

func (g *greedy) take(l, o int) {
	chain := &g.p.Chains[l]
	for _, d := range chain.Options[o].Draws {
		mean, variance := 0.0, 0.0
		for t := range g.p.Steps {
			mean += d.MeanBits[t]
			variance += d.VarBits2[t]
			at := d.Pool*g.p.Steps + t
			g.mean[at][everyone] += mean
			g.variance[at][everyone] += variance
			if !chain.Highest {
				g.mean[at][lower] += mean
				g.variance[at][lower] += variance
			}
		}
	}
}
