package grid

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// linear is the system of one topology, linearised at its equilibrium:
//
//	ẋ = A x + W i        y = Cy x − K i
//
// where x and y are deviations from (x0, y0), i is the power injected at the
// buses, active first, and W = −f_y g_y⁻¹, Cy = −g_y⁻¹ g_x, K = g_y⁻¹.
type linear struct {
	*dae
	x0, y0 []float64
	jac    jacobians
	a      *mat.Dense
	w      *mat.Dense
	cy     *mat.Dense
	k      *mat.Dense
}

func newLinear(d *dae) (*linear, error) {
	x0, y0, err := d.equilibrium()
	if err != nil {
		return nil, err
	}
	m := &linear{dae: d, x0: x0, y0: y0, jac: d.jacobians(x0, y0)}
	if m.k, err = inverse(m.jac.gy); err != nil {
		return nil, fmt.Errorf("grid: network equations at the operating point: %w", err)
	}
	m.w, m.cy, m.a = &mat.Dense{}, &mat.Dense{}, &mat.Dense{}
	m.w.Mul(m.jac.fy, m.k)
	m.w.Scale(-1, m.w)
	m.cy.Mul(m.k, m.jac.gx)
	m.cy.Scale(-1, m.cy)
	m.a.Mul(m.w, m.jac.gx)
	m.a.Add(m.jac.fx, m.a)
	return m, nil
}

// equilibrium finds the state in which the topology settles with set points,
// loads and (without AVR) internal voltages as dispatched: every island turns
// at its own constant speed, which droop and damping decide. It is Newton's
// method on f and g together, started at the power-flow solution; there, with
// nothing tripped, it changes nothing.
//
// Rotor angles are counted from the island's centre of inertia, one machine an
// island keeping its angle.
func (d *dae) equilibrium() (x, y []float64, err error) {
	const (
		tolerance     = 1e-10
		maxIterations = 30
	)
	x = append([]float64(nil), d.x0...)
	y = append([]float64(nil), d.y0...)
	for u := range d.machines {
		if d.out[u] {
			d.eachState(u, func(i int) { x[i] = 0 })
		}
	}
	nx, ny := len(x), len(y)
	rhs, all := mat.NewDense(nx+ny, 1, nil), mat.NewDense(nx+ny, nx+ny, nil)
	anchor := d.anchors()
	for iteration := 0; ; iteration++ {
		r := rhs.RawMatrix().Data
		d.residual(x, y, r[:nx], r[nx:])
		d.relativeAngles(x, r)
		for _, i := range anchor {
			r[i] = 0
		}
		worst, at := largest(r)
		if worst < tolerance {
			return x, y, nil
		}
		if iteration == maxIterations || math.IsInf(worst, 1) {
			return nil, nil, d.noEquilibrium(iteration, worst, at)
		}
		d.fillNewton(all, d.jacobians(x, y), anchor)
		if solve(all, rhs) != nil {
			return nil, nil, d.noEquilibrium(iteration, worst, at)
		}
		for i := range x {
			x[i] -= r[i]
		}
		for i := range y {
			y[i] -= r[nx+i]
		}
	}
}

// relativeAngles replaces f's δ̇ = ω₀ω by δ̇ = ω₀(ω − ω_COI).
func (d *dae) relativeAngles(x, f []float64) {
	omega0 := 2 * math.Pi * d.c.FreqHz
	for u := range d.machines {
		if !d.out[u] {
			f[d.layout.delta[u]] = omega0 * (x[d.layout.omega[u]] - d.coiSpeed(x, d.island[d.machines[u].bus]))
		}
	}
}

// inCOIFrame does the same to the rows of fx or A.
func (d *dae) inCOIFrame(a *mat.Dense) {
	omega0 := 2 * math.Pi * d.c.FreqHz
	for u := range d.machines {
		if d.out[u] {
			continue
		}
		k := d.island[d.machines[u].bus]
		for g := range d.machines {
			if m := &d.machines[g]; !d.out[g] && d.island[m.bus] == k {
				add(a, d.layout.delta[u], d.layout.omega[g], -omega0*m.h/d.inertia[k])
			}
		}
	}
}

// anchors returns the angle state of each island's heaviest machine.
func (d *dae) anchors() []int {
	heaviest := make([]int, d.islands)
	for k := range heaviest {
		heaviest[k] = -1
	}
	for u := range d.machines {
		if d.out[u] {
			continue
		}
		if k := d.island[d.machines[u].bus]; heaviest[k] < 0 || d.machines[u].h > d.machines[heaviest[k]].h {
			heaviest[k] = u
		}
	}
	var states []int
	for _, u := range heaviest {
		if u >= 0 {
			states = append(states, d.layout.delta[u])
		}
	}
	return states
}

// fillNewton assembles [f_x f_y; g_x g_y] in the frames of the centres of
// inertia, with the rows of the anchors fixed.
func (d *dae) fillNewton(all *mat.Dense, j jacobians, anchor []int) {
	nx, ny := d.layout.n, 2*d.net.n
	d.inCOIFrame(j.fx)
	all.Slice(0, nx, 0, nx).(*mat.Dense).Copy(j.fx)
	all.Slice(0, nx, nx, nx+ny).(*mat.Dense).Copy(j.fy)
	all.Slice(nx, nx+ny, 0, nx).(*mat.Dense).Copy(j.gx)
	all.Slice(nx, nx+ny, nx, nx+ny).(*mat.Dense).Copy(j.gy)
	for _, i := range anchor {
		row := all.RawRowView(i)
		clear(row)
		row[i] = 1
	}
}

func (d *dae) noEquilibrium(iterations int, worst float64, at int) error {
	if bus, ok := d.freeIsland(); ok {
		return fmt.Errorf("grid: island of bus %s has neither governor nor damping and its powers do not balance: "+
			"its frequency has no equilibrium", bus)
	}
	where := ""
	if n := d.net.n; at >= d.layout.n {
		where = "bus " + d.c.Buses[(at-d.layout.n)%n].ID
	} else {
		where = d.layout.names[at]
	}
	return fmt.Errorf("grid: no operating point after %d iterations (mismatch %.3g pu at %s)", iterations, worst, where)
}

// freeIsland names the first bus of an island in which nothing answers to
// speed.
func (d *dae) freeIsland() (bus string, ok bool) {
	stiffness := make([]float64, d.islands)
	for u := range d.machines {
		if m := &d.machines[u]; !d.out[u] {
			stiffness[d.island[m.bus]] += m.d + m.invR
		}
	}
	for i, k := range d.island {
		stiffness[k] += math.Abs(d.pl[i] * d.opt.Load.ActiveFreq)
	}
	for i, k := range d.island {
		if stiffness[k] == 0 && d.c.Buses[i].Kind != Isolated {
			return d.c.Buses[i].ID, true
		}
	}
	return "", false
}

func largest(r []float64) (worst float64, at int) {
	for i, v := range r {
		if m := math.Abs(v); m > worst || math.IsNaN(m) {
			if math.IsNaN(m) {
				return math.Inf(1), i
			}
			worst, at = m, i
		}
	}
	return worst, at
}
