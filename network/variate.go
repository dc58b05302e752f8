package network

import (
	"math"
	"math/rand/v2"
)

// variate draws from a distribution given by mean and shape.
type variate struct {
	kind  uint8
	k     int
	mean  float64
	c2    float64 // squared coefficient of variation
	phase float64 // mean of one Erlang phase
	// h2: with probability p exponential with mean m1, else with mean m2.
	p, m1, m2 float64
}

const (
	drawDeterministic = iota
	drawExponential
	drawErlang
	drawH2
)

// newVariate takes h2 with balanced means (p₁m₁ = p₂m₂):
// p₁ = (1 + √((c²−1)/(c²+1)))/2, m_i = mean/(2p_i).
func newVariate(mean float64, s Shape) variate {
	v := variate{mean: mean, c2: s.scv(0)}
	switch s.Kind {
	case Exponential:
		v.kind = drawExponential
	case Erlang:
		v.kind, v.k, v.phase = drawErlang, s.K, mean/float64(s.K)
	case H2:
		v.kind = drawH2
		v.p = (1 + math.Sqrt((s.C2-1)/(s.C2+1))) / 2
		v.m1, v.m2 = mean/(2*v.p), mean/(2*(1-v.p))
	}
	return v
}

func (v *variate) draw(r *rand.Rand) float64 {
	switch v.kind {
	case drawExponential:
		return v.mean * r.ExpFloat64()
	case drawErlang:
		sum := 0.0
		for range v.k {
			sum += r.ExpFloat64()
		}
		return v.phase * sum
	case drawH2:
		if r.Float64() < v.p {
			return v.m1 * r.ExpFloat64()
		}
		return v.m2 * r.ExpFloat64()
	}
	return v.mean
}

// scv returns the squared coefficient of variation of a shape; for on-off,
// packets coming at ratePerS on average, that of the interrupted Poisson
// process (Kuczura 1973): 1 + 2λ_on·α/(α+β)², where phases end at rates
// α = 1/on and β = 1/off and λ_on = λ(on+off)/on.
func (s Shape) scv(ratePerS float64) float64 {
	switch s.Kind {
	case Exponential:
		return 1
	case Erlang:
		return 1 / float64(s.K)
	case H2:
		return s.C2
	case OnOff:
		on, off := 1/s.OnS, 1/s.OffS
		peak := ratePerS * (s.OnS + s.OffS) / s.OnS
		return 1 + 2*peak*on/((on+off)*(on+off))
	}
	return 0
}
