package grid

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// zeroOrderHold returns the exact step of ẋ = A x + b over h seconds with b
// constant, x⁺ = Φ x + M b:
//
//	Φ = e^{Ah},   M = ∫₀ʰ e^{As} ds
//
// by Taylor series on h/2^s, where ‖A‖h/2^s < 1/2, and doubling
// M(2h) = M(h) + Φ(h) M(h), Φ = I + A M (C. Moler, C. Van Loan, "Nineteen
// Dubious Ways to Compute the Exponential of a Matrix", SIAM Review 45(1),
// 2003). Unlike Φ alone, M needs no inverse of A, which is singular here.
func zeroOrderHold(a *mat.Dense, h float64) (phi, m *mat.Dense) {
	n, _ := a.Dims()
	doublings := 0
	if norm := mat.Norm(a, 1) * h; norm > 0.5 {
		doublings = int(math.Ceil(math.Log2(norm / 0.5)))
	}
	h = math.Ldexp(h, -doublings)
	term, next := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	m = mat.NewDense(n, n, nil)
	for i := range n {
		term.Set(i, i, h)
	}
	m.Copy(term)
	// The k-th term is h (Ah)^k/(k+1)!, below 2^-60 h from k = 15 on.
	for k := 1; k <= 15; k++ {
		next.Mul(a, term)
		next.Scale(h/float64(k+1), next)
		term, next = next, term
		m.Add(m, term)
	}
	phi = mat.NewDense(n, n, nil)
	exponential := func() {
		phi.Mul(a, m)
		for i := range n {
			add(phi, i, i, 1)
		}
	}
	exponential()
	for range doublings {
		next.Mul(phi, m)
		m.Add(m, next)
		next.Mul(phi, phi)
		phi.Copy(next)
	}
	return phi, m
}
