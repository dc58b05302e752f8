package quantum

import "math"

// ouStep is the exact transition of an Ornstein-Uhlenbeck process over one
// step of given length (Gillespie, Phys. Rev. E 54, 2084, 1996):
//
//	x' = μ + (x − μ)·e^(−λΔt) + s·sqrt(1 − e^(−2λΔt))·ξ,  ξ ~ N(0, 1)
//
// with s the stationary deviation, s² = σ²/(2λ). It holds for any Δt, so that
// the statistics do not depend on the step.
type ouStep struct {
	decay float64 // e^(−λΔt)
	noise float64 // sqrt(1 − e^(−2λΔt))
}

func newOUStep(reversionHz, stepS float64) ouStep {
	return ouStep{math.Exp(-reversionHz * stepS), math.Sqrt(-math.Expm1(-2 * reversionHz * stepS))}
}

// from moves x one step on, with mean mu, stationary deviation s and the
// standard normal draw xi.
func (o ouStep) from(x, mu, s, xi float64) float64 {
	return mu + (x-mu)*o.decay + s*o.noise*xi
}
