package federates

import (
	"cosim/quantum"
	cosync "cosim/sync"
)

// Quantum is the federate of the QKD links. It emits distilled key in blocks;
// the pools stand with whoever draws from them.
type Quantum struct {
	links   []QuantumLink
	step    cosync.Time
	ordered []Disturbance // to begin with the next step, see Disturb
}

// QuantumLink is one link of the federate.
type QuantumLink struct {
	Name string
	Link *quantum.Link
	// CutsFibre says that a break of the link cuts the classical channel too.
	CutsFibre bool
}

// NewQuantum makes the federate with steps of the given length.
func NewQuantum(links []QuantumLink, step cosync.Time) *Quantum {
	return &Quantum{links: links, step: step}
}

// Outputs of Quantum.
const (
	quantumBlocks = iota
	quantumFibre
	quantumEvents
	quantumRate
	quantumQBER
	quantumAttenuation
	quantumKey
	quantumUp
	quantumState
)

// Describe implements sync.Federate.
func (q *Quantum) Describe() cosync.Description {
	names := make([]string, len(q.links))
	for i, l := range q.links {
		names[i] = "link/" + l.Name
	}
	return cosync.Description{
		Name: "quantum",
		Step: q.step,
		Outputs: []cosync.Port{
			quantumBlocks:      {Name: "blocks", Kind: cosync.Events},
			quantumFibre:       {Name: "fibre", Kind: cosync.Events},
			quantumEvents:      {Name: "events", Kind: cosync.Events},
			quantumRate:        {Name: "rate", Kind: cosync.Vector, Unit: "bit/s", Elements: names},
			quantumQBER:        {Name: "qber", Kind: cosync.Vector, Unit: "1", Elements: names},
			quantumAttenuation: {Name: "attenuation", Kind: cosync.Vector, Unit: "dB/km", Elements: names},
			quantumKey:         {Name: "key", Kind: cosync.Vector, Unit: "bit", Elements: names},
			quantumUp:          {Name: "up", Kind: cosync.Vector, Unit: "s", Elements: names},
			quantumState:       {Name: "state", Kind: cosync.Vector, Unit: "1", Elements: names},
		},
	}
}

// Init implements sync.Federate.
func (q *Quantum) Init(out []cosync.Signal) error {
	q.publish(out)
	return nil
}

// Step implements sync.Federate.
func (q *Quantum) Step(s *cosync.Step) error {
	if err := q.obey(s); err != nil {
		return err
	}
	for _, l := range q.links {
		l.Link.Advance(int64(s.To))
		for _, b := range l.Link.Blocks() {
			s.Out[quantumBlocks].Events = append(s.Out[quantumBlocks].Events,
				cosync.Event{At: cosync.Time(b.AtNS), Type: EventBlock, Element: l.Name, Value: float64(b.Bits)})
		}
		for _, e := range l.Link.Events() {
			q.event(s.Out, l, e)
		}
	}
	q.publish(s.Out)
	return nil
}

func (q *Quantum) event(out []cosync.Signal, l QuantumLink, e quantum.Event) {
	event := cosync.Event{At: cosync.Time(e.AtNS), Type: "key-" + e.Kind.String(), Element: l.Name, Value: e.QBER}
	port := quantumEvents
	switch {
	case l.CutsFibre && e.Kind == quantum.EventBreak:
		event.Type, event.Value, port = EventLinkDown, 0, quantumFibre
	case l.CutsFibre && e.Kind == quantum.EventRepair:
		event.Type, event.Value, port = EventLinkUp, 0, quantumFibre
	}
	out[port].Events = append(out[port].Events, event)
}

func (q *Quantum) publish(out []cosync.Signal) {
	for i, l := range q.links {
		out[quantumRate].Values[i] = 0
		if l.Link.Up() {
			out[quantumRate].Values[i] = l.Link.RateBPS()
		}
		out[quantumQBER].Values[i] = l.Link.QBER()
		out[quantumAttenuation].Values[i] = l.Link.AttenuationDBPerKM()
		seen := l.Link.Observation()
		out[quantumKey].Values[i] = seen.KeyBits
		out[quantumUp].Values[i] = float64(seen.UpNS) / 1e9
		out[quantumState].Values[i] = stateOf(seen)
	}
}

// States of a link at the end of a step.
const (
	linkYields     = 0
	linkDown       = 1
	linkAboveBound = 2 // the error rate is too high for any key
)

func stateOf(o quantum.Observation) float64 {
	switch {
	case o.Down:
		return linkDown
	case o.AboveBound:
		return linkAboveBound
	}
	return linkYields
}

// Close implements sync.Federate.
func (q *Quantum) Close() error { return nil }
