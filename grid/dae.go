package grid

import (
	"fmt"
	"math/cmplx"

	"gonum.org/v1/gonum/mat"
)

// LoadModel says how loads depend on their voltage and frequency:
//
//	P = P0 (V/V0)^ActiveExponent (1 + ActiveFreq Δf)
//	Q = Q0 (V/V0)^ReactiveExponent (1 + ReactiveFreq Δf)
//
// with Δf per unit at the bus (frequency divider) and V0 the power-flow
// voltage. The zero value is constant power. Linearised, a ZIP load with
// shares z, i and p is one of exponent 2z + i.
type LoadModel struct {
	ActiveExponent, ReactiveExponent float64
	ActiveFreq, ReactiveFreq         float64
}

// layout numbers the states of the machines: all rotor angles, all speeds,
// then valve and reheat unit by unit, then E'q, lead-lag and Efd unit by
// unit. −1 marks a state that a generator does not have.
type layout struct {
	delta, omega, valve, reheat, eq, lead, efd []int
	names                                      []string
	n                                          int
}

func newLayout(c *Case, present []bool, machines []machine) *layout {
	l := &layout{}
	add := func(of *[]int, g int, name string) {
		(*of)[g] = l.n
		l.names = append(l.names, name+" "+c.Gens[g].Bus)
		l.n++
	}
	for _, of := range []*[]int{&l.delta, &l.omega, &l.valve, &l.reheat, &l.eq, &l.lead, &l.efd} {
		*of = make([]int, len(c.Gens))
		for g := range *of {
			(*of)[g] = -1
		}
	}
	each := func(use func(g int)) {
		for g := range c.Gens {
			if present[g] {
				use(g)
			}
		}
	}
	each(func(g int) { add(&l.delta, g, "angle") })
	each(func(g int) { add(&l.omega, g, "speed") })
	each(func(g int) {
		if machines[g].governor {
			add(&l.valve, g, "valve")
			add(&l.reheat, g, "reheat")
		}
	})
	each(func(g int) {
		if machines[g].avr {
			add(&l.eq, g, "E'q")
			add(&l.lead, g, "lead-lag")
			add(&l.efd, g, "Efd")
		}
	})
	return l
}

// system is what a case and its options give once: machines at the
// power-flow solution, loads and the numbering of states. Topologies share it.
type system struct {
	c        *Case
	opt      Options
	layout   *layout
	present  []bool // generators in service in the case
	machines []machine
	index    map[string]int
	pl, ql   []float64 // loads at the power-flow voltage
	v0       []float64
	x0, y0   []float64 // power-flow solution; y = [θ of all buses, V of all buses]
}

func newSystem(c *Case, opt Options) (*system, error) {
	flow, err := SolveFlow(c, opt.Flow)
	if err != nil {
		return nil, err
	}
	if err := c.ValidateDynamics(opt.AVR); err != nil {
		return nil, err
	}
	n := len(c.Buses)
	s := &system{
		c: c, opt: opt, present: make([]bool, len(c.Gens)), machines: make([]machine, len(c.Gens)),
		index: c.busIndices(), pl: make([]float64, n), ql: make([]float64, n), v0: make([]float64, n),
		y0: make([]float64, 2*n),
	}
	for i := range c.Buses {
		s.pl[i], s.ql[i] = c.Buses[i].LoadMW/c.BaseMVA, c.Buses[i].LoadMVAr/c.BaseMVA
		s.v0[i] = flow.Buses[i].VoltagePU
		s.y0[i], s.y0[n+i] = radians(flow.Buses[i].AngleDeg), s.v0[i]
	}
	for g, row := range c.genDynamics() {
		if s.present[g] = c.Gens[g].InService; !s.present[g] {
			continue
		}
		i := s.index[c.Gens[g].Bus]
		power := complex(flow.Gens[g].PowerMW, flow.Gens[g].ReactiveMVAr) / complex(c.BaseMVA, 0)
		if s.machines[g], err = newMachine(&c.Dynamics[row], c.BaseMVA, i, &s.opt,
			cmplx.Rect(s.v0[i], s.y0[i]), power); err != nil {
			return nil, err
		}
	}
	s.layout = newLayout(c, s.present, s.machines)
	s.x0 = make([]float64, s.layout.n)
	for g := range s.machines {
		m := &s.machines[g]
		set(s.x0, s.layout.delta[g], m.delta0)
		set(s.x0, s.layout.eq[g], m.eq0)
		set(s.x0, s.layout.efd[g], m.efd0)
		if m.avr {
			set(s.x0, s.layout.lead[g], (1-m.ta/m.tb)*m.efd0/m.k)
		}
	}
	return s, nil
}

