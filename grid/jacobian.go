package grid

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// residual evaluates the differential equations into f and the power balance
// of every bus into g at zero inputs. Angles are counted from a frame that
// turns at nominal speed. States of machines that do not run decay to zero.
func (d *dae) residual(x, y, f, g []float64) {
	n, l := d.net.n, d.layout
	theta, v := y[:n], y[n:]
	d.net.injections(theta, v, g[:n], g[n:])
	for i := range 2 * n {
		g[i] = -g[i]
	}
	omega0 := 2 * math.Pi * d.c.FreqHz
	for u := range d.machines {
		m := &d.machines[u]
		if d.out[u] {
			d.eachState(u, func(i int) { f[i] = -x[i] })
			continue
		}
		w := x[l.omega[u]]
		eq := m.eq0
		if m.avr {
			eq = x[l.eq[u]]
		}
		s := m.stator(eq, v[m.bus], x[l.delta[u]]-theta[m.bus])
		g[m.bus] += s.p
		g[n+m.bus] += s.q
		pm := m.pm0
		if m.governor {
			pv, pr := x[l.valve[u]], x[l.reheat[u]]
			pm += pr + m.t2/m.t3*pv
			f[l.valve[u]] = (-pv - w*m.invR) / m.tg
			f[l.reheat[u]] = (-pr + (1-m.t2/m.t3)*pv) / m.t3
		}
		f[l.delta[u]] = omega0 * w
		f[l.omega[u]] = (pm - s.p - m.d*w) / (2 * m.h)
		if m.avr {
			e := m.vr0 - v[m.bus]
			f[l.eq[u]] = (x[l.efd[u]] - eq - (m.xd-m.xdp)*s.id) / m.td0
			f[l.lead[u]] = (-x[l.lead[u]] + (1-m.ta/m.tb)*e) / m.tb
			f[l.efd[u]] = (-x[l.efd[u]] + m.k*(x[l.lead[u]]+m.ta/m.tb*e)) / m.te
		}
	}
	load := &d.opt.Load
	for i := range n {
		if d.c.Buses[i].Kind == Isolated {
			g[i], g[n+i] = 0, 0
			continue
		}
		w := d.busSpeed(x, i)
		g[i] -= d.pl[i] * math.Pow(v[i]/d.v0[i], load.ActiveExponent) * (1 + load.ActiveFreq*w)
		g[n+i] -= d.ql[i] * math.Pow(v[i]/d.v0[i], load.ReactiveExponent) * (1 + load.ReactiveFreq*w)
	}
}

// eachState calls use with the number of each state of a machine.
func (d *dae) eachState(u int, use func(i int)) {
	l := d.layout
	for _, of := range [7][]int{l.delta, l.omega, l.valve, l.reheat, l.eq, l.lead, l.efd} {
		if of[u] >= 0 {
			use(of[u])
		}
	}
}

// busSpeed returns the speed deviation at bus i by the frequency divider.
func (d *dae) busSpeed(x []float64, i int) float64 {
	w := 0.0
	for u := range d.machines {
		if !d.out[u] {
			w += d.divider.At(i, u) * x[d.layout.omega[u]]
		}
	}
	return w
}

// jacobians holds the partial derivatives of the equations.
type jacobians struct{ fx, fy, gx, gy *mat.Dense }

// jacobians returns the analytic derivatives of residual at (x, y).
func (d *dae) jacobians(x, y []float64) jacobians {
	n, nx := d.net.n, d.layout.n
	j := jacobians{
		fx: mat.NewDense(nx, nx, nil), fy: mat.NewDense(nx, 2*n, nil),
		gx: mat.NewDense(2*n, nx, nil), gy: mat.NewDense(2*n, 2*n, nil),
	}
	theta, v := y[:n], y[n:]
	p, q := make([]float64, n), make([]float64, n)
	d.net.injections(theta, v, p, q)
	d.net.derivatives(theta, v, p, q, func(i, k int, pTheta, pV, qTheta, qV float64) {
		j.gy.Set(i, k, -pTheta)
		j.gy.Set(i, n+k, -pV)
		j.gy.Set(n+i, k, -qTheta)
		j.gy.Set(n+i, n+k, -qV)
	})
	for u := range d.machines {
		if d.out[u] {
			d.eachState(u, func(i int) { j.fx.Set(i, i, -1) })
			continue
		}
		d.machineJacobian(u, x, y, j)
	}
	for i := range n {
		if d.c.Buses[i].Kind == Isolated {
			j.gy.Set(i, i, 1)
			j.gy.Set(n+i, n+i, 1)
			continue
		}
		d.loadJacobian(i, x, v[i], j)
	}
	return j
}

