package federates

import (
	"strconv"

	"cosim/scada"
	cosync "cosim/sync"
)

// IEDs is the federate of the receiving ends at the elements of the grid. It
// opens the frames that arrive and passes on, in the clear, what verifies: an
// order acts only if its frame does.
type IEDs struct {
	ieds map[string]*scada.IED // by node
	step cosync.Time

	trace func(GridTrace) // nil unless the run is traced
}

// NewIEDs makes the federate of the IEDs, by node.
func NewIEDs(ieds map[string]*scada.IED, step cosync.Time) *IEDs {
	return &IEDs{ieds: ieds, step: step}
}

// Ports of IEDs.
const iedCommands = 0 // in

const (
	iedApplied = iota // out
	iedOrders
)

// Describe implements sync.Federate.
func (d *IEDs) Describe() cosync.Description {
	return cosync.Description{
		Name:   "ieds",
		Step:   d.step,
		Inputs: []cosync.Port{iedCommands: {Name: "commands", Kind: cosync.Messages, Direct: true, Optional: true}},
		Outputs: []cosync.Port{
			iedApplied: {Name: "applied", Kind: cosync.Messages},
			iedOrders:  {Name: "orders", Kind: cosync.Events},
		},
	}
}

// Init implements sync.Federate.
func (d *IEDs) Init([]cosync.Signal) error { return nil }

// Step implements sync.Federate.
func (d *IEDs) Step(s *cosync.Step) error {
	for i := range s.In[iedCommands].Messages {
		d.receive(&s.In[iedCommands].Messages[i], s.Out)
	}
	return nil
}

// receive lets the addressed IED verify a frame, reports what it made of it
// and, if it verified, what it asks for: as an event whose type is the task
// (agc, avr, shed or breaker), at the time of arrival. Its detail is the id of
// the frame, by which a task can be followed into the grid.
func (d *IEDs) receive(m *cosync.Message, out []cosync.Signal) {
	verdict := scada.Rejected
	if ied, ok := d.ieds[m.To]; ok {
		var c scada.Command
		// Why a frame was rejected is not for the sender to learn.
		var err error
		c, verdict, err = ied.Receive(m.From, m.Payload)
		d.judged(m, c, verdict, err)
		if verdict == scada.Valid && c.Kind != "" {
			out[iedOrders].Events = append(out[iedOrders].Events, cosync.Event{
				At: m.At, Type: c.Kind, Element: c.Element, Value: c.Value, Detail: strconv.FormatUint(m.ID, 10),
			})
		}
	}
	out[iedApplied].Messages = append(out[iedApplied].Messages, cosync.Message{
		At: m.At, ID: m.ID, From: m.To, Payload: verdictBytes[verdict : verdict+1],
	})
}

var verdictBytes = []byte{byte(scada.Valid), byte(scada.Duplicate), byte(scada.Rejected)}

// Close implements sync.Federate.
func (d *IEDs) Close() error { return nil }
