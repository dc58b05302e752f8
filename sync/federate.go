package sync

import (
	"math"
	"time"
)

// Time is simulated time in integer nanoseconds since the start of the run.
// No float is ever compared for time.
type Time int64

// Duration spans of simulated time use the same unit as Time.
const (
	Microsecond Time = 1e3
	Millisecond Time = 1e6
	Second      Time = 1e9
)

// Never is later than every time: an event-stepped federate that names it acts
// only when an input wakes it.
const Never Time = math.MaxInt64

// Seconds returns t as a float for display and for models' equations.
func (t Time) Seconds() float64 { return float64(t) / float64(Second) }

// String prints t like a time.Duration ("312.41s").
func (t Time) String() string { return time.Duration(t).String() }

// Kind says what a port carries.
type Kind uint8

// The three kinds of port.
const (
	Vector   Kind = iota // float64 values, one an element, all of one unit; held until written again
	Messages             // addressed payloads with exact times inside the step; consumed by reading
	Events               // named happenings with exact times inside the step; consumed by reading
)

// Port is a named input or output of a federate.
type Port struct {
	Name string
	Kind Kind
	// Unit of a vector's values, for example "Hz", "pu", "MW", "bit".
	Unit string
	// Elements names the values of a vector, for example "gen/30".
	Elements []string
	// Direct marks an input with direct feed-through: it reads what its
	// source made in this same step. Otherwise it reads what its source had
	// made by the start of the step.
	Direct bool
	// Optional marks an input that may stay unconnected.
	Optional bool
	// Subset marks a vector input that names only some of its source's
	// elements. Otherwise both must have the same.
	Subset bool
	// Wake marks an input of an event-stepped federate that has it act.
	Wake *Wake `json:",omitempty"` // left out of records where there is none
}

// Wake says what, at an input, has an event-stepped federate act before the
// time that it named: a message or an event that can be read; of a vector, a
// change since the federate last acted, also from or to Stale.
type Wake struct {
	// Elements of a vector whose changes count; nil for all.
	Elements []string `json:",omitempty"`
	// Levels, in the port's unit, let a change count only if it leads across
	// one of them. A value at a level is above it.
	Levels []float64 `json:",omitempty"`
}

// Description is what a federate says about itself before the run.
type Description struct {
	Name string
	// Step is the length of the federate's own step.
	Step Time
	// ByEvent marks an event-stepped federate: of its steps it makes the
	// first, at time zero, those that it names (Step.Next), and those that an
	// input wakes it for (Port.Wake). A Step of zero is then the master's.
	ByEvent bool `json:",omitempty"` // left out of records of others
	Inputs  []Port
	Outputs []Port
}

// Message is an addressed payload. To is an address in the receiver's terms;
// the network reads it as a source route ("CC>GW1>RTU30"). The payload is
// immutable once sent.
type Message struct {
	At      Time   // when it was sent or, from a network, delivered
	ID      uint64 // unique within its source; answers and drops carry it on
	From    string
	To      string
	Class   string
	Payload []byte
}

// Event is a named happening at an exact time.
type Event struct {
	At      Time
	Type    string  // for example "link-down"
	Element string  // for example "CC-GW1"
	Value   float64 // meaning and unit belong to the type
	Detail  string
}

// Asker is a Federate whose work is done elsewhere. Ask begins the step that
// the next call of Step then waits for: those of one level are all asked
// before the first is waited for, and so work at the same time. Ask returns
// soon; what goes wrong in it is for Step to say.
type Asker interface {
	Federate
	Ask(s *Step)
}

// Explainer is a Federate that can say, from any goroutine, what it is that
// takes it so long. Stall reports quote it.
type Explainer interface {
	Federate
	Explain() string // empty: nothing to say
}

// Finisher is a Federate that hears, before Close, that the run has reached its
// end.
type Finisher interface {
	Federate
	Finish()
}

// Signal is the content of one port during one step. Of its three fields only
// the one of the port's kind is used. A federate reads its inputs' slices and
// must neither change nor keep them; it writes Values of an output in place
// and appends to its Messages or Events, which the master has emptied.
type Signal struct {
	Values   []float64
	Messages []Message
	Events   []Event
	// Stale marks an input whose source was lost and is held at its last value.
	Stale bool
}

// Step is one advance of one federate over [From, To). In and Out are ordered
// like the Inputs and Outputs of its Description. Seq counts the steps that the
// federate makes, from 0.
type Step struct {
	Seq      int64
	From, To Time
	In, Out  []Signal
	// Next is set by an event-stepped federate: when it wants to act next,
	// later than From. It then does in the first of its steps that begins at
	// that time or after it. Before the call it is Never. An input may wake the
	// federate before; the time that counts is the one named last.
	Next Time
	// Woken tells an event-stepped federate that an input wakes it, whether or
	// not it also named this time. The first step is nobody's doing.
	Woken bool
}

// Federate is one simulator of a federation.
//
// Init is called once before the first step and fills the outputs with the
// values at time zero. Step is called for each advance, never concurrently
// for one federate. Close is called always, also after an error.
type Federate interface {
	Describe() Description
	Init(out []Signal) error
	Step(s *Step) error
	Close() error
}
