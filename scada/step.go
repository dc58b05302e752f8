package scada

// Input is what a step starts from: what the network and the grid did up to
// the step's beginning. Slices are read during Step only, in their order.
type Input struct {
	// SampleFreqHz and SampleVoltagePU are the grid's state at the start of
	// the step, in the order of Config.PMUs; empty means that the grid gives
	// no samples and outstations send none.
	SampleFreqHz    []float64
	SampleVoltagePU []float64

	LinkEvents []LinkEvent
	Drops      []Drop
	Applied    []Applied
	Deliveries []Delivery
}

// Delivery is a frame that arrived at the end of its leg, a control centre or
// a gateway. Payload is not kept.
type Delivery struct {
	AtNS    int64
	ID      uint64
	Node    string // where it arrived
	From    string // where the leg began
	Payload []byte
}

// Drop is a frame that the network lost.
type Drop struct {
	AtNS   int64
	ID     uint64
	Reason DropReason
}

// DropReason says how the network lost a frame.
type DropReason string

// Reasons of a Drop, and the Cause that a task fails with when it was the last
// thing that happened to it. Loss by noise and removal by an adversary count as
// a link that failed, an expired hop count as a queue's drop.
const (
	DropLinkDown DropReason = "link-down"
	DropLoss     DropReason = "loss"
	DropAttack   DropReason = "attack"
	DropOverflow DropReason = "overflow"
	DropTTL      DropReason = "ttl"
)

// Applied is what an IED made of the frame with this ID.
type Applied struct {
	AtNS    int64
	ID      uint64
	IED     string
	Verdict Verdict
}

// Verdict is what a receiver made of a frame.
type Verdict uint8

// Verdicts.
const (
	Valid     Verdict = iota // verified, new and obeyed
	Duplicate                // verified and seen before: not obeyed again
	Rejected                 // tag, key, replay window or content refused it
)

func (v Verdict) String() string {
	return [...]string{"valid", "duplicate", "rejected"}[v]
}

// LinkEvent is a link that broke or came back.
type LinkEvent struct {
	AtNS int64
	Link string
	Up   bool
}

// Output is what a step made. Step empties its slices first and keeps their
// memory.
type Output struct {
	Frames      []Frame
	Tasks       []TaskEvent
	Refusals    []Refusal
	Key         []KeyMove
	Diagnostics []Diagnostics // an operator, in the order of Config.Operators; one without
}

// Frame is one message on one leg, in the order of sending. Payload is fresh
// and never written again.
type Frame struct {
	ID       uint64 // unique in the run
	AtNS     int64  // within the step
	From     string // first node of the leg
	Route    string // "GW1>RTU30>IED30"
	Class    string // task of its chain
	Priority int
	Payload  []byte
	// ServiceNS is how long the ends of the leg work on it: waiting for key,
	// enciphering and verifying. It comes before the first queue.
	ServiceNS int64
}

// KeyMove is key that a task asks for at its trigger, or that was drawn for it:
// the books of fairness between operators. A task asks for the key of its message
// and of the answers to it, in the wished mode, on the route planned then.
type KeyMove struct {
	Operator             int   // index in Config.Operators
	TriggerNS            int64 // of the task
	AskedBits, DrawnBits int
}

// Refusal is a delivered frame that a gateway or control centre did not
// accept. A repeated genuine frame is a Duplicate.
type Refusal struct {
	AtNS    int64
	ID      uint64
	Node    string
	Verdict Verdict
	Reason  string
}

// Diagnostics is what an operator's controller believes at the end of the step.
type Diagnostics struct {
	FreqHz      float64 // estimate of the centre of inertia, 0 when nothing is heard
	HeardPMUs   int     // with a sample no older than stale_after
	ACEMW       float64 // area control error at the last AGC cycle
	AGCMW       float64 // secondary control, sum over generators
	ImbalanceMW float64 // 2H·df/dt of the last frame of samples, positive for a deficit
	CalledMW    float64 // blocks called
}
