package reconfig

import (
	"math"
	"math/rand/v2"
	"strconv"

	"cosim/internal/rng"
)

// randomProblem is a small problem of at most maxPlans plans in which key is
// scarce, with every feature present now and then.
func randomProblem(r *rand.Rand, maxPlans float64) *Problem {
	p := &Problem{Steps: 1 + r.IntN(4), Kappa: Gaussian(0.05)}
	switch r.IntN(6) {
	case 0:
		p.Kappa = Cantelli(0.05)
	case 1:
		p.Kappa = 0
	}
	pools := 1 + r.IntN(3)
	withGrid := r.IntN(4) == 0
	for plans := 1.0; ; {
		options := 2 + r.IntN(3)
		plans *= math.Pow(float64(options), float64(p.Steps))
		if plans > maxPlans || len(p.Chains) == 8 {
			break
		}
		p.Chains = append(p.Chains, randomChain(r, p.Steps, pools, options))
	}
	for e := range pools {
		p.Pools = append(p.Pools, randomPool(r, p, e))
	}
	if withGrid {
		addGrid(r, p)
	}
	return p
}

func randomChain(r *rand.Rand, steps, pools, options int) Chain {
	c := Chain{ID: "chain-" + strconv.Itoa(r.IntN(1000)), Highest: r.IntN(4) == 0, SwitchCost: 0.1 * r.Float64(), Before: r.IntN(options+1) - 1}
	weight := math.Exp(2 * r.NormFloat64())
	for o := range options {
		opt := Option{Route: o, Cost: make([]float64, steps)}
		level := 1.0
		if o > 0 {
			level = 0.3 * r.Float64()
		}
		for t := range opt.Cost {
			opt.Cost[t] = weight * level * (0.5 + r.Float64())
			if o > 0 && r.IntN(12) == 0 {
				opt.Cost[t] = math.Inf(1)
			}
		}
		if o > 0 {
			for _, e := range r.Perm(pools)[:1+r.IntN(min(2, pools))] {
				opt.Draws = append(opt.Draws, randomDraw(r, steps, e))
			}
		}
		c.Options = append(c.Options, opt)
	}
	return c
}

func randomDraw(r *rand.Rand, steps, pool int) Draw {
	d := Draw{Pool: pool}
	bits := 50 + 450*r.Float64()
	rate := 3 * r.Float64()
	random := r.IntN(5) > 0
	for range steps {
		n := rate * (0.5 + r.Float64())
		d.MeanBits = append(d.MeanBits, n*bits)
		if random {
			d.VarBits2 = append(d.VarBits2, n*bits*bits)
		} else {
			d.VarBits2 = append(d.VarBits2, 0)
		}
	}
	return d
}

// randomPool holds between nothing and a bit more than what all chains ask.
func randomPool(r *rand.Rand, p *Problem, e int) Pool {
	total := 0.0
	for _, c := range p.Chains {
		most := 0.0
		for _, o := range c.Options {
			for _, d := range o.Draws {
				if d.Pool == e {
					most = math.Max(most, d.MeanBits[0])
				}
			}
		}
		total += most
	}
	total *= float64(p.Steps)
	pool := Pool{ID: "pool-" + strconv.Itoa(e)}
	stock, variance := total*r.Float64(), 0.0
	for range p.Steps {
		stock += total / float64(p.Steps) * r.Float64()
		variance += math.Pow(0.1*total*r.Float64(), 2)
		pool.StockBits = append(pool.StockBits, stock)
		pool.StockVarBits = append(pool.StockVarBits, variance)
	}
	pool.ReserveBits = stock * 0.5 * r.Float64()
	if r.IntN(2) == 0 {
		pool.Terminal = Terminal{ThresholdBits: stock * r.Float64(), LookaheadFactor: 2 * r.Float64(), PricePerBit: 1e-3 * r.Float64()}
		if r.IntN(2) == 0 {
			pool.Terminal.RampBits = stock * r.Float64()
		}
	}
	return pool
}

// addGrid makes some chains carry a pending command that pulls the frequency
// back.
func addGrid(r *rand.Rand, p *Problem) {
	p.Grid = &Grid{
		A:     [][]float64{{0.95, 0.05}, {-0.1, 0.9}},
		B:     [][]float64{{0, 0.01}, {0.02, 0}},
		State: []float64{-0.3 * r.Float64(), -0.1 * r.Float64()},
		Outputs: []Output{
			{C: []float64{1, 0}, AbsWeight: 10, SquareWeight: 10},
			{C: []float64{0, 1}, AbsWeight: 1},
		},
	}
	for l := range p.Chains {
		if r.IntN(2) == 0 {
			continue
		}
		c := &Pending{Input: r.IntN(2), Amount: 3 * r.Float64(), DelaySteps: make([]int, len(p.Chains[l].Options)), NeverCost: r.Float64()}
		for o := range c.DelaySteps {
			c.DelaySteps[o] = r.IntN(3)
		}
		if r.IntN(2) == 0 {
			for range p.Steps {
				c.LateCost = append(c.LateCost, r.Float64())
			}
		}
		p.Chains[l].Pending = c
	}
}

func stream(name string) *rand.Rand { return rng.Stream(1, name) }
