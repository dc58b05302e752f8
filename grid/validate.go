package grid

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// faults collects mistakes, each with the place of its row.
type faults struct{ errs []error }

func (f *faults) add(at Position, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	if at.File != "" {
		msg = at.String() + ": " + msg
	}
	f.errs = append(f.errs, errors.New(msg))
}

// finite reports every named value that is not a finite number.
func (f *faults) finite(at Position, names string, values ...float64) {
	for i, name := range strings.Fields(names) {
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			f.add(at, "%s is %g, want a finite number", name, values[i])
		}
	}
}

func (f *faults) join() error { return errors.Join(f.errs...) }

// Validate checks what the power flow needs and reports all mistakes at once,
// joined, each as file:line: what is wrong.
func (c *Case) Validate() error {
	f := &faults{}
	if !(c.BaseMVA > 0) || math.IsInf(c.BaseMVA, 0) {
		f.add(Position{}, "case %s: base is %g MVA, want more than 0", c.Name, c.BaseMVA)
	}
	if !(c.FreqHz > 0) || math.IsInf(c.FreqHz, 0) {
		f.add(Position{}, "case %s: nominal frequency is %g Hz, want more than 0", c.Name, c.FreqHz)
	}
	index := c.busIndices()
	c.checkBuses(f, index)
	c.checkGens(f, index)
	c.checkBranches(f, index)
	c.checkSlack(f)
	c.checkConnected(f, index)
	c.checkDynamicsRows(f, index)
	return f.join()
}

// ValidateDynamics checks what the dynamic model needs beyond [Case.Validate]:
// a row of dynamics for every generator in service, and with avr the
// machine's field circuit.
func (c *Case) ValidateDynamics(avr bool) error {
	f := &faults{}
	for g, d := range c.genDynamics() {
		gen := &c.Gens[g]
		if !gen.InService {
			continue
		}
		if d < 0 {
			f.add(gen.At, "generator at bus %s has no dynamics", gen.Bus)
			continue
		}
		if dyn := &c.Dynamics[d]; avr && !(dyn.DirectXPU >= dyn.TransientXPU && dyn.QuadratureXPU > 0 && dyn.FieldTimeS > 0) {
			f.add(dyn.At, "unit at bus %s cannot have an AVR: it needs xd >= x'd, xq > 0 and T'd0 > 0 (got %g, %g, %g)",
				dyn.Bus, dyn.DirectXPU, dyn.QuadratureXPU, dyn.FieldTimeS)
		}
	}
	return f.join()
}

func (c *Case) checkBuses(f *faults, index map[string]int) {
	if len(c.Buses) == 0 {
		f.add(Position{}, "case %s: no buses", c.Name)
	}
	for i := range c.Buses {
		b := &c.Buses[i]
		if b.ID == "" {
			f.add(b.At, "bus without an id")
		} else if first := index[b.ID]; first != i {
			f.add(b.At, "duplicate bus %s, first at %s", b.ID, c.Buses[first].At)
		}
		if b.Kind < PQ || b.Kind > Isolated {
			f.add(b.At, "bus %s has type %d, want 1 (PQ), 2 (PV), 3 (slack) or 4 (isolated)", b.ID, b.Kind)
		}
		if !(b.VoltagePU > 0) {
			f.add(b.At, "bus %s starts at %g p.u. voltage, want more than 0", b.ID, b.VoltagePU)
		}
		f.finite(b.At, "Pd Qd Gs Bs Vm Va", b.LoadMW, b.LoadMVAr, b.ShuntMW, b.ShuntMVAr, b.VoltagePU, b.AngleDeg)
	}
}

func (c *Case) checkGens(f *faults, index map[string]int) {
	for i := range c.Gens {
		g := &c.Gens[i]
		bus, ok := index[g.Bus]
		if !ok {
			f.add(g.At, "generator at unknown bus %q", g.Bus)
		} else if g.InService && c.Buses[bus].Kind == Isolated {
			f.add(g.At, "generator in service at isolated bus %s", g.Bus)
		}
		if g.InService && !(g.VoltagePU > 0) {
			f.add(g.At, "generator at bus %s has voltage set point %g p.u., want more than 0", g.Bus, g.VoltagePU)
		}
		if g.MinMVAr > g.MaxMVAr {
			f.add(g.At, "generator at bus %s: Qmin %g above Qmax %g", g.Bus, g.MinMVAr, g.MaxMVAr)
		}
		f.finite(g.At, "Pg Qg Vg", g.PowerMW, g.ReactiveMVAr, g.VoltagePU)
	}
}

func (c *Case) checkBranches(f *faults, index map[string]int) {
	seen := make(map[string]Position)
	for i := range c.Branches {
		b := &c.Branches[i]
		if first, twice := seen[b.ID]; twice {
			f.add(b.At, "duplicate branch %s, first at %s", b.ID, first)
		} else {
			seen[b.ID] = b.At
		}
		for _, end := range []string{b.From, b.To} {
			if bus, ok := index[end]; !ok {
				f.add(b.At, "branch %s ends at unknown bus %q", b.ID, end)
			} else if b.InService && c.Buses[bus].Kind == Isolated {
				f.add(b.At, "branch %s in service ends at isolated bus %s", b.ID, end)
			}
		}
		if b.From == b.To {
			f.add(b.At, "branch %s connects a bus with itself", b.ID)
		}
		if b.ResistancePU == 0 && b.ReactancePU == 0 {
			f.add(b.At, "branch %s has zero impedance", b.ID)
		}
		if !(b.Tap > 0) {
			f.add(b.At, "branch %s has tap ratio %g, want more than 0", b.ID, b.Tap)
		}
		f.finite(b.At, "r x b tap shift", b.ResistancePU, b.ReactancePU, b.SusceptancePU, b.Tap, b.ShiftDeg)
	}
}

