package stackelberg

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"cosim/internal/rng"
	"cosim/scada/reconfig"
)

const leader = 0

func stream(name string) *rand.Rand { return rng.Stream(1, name) }

func solve(t testing.TB, s reconfig.Solver, p *reconfig.Problem, warm *reconfig.Warm, b reconfig.Budget) *reconfig.Result {
	t.Helper()
	r, err := s.Solve(p, warm, b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// randomGame is a small problem with scarce key: at most so many plans of the
// leader, and of the followers.
func randomGame(r *rand.Rand, mostLeader, mostFollowers float64) *reconfig.Problem {
	p := &reconfig.Problem{Steps: 1 + r.IntN(3), Kappa: reconfig.Gaussian(0.05), Operators: &reconfig.Operators{
		Names: []string{"TSO", "DSO1", "DSO2"}, FairnessWeight: math.Exp(r.NormFloat64()), Proximal: 1e-3, Rounds: 60,
	}}
	if r.IntN(6) == 0 {
		p.Operators.FairnessWeight = 0
	}
	pools := 1 + r.IntN(2)
	add := func(most float64, operator func() int) {
		for plans, n := 1.0, 0; n < 6; n++ {
			options := 2 + r.IntN(2)
			if plans *= math.Pow(float64(options), float64(p.Steps)); plans > most {
				return
			}
			p.Chains = append(p.Chains, randomChain(r, p.Steps, pools, options))
			p.Operators.Of = append(p.Operators.Of, operator())
		}
	}
	add(mostLeader, func() int { return leader })
	add(mostFollowers, func() int { return 1 + r.IntN(2) })
	for e := range pools {
		p.Pools = append(p.Pools, randomPool(r, p, e))
	}
	return p
}

// randomChain wishes its last option, which draws most; those before it draw a
// part and cost a part.
func randomChain(r *rand.Rand, steps, pools, options int) reconfig.Chain {
	c := reconfig.Chain{ID: "chain-" + strconv.Itoa(r.IntN(1000)), Highest: r.IntN(4) == 0, SwitchCost: 0.1 * r.Float64(), Before: r.IntN(options+1) - 1}
	weight := math.Exp(r.NormFloat64())
	pool, bits := r.IntN(pools), 50+450*r.Float64()
	for o := range options {
		opt := reconfig.Option{Route: o, Cost: make([]float64, steps)}
		part := float64(o) / float64(options-1)
		d := reconfig.Draw{Pool: pool}
		if o > 0 && r.IntN(4) == 0 {
			d.Pool = r.IntN(pools)
		}
		for t := range opt.Cost {
			n := 0.5 + r.Float64()
			opt.Cost[t] = weight * (1 - part) * (0.5 + r.Float64())
			if o > 0 && r.IntN(12) == 0 {
				opt.Cost[t] = math.Inf(1)
			}
			d.MeanBits = append(d.MeanBits, n*bits*part)
			d.VarBits2 = append(d.VarBits2, n*bits*bits*part*part*0.1)
		}
		if o > 0 {
			opt.Draws = []reconfig.Draw{d}
		}
		c.Options = append(c.Options, opt)
	}
	return c
}

func randomPool(r *rand.Rand, p *reconfig.Problem, e int) reconfig.Pool {
	total := 0.0
	for _, c := range p.Chains {
		for _, d := range c.Options[len(c.Options)-1].Draws {
			if d.Pool == e {
				total += d.MeanBits[0]
			}
		}
	}
	total *= float64(p.Steps)
	pool := reconfig.Pool{ID: "pool-" + strconv.Itoa(e)}
	stock, variance := total*(0.2+0.8*r.Float64()), 0.0
	for range p.Steps {
		stock += 0.5 * total / float64(p.Steps) * r.Float64()
		variance += math.Pow(0.05*total*r.Float64(), 2)
		pool.StockBits = append(pool.StockBits, stock)
		pool.StockVarBits = append(pool.StockVarBits, variance)
	}
	pool.ReserveBits = stock * 0.3 * r.Float64()
	if r.IntN(2) == 0 {
		pool.Terminal = reconfig.Terminal{ThresholdBits: stock * r.Float64(), LookaheadFactor: 2 * r.Float64(), PricePerBit: 2e-3 * r.Float64(), RampBits: stock * r.Float64()}
	}
	if r.IntN(2) == 0 {
		pool.Others = unplanned(p.Steps, 0.1*total*r.Float64()/float64(p.Steps), math.Pow(0.05*total*r.Float64(), 2))
	}
	return pool
}

// unplanned draws have one mean and variance a step.
func unplanned(steps int, mean, variance float64) *reconfig.Others {
	var o reconfig.Others
	for t := range steps {
		o.MeanBits = append(o.MeanBits, float64(t+1)*mean)
		o.VarBits2 = append(o.VarBits2, float64(t+1)*variance)
	}
	o.LowerMeanBits, o.LowerVarBits2, o.EndBits = o.MeanBits, o.VarBits2, o.MeanBits[steps-1]
	return &o
}
