package experiment

import (
	"errors"
	"fmt"
	"math"

	cosync "cosim/sync"
)

// ErrInvariant says that a conservation law did not hold: the run is wrong,
// whatever its figures.
var ErrInvariant = errors.New("invariant broken")

// invariants checks the conservation laws: messages, key bits, tasks and power.
// It ends the run at the first breach, with the state in the error.
type invariants struct {
	every cosync.Time
	at    map[string]int
	ports []string
}

// balanceToleranceMW bounds the rounding of the linear power balance.
const balanceToleranceMW = 1e-6

func newInvariants(every cosync.Time) *invariants {
	return &invariants{every: every, at: map[string]int{}, ports: []string{
		"network.balance", "grid.balance", "scada.ledger", "scada.pool",
		"scada.initial", "scada.generated", "scada.consumed", "scada.discarded", "scada.expired",
	}}
}

func (v *invariants) Begin(f *cosync.Frame) error {
	for _, p := range v.ports {
		if i, ok := f.Index(p); ok {
			v.at[p] = i
		}
	}
	return nil
}

func (v *invariants) Observe(f *cosync.Frame) error {
	if f.To%v.every != 0 {
		return nil
	}
	return errors.Join(v.messages(f), v.power(f), v.keys(f), v.tasks(f))
}

func (v *invariants) End(error) error { return nil }

func (v *invariants) values(f *cosync.Frame, name string) []float64 {
	if i, ok := v.at[name]; ok {
		return f.Outputs[i].Values
	}
	return nil
}

func (v *invariants) breach(f *cosync.Frame, format string, args ...any) error {
	return fmt.Errorf("%w at %v: %s", ErrInvariant, f.To, fmt.Sprintf(format, args...))
}

func (v *invariants) messages(f *cosync.Frame) error {
	b := v.values(f, "network.balance")
	for k := 0; k+5 <= len(b); k += 5 {
		if in, out := b[k]+b[k+1], b[k+2]+b[k+3]+b[k+4]; in != out {
			return v.breach(f, "messages: sent %v + added %v ≠ delivered %v + dropped %v + in flight %v", b[k], b[k+1], b[k+2], b[k+3], b[k+4])
		}
	}
	return nil
}

func (v *invariants) power(f *cosync.Frame) error {
	for _, x := range v.values(f, "grid.balance") {
		if !(math.Abs(x) <= balanceToleranceMW) {
			return v.breach(f, "power: the balance of some bus is open by %g MW", x)
		}
	}
	return nil
}

func (v *invariants) keys(f *cosync.Frame) error {
	pool := v.values(f, "scada.pool")
	initial, generated := v.values(f, "scada.initial"), v.values(f, "scada.generated")
	consumed, discarded, expired := v.values(f, "scada.consumed"), v.values(f, "scada.discarded"), v.values(f, "scada.expired")
	for i := range pool {
		in, out := initial[i]+generated[i], pool[i]+consumed[i]+discarded[i]+expired[i]
		if in != out || pool[i] < 0 {
			return v.breach(f, "key of %s: initial %v + generated %v ≠ in pool %v + consumed %v + discarded %v + expired %v bits",
				f.Outputs[v.at["scada.pool"]].Port.Elements[i], initial[i], generated[i], pool[i], consumed[i], discarded[i], expired[i])
		}
	}
	return nil
}

func (v *invariants) tasks(f *cosync.Frame) error {
	if l := v.values(f, "scada.ledger"); len(l) == 4 && l[0] != l[1]+l[2]+l[3] {
		return v.breach(f, "tasks: triggered %v ≠ succeeded %v + failed %v + open %v", l[0], l[1], l[2], l[3])
	}
	return nil
}
