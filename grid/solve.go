package grid

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

var errSingular = errors.New("singular matrix")

// solve overwrites b with the solution X of A X = b. Every linear system of
// this package goes through here, so that a sparse factorisation can take the
// place of the dense one.
func solve(a, b *mat.Dense) error {
	var lu mat.LU
	lu.Factorize(a)
	if c := lu.Cond(); math.IsInf(c, 0) || math.IsNaN(c) {
		return errSingular
	}
	if err := lu.SolveTo(b, false, b); err != nil {
		var condition mat.Condition
		if errors.As(err, &condition) && !math.IsInf(float64(condition), 0) {
			return nil // ill-conditioned, yet solved: Newton's mismatch decides
		}
		return errSingular
	}
	return nil
}

// inverse returns a⁻¹.
func inverse(a *mat.Dense) (*mat.Dense, error) {
	n, _ := a.Dims()
	inv := mat.NewDense(n, n, nil)
	for i := range n {
		inv.Set(i, i, 1)
	}
	return inv, solve(a, inv)
}
