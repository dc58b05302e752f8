package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"cosim/internal/metrics"
	"cosim/internal/record"
	"cosim/scada"
)

// TraceQuery names a task of a run: by its number, or by its chain (or its
// element, if that has one chain) and a time.
type TraceQuery struct {
	Task    uint64 // from 1 on; 0: by the others
	Element string
	AtNS    int64
}

// TraceQueryError says what is wrong with a query.
type TraceQueryError struct{ text string }

// Error returns "no chain or element \"shed-155\"; did you mean shed-15?".
func (e TraceQueryError) Error() string { return e.text }

// TaskTrace is what happened to one task, from its trigger to its outcome.
type TaskTrace struct {
	Run        string         `json:"run"`
	Experiment string         `json:"experiment"`
	Seed       uint64         `json:"seed"`
	Task       uint64         `json:"task"`
	Chain      string         `json:"chain"`
	Class      string         `json:"class"`
	Element    string         `json:"element"`
	Priority   int            `json:"priority"`
	Trigger    string         `json:"trigger"` // periodic, poisson, emergency or demand
	TriggerS   float64        `json:"trigger_s"`
	DeadlineS  float64        `json:"deadline_s"`
	Wished     string         `json:"mode_wished"`
	Weakest    string         `json:"mode_weakest"`
	Plan       TracePlan      `json:"plan"`    // when it was triggered
	Outcome    string         `json:"outcome"` // success, failure or open
	Cause      string         `json:"cause,omitempty"`
	DecidedS   metrics.Number `json:"decided_s"`
	LatencyS   metrics.Number `json:"latency_s"` // of a success
	Mode       string         `json:"mode"`      // in which it was last sent
	Degraded   bool           `json:"degraded"`
	Attempts   int            `json:"attempts"`
	KeyBits    int            `json:"key_bits"`
	Why        string         `json:"why,omitempty"` // it failed, for a person
	Steps      []TraceStep    `json:"steps"`
}

// TracePlan is the plan of a chain.
type TracePlan struct {
	Route  string         `json:"route"` // "CC>GW1>RTU30>IED30"
	Mode   string         `json:"mode"`
	Off    bool           `json:"off"`
	SinceS metrics.Number `json:"since_s"` // of its last change; null: the run's first plan
}

// TraceStep is one thing that happened on the task's way.
type TraceStep struct {
	AtS        float64 `json:"at_s"`
	What       string  `json:"what"`
	Where      string  `json:"where"` // a node, a link, a queue "CC>GW1", or an element
	Text       string  `json:"text"`
	Frame      uint64  `json:"frame,omitempty"`
	Message    string  `json:"message,omitempty"`
	Bits       int64   `json:"bits,omitempty"`
	OffsetBits int64   `json:"offset_bits,omitempty"`
	WaitS      float64 `json:"wait_s,omitempty"`
	Cause      string  `json:"cause,omitempty"`
}

// TraceTask makes a run again, without those who took part from outside, up to
// a task's end, and tells what happened to it. Every step is held against the
// run's record.
func TraceTask(ctx context.Context, dir string, q TraceQuery) (*TaskTrace, error) {
	if !record.IsRun(dir) {
		return nil, NoRunError{Dir: dir}
	}
	p, d, err := openPast(dir, 0, Overrides{})
	p.close()
	if err != nil {
		return nil, err
	}
	t, err := newTracer(d, q)
	if err != nil {
		return nil, err
	}
	_, err = Replay(ctx, dir, RepeatOptions{RunOptions: t.options()})
	if err != nil && !errors.Is(err, errTraced) {
		return nil, err
	}
	f := t.best()
	if f == nil {
		return nil, t.missing()
	}
	x := t.explain(f)
	x.Run = dir
	return x, nil
}

// FailedTasks are the failed tasks of a recorded run.
type FailedTasks struct {
	Run    string       `json:"run"`
	Causes []CauseCount `json:"causes"` // the most frequent first
	Tasks  []FailedTask `json:"tasks"`  // in the order of their outcomes
}

// CauseCount is how many tasks failed for a cause.
type CauseCount struct {
	Cause string `json:"cause"`
	Count int    `json:"count"`
}