func set(x []float64, i int, v float64) {
	if i >= 0 {
		x[i] = v
	}
}

// dae is the differential-algebraic system of one topology.
type dae struct {
	*system
	out     []bool // generators not running, tripped or never present
	net     *network
	island  []int      // by bus
	islands int        // count
	inertia []float64  // ΣH by island
	divider *mat.Dense // bus frequencies from machine speeds, n × gens
}

// newDAE builds the equations with the given generators and branches out. An
// island without a running machine is an error.
func newDAE(s *system, genOut, branchOut []bool) (*dae, error) {
	d := &dae{system: s, out: make([]bool, len(s.machines)), net: newNetwork(s.c, branchOut)}
	d.island = s.c.islands(s.index, branchOut)
	for _, k := range d.island {
		d.islands = max(d.islands, k+1)
	}
	d.inertia = make([]float64, d.islands)
	for g := range s.machines {
		d.out[g] = !s.present[g] || genOut[g]
		if !d.out[g] {
			d.inertia[d.island[s.machines[g].bus]] += s.machines[g].h
		}
	}
	for i, k := range d.island {
		if d.inertia[k] == 0 && s.c.Buses[i].Kind != Isolated {
			return nil, fmt.Errorf("grid: island of bus %s has no machine with inertia", s.c.Buses[i].ID)
		}
	}
	if err := d.divideFrequency(); err != nil {
		return nil, err
	}
	return d, nil
}

// divideFrequency sets up the frequency divider
//
//	(B + B_G) ω_bus = B_G ω_gen
//
// with B the susceptance matrix of the series branches and B_G the machines'
// 1/x'd: a bus's frequency is a weighted mean of the machines' speeds, the
// weights being 1 in sum.
func (d *dae) divideFrequency() error {
	n := d.net.n
	b := mat.NewDense(n, n, nil)
	for k := range d.net.branches {
		t := &d.net.branches[k]
		if !t.inService {
			continue
		}
		y := -imag(t.series)
		b.Set(t.from, t.from, b.At(t.from, t.from)+y)
		b.Set(t.to, t.to, b.At(t.to, t.to)+y)
		b.Set(t.from, t.to, b.At(t.from, t.to)-y)
		b.Set(t.to, t.from, b.At(t.to, t.from)-y)
	}
	d.divider = mat.NewDense(n, len(d.machines), nil)
	for g := range d.machines {
		if m := &d.machines[g]; !d.out[g] {
			b.Set(m.bus, m.bus, b.At(m.bus, m.bus)+1/m.xdp)
			d.divider.Set(m.bus, g, 1/m.xdp)
		}
	}
	for i := range n {
		if d.c.Buses[i].Kind == Isolated {
			b.Set(i, i, 1)
		}
	}
	if err := solve(b, d.divider); err != nil {
		return fmt.Errorf("grid: frequency divider: %w", err)
	}
	return nil
}

// coiSpeed returns the mean speed of an island's machines, weighted by
// inertia.
func (d *dae) coiSpeed(x []float64, island int) float64 {
	sum := 0.0
	for g := range d.machines {
		if m := &d.machines[g]; !d.out[g] && d.island[m.bus] == island {
			sum += m.h * x[d.layout.omega[g]]
		}
	}
	return sum / d.inertia[island]
}
