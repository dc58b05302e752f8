package grid

// COIFreqHz returns the deviation from nominal frequency of the centre of
// inertia, of the island with most inertia when there are several.
func (s *Simulator) COIFreqHz() float64 {
	heaviest := 0
	for k, h := range s.now.inertia {
		if h > s.now.inertia[heaviest] {
			heaviest = k
		}
	}
	return s.IslandFreqHz(heaviest)
}

// Islands returns the number of islands. An isolated bus counts as one.
func (s *Simulator) Islands() int { return s.now.islands }

// BusIsland returns the island of a bus.
func (s *Simulator) BusIsland(bus int) int { return s.now.island[bus] }

// IslandFreqHz returns the deviation from nominal frequency of an island's
// centre of inertia, Σ Hω / ΣH; 0 for an isolated bus.
func (s *Simulator) IslandFreqHz(island int) float64 {
	p := s.now
	if p.inertia[island] == 0 {
		return 0
	}
	return (p.coiSpeed(p.x0, island) + p.coiSpeed(s.zw, island)) * p.c.FreqHz
}

// GenFreqHz sets dst to every generator's speed as a deviation from nominal
// frequency; 0 for a unit that does not run.
func (s *Simulator) GenFreqHz(dst []float64) {
	for u := range s.now.machines {
		dst[u] = s.speed(u) * s.now.c.FreqHz
	}
}

func (s *Simulator) speed(u int) float64 {
	if s.now.out[u] {
		return 0
	}
	i := s.now.layout.omega[u]
	return s.now.x0[i] + s.zw[i]
}

// BusFreqHz sets dst to every bus's frequency deviation by the frequency
// divider, a mean of the machines' speeds weighted by their electrical
// nearness.
func (s *Simulator) BusFreqHz(dst []float64) {
	p := s.now
	for i := range dst[:p.net.n] {
		dst[i] = 0
	}
	for u := range p.machines {
		if p.out[u] {
			continue
		}
		w := s.speed(u) * p.c.FreqHz
		for i := range p.net.n {
			dst[i] += p.divider.At(i, u) * w
		}
	}
}

// BusVoltagePU sets dst to every bus's voltage.
func (s *Simulator) BusVoltagePU(dst []float64) {
	n := s.now.net.n
	s.BusVoltageDeviationPU(dst)
	for i := range n {
		dst[i] += s.now.y0[n+i]
	}
}

// BusVoltageDeviationPU sets dst to every bus's voltage as a deviation from
// the present topology's operating point, which before any event is the
// power-flow solution.
func (s *Simulator) BusVoltageDeviationPU(dst []float64) {
	if s.dirty {
		s.refresh()
	}
	n := s.now.net.n
	copy(dst[:n], s.outHeld[n:])
	s.now.output(s.zw, dst[:n], n)
}

// algebraic sets s.y to the deviation of all bus angles and voltages.
func (s *Simulator) algebraic() {
	if s.dirty {
		s.refresh()
	}
	copy(s.y, s.outHeld)
	s.now.output(s.zw, s.y, 0)
}

// GenMechanicalMW sets dst to every generator's mechanical power; 0 for a
// unit that does not run.
func (s *Simulator) GenMechanicalMW(dst []float64) {
	p := s.now
	for u := range p.machines {
		m := &p.machines[u]
		dst[u] = 0
		if p.out[u] {
			continue
		}
		pm := m.pm0
		if m.governor {
			valve, reheat := p.layout.valve[u], p.layout.reheat[u]
			pm += p.x0[reheat] + s.zw[reheat] + m.t2/m.t3*(p.x0[valve]+s.zw[valve])
		}
		dst[u] = pm * p.c.BaseMVA
	}
}

// GenElectricalMW sets dst to every generator's electrical power; 0 for a
// unit that does not run.
func (s *Simulator) GenElectricalMW(dst []float64) {
	s.algebraic()
	p, n := s.now, s.now.net.n
	for u := range p.machines {
		m := &p.machines[u]
		dst[u] = 0
		if p.out[u] {
			continue
		}
		// Row ω of f_x and f_y holds −∂Pe/2H; the equilibrium has Pm − Pe = Dω.
		omega, delta := p.layout.omega[u], p.layout.delta[u]
		w := p.x0[omega]
		pe := m.pm0 - m.d*w
		if m.governor {
			pe += p.x0[p.layout.reheat[u]] + m.t2/m.t3*p.x0[p.layout.valve[u]]
		}
		dPe := p.jac.fx.At(omega, delta)*s.zw[delta] +
			p.jac.fy.At(omega, m.bus)*s.y[m.bus] + p.jac.fy.At(omega, n+m.bus)*s.y[n+m.bus]
		if m.avr {
			eq := p.layout.eq[u]
			dPe += p.jac.fx.At(omega, eq) * s.zw[eq]
		}
		dst[u] = (pe - 2*m.h*dPe) * p.c.BaseMVA
	}
}

// PowerBalanceMW returns the largest residual, over all buses, of the linear
// balance of active and reactive power at this instant: generation + blocks −
// loads − flow into the network. It is zero but for rounding.
func (s *Simulator) PowerBalanceMW() float64 {
	s.algebraic()
	p, n := s.now, s.now.net.n
	for i := range s.balance {
		sum := 0.0
		for k, v := range p.jac.gx.RawRowView(i) {
			sum += v * s.zw[k]
		}
		for k, v := range p.jac.gy.RawRowView(i) {
			sum += v * s.y[k]
		}
		s.balance[i] = sum
	}
	for i := range n {
		s.balance[i] -= s.loadP[i]
		s.balance[n+i] -= s.loadQ[i]
	}
	for j, i := range p.block {
		s.balance[s.blocks[j].bus] += s.zw[i]
	}
	for j, bus := range s.noise.bus {
		pl, ql := p.loadAt(bus)
		s.balance[bus] -= pl * s.zw[p.nz+j]
		s.balance[n+bus] -= ql * s.zw[p.nz+j]
	}
	worst, _ := largest(s.balance)
	return worst * p.c.BaseMVA
}
