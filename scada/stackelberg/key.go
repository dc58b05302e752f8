package stackelberg

import (
	"math"

	"cosim/scada/reconfig"
)

// key says what operators ask and are granted, in bits of one hop over the
// horizon. A chain asks what its dearest option draws, available or not: that of
// the mode it wishes.
type key struct {
	p     *reconfig.Problem
	asked []float64   // by operator
	grant [][]float64 // by chain; option and step
}

func newKey(p *reconfig.Problem) *key {
	k := &key{p: p, asked: make([]float64, p.Operators.Count()), grant: make([][]float64, len(p.Chains))}
	n := 0
	for l := range p.Chains {
		n += len(p.Chains[l].Options) * p.Steps
	}
	buffer := make([]float64, n)
	for l := range p.Chains {
		c := &p.Chains[l]
		k.grant[l], buffer = buffer[:len(c.Options)*p.Steps], buffer[len(c.Options)*p.Steps:]
		for o := range c.Options {
			for i := range c.Options[o].Draws {
				for t, bits := range c.Options[o].Draws[i].MeanBits {
					at := &k.grant[l][o*p.Steps+t]
					*at = math.Max(*at, bits)
				}
			}
		}
		for t := range p.Steps {
			most := 0.0
			for o := range c.Options {
				most = math.Max(most, k.grant[l][o*p.Steps+t])
			}
			k.asked[p.Operators.Of[l]] += most
		}
	}
	return k
}

// shares are granted over asked by operator; those that ask for nothing have
// −1.
func (k *key) shares(mix reconfig.Mix) []float64 {
	s := make([]float64, len(k.asked))
	for l := range mix {
		for _, x := range mix[l] {
			for t, o := range x.Options {
				s[k.p.Operators.Of[l]] += x.Weight * k.grant[l][o*k.p.Steps+t]
			}
		}
	}
	for a, asked := range k.asked {
		if asked == 0 {
			s[a] = -1
		} else {
			s[a] /= asked
		}
	}
	return s
}

// unfairness is ρ_F·Σ_a (1−s_a)².
func (k *key) unfairness(shares []float64) float64 {
	sum := 0.0
	for _, s := range shares {
		if s >= 0 {
			sum += (1 - s) * (1 - s)
		}
	}
	return k.p.Operators.FairnessWeight * sum
}

// slope is the derivative of the unfairness for a bit granted to operator a.
func (k *key) slope(shares []float64, a int) float64 {
	if shares[a] < 0 {
		return 0
	}
	return -2 * k.p.Operators.FairnessWeight * (1 - shares[a]) / k.asked[a]
}

// cost is the leader's objective at a mix of all chains, its own a plan.
func (k *key) cost(mix reconfig.Mix, shares []float64) float64 {
	sum := k.p.SharedCost(mix) + k.unfairness(shares)
	for l := range mix {
		if k.p.Operators.Of[l] == k.p.Operators.Leader {
			for _, x := range mix[l] {
				sum += x.Weight * k.p.Chains[l].Cost(x.Options)
			}
		}
	}
	return sum
}

// report completes what is said of a game from the plan.
func (k *key) report(r *reconfig.Result) {
	mix := r.Plan.Pure()
	r.Game.Shares = k.shares(mix)
	r.Game.Fairness = Jain(r.Game.Shares)
	r.Game.LeaderCost = k.cost(mix, r.Game.Shares)
}

// Jain is the fairness index (Σ s)²/(n Σ s²) of shares that are not negative:
// 1 where all are equal. It is −1 where there is none.
func Jain(shares []float64) float64 {
	n, sum, squares := 0.0, 0.0, 0.0
	for _, s := range shares {
		if s >= 0 {
			n++
			sum += s
			squares += s * s
		}
	}
	switch {
	case n == 0:
		return -1
	case squares == 0:
		return 1
	}
	return sum * sum / (n * squares)
}
