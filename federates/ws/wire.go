package ws

import (
	"cosim/sync"
)

// The sub-protocols: the same messages as text and as binary frames.
const (
	ProtocolJSON = "cosim.v1.json"
	ProtocolCBOR = "cosim.v1.cbor"
)

// Types of message.
const (
	TypeHello   = "hello"
	TypeWelcome = "welcome"
	TypeStep    = "step"
	TypeDone    = "done"
	TypeStop    = "stop"
	TypeError   = "error"
)

// Hello is the first message of a federate: what it is.
type Hello struct {
	Type        string `json:"type" jsonschema:"enum=hello"`
	Federate    string `json:"federate" jsonschema:"minLength=1" jsonschema_description:"its name, as in the address it connected to"`
	Step        string `json:"step,omitempty" jsonschema:"enum=event" jsonschema_description:"event: it names its own times (next_ns of done), and inputs may wake it"`
	StepNS      int64  `json:"step_ns,omitempty" jsonschema:"minimum=0" jsonschema_description:"length of its own step, a divisor or multiple of the others'; with step event it may be left out and is then the federation's"`
	Inputs      []Port `json:"inputs,omitempty"`
	Outputs     []Port `json:"outputs,omitempty"`
	ResumeToken string `json:"resume_token,omitempty" jsonschema_description:"of the welcome, when it comes back after its connection broke"`
}

// Port is an input or output.
type Port struct {
	Name     string   `json:"name" jsonschema:"minLength=1"`
	Kind     string   `json:"kind" jsonschema:"enum=vector,enum=messages,enum=events"`
	Unit     string   `json:"unit,omitempty" jsonschema_description:"of a vector's values, such as Hz, pu, MW"`
	Elements []string `json:"elements,omitempty" jsonschema_description:"of a vector: one name for each value"`
	Direct   bool     `json:"direct,omitempty" jsonschema_description:"of an input: reads what its source makes in this same step, not in the last one"`
	Optional bool     `json:"optional,omitempty" jsonschema_description:"of an input: may stay unconnected"`
	Subset   bool     `json:"subset,omitempty" jsonschema_description:"of a vector input: names only some of its source's elements"`
	Wake     *Wake    `json:"wake,omitempty" jsonschema_description:"of an input with step event: what comes here has the federate act"`
}

// Wake says what at an input wakes its federate: messages, events, changed
// values.
type Wake struct {
	Elements []string  `json:"elements,omitempty" jsonschema_description:"of a vector: those whose changes count; left out: all"`
	Levels   []float64 `json:"levels,omitempty" jsonschema_description:"of a vector: a change counts only if it leads across one of them"`
}

// Welcome answers a Hello.
type Welcome struct {
	Type        string            `json:"type" jsonschema:"enum=welcome"`
	Run         string            `json:"run" jsonschema_description:"name of the run"`
	RunID       string            `json:"run_id" jsonschema_description:"of this run and no other; the same after it was killed and resumed"`
	Seed        uint64            `json:"seed" jsonschema_description:"of the run; all randomness should follow from it"`
	StartNS     int64             `json:"start_ns"`
	StopNS      int64             `json:"stop_ns"`
	StepNS      int64             `json:"step_ns" jsonschema_description:"the federate's own step; 0 if it has that of the federation"`
	ResumeToken string            `json:"resume_token" jsonschema_description:"to be sent in the hello of another connection after this one broke"`
	Parameters  map[string]string `json:"parameters,omitempty" jsonschema_description:"from the experiment's file"`
}

// Step asks for one advance over [from, to). Step −1, from 0 to 0, asks for
// the outputs at time zero.
type Step struct {
	Type   string             `json:"type" jsonschema:"enum=step"`
	Seq    int64              `json:"seq" jsonschema:"minimum=-1" jsonschema_description:"of the federate's own steps, from 0; -1 asks for its outputs at time zero"`
	FromNS int64              `json:"from_ns" jsonschema:"minimum=0"`
	ToNS   int64              `json:"to_ns" jsonschema:"minimum=0"`
	Inputs map[string]Content `json:"inputs,omitempty" jsonschema_description:"by port; unconnected ports, and messages and events where there are none, are left out"`
	Stale  []string           `json:"stale,omitempty" jsonschema_description:"inputs whose source was lost and that are held at its last values"`
	Woken  bool               `json:"woken,omitempty" jsonschema_description:"with step event: an input wakes the federate"`
}