// FailedTask is a failed task as the record has it.
type FailedTask struct {
	Name  string  `json:"task"` // "shed-15@257.55s", good for TraceQuery
	AtS   float64 `json:"at_s"` // when the failure was certain
	Chain string  `json:"chain"`
	Class string  `json:"class"`
	Mode  string  `json:"mode"`
	Cause string  `json:"cause"`
}

// Failed lists the failed tasks of a run, those of a class only if one is given.
func Failed(dir, class string) (*FailedTasks, error) {
	if !record.IsRun(dir) {
		return nil, NoRunError{Dir: dir}
	}
	log, err := record.Open(dir)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	f := &FailedTasks{Run: dir, Causes: []CauseCount{}, Tasks: []FailedTask{}}
	classes := map[string]bool{}
	for {
		r, err := log.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		e := &r.Event
		if r.Kind != record.KindEvent || e.Type != "task" {
			continue
		}
		classes[e.Class] = true
		if e.Cause == "" || class != "" && e.Class != class {
			continue
		}
		s := float64(e.AtNS) / 1e9
		f.Tasks = append(f.Tasks, FailedTask{fmt.Sprintf("%s@%vs", e.Element, s), s, e.Element, e.Class, e.Mode, e.Cause})
		f.count(e.Cause)
	}
	if class != "" && len(f.Tasks) == 0 && !classes[class] {
		return nil, TraceQueryError{fmt.Sprintf("no task of class %q in this run, expected %s", class, strings.Join(slices.Sorted(maps.Keys(classes)), ", "))}
	}
	return f, nil
}

// count keeps the most frequent cause first.
func (f *FailedTasks) count(cause string) {
	for i := range f.Causes {
		if f.Causes[i].Cause == cause {
			f.Causes[i].Count++
			for ; i > 0 && f.Causes[i].Count > f.Causes[i-1].Count; i-- {
				f.Causes[i], f.Causes[i-1] = f.Causes[i-1], f.Causes[i]
			}
			return
		}
	}
	f.Causes = append(f.Causes, CauseCount{cause, 1})
}

// explain makes the trace of a task from what was heard of it.
func (t *tracer) explain(f *followed) *TaskTrace {
	c := &t.cfg.Chains[f.chain]
	x := &TaskTrace{
		Experiment: t.def.Name, Seed: t.def.Seed, Task: f.id, Chain: c.ID, Class: c.Task, Element: c.Element, Priority: c.Priority,
		TriggerS: inSeconds(f.triggerNS), DeadlineS: inSeconds(f.deadlineNS), Wished: c.Mode.String(), Weakest: c.MinMode.String(),
		Outcome: scada.Open.String(), DecidedS: metrics.Undefined, LatencyS: metrics.Undefined, Steps: []TraceStep{},
	}
	first := f.happened[0].trace
	x.Trigger, x.Plan = first.Reason, t.planOf(f.chain, first.Option)
	x.Plan.SinceS = metrics.Undefined
	for _, p := range t.plans[f.chain] {
		if p.atNS <= f.triggerNS && p.option == first.Option {
			x.Plan.SinceS = metrics.Number(inSeconds(p.atNS))
		}
	}
	if e := f.ended; e != nil {
		x.Outcome, x.Cause, x.DecidedS = e.Outcome.String(), string(e.Cause), metrics.Number(inSeconds(e.DecidedNS))
		x.Mode, x.Degraded, x.Attempts, x.KeyBits = e.Mode.String(), e.Degraded, e.Attempts, e.KeyBits
		if e.Outcome == scada.Success {
			x.LatencyS = metrics.Number(inSeconds(e.LatencyNS))
		} else {
			x.Why = t.why(f)
		}
	}
	x.Steps = t.steps(f)
	return x
}

func (t *tracer) planOf(chain int, o scada.Option) TracePlan {
	return TracePlan{Route: strings.Join(t.cfg.Chains[chain].Routes[o.Route], ">"), Mode: o.Mode.String(), Off: o.Off}
}

func inSeconds(ns int64) float64 { return float64(ns) / 1e9 }
