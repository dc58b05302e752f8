package metrics

import (
	"fmt"
	"slices"
	"strings"
)

// Mode is how a message is protected. A larger Mode is stronger.
type Mode uint8

// The three modes.
const (
	AES   Mode = 1 + iota // AES-GCM
	AESWC                 // AES-CTR and a Wegman-Carter tag
	OTP                   // one-time pad and a Wegman-Carter tag
)

// ParseMode reads a mode as experiment files write it.
func ParseMode(name string) (Mode, error) {
	switch name {
	case "aes":
		return AES, nil
	case "aes-wc":
		return AESWC, nil
	case "otp":
		return OTP, nil
	}
	return 0, fmt.Errorf("metrics: mode %q is none of aes, aes-wc, otp", name)
}

// Cause is why a task failed; a failed task has exactly one.
type Cause uint8

// The causes. None is the cause of a success.
const (
	None        Cause = iota
	NoKey             // a pool on the route could not give the key
	LinkDown          // a link on the route was broken
	Late              // delivered after its latency limit, or not in time
	QueueDrop         // dropped by a full queue
	Rejected          // the receiver refused it: tag, replay or protocol
	Deactivated       // the chain was off by plan
	causes
)

var causeNames = [causes]string{"", "no-key", "link-down", "late", "queue-drop", "rejected", "deactivated"}

// String is the cause as recordings write it; None is "".
func (c Cause) String() string { return causeNames[c] }

// ParseCause reads a cause as recordings write it; "" is None.
func ParseCause(name string) (Cause, error) {
	if i := slices.Index(causeNames[:], name); i >= 0 {
		return Cause(i), nil
	}
	return 0, fmt.Errorf("metrics: unknown cause %q", name)
}

// Task is the outcome of one task. It succeeded if Cause is None: its message
// was delivered with a valid tag, within its latency limit and in a mode no
// weaker than the chain's minimum.
type Task struct {
	Class  string
	Cause  Cause
	Mode   Mode // in which it was sent
	Wished Mode // the chain's wished mode
	Static Mode // the mode planned at the start
}

// TaskCounter counts tasks by class and outcome.
//
//	P_succ        = successes / decided                          (equation 17)
//	P_succ_strict = successes in a mode no weaker than Static / decided
//	degraded      = successes in a mode weaker than Wished
//	pending       = triggers − decided
//
// A task that is neither delivered nor failed when the run ends is pending and
// stands in neither numerator nor denominator: it would bias P_succ by the
// moment at which the run is cut. With nothing pending, decided = triggers.
//
// The zero value is ready for use. Memory grows with the number of classes.
type TaskCounter struct{ classes map[string]*taskCounts }

type taskCounts struct {
	triggers, degraded, strict int64
	outcomes                   [causes]int64 // [None] counts successes
}

func (t *TaskCounter) of(class string) *taskCounts {
	c := t.classes[class]
	if c == nil {
		if t.classes == nil {
			t.classes = map[string]*taskCounts{}
		}
		c = &taskCounts{}
		t.classes[class] = c
	}
	return c
}

// Trigger counts a task that begins.
func (t *TaskCounter) Trigger(class string) { t.of(class).triggers++ }

// Decide counts the outcome of a task that was triggered before.
func (t *TaskCounter) Decide(task Task) {
	c := t.of(task.Class)
	c.outcomes[task.Cause]++
	if task.Cause != None {
		return
	}
	if task.Mode < task.Wished {
		c.degraded++
	}
	if task.Mode >= task.Static {
		c.strict++
	}
}

// Merge adds the counts of o.
func (t *TaskCounter) Merge(o *TaskCounter) {
	for class, c := range o.classes { // sums do not depend on the order
		t.of(class).add(c)
	}
}

func (c *taskCounts) add(o *taskCounts) {
	c.triggers += o.triggers
	c.degraded += o.degraded
	c.strict += o.strict
	for i, n := range o.outcomes {
		c.outcomes[i] += n
	}
}

// CauseCounts is the number of failed tasks by cause.
type CauseCounts struct {
	NoKey       int64 `json:"no_key"`
	LinkDown    int64 `json:"link_down"`
	Late        int64 `json:"late"`
	QueueDrop   int64 `json:"queue_drop"`
	Rejected    int64 `json:"rejected"`
	Deactivated int64 `json:"deactivated"`
}

// Total is the number of failed tasks.
func (c CauseCounts) Total() int64 {
	return c.NoKey + c.LinkDown + c.Late + c.QueueDrop + c.Rejected + c.Deactivated
}

// TaskFigures are the figures of one class, or of all.
type TaskFigures struct {
	Triggers    int64       `json:"triggers"`
	Successes   int64       `json:"successes"`
	Strict      int64       `json:"successes_strict"`
	Degraded    int64       `json:"degraded"`
	Pending     int64       `json:"pending"`
	Failed      CauseCounts `json:"failed"`
	PSucc       Number      `json:"p_succ"`
	PSuccStrict Number      `json:"p_succ_strict"`
}

// ClassTasks are the figures of one class.
type ClassTasks struct {
	Class string `json:"class"`
	TaskFigures
}

// Total gives the figures over all classes.
func (t *TaskCounter) Total() TaskFigures {
	var sum taskCounts
	for _, c := range t.classes { // sums do not depend on the order
		sum.add(c)
	}
	return sum.figures()
}

// ByClass gives the figures of each class, sorted by its name.
func (t *TaskCounter) ByClass() []ClassTasks {
	list := []ClassTasks{}
	for class, c := range t.classes { // sorted below
		list = append(list, ClassTasks{class, c.figures()})
	}
	slices.SortFunc(list, func(a, b ClassTasks) int { return strings.Compare(a.Class, b.Class) })
	return list
}

func (c *taskCounts) figures() TaskFigures {
	f := TaskFigures{
		Triggers:  c.triggers,
		Successes: c.outcomes[None],
		Strict:    c.strict,
		Degraded:  c.degraded,
		Failed: CauseCounts{
			c.outcomes[NoKey], c.outcomes[LinkDown], c.outcomes[Late],
			c.outcomes[QueueDrop], c.outcomes[Rejected], c.outcomes[Deactivated],
		},
	}
	decided := f.Successes + f.Failed.Total()
	f.Pending = f.Triggers - decided
	f.PSucc = ratio(float64(f.Successes), float64(decided))
	f.PSuccStrict = ratio(float64(f.Strict), float64(decided))
	return f
}
