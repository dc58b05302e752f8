package grid

import (
	"fmt"
	"math"
	"slices"
)

// Simulator advances the linear dynamics of a case in equal substeps. It
// begins settled at the power-flow solution.
//
// Buses, generators and branches are addressed by their place in the case's
// tables ([Simulator.BusIndex], [Simulator.GenIndex], [Simulator.BranchIndex]);
// a place out of range panics. Inputs are deviations from the case's dispatch
// and loads, hold until changed, and act from the present instant on: to apply
// a command inside a communication step, advance to its substep first.
//
// A change of load, set point or block is an input of the linear model. A trip
// or a switched branch puts the model of the new topology in its place,
// linearised at the equilibrium of that topology (at dispatched set points and
// loads); rotor angles, speeds and all control states carry over continuously.
// Models are kept by topology.
//
// A Simulator is for one goroutine. No method that is called every step
// allocates.
type Simulator struct {
	sys    *system
	models map[string]*linear
	now    *stepper
	top    topology
	steps  int64
	noise  noise

	zw, next []float64 // state and noise; next state
	held     []float64 // M b
	outHeld  []float64 // bus angles and voltages from held loads
	rate     []float64 // b
	y        []float64 // scratch, bus angles and voltages
	balance  []float64 // scratch
	dirty    bool      // held and outHeld are out of date

	pref, vref, loadP, loadQ []float64 // inputs, p.u.
	blocks                   []block
}

// topology says which generators and branches are out by an event.
type topology struct{ gens, branches []bool }

func (t topology) clone() topology {
	return topology{slices.Clone(t.gens), slices.Clone(t.branches)}
}

func (t topology) key() string {
	b := make([]byte, 0, len(t.gens)+len(t.branches))
	for _, out := range [2][]bool{t.gens, t.branches} {
		for _, o := range out {
			c := byte('.')
			if o {
				c = 'x'
			}
			b = append(b, c)
		}
	}
	return string(b)
}

// block is a reserve or shed block, p.u.
type block struct {
	bus               int
	capacity, command float64
}

// NewSimulator solves the power flow of c, linearises its dynamics and
// returns the settled system. It keeps c and expects it unchanged. A system
// with a growing mode is refused with an [*UnstableError], here and at every
// later change of topology.
func NewSimulator(c *Case, opt Options) (*Simulator, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	sys, err := newSystem(c, opt)
	if err != nil {
		return nil, err
	}
	n := len(c.Buses)
	s := &Simulator{
		sys: sys, models: make(map[string]*linear),
		top:  topology{make([]bool, len(c.Gens)), make([]bool, len(c.Branches))},
		pref: make([]float64, len(c.Gens)), vref: make([]float64, len(c.Gens)),
		loadP: make([]float64, n), loadQ: make([]float64, n),
		outHeld: make([]float64, 2*n), y: make([]float64, 2*n), balance: make([]float64, 2*n),
	}
	s.noise.init(sys, opt.Noise)
	lin, err := s.model(s.top)
	if err != nil {
		return nil, err
	}
	s.install(newStepper(lin, s.shape()))
	return s, nil
}

// model returns the linear model of a topology, if it is stable.
func (s *Simulator) model(t topology) (*linear, error) {
	key := t.key()
	if m, ok := s.models[key]; ok {
		return m, nil
	}
	d, err := newDAE(s.sys, t.gens, t.branches)
	if err != nil {
		return nil, err
	}
	m, err := newLinear(d)
	if err != nil {
		return nil, err
	}
	if err := m.checkStable(t); err != nil {
		return nil, err
	}
	s.models[key] = m
	return m, nil
}

func (s *Simulator) shape() shape {
	sh := shape{noisy: s.noise.bus}
	for i := range s.blocks {
		sh.blockBus = append(sh.blockBus, s.blocks[i].bus)
	}
	return sh
}

// install makes p the present model with all states zero.
func (s *Simulator) install(p *stepper) {
	s.now = p
	s.zw = make([]float64, p.nz+len(s.noise.bus))
	s.next, s.held, s.rate = make([]float64, p.nz), make([]float64, p.nz), make([]float64, p.nz)
	copy(s.zw[p.nz:], s.noise.w)
	s.dirty = true
}

// Case returns the simulated case.
func (s *Simulator) Case() *Case { return s.sys.c }

