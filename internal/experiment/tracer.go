package experiment

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cosim/federates"
	"cosim/internal/spelling"
	"cosim/network"
	"cosim/scada"
	cosync "cosim/sync"
)

// tracer follows tasks through a run that is made again: in the control centre
// and gateways, the network's queues, the IEDs and the grid. What it is told
// comes from federates that may work at the same time.
type tracer struct {
	def   *Definition
	cfg   scada.Config
	query TraceQuery
	chain int // of the query, -1 where it names a task's number

	mu     sync.Mutex
	tasks  []*followed // in the order of their triggers
	byID   map[uint64]*followed
	frames map[uint64]*followed
	plans  [][]planChange // by chain
	breaks []outage       // of fibres, in order
	last   uint64         // number of the task triggered last

	engine *network.Engine // nil where another program simulates the network
	asking bool            // scada and grid are built in
}

// followed is a task and what happened to it.
type followed struct {
	id                    uint64
	chain                 int
	triggerNS, deadlineNS int64
	ended                 *scada.TaskEvent
	recordedNS            int64 // when the outcome stands in the record
	happened              []happening
}

// happening is one of them; exactly one pointer is set, or mark.
type happening struct {
	atNS  int64
	frame uint64
	trace *scada.Trace
	pass  *network.Pass
	drop  *network.Drop
	grid  *federates.GridTrace
	mark  string // what an adversary did to a frame that arrived
}

// planChange is one of a chain's plan, at the control centre or its gateway.
type planChange struct {
	atNS    int64
	gateway string // empty: at the control centre
	option  scada.Option
}

// outage is a break of a link's fibre.
type outage struct {
	link         string
	fromNS, toNS int64
}

// aftermathNS is how long after a task's time the run is followed: for late
// frames, answers, and the plan's change.
const aftermathNS = int64(cosync.Second)

// errTraced ends a run that has told enough.
var errTraced = errors.New("traced")

func newTracer(d *Definition, q TraceQuery) (*tracer, error) {
	t := &tracer{
		def: d, cfg: d.scadaConfig().Resolved(), query: q, chain: -1,
		byID: map[uint64]*followed{}, frames: map[uint64]*followed{},
	}
	t.plans = make([][]planChange, len(t.cfg.Chains))
	if q.Task > 0 {
		return t, nil
	}
	var err error
	t.chain, err = chainOf(t.cfg.Chains, q.Element)
	return t, err
}

// start hooks the tracer into the federates, before the first step.
func (t *tracer) start(_ *cosync.Master, feds []cosync.Federate) {
	for _, f := range feds {
		switch f := f.(type) {
		case *federates.Scada:
			t.asking = true
			f.Trace(t.told)
		case *federates.Network:
			t.engine = f.Engine()
			t.engine.OnPass(t.passed)
		case *federates.IEDs:
			f.Trace(t.arrived)
		case *federates.Grid:
			f.Trace(t.arrived)
		}
	}
}

// told takes in what happened at the control centre and the gateways.
func (t *tracer) told(x *scada.Trace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch x.Kind {
	case scada.TracePlan, scada.TraceGateway:
		t.plans[x.Chain] = append(t.plans[x.Chain], planChange{x.AtNS, x.Node, x.Option})
		return
	case scada.TraceTrigger:
		t.last = max(t.last, x.Task)
		t.follow(x)
	}
	f := t.byID[x.Task]
	if f == nil {
		return
	}
	own := *x
	if x.Kind == scada.TraceOutcome {
		ended := *x.Ended
		own.Ended, f.ended, f.recordedNS = &ended, &ended, max(x.NowNS, x.AtNS)
	}
	if x.Kind == scada.TraceFrame {
		t.frames[x.Frame] = f
	}
	f.happened = append(f.happened, happening{atNS: x.AtNS, frame: x.Frame, trace: &own})
}

// follow decides whether a task may be the one that is asked for.
func (t *tracer) follow(x *scada.Trace) {
	if t.query.Task > 0 {
		if x.Task != t.query.Task {
			return
		}
	} else {
		if x.Chain != t.chain || len(t.tasks) > 0 && t.tasks[len(t.tasks)-1].triggerNS > t.query.AtNS {
			return
		}
		t.forget()
	}
	f := &followed{id: x.Task, chain: x.Chain, triggerNS: x.AtNS, deadlineNS: x.DeadlineNS}
	t.tasks = append(t.tasks, f)
	t.byID[f.id] = f
}

// forget drops tasks that ended before the time asked for, but for the newest.
func (t *tracer) forget() {
	t.tasks = slices.DeleteFunc(t.tasks, func(f *followed) bool {
		over := f != t.tasks[len(t.tasks)-1] && f.ended != nil && f.recordedNS < t.query.AtNS
		if over {
			delete(t.byID, f.id)
		}
		return over
	})
	if len(t.frames) > 4096 {
		for id, f := range t.frames {
			if t.byID[f.id] == nil {
				delete(t.frames, id)
			}
		}
	}
}

func (t *tracer) passed(p network.Pass) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.frames[p.ID]; f != nil && t.byID[f.id] != nil {
		f.happened = append(f.happened, happening{atNS: p.EnqueuedNS, frame: p.ID, pass: &p})
	}
}

