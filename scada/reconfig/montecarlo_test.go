package reconfig

import (
	"math"
	"math/rand/v2"
	"testing"
)

// deviation draws a random number of mean 0 and variance 1.
type deviation func(r *rand.Rand) float64

// extreme is the two-point distribution at which Cantelli's inequality is tight:
// √((1−p)/p) with probability p, −√(p/(1−p)) otherwise.
func extreme(p float64) deviation {
	return func(r *rand.Rand) float64 {
		if r.Float64() < p {
			return math.Sqrt((1 - p) / p)
		}
		return -math.Sqrt(p / (1 - p))
	}
}

// TestBothRiskFactorsHoldByMonteCarlo draws consumption less supply, with the
// mean and variance that a plan gives it, from the normal distribution for
// Gaussian, and from normal, skewed and extreme ones for Cantelli; for both rows
// of every pool and step.
func TestBothRiskFactorsHoldByMonteCarlo(t *testing.T) {
	const risk, samples = 0.05, 10000
	normal := func(r *rand.Rand) float64 { return r.NormFloat64() }
	for _, c := range []struct {
		name  string
		kappa float64
		draw  deviation
		least float64 // frequency that some row must reach, or nothing is tested
	}{
		{"gaussian, normal", Gaussian(risk), normal, risk / 2},
		{"cantelli, normal", Cantelli(risk), normal, 0},
		{"cantelli, exponential", Cantelli(risk), func(r *rand.Rand) float64 { return r.ExpFloat64() - 1 }, 0},
		{"cantelli, extreme", Cantelli(risk), extreme(0.9 * risk), risk / 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := stream("both risk factors")
			most := 0.0
			for range 40 {
				p := randomProblem(r, 1e4)
				p.Kappa = c.kappa
				if len(p.Slacks()) > 0 {
					continue
				}
				plan := solve(t, Engine{}, p, nil, Budget{Nodes: 20}).Plan
				eachRow(p, plan, func(pool, step int, k class, mean, variance float64) {
					if mean == 0 {
						return // a row of supply alone
					}
					limit, _ := p.elasticLimit(pool, step, k)
					sigma := math.Sqrt(variance + p.Pools[pool].StockVarBits[step])
					broken := 0
					for range samples {
						if mean+sigma*c.draw(r) > limit*(1+1e-9) {
							broken++
						}
					}
					frequency := float64(broken) / samples
					if frequency > risk+3*math.Sqrt(risk*(1-risk)/samples) {
						t.Errorf("pool %d, step %d, class %d: broken in %.4f", pool, step, k, frequency)
					}
					most = max(most, frequency)
				})
			}
			t.Logf("broken in %.4f at most", most)
			if most < c.least {
				t.Errorf("no plan came near the risk: %.4f at most", most)
			}
		})
	}
}

// eachRow calls f with the mean and variance that a plan draws on each row.
func eachRow(p *Problem, plan Plan, f func(pool, step int, k class, mean, variance float64)) {
	for e := range p.Pools {
		for _, k := range []class{everyone, lower} {
			mean, variance := 0.0, 0.0
			for t := range p.Steps {
				for l := range plan {
					if k == lower && p.Chains[l].Highest {
						continue
					}
					for _, d := range p.Chains[l].Options[plan[l][t]].Draws {
						if d.Pool == e {
							mean += d.MeanBits[t]
							variance += d.VarBits2[t]
						}
					}
				}
				f(e, t, k, mean, variance)
			}
		}
	}
}
