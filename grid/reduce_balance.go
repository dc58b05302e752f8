package grid

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// slowestPerS is the slowest decay that the Gramians know. A mode that decays
// more slowly has no end within a decision's sight, but an energy that would
// outweigh all else (118 buses: units whose swings decay by 4e-6 /s).
const slowestPerS = 0.02

// truncate reduces the full model to its n states of greatest Hankel singular
// value. With P and Q its Gramians, inputs and outputs in the units of sizes,
//
//	(A−αI) P + P (A−αI)ᵀ + B Bᵀ = 0,   (A−αI)ᵀ Q + Q (A−αI) + Cᵀ C = 0,
//	P = R Rᵀ,   Q = L Lᵀ,   Lᵀ R = U Σ Vᵀ,
//	x_r = Σ₁^{−½} U₁ᵀ Lᵀ x,   x ≈ R V₁ Σ₁^{−½} x_r.
//
// α is 0 where every mode decays by slowestPerS, and otherwise makes it so.
// Sources: B. C. Moore, IEEE Trans. Automatic Control 26(1), 1981; M. S. Tombs
// and I. Postlethwaite, Int. J. Control 46(4), 1987 (this form); K. Glover,
// Int. J. Control 39(6), 1984 (the bound).
func (m *ReducedModel) truncate(n int) error {
	growth, err := spectralAbscissa(m.full.a)
	if err != nil {
		return err
	}
	m.DiscountPerS = math.Max(0, growth+slowestPerS)
	a := mat.DenseCopyOf(m.full.a)
	b, c := mat.DenseCopyOf(m.full.b), mat.DenseCopyOf(m.full.c)
	states, inputs := b.Dims()
	for j := range inputs {
		size := m.inputSize(j)
		for i := range states {
			b.Set(i, j, b.At(i, j)*size)
		}
	}
	for i := range states {
		add(a, i, i, -m.DiscountPerS)
		c.Set(0, i, c.At(0, i)/OutputSizeHz)
		c.Set(1, i, c.At(1, i)/OutputSizePU)
	}
	p, err := lyapunov(a, b)
	if err != nil {
		return err
	}
	q, err := lyapunov(a.T(), c.T())
	if err != nil {
		return err
	}
	r, errR := squareRoot(p)
	l, errL := squareRoot(q)
	if err := errors.Join(errR, errL); err != nil {
		return err
	}
	var cross mat.Dense
	cross.Mul(l.T(), r)
	var svd mat.SVD
	if !svd.Factorize(&cross, mat.SVDThin) {
		return errors.New("singular values did not converge")
	}
	m.Hankel = svd.Values(nil)
	if m.Hankel[0] == 0 {
		return errUnreachable
	}
	m.project(&svd, l, r, min(n, m.minimal()))
	return nil
}

// errUnreachable says that there is nothing to be reduced to.
var errUnreachable = errors.New("no input reaches an output, but for rounding")

// minimal is how many states tell inputs from outputs apart from rounding.
func (m *ReducedModel) minimal() int {
	const rounding = 1e-9
	n := 0
	for n < len(m.Hankel) && m.Hankel[n] > rounding*m.Hankel[0] {
		n++
	}
	return n
}

func (m *ReducedModel) project(svd *mat.SVD, l, r *mat.Dense, n int) {
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	for _, sigma := range m.Hankel[n:] {
		m.ErrorBound += 2 * sigma
	}
	states, _ := l.Dims()
	down, up := mat.NewDense(n, states, nil), mat.NewDense(states, n, nil)
	down.Mul(u.Slice(0, states, 0, n).T(), l.T())
	up.Mul(r, v.Slice(0, states, 0, n))
	for k := range n {
		root := math.Sqrt(m.Hankel[k])
		for i := range states {
			down.Set(k, i, down.At(k, i)/root)
			up.Set(i, k, up.At(i, k)/root)
		}
	}
	m.A, m.B, m.C, m.D = &mat.Dense{}, &mat.Dense{}, &mat.Dense{}, m.full.d
	m.A.Product(down, m.full.a, up)
	m.B.Mul(down, m.full.b)
	m.C.Mul(m.full.c, up)
}

// lyapunov solves A X + X Aᵀ + B Bᵀ = 0 for A whose modes all decay. With any
// p > 0 the equation is the same as
//
//	X = S X Sᵀ + T Tᵀ,   S = (pI − A)⁻¹(pI + A),   T = √(2p) (pI − A)⁻¹ B,
//
// whose sum Σ Sᵏ T Tᵀ Sᵏᵀ is doubled in length with every step (R. A. Smith,
// SIAM J. Applied Mathematics 16(1), 1968).
func lyapunov(a, b mat.Matrix) (*mat.Dense, error) {
	n, _ := a.Dims()
	// Between the fastest rate and the slow ones; it moves the number of
	// doublings by a few and the result by rounding only.
	p := math.Sqrt(math.Max(mat.Norm(a, math.Inf(1)), 1e-3))
	left, right := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	right.Copy(a)
	left.Scale(-1, right)
	for i := range n {
		add(left, i, i, p)
		add(right, i, i, p)
	}
	inv, err := inverse(left)
	if err != nil {
		return nil, err
	}
	var s, t, x, next, step mat.Dense
	s.Mul(inv, right)
	t.Mul(inv, b)
	t.Scale(math.Sqrt(2*p), &t)
	x.Mul(&t, t.T())
	const most = 60
	for range most {
		step.Product(&s, &x, s.T())
		x.Add(&x, &step)
		if mat.Norm(&step, 2) <= 1e-16*mat.Norm(&x, 2) {
			return &x, nil
		}
		next.Mul(&s, &s)
		s.Copy(&next)
	}
	return nil, errors.New("a Gramian does not converge")
}

// squareRoot returns R with R Rᵀ = X for a symmetric X without negative
// eigenvalues but for rounding.
func squareRoot(x *mat.Dense) (*mat.Dense, error) {
	n, _ := x.Dims()
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			sym.SetSym(i, j, (x.At(i, j)+x.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		return nil, errNoEigenvalues
	}
	var r mat.Dense
	eig.VectorsTo(&r)
	for j, lambda := range eig.Values(nil) {
		root := math.Sqrt(math.Max(lambda, 0))
		for i := range n {
			r.Set(i, j, r.At(i, j)*root)
		}
	}
	return &r, nil
}
