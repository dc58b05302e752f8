package reconfig

import (
	"fmt"
	"math"
)

// Enumerator tries every plan. It exists to check other solvers.
type Enumerator struct {
	MaxPlans float64 // refuses problems of more plans; 1e7 when zero
}

// Solve returns the cheapest feasible plan; warm and budget are not read.
func (s Enumerator) Solve(p *Problem, _ *Warm, _ Budget) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	limit := s.MaxPlans
	if limit == 0 {
		limit = 1e7
	}
	plans := 1.0
	for l := range p.Chains {
		plans *= math.Pow(float64(len(p.Chains[l].Options)), float64(p.Steps))
	}
	if plans > limit {
		return nil, fmt.Errorf("reconfig: %.3g plans are too many to enumerate, at most %.3g", plans, limit)
	}
	e := enumeration{p: p, best: math.Inf(1), plan: p.AllOff(), draws: make([]float64, 4*p.Steps*len(p.Pools))}
	if p.Grid != nil {
		e.response = p.Grid.response(p.Steps)
	}
	for l := range p.Chains {
		e.trajectories = append(e.trajectories, p.Chains[l].trajectories(p.Steps))
	}
	e.descend(0, 0)
	evaluation, err := p.Evaluate(e.bestPlan)
	if err != nil {
		return nil, err
	}
	return &Result{
		Plan: e.bestPlan, Evaluation: evaluation, Bound: evaluation.Objective,
		Slacks: p.Slacks(), Prices: make([]PoolPrices, len(p.Pools)),
		Work: Work{Nodes: e.leaves},
	}, nil
}

// enumeration goes through the chains one by one; draws grow with every chain,
// so that a branch ends where a row is broken.
type enumeration struct {
	p            *Problem
	response     *response
	trajectories [][][]int
	draws        []float64 // cumulative mean and variance by pool, step and class
	plan         Plan
	best         float64
	bestPlan     Plan
	leaves       int
}

// trajectories are all sequences of available options.
func (c *Chain) trajectories(steps int) [][]int {
	all := [][]int{nil}
	for t := range steps {
		var longer [][]int
		for _, head := range all {
			for o := range c.Options {
				if !math.IsInf(c.Options[o].Cost[t], 1) {
					longer = append(longer, append(append(make([]int, 0, steps), head...), o))
				}
			}
		}
		all = longer
	}
	return all
}

func (e *enumeration) descend(l int, cost float64) {
	if l == len(e.p.Chains) {
		e.leaf(cost)
		return
	}
	for _, options := range e.trajectories[l] {
		e.plan[l] = options
		service, switching, pending := e.p.Chains[l].cost(options)
		saved := append([]float64(nil), e.draws...)
		e.add(l, options)
		if e.feasible() {
			e.descend(l+1, cost+service+switching+pending)
		}
		copy(e.draws, saved)
	}
}

func (e *enumeration) at(pool, t int, c class) []float64 {
	i := 2 * ((pool*e.p.Steps+t)*2 + int(c))
	return e.draws[i : i+2]
}

func (e *enumeration) add(l int, options []int) {
	for s, o := range options {
		for _, d := range e.p.Chains[l].Options[o].Draws {
			for t := s; t < e.p.Steps; t++ {
				for c := everyone; c <= lower; c++ {
					if c == everyone || !e.p.Chains[l].Highest {
						x := e.at(d.Pool, t, c)
						x[0] += d.MeanBits[s]
						x[1] += d.VarBits2[s]
					}
				}
			}
		}
	}
}

func (e *enumeration) feasible() bool {
	for pool := range e.p.Pools {
		for t := range e.p.Steps {
			for c := everyone; c <= lower; c++ {
				x := e.at(pool, t, c)
				limit, _ := e.p.elasticLimit(pool, t, c)
				if !holds(x[0]+e.p.Kappa*math.Sqrt(e.p.fixedVar(pool, t, c)+x[1]), limit) {
					return false
				}
			}
		}
	}
	return true
}

func (e *enumeration) leaf(cost float64) {
	e.leaves++
	for pool := range e.p.Pools {
		cost += e.p.terminalCost(pool, e.at(pool, e.p.Steps-1, everyone)[0])
	}
	if e.response != nil {
		cost += e.p.gridCost(e.plan, e.response)
	}
	if cost < e.best {
		e.best, e.bestPlan = cost, e.plan.Clone()
	}
}
