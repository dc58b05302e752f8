package sync

import (
	"fmt"
	"math"
)

// Action says what a Fault does to a signal.
type Action uint8

// The actions. Hold, Set, Offset and Scale change elements of a vector; Drop
// removes messages or events.
const (
	Hold   Action = iota // keep the value published last before the window
	Set                  // replace by Value
	Offset               // add Value
	Scale                // multiply by Value
	Drop                 // remove what carries a time in the window
)

var actionNames = [...]string{"hold", "set", "offset", "scale", "drop"}

// String returns "hold", "set", "offset", "scale" or "drop".
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action %d", uint8(a))
}

// Fault changes an output between its source and its readers during
// [From, To): a broken sensor, an attack. The source does not notice;
// observers see what the readers see, marked Faulted. Several faults of one
// port act in the order given. For a vector, From and To lie on steps of its
// federate, so that no part of a window goes without effect.
type Fault struct {
	Port     string // "grid.frequency", an output
	Element  string // of a vector; empty for all
	Action   Action
	Value    float64
	From, To Time
	Origin   string // where it is written, for messages; may be empty
}

// activeFault is a Fault resolved to elements [first, last) of its output.
type activeFault struct {
	Fault
	first, last int
}

// distort applies a vector fault to values; before are the values published
// by the step before.
func (a *activeFault) distort(values, before []float64) {
	for i := a.first; i < a.last; i++ {
		switch a.Action {
		case Hold:
			values[i] = before[i]
		case Set:
			values[i] = a.Value
		case Offset:
			values[i] += a.Value
		case Scale:
			values[i] *= a.Value
		}
	}
}

// thin removes the items whose time lies in the window, keeping the order.
func thin[T timed](a *activeFault, items []T) []T {
	kept := items[:0]
	for _, item := range items {
		if at := item.when(); at < a.From || at >= a.To {
			kept = append(kept, item)
		}
	}
	return kept
}

// check says what is wrong with the fault for output o of a federate of the
// given step, and resolves its elements.
func (a *activeFault) check(o *outlet, step Time) error {
	if a.From < 0 || a.To <= a.From {
		return fmt.Errorf("window from %v to %v is empty or before the start", a.From, a.To)
	}
	if math.IsNaN(a.Value) || math.IsInf(a.Value, 0) {
		return fmt.Errorf("value %v is not finite", a.Value)
	}
	if int(a.Action) >= len(actionNames) || (a.Action == Drop) == (o.port.Kind == Vector) {
		return fmt.Errorf("%v does not apply to %v", a.Action, o.port.Kind)
	}
	if a.Action == Drop {
		return nil
	}
	if a.From%step != 0 || a.To%step != 0 {
		return fmt.Errorf("window from %v to %v does not fall on the federate's steps of %v", a.From, a.To, step)
	}
	a.first, a.last = 0, len(o.port.Elements)
	if a.Element == "" {
		return nil
	}
	for i, name := range o.port.Elements {
		if name == a.Element {
			a.first, a.last = i, i+1
			return nil
		}
	}
	return fmt.Errorf("no element %q%s", a.Element, suggestion(a.Element, o.port.Elements))
}
