package grid

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// Reduction says what a reduced model keeps. Generators and buses are places
// in the case's tables.
type Reduction struct {
	States   int   // of the reduced model; the full model stays whole if it has no more
	Gens     []int // whose set points are inputs
	Blocks   []int // buses of the reserve and shed blocks, which are inputs
	Voltages []int // buses whose mean voltage is an output
}

// ReducedModel is a linear model of few states for a controller,
//
//	ẋ = A x + B u,   y = C x + D u
//
// with y the frequency of the centre of inertia (Hz) and the mean voltage of
// some buses (p.u.), both as deviations from the operating point, and u by
// column of B and D
//
//	Pref i   load reference of generator i above dispatch, MW
//	Vref i   its voltage reference, p.u.; only with AVR
//	block k  command of a block, MW
//	load     load of the whole system above the case's, MW, shared like that
//
// The load alone acts on the outputs at once (D).
type ReducedModel struct {
	A, B, C, D *mat.Dense
	Inputs     []string  // names of the columns: "Pref 30", "block 8", "load"
	VoltagePU  []float64 // operating point by Reduction.Voltages

	// Hankel are the Hankel singular values σ of the full model with inputs
	// and outputs in the units InputSizeMW … OutputSizePU. The energy of the
	// error is at most ErrorBound² = (2 Σ_{i>r} σ_i)² that of the inputs, r
	// being the states kept and both energies ∫ e^{−2αt} |·|² dt, α being
	// DiscountPerS.
	Hankel       []float64
	ErrorBound   float64
	DiscountPerS float64

	full  fullModel
	first struct{ vref, block, load int } // columns; that of Pref is 0
}

// Sizes in which the errors of a reduced model are weighed against each other:
// powers by a hundred megawatts, voltage references by the most that a
// secondary voltage control asks for, and outputs by their price. Frequency is
// what a decision pays for. With voltages weighed by their range (0.2 p.u.
// beside 1 Hz) eight states go to the swings between machines, and the
// frequency of the 39-bus system is 10 % off; as it is, 1 %.
const (
	InputSizeMW, InputSizePU   = 100.0, 0.05
	OutputSizeHz, OutputSizePU = 1.0, 5.0
)

// PrefColumn is the input of the load reference of Reduction.Gens[i].
func (m *ReducedModel) PrefColumn(i int) int { return i }

// VrefColumn is the input of the voltage reference of Reduction.Gens[i]; ok is
// false without AVR.
func (m *ReducedModel) VrefColumn(i int) (column int, ok bool) {
	return m.first.vref + i, m.first.block > m.first.vref
}

// BlockColumn is the input of the block at Reduction.Blocks[i].
func (m *ReducedModel) BlockColumn(i int) int { return m.first.block + i }

// LoadColumn is the input of the system's load.
func (m *ReducedModel) LoadColumn() int { return m.first.load }

// fullModel is what is reduced, in the units of ReducedModel.
type fullModel struct{ a, b, c, d *mat.Dense }

// Reduce returns the linear model of c at its power-flow solution, reduced by
// balanced truncation. AGC and noise take no part.
//
// The zero eigenvalue of the common angle is no part of the model: angles are
// counted from the centre of inertia. A system that grows by itself is refused
// as by [NewSimulator].
func Reduce(c *Case, opt Options, r Reduction) (*ReducedModel, error) {
	opt.AGC, opt.Noise = nil, nil
	lin, err := newBaseLinear(c, opt)
	if err != nil {
		return nil, err
	}
	switch {
	case r.States < 1:
		return nil, fmt.Errorf("grid: a reduced model of %d states, want at least 1", r.States)
	case len(r.Voltages) == 0:
		return nil, errors.New("grid: a reduced model needs a bus whose voltage it tells")
	case lin.turning() != 1:
		return nil, fmt.Errorf("grid: a reduced model is of one island, case %s has %d", c.Name, lin.turning())
	}
	if err := lin.checkStable(topology{}); err != nil {
		return nil, err
	}
	m := &ReducedModel{}
	m.assemble(lin, &r)
	if err := m.truncate(r.States); err != nil {
		return nil, fmt.Errorf("grid: reducing the model of case %s: %w", c.Name, err)
	}
	return m, nil
}

// turning counts the islands with machines.
func (m *linear) turning() int {
	n := 0
	for _, h := range m.inertia {
		if h > 0 {
			n++
		}
	}
	return n
}

// assemble builds the full model: machines and block lags, with angles from the
// centre of inertia.
func (m *ReducedModel) assemble(lin *linear, r *Reduction) {
	p, a := closeLoops(lin, shape{blockBus: r.Blocks})
	m.name(lin, r)
	m.full.a = a
	m.full.b = mat.NewDense(p.nz, len(m.Inputs), nil)
	m.full.c, m.full.d = mat.NewDense(2, p.nz, nil), mat.NewDense(2, len(m.Inputs), nil)
	m.actuate(p, r)
	m.read(p, r)
	m.load(lin, r)
	m.full.dropFirstAngle(lin)
}