// Done answers a Step.
type Done struct {
	Type    string             `json:"type" jsonschema:"enum=done"`
	Seq     int64              `json:"seq" jsonschema:"minimum=-1" jsonschema_description:"of the step it answers"`
	Outputs map[string]Content `json:"outputs,omitempty" jsonschema_description:"by port; a vector left out keeps its values"`
	NextNS  *int64             `json:"next_ns,omitempty" jsonschema_description:"with step event: when it wants to act next, later than from_ns; left out: when an input wakes it. Otherwise, if given, the end of the step"`
}

// Stop ends the session.
type Stop struct {
	Type   string `json:"type" jsonschema:"enum=stop"`
	Reason string `json:"reason" jsonschema:"enum=end,enum=aborted"`
}

// Reasons of a Stop.
const (
	StopEnd     = "end"     // the run reached its end
	StopAborted = "aborted" // it ended before
)

// Error ends the session from either side. It is the error that callers see,
// too.
type Error struct {
	Type    string `json:"type" jsonschema:"enum=error"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Codes of an Error.
const (
	CodeBadMessage  = "bad-message"  // not of the protocol, or not the message that is due
	CodeTooLarge    = "too-large"    // a frame beyond the size limit
	CodeDescription = "description"  // a hello that does not fit the experiment
	CodeTaken       = "taken"        // another connection holds the name
	CodeBadResume   = "bad-resume"   // a resume token that is not the name's, or another description
	CodeWrongSeq    = "wrong-seq"    // a done for another step
	CodeUnknownPort = "unknown-port" // no output of that name
	CodeWrongKind   = "wrong-kind"   // numbers where messages belong, and the like
	CodeWrongLength = "wrong-length" // a vector of another length
	CodeNotFinite   = "not-finite"   // NaN or infinity
	CodeOutsideStep = "outside-step" // a time outside of [from, to)
	CodeBadNext     = "bad-next"     // a next_ns that is not ahead
	CodeDeadline    = "deadline"     // no answer in time
	CodeTooMany     = "too-many"     // control frames beyond the rate limit
	CodeFailed      = "failed"       // from a federate: it cannot go on
)

// Error returns "wrong-seq: …".
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Message and Event are those of package sync on the wire.
type (
	// Message is an addressed payload.
	Message struct {
		AtNS    int64  `json:"at_ns" jsonschema:"minimum=0" jsonschema_description:"in [from, to) of the step"`
		ID      uint64 `json:"id,omitempty" jsonschema_description:"unique within its source"`
		From    string `json:"from,omitempty"`
		To      string `json:"to,omitempty" jsonschema_description:"in the receiver's terms"`
		Class   string `json:"class,omitempty"`
		Payload []byte `json:"payload,omitempty" jsonschema_description:"base64 in JSON, a byte string in CBOR"`
	}
	// Event is a named happening.
	Event struct {
		AtNS    int64   `json:"at_ns" jsonschema:"minimum=0" jsonschema_description:"in [from, to) of the step"`
		Type    string  `json:"type"`
		Element string  `json:"element,omitempty"`
		Value   float64 `json:"value,omitempty"`
		Detail  string  `json:"detail,omitempty"`
	}
)

// Content is what one port carries in one step: an array of numbers, of
// messages or of events. One that was received is still in its encoding, for
// only the port's kind says what it must be.
type Content struct {
	values   []float64
	messages []Message
	events   []Event
	raw      []byte
}

var kinds = map[string]sync.Kind{"vector": sync.Vector, "messages": sync.Messages, "events": sync.Events}

// ContentOf puts the signal of a port on the wire. Slices of numbers are shared.
func ContentOf(port *sync.Port, s *sync.Signal) Content {
	var c Content
	switch port.Kind {
	case sync.Vector:
		c.values = s.Values
	case sync.Messages:
		c.messages = make([]Message, len(s.Messages))
		for i := range s.Messages {
			m := &s.Messages[i]
			c.messages[i] = Message{int64(m.At), m.ID, m.From, m.To, m.Class, m.Payload}
		}
	case sync.Events:
		c.events = make([]Event, len(s.Events))
		for i := range s.Events {
			e := &s.Events[i]
			c.events[i] = Event{int64(e.At), e.Type, e.Element, e.Value, e.Detail}
		}
	}
	return c
}

// list returns what is to be encoded.
func (c *Content) list() any {
	switch {
	case c.messages != nil:
		return c.messages
	case c.events != nil:
		return c.events
	case c.values != nil:
		return c.values
	}
	return []float64{}
}
