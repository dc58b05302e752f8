package reconfig

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// midsize is the i-th of a series of problems of 8 to 14 chains, 1 to 4 pools
// and 4 to 6 steps, too large for brute force: in turn, chains of random
// options, chains with routes and modes whose pools run short, and decisions
// like those of S-3.
func midsize(r *rand.Rand, i int) *Problem {
	chains, steps := 8+r.IntN(7), 4+r.IntN(3)
	var p *Problem
	switch i % 3 {
	case 0:
		p = &Problem{Steps: steps, Kappa: Gaussian(0.05)}
		pools := 1 + r.IntN(3)
		for range chains {
			p.Chains = append(p.Chains, randomChain(r, steps, pools, 2+r.IntN(3)))
		}
		for e := range pools {
			p.Pools = append(p.Pools, randomPool(r, p, e))
		}
	case 1:
		p = scarce(r, min(chains, 11), 1+r.IntN(3), steps)
	default:
		s := newShipped(r, min(chains, 12), 4, steps)
		s.advance()
		p = s.problem(nil)
	}
	if r.IntN(3) == 0 {
		p.Kappa = Cantelli(0.05)
	}
	if r.IntN(3) == 0 {
		addGrid(r, p)
	}
	return p
}

// scarce makes chains of routes and modes, and pools that hold a third to nine
// tenths of what all chains draw in their first mode by their first route.
func scarce(r *rand.Rand, chains, pools, steps int) *Problem {
	p := &Problem{Steps: steps, Kappa: Gaussian(0.05)}
	for l := range chains {
		d := &Demand{
			ID: fmt.Sprintf("chain-%d", l), Priority: []float64{1, 3, 5, 10, 100}[r.IntN(5)], Highest: r.IntN(4) == 0,
			Periodic: r.IntN(3) == 0, SwitchCost: 0.05 * r.Float64(), Before: r.IntN(3) - 1,
			Modes: []Mode{{0, 200 + 200*r.Float64(), 0}, {1, 128, 0.1}},
		}
		for range steps {
			d.Messages = append(d.Messages, 0.2+2*r.Float64())
		}
		for range 1 + r.IntN(2) {
			d.Routes = append(d.Routes, r.Perm(pools)[:1+r.IntN(min(2, pools))])
		}
		down := r.IntN(3 * steps)
		d.Available = func(route, step int) bool { return route > 0 || step != down }
		p.Chains = append(p.Chains, d.Chain(DefaultWeights()))
	}
	for e := range pools {
		use := 1.0
		for l := range p.Chains {
			for _, d := range p.Chains[l].Options[1].Draws {
				if d.Pool == e {
					for _, bits := range d.MeanBits {
						use += bits
					}
				}
			}
		}
		now := use * (0.2 + 0.4*r.Float64())
		supply, variance := make([]float64, steps), make([]float64, steps)
		for t := range steps {
			supply[t] = use * 0.3 * float64(t+1) / float64(steps)
			variance[t] = math.Pow(0.05*use, 2) * float64(t+1) / float64(steps)
		}
		pool := Pool{ID: fmt.Sprintf("pool-%d", e), ReserveBits: 0.3 * now * r.Float64()}
		pool.SetSupply(now, supply, variance, p.Kappa)
		if r.IntN(3) > 0 {
			pool.Terminal = Terminal{ThresholdBits: now * r.Float64(), LookaheadFactor: r.Float64(), PricePerBit: 1e-3 * r.Float64(), RampBits: use * r.Float64()}
		}
		p.Pools = append(p.Pools, pool)
	}
	return p
}

// TestOrderAndNamesChangeNothing: chains and pools in another order and under
// other names. Where a search ends early the two results must still bracket the
// same optimum.
func TestOrderAndNamesChangeNothing(t *testing.T) {
	r := stream("order and names")
	closed, ramps := 0, 0
	for i := range 48 {
		p := midsize(r, i)
		for e := range p.Pools {
			if p.Pools[e].Terminal.PricePerBit > 0 && p.Pools[e].Terminal.RampBits > 0 {
				ramps++
				break
			}
		}
		chains, pools := r.Perm(len(p.Chains)), r.Perm(len(p.Pools))
		q := permuted(p, chains, pools)
		for l := range q.Chains {
			q.Chains[l].ID = fmt.Sprintf("other-%d", l)
		}
		for e := range q.Pools {
			q.Pools[e].ID = "a pool"
		}
		budget := Budget{Nodes: 100}
		a, b := solve(t, Engine{}, p, nil, budget), solve(t, Engine{}, q, nil, budget)
		back := p.AllOff()
		for l, from := range chains {
			back[from] = b.Plan[l]
		}
		e, err := p.Evaluate(back)
		if x := b.Evaluation.Objective; err != nil || !e.Feasible || math.Abs(e.Objective-x) > 1e-9*math.Max(1, x) {
			t.Fatalf("instance %d: the plan costs %.12g permuted, and means %+v, %v here", i, x, e, err)
		}
		x, y := a.Evaluation.Objective, b.Evaluation.Objective
		if slight := 1e-9 * math.Max(1, x); a.Bound > y+slight || b.Bound > x+slight {
			t.Fatalf("instance %d: between %.12g and %.12g and, permuted, between %.12g and %.12g", i, a.Bound, x, b.Bound, y)
		}
		if a.Gap <= 1e-9 && b.Gap <= 1e-9 {
			closed++
		}
	}
	t.Logf("%d of 48 closed either way, %d with a rising terminal price", closed, ramps)
	if closed < 12 || ramps < 24 {
		t.Errorf("%d closed, %d with a rising price: too few to tell", closed, ramps)
	}
}