// BusIndex returns the place of a bus in the case.
func (s *Simulator) BusIndex(id string) (int, bool) { return s.sys.c.BusIndex(id) }

// GenIndex returns the place of the first generator at a bus.
func (s *Simulator) GenIndex(bus string) (int, bool) { return s.sys.c.GenIndex(bus) }

// BranchIndex returns the place of a branch ("5-6").
func (s *Simulator) BranchIndex(id string) (int, bool) { return s.sys.c.BranchIndex(id) }

// HasGovernor tells whether SetPrefMW moves a generator.
func (s *Simulator) HasGovernor(gen int) bool {
	return s.sys.machines[gen].governor && !s.now.out[gen]
}

// SetPrefMW sets a governor's load reference to d MW above the dispatch. It
// has no effect on a unit without governor or tripped.
func (s *Simulator) SetPrefMW(gen int, d float64) {
	s.pref[gen], s.dirty = d/s.sys.c.BaseMVA, true
}

// SetVrefPU sets an exciter's voltage reference to d p.u. above the
// power-flow solution's. It has no effect without [Options.AVR].
func (s *Simulator) SetVrefPU(gen int, d float64) { s.vref[gen], s.dirty = d, true }

// AddLoadMW changes the load at a bus by a step, negative to withdraw it; steps
// add up.
func (s *Simulator) AddLoadMW(bus int, dPMW, dQMVAr float64) {
	s.loadP[bus] += dPMW / s.sys.c.BaseMVA
	s.loadQ[bus] += dQMVAr / s.sys.c.BaseMVA
	s.dirty = true
}

// Block is a reserve or shed block to be placed at a bus.
type Block struct {
	Bus        int
	CapacityMW float64
}

// AddBlock places one block, see AddBlocks.
func (s *Simulator) AddBlock(bus int, capacityMW float64) (blockNumber int) {
	return s.AddBlocks([]Block{{bus, capacityMW}})
}

// AddBlocks places blocks and returns the number of the first; the others
// follow. A block injects active power and follows its command with a
// first-order lag ([Options.BlockLagS]). The call discretises the model anew,
// which takes its time on large systems.
func (s *Simulator) AddBlocks(blocks []Block) (first int) {
	first = len(s.blocks)
	for _, b := range blocks {
		_ = s.loadP[b.Bus] // a bus out of range panics here, not later
		s.blocks = append(s.blocks, block{bus: b.Bus, capacity: math.Max(b.CapacityMW, 0) / s.sys.c.BaseMVA})
	}
	z, nz := s.zw, s.now.nz
	s.install(newStepper(s.now.linear, s.shape()))
	copy(s.zw, z[:nz]) // blocks come last, so the others keep their places
	return first
}

// SetBlockMW commands a block to mw MW, clipped to [0, capacity].
func (s *Simulator) SetBlockMW(blockNumber int, mw float64) {
	b := &s.blocks[blockNumber]
	b.command, s.dirty = math.Min(math.Max(mw/s.sys.c.BaseMVA, 0), b.capacity), true
}

// BlockMW returns what a block injects now.
func (s *Simulator) BlockMW(blockNumber int) float64 {
	return s.zw[s.now.block[blockNumber]] * s.sys.c.BaseMVA
}

// TripGenerator disconnects a generator: its inertia, damping, governor and
// share of AGC are gone, and the centre of inertia is that of the others. On
// error, for example an [*UnstableError], nothing has changed.
func (s *Simulator) TripGenerator(gen int) error {
	t := s.top.clone()
	if err := s.takeGenerator(t, gen); err != nil {
		return err
	}
	return s.enter(t)
}

// takeGenerator marks a generator that runs as out in t.
func (s *Simulator) takeGenerator(t topology, gen int) error {
	if s.now.out[gen] {
		return fmt.Errorf("grid: generator at bus %s is out already", s.sys.c.Gens[gen].Bus)
	}
	t.gens[gen] = true
	return nil
}

// TripBranch opens a branch. On error, for example when it would leave an
// island without inertia or an unstable system, nothing has changed.
func (s *Simulator) TripBranch(branch int) error {
	t := s.top.clone()
	if err := s.takeBranch(t, branch); err != nil {
		return err
	}
	return s.enter(t)
}

// takeBranch marks a closed branch as out in t.
func (s *Simulator) takeBranch(t topology, branch int) error {
	if b := &s.sys.c.Branches[branch]; !b.InService || s.top.branches[branch] {
		return fmt.Errorf("grid: branch %s is open already", b.ID)
	}
	t.branches[branch] = true
	return nil
}

