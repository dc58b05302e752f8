package grid

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// drawFull is a stable system of two outputs whose modes decay by at least
// margin.
func drawFull(t *rapid.T, margin float64) fullModel {
	n, inputs := rapid.IntRange(2, 9).Draw(t, "states"), rapid.IntRange(1, 4).Draw(t, "inputs")
	fill := func(r, c int, name string) *mat.Dense {
		m := mat.NewDense(r, c, nil)
		for i := range r {
			for j := range c {
				m.Set(i, j, rapid.Float64Range(-2, 2).Draw(t, name))
			}
		}
		return m
	}
	f := fullModel{fill(n, n, "a"), fill(n, inputs, "b"), fill(2, n, "c"), mat.NewDense(2, inputs, nil)}
	growth, err := spectralAbscissa(f.a)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		add(f.a, i, i, -growth-margin)
	}
	return f
}

func reducedOf(f fullModel, n int) (*ReducedModel, error) {
	m := &ReducedModel{full: f}
	_, inputs := f.b.Dims()
	m.first.vref, m.first.block, m.first.load = inputs, inputs, inputs
	return m, m.truncate(n)
}

func TestGramianSolvesItsEquation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFull(t, rapid.SampledFrom([]float64{0.01, 0.3, 2}).Draw(t, "margin"))
		x, err := lyapunov(f.a, f.b)
		if err != nil {
			t.Fatal(err)
		}
		var left, right, bb mat.Dense
		left.Mul(f.a, x)
		right.Mul(x, f.a.T())
		bb.Mul(f.b, f.b.T())
		// The residual of a solution that is right for data off by rounding is
		// of the size of A times X. A·X itself may be far smaller, where nearly
		// parallel modes cancel.
		size := 2*mat.Norm(f.a, 2)*mat.Norm(x, 2) + mat.Norm(&bb, 2)
		left.Add(&left, &right)
		left.Add(&left, &bb)
		if r := mat.Norm(&left, 2); r > 1e-10*size+1e-200 { // below lies underflow
			t.Fatalf("residual %g of %g", r, size)
		}
	})
}

func TestSystemThatNoInputReachesIsRefused(t *testing.T) {
	f := fullModel{mat.NewDense(2, 2, []float64{-1, 0, 0, -2}), mat.NewDense(2, 1, []float64{1e-200, 0}), mat.NewDense(2, 2, []float64{1, 0, 0, 1}), mat.NewDense(2, 1, nil)}
	if _, err := reducedOf(f, 2); !errors.Is(err, errUnreachable) {
		t.Errorf("error %v", err)
	}
}

// gainAt is the largest singular value of the difference of two systems at
// s = α + jω, in the units of sizes.
func (m *ReducedModel) gainAt(alpha, omega float64) float64 {
	full, reduced := m.full.at(alpha, omega), fullModel{m.A, m.B, m.C, m.D}.at(alpha, omega)
	full.Sub(full, reduced)
	r, c := full.Dims()
	out := [2]float64{OutputSizeHz, OutputSizePU}
	for i := range r {
		for j := range c {
			full.Set(i, j, full.At(i, j)*m.inputSize(j%(c/2))/out[i%(r/2)])
		}
	}
	var svd mat.SVD
	svd.Factorize(full, mat.SVDNone)
	return svd.Values(nil)[0]
}

// at returns C (sI − A)⁻¹ B as the real matrix [Re −Im; Im Re], which has the
// same singular values, twice each.
func (f fullModel) at(alpha, omega float64) *mat.Dense {
	n, inputs := f.b.Dims()
	outputs, _ := f.c.Dims()
	s := mat.NewDense(2*n, 2*n, nil)
	for i := range n {
		for j := range n {
			s.Set(i, j, -f.a.At(i, j))
			s.Set(n+i, n+j, -f.a.At(i, j))
		}
		add(s, i, i, alpha)
		add(s, n+i, n+i, alpha)
		add(s, i, n+i, -omega)
		add(s, n+i, i, omega)
	}
	b, c := mat.NewDense(2*n, 2*inputs, nil), mat.NewDense(2*outputs, 2*n, nil)
	for k := range 2 {
		b.Slice(k*n, (k+1)*n, k*inputs, (k+1)*inputs).(*mat.Dense).Copy(f.b)
		c.Slice(k*outputs, (k+1)*outputs, k*n, (k+1)*n).(*mat.Dense).Copy(f.c)
	}
	if err := solve(s, b); err != nil {
		panic(err)
	}
	g := &mat.Dense{}
	g.Mul(c, b)
	return g
}

