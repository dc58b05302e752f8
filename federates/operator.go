package federates

import (
	"errors"
	"fmt"
	"slices"

	"cosim/grid"
	"cosim/scada"
	cosync "cosim/sync"
)

// setPoint is one of a unit: what the control centre asks for, and what an
// operator adds to it.
type setPoint struct{ automatic, manual float64 }

func (p setPoint) sum() float64 { return p.automatic + p.manual }

// Case is the power system.
func (g *Grid) Case() *grid.Case { return g.sim.Case() }

// Operate takes a command from outside the simulation, such as an operator's.
// It is called between two steps, acts in the first substep of the next one and
// stands in the record as an event "operator-agc", "operator-breaker" and so
// on. Set points of power and voltage come on top of the control centre's.
func (g *Grid) Operate(now cosync.Time, c scada.Command) error {
	if err := g.obeys(c); err != nil {
		return err
	}
	g.pending = append(g.pending, pendingCommand{at: now, Command: c, operator: true})
	return nil
}

// obeys says of a command that nothing in the grid obeys it.
func (g *Grid) obeys(c scada.Command) error {
	var ok bool
	switch c.Kind {
	case scada.TaskAGC, scada.TaskAVR:
		_, ok = g.gens[c.Element]
	case scada.TaskShed:
		_, ok = g.block[c.Element]
	case scada.TaskBreaker:
		ok = slices.ContainsFunc(g.Case().Branches, func(b grid.Branch) bool { return "branch/"+b.ID == c.Element })
	}
	if !ok {
		return fmt.Errorf("grid: no %q that obeys %s", c.Element, c.Kind)
	}
	return nil
}

// setPower and setVoltage change a unit's set point, as a command says.
func (g *Grid) setPower(c pendingCommand) {
	i := g.gens[c.Element]
	g.power[i].take(c)
	g.sim.SetPrefMW(i, g.power[i].sum())
}

func (g *Grid) setVoltage(c pendingCommand) {
	i := g.gens[c.Element]
	g.voltage[i].take(c)
	g.sim.SetVrefPU(i, g.voltage[i].sum())
}

func (p *setPoint) take(c pendingCommand) {
	if c.operator {
		p.manual = c.Value
		return
	}
	p.automatic = c.Value
}

// Types of the events of key that Deliver was asked for: their value are the
// bits, their detail the node that asked.
const (
	KeyDelivered = "key-delivered"
	KeyRefused   = "key-refused" // for want of key: scada.ErrNoKey
)

// Deliver draws key of a link for an application at one of its nodes, from
// what its chains draw from and under the same rules, and returns the key's
// offset. It is called between two steps.
func (s *Scada) Deliver(now cosync.Time, link, node string, dst []byte) (offset int64, err error) {
	k := s.byLink[link]
	if k == nil {
		return 0, fmt.Errorf("scada: no key pool %q", link)
	}
	key, _, err := supplyFor{k}.Draw(scada.DrawRequest{AtNS: int64(now), By: node}, 8*len(dst))
	told := cosync.Event{At: now, Type: KeyDelivered, Element: link, Value: float64(8 * len(dst)), Detail: node}
	switch {
	case errors.Is(err, scada.ErrNoKey):
		told.Type = KeyRefused
	case err != nil:
		return 0, err
	}
	s.delivered = append(s.delivered, told)
	copy(dst, key.Bytes)
	return key.Offset, err
}

// Fetch fills dst with key that was delivered at the other end of the link. The
// key stays until it is released or too old.
func (s *Scada) Fetch(link string, offset int64, dst []byte) error {
	k := s.byLink[link]
	if k == nil {
		return fmt.Errorf("scada: no key pool %q", link)
	}
	key, err := supplyFor{k}.Key(offset, 8*len(dst))
	copy(dst, key)
	return err
}

// Release deletes delivered key, n bytes from offset on.
func (s *Scada) Release(link string, offset int64, n int) {
	if k := s.byLink[link]; k != nil {
		supplyFor{k}.Release(offset, 8*n)
	}
}

// Supplies are the pools that the federate draws from, for reading between two
// steps.
func (s *Scada) Supplies() []*KeySupply { return s.supplies }

// Options are the routes and modes of all chains, in the order of the
// configuration. The caller must not change them.
func (s *Scada) Options() []scada.Option { return s.system.Plan() }

// SetOption changes the route and mode of a chain, recorded as an event
// "operator-plan": the route as its value, the mode as its detail, with "off "
// before it for a chain that is switched off. It is called between two steps,
// in runs whose chains nobody else reconfigures.
func (s *Scada) SetOption(now cosync.Time, chain int, o scada.Option) error {
	if s.planning != nil {
		return errors.New("scada: the experiment's own solver plans the chains")
	}
	plan := slices.Clone(s.system.Plan())
	plan[chain] = o
	if err := s.system.SetPlan(plan); err != nil {
		return err
	}
	detail := o.Mode.String()
	if o.Off {
		detail = "off " + detail // what it goes on in when it is switched on again
	}
	s.replanned = append(s.replanned, cosync.Event{
		At: now, Type: "operator-plan", Element: s.cfg.Chains[chain].ID, Value: float64(o.Route), Detail: detail,
	})
	return nil
}

// publishOperated reports what was done between the last step and this one.
func (s *Scada) publishOperated(out []cosync.Signal) {
	out[scadaKeyEvents].Events = append(out[scadaKeyEvents].Events, s.delivered...)
	out[scadaPlan].Events = append(out[scadaPlan].Events, s.replanned...)
	s.delivered, s.replanned = s.delivered[:0], s.replanned[:0]
}
