package grid

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// stepper is the linear system of one topology closed over AGC and reserve
// blocks and discretised. Its state z holds the machines' states, then one
// AGC command a governed unit, then one power a block. Machine states are
// deviations from the topology's equilibrium with angles relative to the
// centre of inertia; the rest are absolute.
//
//	z⁺ = Φ z + M b + Γ w
//
// with b the held inputs as they enter ż and w the load noise.
type stepper struct {
	*linear
	nz    int
	phi   blas64.General // [Φ Γ], nz × (nz + noisy loads)
	m     *mat.Dense
	cd    blas64.General // [C D], bus angles and voltages from (z, w)
	drift []float64      // constant part of ż
	agc   []int          // AGC state by generator, −1 without
	block []int          // state by block
	share []float64      // AGC gain by generator, p.u. power per s and p.u. speed
}

// shape is what the stepper's size depends on besides the system.
type shape struct {
	blockBus []int // bus of each block
	noisy    []int // buses with load noise
}

func newStepper(lin *linear, s shape) *stepper {
	p, a := closeLoops(lin, s)
	phi, m := zeroOrderHold(a, float64(lin.opt.StepNS)*1e-9)
	p.m = m
	p.stack(phi, s)
	return p
}

// closeLoops returns a stepper that cannot step yet and the matrix of the
// continuous system that it is to step, ż = A z + b.
func closeLoops(lin *linear, s shape) (p *stepper, a *mat.Dense) {
	nx := lin.layout.n
	p = &stepper{linear: lin, nz: nx, agc: make([]int, len(lin.machines)), share: make([]float64, len(lin.machines))}
	for u := range lin.machines {
		p.agc[u] = -1
		if lin.opt.AGC != nil && lin.present[u] && lin.machines[u].governor {
			p.agc[u] = p.nz
			p.nz++
		}
	}
	for range s.blockBus {
		p.block = append(p.block, p.nz)
		p.nz++
	}
	p.drift = make([]float64, p.nz)
	a = mat.NewDense(p.nz, p.nz, nil)
	a.Slice(0, nx, 0, nx).(*mat.Dense).Copy(lin.a)
	lin.inCOIFrame(a)
	p.addAGC(a)
	p.addBlocks(a, s.blockBus)
	return p, a
}

// addAGC closes the loop from each island's centre of inertia to its governed
// units.
func (p *stepper) addAGC(a *mat.Dense) {
	if p.opt.AGC == nil {
		return
	}
	beta, rating := make([]float64, p.islands), make([]float64, p.islands)
	for u := range p.machines {
		if m := &p.machines[u]; !p.out[u] {
			beta[p.island[m.bus]] += m.d + m.invR
			rating[p.island[m.bus]] += m.governorMVA
		}
	}
	for u := range p.machines {
		i, m := p.agc[u], &p.machines[u]
		if i < 0 {
			continue
		}
		if p.out[u] {
			a.Set(i, i, -1)
			continue
		}
		k := p.island[m.bus]
		p.share[u] = p.opt.AGC.GainPerS * beta[k] * m.governorMVA / rating[k]
		add(a, p.layout.valve[u], i, 1/m.tg)
		for g := range p.machines {
			if o := &p.machines[g]; !p.out[g] && p.island[o.bus] == k {
				add(a, i, p.layout.omega[g], -p.share[u]*o.h/p.inertia[k])
			}
		}
		p.drift[i] = -p.share[u] * p.coiSpeed(p.x0, k)
	}
}

// addBlocks lets every block follow its command with its lag and feed its bus.
func (p *stepper) addBlocks(a *mat.Dense, bus []int) {
	for j, i := range p.block {
		a.Set(i, i, -1/p.opt.BlockLagS)
		for x := range p.layout.n {
			add(a, x, i, p.w.At(x, bus[j]))
		}
	}
}

// stack lays Φ beside the noise columns, and the outputs likewise, so that a
// step and an output are one product each.
func (p *stepper) stack(phi *mat.Dense, s shape) {
	n, nx, cols := p.net.n, p.layout.n, p.nz+len(s.noisy)
	step, out := mat.NewDense(p.nz, cols, nil), mat.NewDense(2*n, cols, nil)
	step.Slice(0, p.nz, 0, p.nz).(*mat.Dense).Copy(phi)
	out.Slice(0, 2*n, 0, nx).(*mat.Dense).Copy(p.cy)
	for j, i := range p.block {
		for r := range 2 * n {
			out.Set(r, i, -p.k.At(r, s.blockBus[j]))
		}
	}
	if len(s.noisy) > 0 {
		gamma := mat.NewDense(p.nz, len(s.noisy), nil)
		for j, bus := range s.noisy {
			pl, ql := p.loadAt(bus)
			for r := range nx {
				gamma.Set(r, j, -p.w.At(r, bus)*pl-p.w.At(r, n+bus)*ql)
			}
			for r := range 2 * n {
				out.Set(r, p.nz+j, p.k.At(r, bus)*pl+p.k.At(r, n+bus)*ql)
			}
		}
		step.Slice(0, p.nz, p.nz, cols).(*mat.Dense).Mul(p.m, gamma)
	}
	p.phi, p.cd = step.RawMatrix(), out.RawMatrix()
}

// loadAt returns a bus's load at the equilibrium.
func (p *stepper) loadAt(bus int) (pl, ql float64) {
	v, load := p.y0[p.net.n+bus]/p.v0[bus], &p.opt.Load
	w := p.busSpeed(p.x0, bus)
	return p.pl[bus] * math.Pow(v, load.ActiveExponent) * (1 + load.ActiveFreq*w),
		p.ql[bus] * math.Pow(v, load.ReactiveExponent) * (1 + load.ReactiveFreq*w)
}

// advance computes z⁺ into next from zw = (z, w) and the held part Mb.
func (p *stepper) advance(zw, held, next []float64) {
	copy(next, held)
	blas64.Gemv(blas.NoTrans, 1, p.phi, blas64.Vector{N: len(zw), Data: zw, Inc: 1},
		1, blas64.Vector{N: p.nz, Data: next, Inc: 1})
}

// output adds to y the rows [from, from+len(y)) of [C D] (z, w).
func (p *stepper) output(zw, y []float64, from int) {
	rows := p.cd
	rows.Rows, rows.Data = len(y), rows.Data[from*rows.Stride:]
	blas64.Gemv(blas.NoTrans, 1, rows, blas64.Vector{N: len(zw), Data: zw, Inc: 1},
		1, blas64.Vector{N: len(y), Data: y, Inc: 1})
}