// actuate fills in how set points and blocks enter.
func (m *ReducedModel) actuate(p *stepper, r *Reduction) {
	b, base := m.full.b, p.c.BaseMVA
	for j, g := range r.Gens {
		u := &p.machines[g]
		if p.out[g] {
			continue
		}
		if u.governor {
			b.Set(p.layout.valve[g], m.PrefColumn(j), 1/u.tg/base)
		}
		if column, ok := m.VrefColumn(j); ok {
			b.Set(p.layout.lead[g], column, (1-u.ta/u.tb)/u.tb)
			b.Set(p.layout.efd[g], column, u.k*u.ta/u.tb/u.te)
		}
	}
	for j, i := range p.block {
		b.Set(i, m.BlockColumn(j), 1/p.opt.BlockLagS/base)
	}
}

// read fills in the outputs.
func (m *ReducedModel) read(p *stepper, r *Reduction) {
	c, n := m.full.c, p.net.n
	for g := range p.machines {
		if !p.out[g] {
			c.Set(0, p.layout.omega[g], p.c.FreqHz*p.machines[g].h/p.inertia[p.island[p.machines[g].bus]])
		}
	}
	share := 1 / float64(len(r.Voltages))
	for _, bus := range r.Voltages {
		m.VoltagePU = append(m.VoltagePU, p.y0[n+bus])
		for x := range p.layout.n {
			add(c, 1, x, share*p.cy.At(n+bus, x))
		}
		for j, i := range p.block {
			add(c, 1, i, -share*p.k.At(n+bus, r.Blocks[j]))
		}
	}
}

// load fills in the input that raises all loads in proportion.
func (m *ReducedModel) load(lin *linear, r *Reduction) {
	n, total := lin.net.n, 0.0
	for _, load := range lin.pl {
		total += load
	}
	for i, load := range lin.pl {
		part := load / total / lin.c.BaseMVA
		for x := range lin.layout.n {
			add(m.full.b, x, m.LoadColumn(), -lin.w.At(x, i)*part)
		}
		for _, bus := range r.Voltages {
			add(m.full.d, 1, m.LoadColumn(), lin.k.At(n+bus, i)*part/float64(len(r.Voltages)))
		}
	}
}

// name lists the inputs.
func (m *ReducedModel) name(lin *linear, r *Reduction) {
	add := func(kind string, places []int, bus func(int) string) (first int) {
		first = len(m.Inputs)
		for _, i := range places {
			m.Inputs = append(m.Inputs, kind+" "+bus(i))
		}
		return first
	}
	gen, bus := func(i int) string { return lin.c.Gens[i].Bus }, func(i int) string { return lin.c.Buses[i].ID }
	add("Pref", r.Gens, gen)
	m.first.vref = len(m.Inputs)
	if lin.opt.AVR {
		add("Vref", r.Gens, gen)
	}
	m.first.block = add("block", r.Blocks, bus)
	m.first.load = len(m.Inputs)
	m.Inputs = append(m.Inputs, "load")
}

// dropFirstAngle takes the first machine's angle out of the states: it is
// −Σ Hδ / H of the others.
func (f *fullModel) dropFirstAngle(lin *linear) {
	first := 0
	for lin.out[first] {
		first++
	}
	at := lin.layout.delta[first]
	n, _ := f.a.Dims()
	rest := mat.NewDense(n-1, n, nil) // the others
	for i := range n - 1 {
		k := i
		if i >= at {
			k++
		}
		rest.Set(i, k, 1)
	}
	all := mat.DenseCopyOf(rest.T()) // all states from the others
	for g := range lin.machines {
		if g == first || lin.out[g] {
			continue
		}
		for i := range n - 1 {
			all.Set(at, i, all.At(at, i)-rest.At(i, lin.layout.delta[g])*lin.machines[g].h/lin.machines[first].h)
		}
	}
	var a, b, c mat.Dense
	a.Product(rest, f.a, all)
	b.Mul(rest, f.b)
	c.Mul(f.c, all)
	f.a, f.b, f.c = &a, &b, &c
}

// Sample returns the model for inputs held over steps of some seconds,
// x⁺ = Φ x + Γ u.
func (m *ReducedModel) Sample(seconds float64) (phi, gamma *mat.Dense) {
	return sampled(m.A, m.B, seconds)
}

func sampled(a, b *mat.Dense, seconds float64) (phi, gamma *mat.Dense) {
	phi, hold := zeroOrderHold(a, seconds)
	gamma = &mat.Dense{}
	gamma.Mul(hold, b)
	return phi, gamma
}