func add(m *mat.Dense, i, k int, v float64) { m.Set(i, k, m.At(i, k)+v) }

func (d *dae) machineJacobian(u int, x, y []float64, j jacobians) {
	n, l, m := d.net.n, d.layout, &d.machines[u]
	delta, omega := l.delta[u], l.omega[u]
	theta, v := m.bus, n+m.bus
	eq := m.eq0
	if m.avr {
		eq = x[l.eq[u]]
	}
	s := m.stator(eq, y[v], x[delta]-y[theta])
	for k, by := range [2][3]float64{{s.pA, s.pV, s.pE}, {s.qA, s.qV, s.qE}} {
		row := [2]int{theta, v}[k]
		add(j.gx, row, delta, by[0])
		add(j.gy, row, theta, -by[0])
		add(j.gy, row, v, by[1])
		if m.avr {
			add(j.gx, row, l.eq[u], by[2])
		}
	}
	j.fx.Set(delta, omega, 2*math.Pi*d.c.FreqHz)
	j.fx.Set(omega, delta, -s.pA/(2*m.h))
	j.fx.Set(omega, omega, -m.d/(2*m.h))
	j.fy.Set(omega, theta, s.pA/(2*m.h))
	j.fy.Set(omega, v, -s.pV/(2*m.h))
	if m.governor {
		valve, reheat := l.valve[u], l.reheat[u]
		j.fx.Set(omega, valve, m.t2/m.t3/(2*m.h))
		j.fx.Set(omega, reheat, 1/(2*m.h))
		j.fx.Set(valve, valve, -1/m.tg)
		j.fx.Set(valve, omega, -m.invR/m.tg)
		j.fx.Set(reheat, reheat, -1/m.t3)
		j.fx.Set(reheat, valve, (1-m.t2/m.t3)/m.t3)
	}
	if m.avr {
		e, lead, efd := l.eq[u], l.lead[u], l.efd[u]
		field := (m.xd - m.xdp) / m.td0
		j.fx.Set(omega, e, -s.pE/(2*m.h))
		j.fx.Set(e, e, -1/m.td0-field*s.idE)
		j.fx.Set(e, efd, 1/m.td0)
		j.fx.Set(e, delta, -field*s.idA)
		j.fy.Set(e, theta, field*s.idA)
		j.fy.Set(e, v, -field*s.idV)
		j.fx.Set(lead, lead, -1/m.tb)
		j.fy.Set(lead, v, -(1-m.ta/m.tb)/m.tb)
		j.fx.Set(efd, efd, -1/m.te)
		j.fx.Set(efd, lead, m.k/m.te)
		j.fy.Set(efd, v, -m.k*m.ta/m.tb/m.te)
	}
}

func (d *dae) loadJacobian(i int, x []float64, v float64, j jacobians) {
	n, load := d.net.n, &d.opt.Load
	w := d.busSpeed(x, i)
	for _, part := range [2]struct {
		row                     int
		power, exponent, byFreq float64
	}{
		{i, d.pl[i], load.ActiveExponent, load.ActiveFreq},
		{n + i, d.ql[i], load.ReactiveExponent, load.ReactiveFreq},
	} {
		at := part.power * math.Pow(v/d.v0[i], part.exponent)
		add(j.gy, part.row, n+i, -at*part.exponent/v*(1+part.byFreq*w))
		if part.byFreq == 0 {
			continue
		}
		for u := range d.machines {
			if !d.out[u] {
				add(j.gx, part.row, d.layout.omega[u], -at*part.byFreq*d.divider.At(i, u))
			}
		}
	}
}