func (t *tracer) arrived(x federates.GridTrace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.frames[x.Frame]; f != nil && t.byID[f.id] != nil {
		f.happened = append(f.happened, happening{atNS: int64(x.At), frame: x.Frame, grid: &x})
	}
}

// Begin implements sync.Observer.
func (t *tracer) Begin(*cosync.Frame) error {
	if !t.asking {
		return errors.New("another program simulates the control centre of this run: its tasks cannot be followed")
	}
	return nil
}

// End implements sync.Observer.
func (t *tracer) End(error) error { return nil }

// Observe implements sync.Observer.
func (t *tracer) Observe(f *cosync.Frame) error {
	if i, ok := f.Index("quantum.fibre"); ok {
		for _, e := range f.Outputs[i].Events {
			t.fibre(e)
		}
	}
	if i, ok := f.Index("network.marked"); ok {
		for _, m := range f.Outputs[i].Messages {
			if of := t.frames[m.ID]; of != nil {
				of.happened = append(of.happened, happening{atNS: int64(m.At), frame: m.ID, mark: m.Class})
			}
		}
	}
	if t.engine != nil {
		for _, d := range t.engine.Drops() {
			if of := t.frames[d.ID]; of != nil {
				of.happened = append(of.happened, happening{atNS: d.AtNS, frame: d.ID, drop: &d})
			}
		}
	}
	x := t.best()
	if x == nil || x.ended == nil || int64(f.From) < max(x.deadlineNS, x.recordedNS)+aftermathNS || !t.settled(x, int64(f.From)) {
		return nil
	}
	return errTraced
}

func (t *tracer) fibre(e cosync.Event) {
	switch e.Type {
	case federates.EventLinkDown:
		t.breaks = append(t.breaks, outage{e.Element, int64(e.At), never})
	case federates.EventLinkUp:
		for i := range t.breaks {
			if b := &t.breaks[i]; b.link == e.Element && b.toNS == never {
				b.toNS = int64(e.At)
			}
		}
	}
}

const never = int64(1<<63 - 1)

// best is the task that is asked for as far as is known: the one whose outcome
// is recorded at the time, a failed one first; else the last to be triggered of
// those under way then; else the nearest.
func (t *tracer) best() *followed {
	if len(t.tasks) == 0 {
		return nil
	}
	return slices.MinFunc(t.tasks, func(a, b *followed) int {
		return cmp.Or(cmp.Compare(t.rank(a), t.rank(b)), cmp.Compare(t.awayNS(a), t.awayNS(b)))
	})
}

// settled says whether no other task can be a better answer.
func (t *tracer) settled(f *followed, nowNS int64) bool {
	if t.query.Task > 0 {
		return true
	}
	open := slices.ContainsFunc(t.tasks, func(x *followed) bool { return x.triggerNS <= t.query.AtNS && x.ended == nil })
	return nowNS > t.query.AtNS && !open && (t.rank(f) < nearest || t.tasks[len(t.tasks)-1].triggerNS > t.query.AtNS)
}

// Ranks of a task as an answer.
const (
	failedThen = iota
	endedThen
	underWay
	nearest
)

func (t *tracer) rank(f *followed) int {
	at := t.query.AtNS
	switch {
	case f.ended != nil && f.recordedNS == at && f.ended.Outcome == scada.Failure:
		return failedThen
	case f.ended != nil && f.recordedNS == at:
		return endedThen
	case f.triggerNS <= at && (f.ended == nil || f.recordedNS > at):
		return underWay
	}
	return nearest
}

// awayNS is how far a task's trigger is from the time asked for.
func (t *tracer) awayNS(f *followed) int64 {
	return max(f.triggerNS-t.query.AtNS, t.query.AtNS-f.triggerNS)
}

// missing says why there is no task to explain.
func (t *tracer) missing() error {
	if t.query.Task > 0 {
		return fmt.Errorf("experiment: no task %d; the run has %d", t.query.Task, t.last)
	}
	return fmt.Errorf("experiment: chain %s has no task in this run", t.cfg.Chains[t.chain].ID)
}

// chainOf finds a chain by its id or, where that is clear, by its element.
func chainOf(chains []scada.Chain, name string) (int, error) {
	var of []int
	var names []string
	for i, c := range chains {
		if c.ID == name {
			return i, nil
		}
		if c.Element == name {
			of, names = append(of, i), append(names, c.ID)
		}
	}
	switch len(of) {
	case 1:
		return of[0], nil
	case 0:
		for _, c := range chains {
			names = append(names, c.ID)
		}
		if meant, near := spelling.Nearest(name, names); near {
			return 0, TraceQueryError{fmt.Sprintf("no chain or element %q; did you mean %s?", name, meant)}
		}
		return 0, TraceQueryError{fmt.Sprintf("no chain or element %q, expected one such as %s", name, names[0])}
	}
	return 0, TraceQueryError{fmt.Sprintf("%s has several chains; say which: %s", name, strings.Join(names, ", "))}
}

// options are those of a run that is traced.
func (t *tracer) options() RunOptions {
	return RunOptions{Observers: []cosync.Observer{t}, OnStart: t.start}
}
