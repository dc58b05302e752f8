package experiment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cosim/federates"
	"cosim/internal/record"
	"cosim/scada"
	"cosim/scada/q3p"
	"cosim/scada/reconfig"
	cosync "cosim/sync"
)

// operator does again what one did in a run, between the same two steps.
type operator struct {
	orders  []record.Event // to come
	chains  []scada.Chain
	grid    *federates.Grid
	scada   *federates.Scada
	quantum *federates.Quantum
}

func newOperator(orders []record.Event, d *Definition, fed *federation) *operator {
	o := &operator{orders: orders, chains: d.Chains}
	o.grid, _ = fed.find("grid").(*federates.Grid)
	o.scada, _ = fed.find("scada").(*federates.Scada)
	o.quantum, _ = fed.find("quantum").(*federates.Quantum)
	return o
}

func (o *operator) Begin(f *cosync.Frame) error { return o.Observe(f) }
func (o *operator) End(error) error             { return nil }

func (o *operator) Observe(f *cosync.Frame) error {
	for len(o.orders) > 0 && o.orders[0].AtNS <= int64(f.To) {
		e := o.orders[0]
		o.orders = o.orders[1:]
		if err := o.do(f.To, e); err != nil {
			return fmt.Errorf("experiment: %s of %s at %v cannot be repeated: %w", e.Type, e.Element, f.To, err)
		}
	}
	return nil
}

func (o *operator) do(now cosync.Time, e record.Event) error {
	kind := strings.TrimPrefix(e.Type, federates.OperatorPrefix)
	switch {
	case e.AtNS != int64(now):
		return fmt.Errorf("it was at %v", cosync.Time(e.AtNS))
	case (e.Type == federates.KeyDelivered || e.Type == federates.KeyRefused) && o.scada != nil:
		_, err := o.scada.Deliver(now, e.Element, e.Detail, make([]byte, int(e.Value)/8))
		if e.Type == federates.KeyRefused && errors.Is(err, scada.ErrNoKey) {
			return nil
		}
		return err
	case kind == "plan" && o.scada != nil:
		return o.setOption(now, e)
	case kind == federates.LinkBreak, kind == federates.AttenuationSurge, kind == federates.Attack, kind == federates.LoadStep:
		return o.disturb(now, e)
	case o.grid != nil:
		return o.grid.Operate(now, scada.Command{Kind: kind, Element: e.Element, Value: e.Value})
	}
	return fmt.Errorf("another program has the federate's place")
}

func (o *operator) disturb(now cosync.Time, e record.Event) error {
	d, err := federates.ParseDisturbance(e.Type, e.Element, e.Value, e.Detail)
	switch {
	case err != nil:
		return err
	case d.Kind == federates.LoadStep && o.grid != nil:
		return o.grid.Disturb(now, d)
	case d.Kind != federates.LoadStep && o.quantum != nil:
		return o.quantum.Disturb(d)
	}
	return fmt.Errorf("another program has the federate's place")
}

func (o *operator) setOption(now cosync.Time, e record.Event) error {
	i := slices.IndexFunc(o.chains, func(c scada.Chain) bool { return c.ID == e.Element })
	if i < 0 {
		return fmt.Errorf("no such chain")
	}
	mode, off := strings.CutPrefix(e.Detail, "off ")
	option := scada.Option{Route: int(e.Value), Off: off}
	var err error
	if option.Mode, err = q3p.ParseMode(mode); err != nil {
		return err
	}
	return o.scada.SetOption(now, i, option)
}

// cuts is the solver of runs whose decisions the wall clock may end. It tells
// which it did end, and ends the same ones again in a repetition.
type cuts struct {
	next reconfig.Solver // with the watchdog, if there is one
	// interrupted makes the same solver for an interruption of its own.
	interrupted func(func() bool) reconfig.Solver
	past        map[int]int // checks by decision, of the run that is repeated
	behind      func() bool // the repetition has not caught up: the clock has no say
	calls       int
	made        []cut
}

// cut is a decision that the clock ended after so many checks.
type cut struct{ decision, checks int }

// Solve implements reconfig.Solver.
func (c *cuts) Solve(p *reconfig.Problem, warm *reconfig.Warm, b reconfig.Budget) (*reconfig.Result, error) {
	decision := c.calls
	c.calls++
	solver := c.next
	if last, cutThen := c.past[decision]; cutThen {
		check := 0
		solver = c.interrupted(func() bool { check++; return check >= last })
	} else if c.behind() {
		solver = c.interrupted(nil)
	}
	result, err := solver.Solve(p, warm, b)
	if err == nil && result.Work.Interrupted {
		c.made = append(c.made, cut{decision, result.Work.Checks})
	}
	return result, err
}

// take returns the decisions that were ended since the last call.
func (c *cuts) take() []cut {
	if c == nil || len(c.made) == 0 {
		return nil
	}
	made := c.made
	c.made = nil
	return made
}
