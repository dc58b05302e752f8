package sync

import "fmt"

// Observer sees all outputs after every step of the master: recorders,
// metrics, displays. Its calls come from one goroutine at a time, after all
// federates have acted; an error ends the run.
//
// Begin comes after Init with the outputs at time zero, Observe after each
// step, End exactly once if Begin was called, with nil or with what ended the
// run. Slices in a frame belong to the master and hold only during the call;
// message payloads are immutable and may be kept.
type Observer interface {
	Begin(f *Frame) error
	Observe(f *Frame) error
	End(cause error) error
}

// Frame is the state of all outputs after the master's step [From, To). The
// frame given to Begin has Seq -1 and From and To zero.
type Frame struct {
	Seq      int64
	From, To Time
	// Stop is when the run is to end.
	Stop Time
	// Outputs stand in the order of the federates and of their ports; an
	// index is good for the whole run.
	Outputs []Output
	// Lost are the federates that were lost in this step and are tolerated.
	Lost []Loss
	// Turns says of each federate, in their order, whether it acted.
	Turns []Turn

	index map[string]int
}

// Turn says whether a federate acted in a step.
type Turn struct {
	Federate string
	Acted    bool
	// Next is when an event-stepped federate wants to act next, as it said in
	// its last step; Never if it named no time.
	Next Time
}

// Output is one port in a frame: what its readers are given, faults included.
type Output struct {
	Name string // "grid.frequency"
	Port Port
	Step Time // of the federate
	// Fresh says that the federate acted in this step. Otherwise Values are
	// those of its last step, but for a Fault that begins or ends, and Messages
	// and Events are empty.
	Fresh bool
	// Faulted says that a Fault changed or removed something.
	Faulted bool
	Signal
}

// Index returns the place of an output ("grid.frequency") in Outputs.
func (f *Frame) Index(name string) (int, bool) {
	i, ok := f.index[name]
	return i, ok
}

func newFrame(members []*member, stop Time) Frame {
	f := Frame{Stop: stop, index: make(map[string]int)}
	for _, source := range members {
		f.Turns = append(f.Turns, Turn{Federate: source.about.Name})
		for i := range source.outlets {
			o := &source.outlets[i]
			o.index = len(f.Outputs)
			f.index[o.name] = o.index
			f.Outputs = append(f.Outputs, Output{Name: o.name, Port: o.port, Step: source.about.Step})
		}
	}
	return f
}

// update shows what was published in the step from t.
func (f *Frame) update(members []*member, t Time) {
	f.Lost = f.Lost[:0]
	for k, source := range members {
		if r := source.spare; r != nil && r.loss != nil && r.loss.At == t {
			f.Lost = append(f.Lost, *r.loss)
		}
		fresh := source.step.From == t
		f.Turns[k].Acted, f.Turns[k].Next = fresh, source.step.Next
		for i := range source.outlets {
			o := &source.outlets[i]
			shown := &f.Outputs[o.index]
			shown.Fresh = fresh
			switch {
			case o.port.Kind == Vector:
				shown.Values, shown.Stale = o.now.values, o.now.stale
				shown.Faulted = o.faulted
			case fresh:
				shown.Messages, shown.Events = source.step.Out[i].Messages, source.step.Out[i].Events
				shown.Faulted = o.faulted
			default:
				shown.Messages, shown.Events, shown.Faulted = nil, nil, false
			}
		}
	}
}

// watchedObserver is an observer at run time.
type watchedObserver struct {
	Observer
	watch watch
	begun bool
}

// show gives the observer a frame.
func (o *watchedObserver) show(method func(Observer, *Frame) error, f *Frame, clock Clock) error {
	now := clock.Now()
	o.watch.begin(now)
	err := guard(func(o Observer) error { return method(o, f) }, o.Observer)
	o.watch.end(now, clock.Now())
	if err != nil {
		return fmt.Errorf("sync: %s, frame at %v: %w", o.watch.name, f.From, err)
	}
	return nil
}

// end tells the observer what ended the run.
func (o *watchedObserver) end(cause error) error {
	err := guard(func(o Observer) error { return o.End(cause) }, o.Observer)
	if err != nil {
		return fmt.Errorf("sync: %s, end: %w", o.watch.name, err)
	}
	return nil
}