// CloseBranch closes a branch that TripBranch opened. Where it joins two
// islands, they are taken as synchronised: their angles meet at the joint
// equilibrium, while their speeds go on from their own.
func (s *Simulator) CloseBranch(branch int) error {
	if !s.top.branches[branch] {
		return fmt.Errorf("grid: branch %s was not tripped", s.sys.c.Branches[branch].ID)
	}
	t := s.top.clone()
	t.branches[branch] = false
	return s.enter(t)
}

// enter changes the topology and carries the state over.
func (s *Simulator) enter(t topology) error {
	lin, err := s.model(t)
	if err != nil {
		return err
	}
	old, z := s.now, s.zw
	s.top = t
	s.install(newStepper(lin, s.shape()))
	p := s.now
	for i := range p.layout.n {
		s.zw[i] = z[i] + old.x0[i] - p.x0[i]
	}
	copy(s.zw[p.layout.n:p.nz], z[p.layout.n:old.nz])
	for u := range p.machines {
		if p.out[u] {
			p.eachState(u, func(i int) { s.zw[i] = 0 })
			if i := p.agc[u]; i >= 0 {
				s.zw[i] = 0
			}
		}
	}
	s.centreAngles(old)
	return nil
}

// centreAngles takes the mean angle, weighted by inertia, from every group of
// machines that shares an island before and after the event: it is free where
// an island stays whole or splits, and zero by the rule of CloseBranch where
// two islands join.
func (s *Simulator) centreAngles(old *stepper) {
	p := s.now
	type group struct{ before, after int }
	sum, weight := make(map[group]float64), make(map[group]float64)
	of := func(u int) group {
		bus := p.machines[u].bus
		return group{old.island[bus], p.island[bus]}
	}
	for u := range p.machines {
		if !p.out[u] {
			sum[of(u)] += p.machines[u].h * s.zw[p.layout.delta[u]]
			weight[of(u)] += p.machines[u].h
		}
	}
	for u := range p.machines {
		if !p.out[u] {
			s.zw[p.layout.delta[u]] -= sum[of(u)] / weight[of(u)]
		}
	}
}

// refresh brings the held inputs' part of the step and of the outputs up to
// date. It adds only columns of inputs that are not zero.
func (s *Simulator) refresh() {
	p, n := s.now, s.now.net.n
	copy(s.rate, p.drift)
	clear(s.outHeld)
	for u := range p.machines {
		m := &p.machines[u]
		if p.out[u] {
			continue
		}
		if m.governor {
			s.rate[p.layout.valve[u]] += s.pref[u] / m.tg
		}
		if m.avr {
			s.rate[p.layout.lead[u]] += s.vref[u] * (1 - m.ta/m.tb) / m.tb
			s.rate[p.layout.efd[u]] += s.vref[u] * m.k * m.ta / m.tb / m.te
		}
	}
	for k, load := range [2][]float64{s.loadP, s.loadQ} {
		for i, v := range load {
			if v == 0 {
				continue
			}
			for x := range p.layout.n {
				s.rate[x] -= p.w.At(x, k*n+i) * v
			}
			for r := range s.outHeld {
				s.outHeld[r] += p.k.At(r, k*n+i) * v
			}
		}
	}
	for j, i := range p.block {
		s.rate[i] += s.blocks[j].command / p.opt.BlockLagS
	}
	for r := range s.held {
		sum := 0.0
		for c, v := range p.m.RawRowView(r) {
			sum += v * s.rate[c]
		}
		s.held[r] = sum
	}
	s.dirty = false
}

// Advance moves the system by one substep.
func (s *Simulator) Advance() {
	if s.dirty {
		s.refresh()
	}
	p := s.now
	if len(s.noise.bus) > 0 && s.steps*p.opt.StepNS%noiseStepNS == 0 {
		s.noise.draw()
		copy(s.zw[p.nz:], s.noise.w)
	}
	p.advance(s.zw, s.held, s.next)
	copy(s.zw, s.next)
	s.steps++
}

// Step moves the system by n substeps.
func (s *Simulator) Step(n int) {
	for range n {
		s.Advance()
	}
}

// TimeNS returns the simulated time since the start.
func (s *Simulator) TimeNS() int64 { return s.steps * s.now.opt.StepNS }
