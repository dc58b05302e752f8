package outstation

import (
	"fmt"
	"math"
	"slices"
	"time"

	"cosim/scada/iec104"
)

// Command is one object that masters may command.
type Command struct {
	IOA  uint32
	Name string // for people: "gen/30 active power"
	Unit string
	// Types are those under which it is commanded: 45, 46, 58 for switching,
	// 48, 49, 50, 63 for set points.
	Types []iec104.TypeID
	// Min and Max bound a set point.
	Min, Max float64
	// FullScale is the set point that a normalised value of 1 means, Resolution
	// what a scaled value of 1 means; 0 means 1.
	FullScale, Resolution float64
	// MustSelect says that it is obeyed only after it was selected.
	MustSelect bool
}

// Order is a command to be carried out.
type Order struct {
	IOA    uint32
	Value  float64 // 0 or 1 for switching (off or on, open or closed), else the set point
	Master string  // address of who sent it
}

func (c *Command) check() error {
	switch {
	case c.IOA == 0 || c.IOA >= 1<<24:
		return fmt.Errorf("outstation: address %d of %s, expected 1 to 16777215", c.IOA, c.Name)
	case len(c.Types) == 0:
		return fmt.Errorf("outstation: no types for %s", c.Name)
	}
	for _, t := range c.Types {
		if !isCommand(t) {
			return fmt.Errorf("outstation: %v of %s is no command", t, c.Name)
		}
	}
	return nil
}

func isCommand(t iec104.TypeID) bool {
	switch t {
	case iec104.CScNa1, iec104.CDcNa1, iec104.CSeNa1, iec104.CSeNb1, iec104.CSeNc1, iec104.CScTa1, iec104.CSeTc1:
		return true
	}
	return false
}

// value is what an object asks for; false where it is not allowed.
func (c *Command) value(t iec104.TypeID, o iec104.Object) (v float64, ok bool) {
	switch t {
	case iec104.CScNa1, iec104.CScTa1:
		return float64(o.Qualifier & 1), true
	case iec104.CDcNa1:
		return float64(o.Double()) - float64(iec104.DoubleOff), o.Double() == iec104.DoubleOff || o.Double() == iec104.DoubleOn
	case iec104.CSeNa1:
		v = o.Normalized() * or1(c.FullScale)
	case iec104.CSeNb1:
		v = float64(o.Scaled()) * or1(c.Resolution)
	default:
		v = float64(o.Float())
	}
	return v, !math.IsNaN(v) && v >= c.Min && v <= c.Max
}

func (c *Command) accepts(t iec104.TypeID) bool { return slices.Contains(c.Types, t) }

// selection is a command that one master has selected.
type selection struct {
	by    *session
	kind  iec104.TypeID
	value float64
	until time.Time
}

// SelectFor is how long a selection holds.
const SelectFor = 30 * time.Second

// choose selects a command for a session; false when another one has it.
func (st *Station) choose(ioa uint32, by *session, t iec104.TypeID, v float64, now time.Time) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if s, ok := st.selected[ioa]; ok && s.by != by && now.Before(s.until) {
		return false
	}
	st.selected[ioa] = selection{by, t, v, now.Add(SelectFor)}
	return true
}

// claim says whether a session may execute a command now, and uses up its
// selection: a selected command is executed as it was selected, or not at all.
func (st *Station) claim(c *Command, by *session, t iec104.TypeID, v float64, now time.Time) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	s, ok := st.selected[c.IOA]
	switch ok = ok && now.Before(s.until); {
	case !ok:
		return !c.MustSelect
	case s.by != by:
		return false
	}
	delete(st.selected, c.IOA)
	return s.kind == t && s.value == v
}

// release cancels a selection; false when the session has none.
func (st *Station) release(ioa uint32, by *session, now time.Time) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	s, ok := st.selected[ioa]
	if !ok || s.by != by {
		return false
	}
	delete(st.selected, ioa)
	return now.Before(s.until)
}

// forget cancels all selections of a session.
func (st *Station) forget(by *session) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for ioa, s := range st.selected {
		if s.by == by {
			delete(st.selected, ioa)
		}
	}
}
