package federates

import (
	"strconv"

	"cosim/network"
	"cosim/scada"
	cosync "cosim/sync"
)

// Trace has f told what happens to every task; see scada.System.Trace.
func (s *Scada) Trace(f func(*scada.Trace)) { s.system.Trace(f) }

// OnUtterance has f told of every APDU; see scada.System.OnUtterance.
func (s *Scada) OnUtterance(f func(*scada.Utterance)) { s.system.OnUtterance(f) }

// Engine is what the federate drives, for reading between two steps.
func (n *Network) Engine() *network.Engine { return n.engine }

// GridTrace is what became of a frame that reached an IED: its judgement there,
// or the command that it brought when the grid obeys.
type GridTrace struct {
	Frame   uint64
	At      cosync.Time // of arrival, or the substep
	Obeyed  bool
	Node    string // of a judgement
	Verdict scada.Verdict
	Reason  string        // of a rejection
	Command scada.Command // Kind is empty where it asks for nothing
}

// Trace has f told what IEDs make of frames. It is called before the first
// step, and changes nothing.
func (d *IEDs) Trace(f func(GridTrace)) { d.trace = f }

// Trace has f told what the grid obeys. It is called before the first step,
// and changes nothing.
func (g *Grid) Trace(f func(GridTrace)) { g.trace = f }

func (d *IEDs) judged(m *cosync.Message, c scada.Command, v scada.Verdict, err error) {
	if d.trace == nil {
		return
	}
	x := GridTrace{Frame: m.ID, At: m.At, Node: m.To, Verdict: v, Command: c}
	if err != nil {
		x.Reason = err.Error()
	}
	d.trace(x)
}

func (g *Grid) obeyed(c pendingCommand, t cosync.Time) {
	if g.trace == nil || c.operator {
		return
	}
	// An order that no frame brought, from a federate outside, has no task.
	if frame, err := strconv.ParseUint(c.frame, 10, 64); err == nil {
		g.trace(GridTrace{Frame: frame, At: t, Obeyed: true, Command: c.Command})
	}
}
