package grid

import (
	"math"
	"math/cmplx"
	"sort"
)

// network is the admittance matrix of a case with one set of branches in
// service:
//
//	I = Y V,   S_i = V_i conj(Σ_j Y_ij V_j)
//
// stored by rows, each sorted by column with its diagonal present.
type network struct {
	n        int
	rows     [][]admittance
	branches []twoPort
}

type admittance struct {
	j    int
	g, b float64
}

// twoPort is a branch as seen from its ends: I_f = Yff V_f + Yft V_t and
// likewise I_t.
type twoPort struct {
	from, to           int
	inService          bool
	series             complex128 // 1/(r+jx)
	tap                complex128
	yff, yft, ytf, ytt complex128
}

// newNetwork builds the admittances of c. Branches marked in out (may be nil)
// are left out besides those out of service.
func newNetwork(c *Case, out []bool) *network {
	w := &network{n: len(c.Buses), rows: make([][]admittance, len(c.Buses))}
	index := c.busIndices()
	for i := range c.Buses {
		b := &c.Buses[i]
		w.add(i, i, complex(b.ShuntMW, b.ShuntMVAr)/complex(c.BaseMVA, 0))
	}
	for k := range c.Branches {
		b := &c.Branches[k]
		t := twoPort{
			from: index[b.From], to: index[b.To], inService: b.InService && (out == nil || !out[k]),
			series: 1 / complex(b.ResistancePU, b.ReactancePU),
			tap:    cmplx.Rect(b.Tap, radians(b.ShiftDeg)),
		}
		t.ytt = t.series + complex(0, b.SusceptancePU/2)
		t.yff = t.ytt / complex(b.Tap*b.Tap, 0)
		t.yft = -t.series / cmplx.Conj(t.tap)
		t.ytf = -t.series / t.tap
		w.branches = append(w.branches, t)
		if t.inService {
			w.add(t.from, t.from, t.yff)
			w.add(t.from, t.to, t.yft)
			w.add(t.to, t.from, t.ytf)
			w.add(t.to, t.to, t.ytt)
		}
	}
	for i := range w.rows {
		row := w.rows[i]
		sort.Slice(row, func(a, b int) bool { return row[a].j < row[b].j })
	}
	return w
}

func (w *network) add(i, j int, y complex128) {
	for k := range w.rows[i] {
		if e := &w.rows[i][k]; e.j == j {
			e.g += real(y)
			e.b += imag(y)
			return
		}
	}
	w.rows[i] = append(w.rows[i], admittance{j, real(y), imag(y)})
}

// injections sets p and q to the power that flows from each bus into the
// network at angles theta and voltages v.
func (w *network) injections(theta, v, p, q []float64) {
	for i, row := range w.rows {
		p[i], q[i] = 0, 0
		for _, y := range row {
			s, c := math.Sincos(theta[i] - theta[y.j])
			p[i] += v[y.j] * (y.g*c + y.b*s)
			q[i] += v[y.j] * (y.g*s - y.b*c)
		}
		p[i] *= v[i]
		q[i] *= v[i]
	}
}

// derivatives calls visit for every pair of coupled buses with the partial
// derivatives of bus i's injections by bus j's angle and voltage, given the
// injections p and q at (theta, v).
func (w *network) derivatives(theta, v, p, q []float64, visit func(i, j int, pTheta, pV, qTheta, qV float64)) {
	for i, row := range w.rows {
		for _, y := range row {
			if y.j == i {
				v2 := v[i] * v[i]
				visit(i, i, -q[i]-y.b*v2, p[i]/v[i]+y.g*v[i], p[i]-y.g*v2, q[i]/v[i]-y.b*v[i])
				continue
			}
			s, c := math.Sincos(theta[i] - theta[y.j])
			along, across := v[i]*(y.g*c+y.b*s), v[i]*(y.g*s-y.b*c)
			visit(i, y.j, v[y.j]*across, along, -v[y.j]*along, across)
		}
	}
}
