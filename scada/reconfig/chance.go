package reconfig

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Gaussian is κ_ε = Φ⁻¹(1−ε): the chance constraint is exact where consumption
// and supply are jointly normal. Risks of one half and more give 0.
func Gaussian(risk float64) float64 {
	return math.Max(0, distuv.UnitNormal.Quantile(1-risk))
}

// Cantelli is κ_ε = √((1−ε)/ε), which holds for every distribution with the
// given mean and variance (one-sided Chebyshev inequality).
func Cantelli(risk float64) float64 { return math.Sqrt((1 - risk) / risk) }

// tolerance is the relative error up to which a chance constraint holds.
const tolerance = 1e-9

// class says whose consumption a row counts.
type class int

const (
	everyone class = iota
	lower          // all but the highest class
)

// limitBits is the right side b of the row m + κ√(P+v) ≤ b.
func (p *Problem) limitBits(e, t int, c class) float64 {
	if c == lower {
		return p.Pools[e].StockBits[t] - p.Pools[e].ReserveBits
	}
	return p.Pools[e].StockBits[t]
}

// elasticLimit is limitBits raised to the least that all chains off need, and
// by how much it was raised. As off draws nothing, each row's least slack is
// reached by the same plan, so that these are also the slacks of least sum.
func (p *Problem) elasticLimit(e, t int, c class) (limit, slack float64) {
	limit = p.limitBits(e, t, c)
	need := p.Kappa * math.Sqrt(p.Pools[e].StockVarBits[t])
	if need > limit {
		limit, slack = need, need-limit
	}
	return p.left(e, t, c, limit), slack
}

// Slack is a chance constraint that cannot hold even with all chains off, and
// by how many bits.
type Slack struct {
	Pool, Step int
	Lower      bool // of the row for all but the highest class
	Bits       float64
}

// Slacks are the rows that had to be relaxed, in order of pool, step and row.
// On a relaxed row nobody whom it counts may draw up to its step.
func (p *Problem) Slacks() []Slack {
	var slacks []Slack
	for e := range p.Pools {
		for t := range p.Steps {
			for _, c := range []class{everyone, lower} {
				if _, s := p.elasticLimit(e, t, c); s > 0 {
					slacks = append(slacks, Slack{Pool: e, Step: t, Lower: c == lower, Bits: s})
				}
			}
		}
	}
	return slacks
}

func holds(lhs, limit float64) bool { return lhs <= limit+tolerance*math.Max(1, math.Abs(limit)) }
