package scada

// Outcome is how a task ended.
type Outcome uint8

// Outcomes.
const (
	Open Outcome = iota
	Success
	Failure
)

func (o Outcome) String() string { return [...]string{"open", "success", "failure"}[o] }

// Cause is why a task failed.
type Cause string

// Causes of failure; exactly one a failed task, the last obstacle it met.
const (
	NoKey       Cause = "no-key"      // a pool on the route could not give the key
	LinkDown    Cause = "link-down"   // lost on a link, or the link was known to be down
	Late        Cause = "late"        // still under way at the deadline
	QueueDrop   Cause = "queue-drop"  // a queue was full
	TagRejected Cause = "rejected"    // a receiver refused the frame
	Deactivated Cause = "deactivated" // the plan had switched the chain off
)

// TaskEvent is the end of one task.
type TaskEvent struct {
	TaskID    uint64
	Chain     int // index in Config.Chains
	ChainID   string
	Class     string
	Element   string
	Priority  int
	TriggerNS int64
	DecidedNS int64 // exact time of success, or when failure was certain
	Outcome   Outcome
	Cause     Cause // of a failure
	Mode      Mode  // in which it was last sent, or planned to be
	Route     int   // likewise
	LatencyNS int64 // of a success
	// Degraded: a success in a mode weaker than wished. Strict: a success in a
	// mode no weaker than the static one.
	Degraded, Strict bool
	Attempts         int
	// KeyBits were drawn for it until it was decided, over all hops, session
	// keys included; KeyAskedBits is the cost of its message in the wished
	// mode on its route.
	KeyBits, KeyAskedBits int
}

// Counts is the ledger's state: Triggered = Succeeded + Failed + Open.
type Counts struct {
	Triggered, Succeeded, Failed, Open int
}
