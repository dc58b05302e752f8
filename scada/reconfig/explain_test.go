package reconfig

import (
	"math"
	"testing"
)

// The dynamic programme of Alternatives finds what trying every trajectory
// finds, commands that wait and the grid included.
func TestAlternativesAreTheCheapestTrajectories(t *testing.T) {
	r := stream("alternatives")
	waiting := 0
	for i := range 300 {
		p := randomProblem(r, 2e3)
		result := solve(t, Engine{}, p, nil, DefaultBudget())
		for l := range p.Chains {
			c := &p.Chains[l]
			if c.Pending != nil {
				waiting++
			}
			want := map[int]float64{}
			trajectories(len(c.Options), p.Steps, func(options []int) {
				cost := pricedCost(t, p, result, l, options)
				if best, ok := want[options[0]]; !math.IsInf(cost, 1) && (!ok || cost < best) {
					want[options[0]] = cost
				}
			})
			got := p.Alternatives(result, l)
			if len(got) != len(want) {
				t.Fatalf("instance %d, chain %d: %d alternatives, want %d", i, l, len(got), len(want))
			}
			for k, a := range got {
				if d := math.Abs(a.Cost - want[a.Option]); d > 1e-9*math.Max(1, math.Abs(a.Cost)) {
					t.Fatalf("instance %d, chain %d, option %d: %.12g, want %.12g", i, l, a.Option, a.Cost, want[a.Option])
				}
				if k > 0 && got[k-1].Cost > a.Cost {
					t.Fatalf("instance %d, chain %d: %v is not in order", i, l, got)
				}
			}
		}
	}
	if waiting < 20 {
		t.Errorf("only %d chains had a command that waits", waiting)
	}
}

// pricedCost counts draws where they fall: in all rows from their step on.
func pricedCost(t *testing.T, p *Problem, r *Result, l int, options []int) float64 {
	c := &p.Chains[l]
	cost := c.Cost(options)
	if c.Pending != nil && p.Grid != nil {
		plan := r.Plan.Clone()
		copy(plan[l], options)
		e, err := p.Evaluate(plan)
		if err != nil {
			t.Fatal(err)
		}
		cost += e.Grid
	}
	for step, o := range options {
		for _, d := range c.Options[o].Draws {
			prices, all, low := &r.Prices[d.Pool], p.spread(r.Plan, d.Pool, everyone), p.spread(r.Plan, d.Pool, lower)
			slope := func(spread float64) float64 {
				if spread == 0 {
					return 0
				}
				return d.VarBits2[step] * p.Kappa / (2 * spread)
			}
			for row := step; row < p.Steps; row++ {
				cost += prices.Everyone[row] * (d.MeanBits[step] + slope(all[row]))
				if !c.Highest {
					cost += prices.Lower[row] * (d.MeanBits[step] + slope(low[row]))
				}
			}
			cost += prices.Terminal * (1 + p.Pools[d.Pool].Terminal.LookaheadFactor) * d.MeanBits[step]
		}
	}
	return cost
}

// trajectories calls f with every sequence of options.
func trajectories(options, steps int, f func([]int)) {
	x := make([]int, steps)
	for {
		f(x)
		t := 0
		for ; t < steps; t++ {
			if x[t]++; x[t] < options {
				break
			}
			x[t] = 0
		}
		if t == steps {
			return
		}
	}
}
