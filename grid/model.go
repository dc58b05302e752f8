package grid

import (
	"gonum.org/v1/gonum/mat"
)

// LinearModel is the continuous linear model of a case at its power-flow
// solution, for controllers and model reduction. All is per unit on the
// case's base, angles in radians counted from a frame at nominal speed:
//
//	ẋ = A x + LoadP p + LoadQ q + Pref r
//	ΔV = VoltageX x + VoltageP p + VoltageQ q,   ω_COI = COI·x
//
// with p, q the additional load at each bus of the case and r the load
// reference of each generator.
type LinearModel struct {
	States                       []string
	A, LoadP, LoadQ, Pref        *mat.Dense
	VoltageX, VoltageP, VoltageQ *mat.Dense
	COI                          []float64
}

// Linearise returns the linear model of c. AGC, noise and blocks take no part.
func Linearise(c *Case, opt Options) (*LinearModel, error) {
	lin, err := newBaseLinear(c, opt)
	if err != nil {
		return nil, err
	}
	n, nx := lin.net.n, lin.layout.n
	m := &LinearModel{
		States: lin.layout.names, A: lin.a, COI: make([]float64, nx),
		LoadP: &mat.Dense{}, LoadQ: &mat.Dense{}, Pref: mat.NewDense(nx, len(c.Gens), nil),
		VoltageX: mat.DenseCopyOf(lin.cy.Slice(n, 2*n, 0, nx)),
		VoltageP: mat.DenseCopyOf(lin.k.Slice(n, 2*n, 0, n)),
		VoltageQ: mat.DenseCopyOf(lin.k.Slice(n, 2*n, n, 2*n)),
	}
	m.LoadP.Scale(-1, lin.w.Slice(0, nx, 0, n))
	m.LoadQ.Scale(-1, lin.w.Slice(0, nx, n, 2*n))
	total := 0.0
	for u := range lin.machines {
		total += lin.machines[u].h // absent machines have none
	}
	for u := range lin.machines {
		if lin.out[u] {
			continue
		}
		m.COI[lin.layout.omega[u]] = lin.machines[u].h / total
		if valve := lin.layout.valve[u]; valve >= 0 {
			m.Pref.Set(valve, u, 1/lin.machines[u].tg)
		}
	}
	return m, nil
}

// newBaseLinear linearises c with nothing tripped.
func newBaseLinear(c *Case, opt Options) (*linear, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	sys, err := newSystem(c, opt)
	if err != nil {
		return nil, err
	}
	d, err := newDAE(sys, make([]bool, len(c.Gens)), make([]bool, len(c.Branches)))
	if err != nil {
		return nil, err
	}
	return newLinear(d)
}