func (c *Case) checkSlack(f *faults) {
	var slack []string
	for i := range c.Buses {
		b := &c.Buses[i]
		if b.Kind != Slack {
			continue
		}
		slack = append(slack, b.ID)
		if len(slack) > 1 {
			f.add(b.At, "second slack bus %s, the first is %s", b.ID, slack[0])
		}
		if !c.hasGen(b.ID) {
			f.add(b.At, "slack bus %s has no generator in service", b.ID)
		}
	}
	if len(slack) == 0 && len(c.Buses) > 0 {
		f.add(Position{}, "case %s: no slack bus (type 3)", c.Name)
	}
}

// checkSlackName compares the slack named in base.csv with the bus table.
func (c *Case) checkSlackName(name, file string) error {
	if name == "" {
		return nil
	}
	if i, ok := c.BusIndex(name); !ok || c.Buses[i].Kind != Slack {
		return fmt.Errorf("%s: slack bus %s is not of type 3 in the bus table", file, name)
	}
	return nil
}

func (c *Case) hasGen(bus string) bool {
	for i := range c.Gens {
		if c.Gens[i].Bus == bus && c.Gens[i].InService {
			return true
		}
	}
	return false
}

// checkConnected reports every bus that no path of branches in service joins
// with the slack bus. Of an island only its first bus is named.
func (c *Case) checkConnected(f *faults, index map[string]int) {
	island := c.islands(index, nil)
	main := -1
	for i := range c.Buses {
		if c.Buses[i].Kind == Slack {
			main = island[i]
			break
		}
	}
	if main < 0 {
		return
	}
	size := make(map[int]int)
	for i := range c.Buses {
		size[island[i]]++
	}
	named := make(map[int]bool)
	for i := range c.Buses {
		b := &c.Buses[i]
		if k := island[i]; b.Kind != Isolated && k != main && !named[k] {
			named[k] = true
			f.add(b.At, "bus %s lies in an island of %d buses without the slack bus", b.ID, size[k])
		}
	}
}

func (c *Case) checkDynamicsRows(f *faults, index map[string]int) {
	gens, rows := make(map[string]int), make(map[string]int)
	for i := range c.Gens {
		gens[c.Gens[i].Bus]++
	}
	for i := range c.Dynamics {
		d := &c.Dynamics[i]
		if _, ok := index[d.Bus]; !ok {
			f.add(d.At, "dynamics for unknown bus %q", d.Bus)
		} else if rows[d.Bus]++; gens[d.Bus] == 0 {
			f.add(d.At, "dynamics for bus %s, which has no generator", d.Bus)
		} else if rows[d.Bus] > gens[d.Bus] {
			f.add(d.At, "duplicate dynamics for bus %s", d.Bus)
		}
		d.check(f, c.BaseMVA)
	}
}

func (d *Dynamics) check(f *faults, baseMVA float64) {
	f.finite(d.At, "H D ra x'd xd xq T'd0 gov_base R Tg T2 T3 K TE TA TB", d.InertiaS, d.DampingPU, d.StatorPU,
		d.TransientXPU, d.DirectXPU, d.QuadratureXPU, d.FieldTimeS, d.GovernorMVA, d.DroopPU, d.GovernorTimeS,
		d.LeadTimeS, d.ReheatTimeS, d.ExciterGain, d.ExciterTimeS, d.ExciterLeadTimeS, d.ExciterLagTimeS)
	if d.InertiaS < 0 {
		f.add(d.At, "unit at bus %s has negative inertia %g s on %g MVA", d.Bus, d.InertiaS, baseMVA)
	} else if d.InertiaS == 0 {
		f.add(d.At, "unit at bus %s has no inertia", d.Bus)
	}
	if d.DampingPU < 0 {
		f.add(d.At, "unit at bus %s has negative damping %g", d.Bus, d.DampingPU)
	}
	if !(d.TransientXPU > 0) {
		f.add(d.At, "unit at bus %s has transient reactance %g, want more than 0", d.Bus, d.TransientXPU)
	}
	if d.StatorPU != 0 {
		f.add(d.At, "unit at bus %s has stator resistance %g; it is not modelled, set it to 0", d.Bus, d.StatorPU)
	}
	if d.GovernorMVA < 0 {
		f.add(d.At, "unit at bus %s has negative governor rating %g MVA", d.Bus, d.GovernorMVA)
	}
	if d.GovernorMVA > 0 && !(d.DroopPU > 0 && d.GovernorTimeS > 0 && d.ReheatTimeS > 0 && d.LeadTimeS >= 0) {
		f.add(d.At, "governor at bus %s needs R, Tg, T3 above 0 and T2 not below (got %g, %g, %g, %g)",
			d.Bus, d.DroopPU, d.GovernorTimeS, d.ReheatTimeS, d.LeadTimeS)
	}
	if !(d.ExciterGain > 0 && d.ExciterTimeS > 0 && d.ExciterLagTimeS > 0 && d.ExciterLeadTimeS >= 0) {
		f.add(d.At, "exciter at bus %s needs K, TE, TB above 0 and TA not below (got %g, %g, %g, %g)",
			d.Bus, d.ExciterGain, d.ExciterTimeS, d.ExciterLagTimeS, d.ExciterLeadTimeS)
	}
}