// The error lies below 2 Σσ at every frequency, reduced models are as stable as
// the discount asks, and their own Gramians are balanced.
func TestReducedSystemsKeepTheirBoundAndStability(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, err := reducedOf(drawFull(t, rapid.SampledFrom([]float64{-0.001, 0.005, 0.5}).Draw(t, "margin")), rapid.IntRange(1, 6).Draw(t, "n"))
		if errors.Is(err, errUnreachable) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		n, _ := m.A.Dims()
		rounding := 1e-7 * m.gramians(t)
		for _, omega := range []float64{0, 0.1, 0.5, 1, 2, 4, 8, 30} {
			if g := m.gainAt(m.DiscountPerS, omega); g > m.ErrorBound*(1+1e-6)+rounding {
				t.Fatalf("error %g at %g rad/s, bound %g", g, omega, m.ErrorBound)
			}
		}
		// With equal singular values on both sides of the cut stability is not
		// certain.
		if n < len(m.Hankel) && m.Hankel[n] > 0.99*m.Hankel[n-1] {
			return
		}
		growth, err := spectralAbscissa(m.A)
		if err != nil || growth > m.DiscountPerS {
			t.Fatalf("grows by %g, %v", growth, err)
		}
	})
}

// The order of states is a name: the singular values do not know it.
func TestHankelValuesDoNotKnowTheOrderOfStates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFull(t, 0.3)
		n, _ := f.a.Dims()
		p := mat.NewDense(n, n, nil)
		for i, k := range rapid.Permutation(identity(n)).Draw(t, "order") {
			p.Set(i, k, 1)
		}
		var a, b, c mat.Dense
		a.Product(p, f.a, p.T())
		b.Mul(p, f.b)
		c.Mul(f.c, p.T())
		one, err1 := reducedOf(f, n)
		two, err2 := reducedOf(fullModel{&a, &b, &c, f.d}, n)
		if errors.Is(err1, errUnreachable) && errors.Is(err2, errUnreachable) {
			return
		}
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		for i := range one.Hankel {
			if math.Abs(one.Hankel[i]-two.Hankel[i]) > 1e-7*one.gramians(t) {
				t.Fatalf("σ %v and %v", one.Hankel, two.Hankel)
			}
		}
	})
}

// gramians is √(|P||Q|). Singular values come from roots of the Gramians, which
// are good to √ε = 1.5e-8 of that; where inputs and outputs hardly meet it is
// many times the greatest value.
func (m *ReducedModel) gramians(t *rapid.T) float64 {
	a, b, c := mat.DenseCopyOf(m.full.a), mat.DenseCopyOf(m.full.b), mat.DenseCopyOf(m.full.c)
	states, inputs := b.Dims()
	for i := range states {
		add(a, i, i, -m.DiscountPerS)
		for j := range inputs {
			b.Set(i, j, b.At(i, j)*m.inputSize(j))
		}
		c.Set(0, i, c.At(0, i)/OutputSizeHz)
		c.Set(1, i, c.At(1, i)/OutputSizePU)
	}
	p, errP := lyapunov(a, b)
	q, errQ := lyapunov(a.T(), c.T())
	if errP != nil || errQ != nil {
		t.Fatal(errP, errQ)
	}
	return math.Sqrt(mat.Norm(p, 2) * mat.Norm(q, 2))
}

func identity(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	return p
}

// No model of r states comes closer than σ_{r+1}, and this one stays within
// 2 Σσ, on the systems themselves.
func TestReductionErrorLiesBetweenItsBounds(t *testing.T) {
	for _, name := range []string{"ieee39", "ieee118"} {
		lin, _ := linearWithout(t, name, Options{})
		r := Reduction{States: 8, Gens: []int{0, 1, 2}, Blocks: []int{2, 3}, Voltages: []int{0, 9}}
		m := &ReducedModel{}
		m.assemble(lin, &r)
		if err := m.truncate(r.States); err != nil {
			t.Fatal(err)
		}
		greatest := 0.0
		for _, l := range eigenvaluesOf(t, m.full.a) {
			greatest = math.Max(greatest, m.gainAt(m.DiscountPerS, math.Abs(imag(l))))
		}
		t.Logf("%s: largest error %.3g, σ9 %.3g, bound %.3g, discount %.3g /s", name, greatest, m.Hankel[8], m.ErrorBound, m.DiscountPerS)
		if greatest < m.Hankel[8]*(1-1e-6) || greatest > m.ErrorBound {
			t.Errorf("%s: largest error %g, want it in [%g, %g]", name, greatest, m.Hankel[8], m.ErrorBound)
		}
	}
}

func eigenvaluesOf(t *testing.T, a *mat.Dense) []complex128 {
	t.Helper()
	var eig mat.Eigen
	if !eig.Factorize(a, mat.EigenNone) {
		t.Fatal(errNoEigenvalues)
	}
	return eig.Values(nil)
}
