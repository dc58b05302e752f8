package stackelberg

import (
	"math"
	"math/rand/v2"
	"strconv"

	"cosim/scada/reconfig"
)

// federation makes decisions like those of four operators on 118 buses: twelve
// pools in a ring; each of three distribution operators has the chains of three
// pools, and the transmission operator has chains everywhere. Stocks follow
// supply and what the plans draw.
type federation struct {
	rng    *rand.Rand
	steps  int
	chains int
	stock  []float64
	down   []int // steps from now until the link is back
	rate   []float64
	k      int
}

const poolsOf118 = 12

func newFederation(r *rand.Rand, chains, steps int) *federation {
	f := &federation{rng: r, steps: steps, chains: chains, stock: make([]float64, poolsOf118), down: make([]int, poolsOf118), rate: make([]float64, poolsOf118)}
	for e := range f.stock {
		f.rate[e] = 450 * float64(chains) / poolsOf118
		f.stock[e] = f.threshold() * (0.2 + 1.2*r.Float64())
	}
	return f
}

func (f *federation) threshold() float64 { return 2600 * float64(f.chains) / poolsOf118 }

// advance to the next decision, after a result has been carried out for a step.
func (f *federation) advance(p *reconfig.Problem, r *reconfig.Result) {
	f.k++
	for e := range f.stock {
		if f.down[e] > 0 {
			f.down[e]--
		} else {
			f.stock[e] += 0.1 * f.rate[e] * math.Max(0, 1+0.3*f.rng.NormFloat64())
			if f.rng.Float64() < 0.003 {
				f.down[e] = 30 + f.rng.IntN(20)
			}
		}
	}
	if r == nil {
		return
	}
	for l := range p.Chains {
		for _, d := range p.Chains[l].Options[r.Plan[l][0]].Draws {
			f.stock[d.Pool] = math.Max(0, f.stock[d.Pool]-d.MeanBits[0])
		}
	}
}

func (f *federation) problem(before reconfig.Plan) *reconfig.Problem {
	p := &reconfig.Problem{Steps: f.steps, Kappa: reconfig.Gaussian(0.05), Operators: &reconfig.Operators{
		Names: []string{"TSO", "DSO1", "DSO2", "DSO3"}, FairnessWeight: 100, Proximal: 0.05, Rounds: DefaultRounds,
	}}
	for e := range f.stock {
		pool := reconfig.Pool{ID: strconv.Itoa(e), ReserveBits: 0.65 * f.threshold()}
		mean, variance := make([]float64, f.steps), make([]float64, f.steps)
		for t := range f.steps {
			if t > 0 {
				mean[t], variance[t] = mean[t-1], variance[t-1]
			}
			if t >= f.down[e] {
				mean[t] += 0.1 * f.rate[e]
				variance[t] += math.Pow(0.03*f.rate[e], 2)
			}
		}
		pool.SetSupply(f.stock[e], mean, variance, p.Kappa)
		pool.Terminal = reconfig.Terminal{
			ThresholdBits: f.threshold(), LookaheadFactor: 50 / float64(f.steps),
			PricePerBit: reconfig.DefaultWeights().TerminalPrice, RampBits: 0.35 * f.threshold(),
		}
		p.Pools = append(p.Pools, pool)
	}
	for l := range f.chains {
		operator, home := f.home(l)
		p.Operators.Of = append(p.Operators.Of, operator)
		c := f.chain(l, home)
		if before != nil {
			c.Before = before[l][0]
		}
		p.Chains = append(p.Chains, c)
	}
	return p
}

// home is the operator of a chain and the pool of its static route: two of five
// are of the leader, anywhere.
func (f *federation) home(l int) (operator, pool int) {
	if l%5 < 2 {
		return leader, l / 5 % poolsOf118
	}
	a := l % 3
	return 1 + a, 3*a + 3 + l/3%3
}

// chain has three routes, by its home and by the neighbours, in three modes.
func (f *federation) chain(l, home int) reconfig.Chain {
	h := f.steps
	c := reconfig.Chain{ID: strconv.Itoa(l), SwitchCost: 0.02, Before: reconfig.NoOption}
	octets, rate, priority, periodic := 336.0, 0.0, 1.0, false
	messages := make([]float64, h)
	every := 0
	switch kind := l / 5 % 11; {
	case kind < 3:
		priority, rate = 3, 1
	case kind < 6:
		priority, octets, periodic, every = 10, 200, true, 20
	case kind < 8:
		priority, octets, rate = 5, 200, 0.02
	case kind < 10:
		priority, octets, rate, c.Highest = 100, 264, 0.002, true
	default:
		octets, periodic, every = 128, true, 300
	}
	for t := range messages {
		messages[t] = rate
		if every > 0 && (f.k+t+37*l)%every == 0 {
			messages[t]++
		}
	}
	home %= poolsOf118
	routes := [][]int{{home}, {(home + 11) % 12, (home + 10) % 12}, {(home + 1) % 12, (home + 2) % 12}}
	modes := []struct{ bits, degrade float64 }{{octets + 128, 0}, {128, 0.1}, {128. / 4096, 0.25}}
	off := reconfig.Option{Route: -1, Mode: -1, Cost: scaled(messages, priority)}
	c.Options = append(c.Options, off)
	for r, pools := range routes {
		for i, m := range modes {
			o := reconfig.Option{Route: r, Mode: i, Cost: scaled(messages, priority*m.degrade)}
			for _, e := range pools {
				d := reconfig.Draw{Pool: e, MeanBits: scaled(messages, m.bits), VarBits2: scaled(messages, m.bits*m.bits)}
				if periodic {
					clear(d.VarBits2)
				}
				o.Draws = append(o.Draws, d)
				for t := range o.Cost {
					if t < f.down[e] {
						o.Cost[t] = math.Inf(1)
					}
				}
			}
			c.Options = append(c.Options, o)
		}
	}
	return c
}
