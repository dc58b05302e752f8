package sync

import (
	"errors"
	"fmt"
	"slices"
)

// Tolerance lets a run go on without a federate that is lost: whose step
// returns an error or panics, or makes outputs that are refused. A federate
// without a Tolerance ends the run. So does one that fails in Init, when there
// is nothing yet to go on with, and one that the master gave up for its
// StepDeadline.
type Tolerance struct {
	Federate string
	// Standby takes the place of the lost federate, from the step on that it
	// did not make. It has the same step and ports and makes every step from
	// the start on unseen, so that it knows what the lost one knew. One that is
	// event-stepped also makes the steps that it names itself, without messages
	// and events as long as these are not its to take. Nil: outputs are
	// held, vectors at their last values and marked Stale, messages and events
	// empty.
	Standby Federate
	Origin  string // where it is written, for messages; may be empty
}

// Loss tells of a federate that was lost and tolerated.
type Loss struct {
	Federate string
	At       Time // start of the step that it did not make
	Standby  bool // took its place; otherwise its outputs are held
	Err      error
}

// String returns "lost battery at 4.2s, its outputs are held: ...".
func (l Loss) String() string {
	what := "its outputs are held"
	if l.Standby {
		what = "its standby takes its place"
	}
	return fmt.Sprintf("lost %s at %v, %s: %v", l.Federate, l.At, what, l.Err)
}

// spare is what a tolerated member has in reserve.
type spare struct {
	standby Federate
	step    Step        // of the standby
	next    Time        // that an event-stepped standby acts at
	kept    [][]float64 // vectors before the step, by output
	failed  error       // of the standby
	loss    *Loss
}

// initSpare readies the standby.
func (f *member) initSpare() error {
	r := f.spare
	r.kept = make([][]float64, len(f.outlets))
	r.step.In, r.step.Out = f.step.In, make([]Signal, len(f.step.Out))
	for i := range f.outlets {
		n := len(f.step.Out[i].Values)
		r.kept[i] = make([]float64, n)
		r.step.Out[i].Values = make([]float64, n)
	}
	if r.standby == nil {
		return nil
	}
	if err := r.standby.Init(r.step.Out); err != nil {
		return fmt.Errorf("standby: %w", err)
	}
	return nil
}

// advanceTolerantly makes a step whose failure does not end the run.
func (f *member) advanceTolerantly() error {
	r := f.spare
	if r.standby != nil {
		f.shadow(&f.step)
	}
	if r.loss == nil {
		for i := range r.kept {
			copy(r.kept[i], f.step.Out[i].Values)
		}
		err := guard((*member).attempt, f)
		if err == nil {
			return nil
		}
		r.loss = &Loss{Federate: f.about.Name, At: f.step.From, Standby: r.standby != nil, Err: err}
	}
	if r.standby == nil {
		f.hold()
		f.step.Next = f.step.To // what waits at its inputs is taken away
		return nil
	}
	if r.failed != nil {
		return fmt.Errorf("%w; its standby: %w", r.loss.Err, r.failed)
	}
	for i := range f.step.Out {
		out, standby := &f.step.Out[i], &r.step.Out[i]
		copy(out.Values, standby.Values)
		out.Messages = append(out.Messages[:0], standby.Messages...)
		out.Events = append(out.Events[:0], standby.Events...)
		out.Stale = standby.Stale
	}
	f.step.Next = r.step.Next
	return nil
}

// attempt makes the federate's own step and checks what came of it.
func (f *member) attempt() error {
	if err := f.stepFederate(); err != nil {
		return err
	}
	for i := range f.outlets {
		if err := f.outlets[i].checkMade(&f.step.Out[i], f.step.From, f.step.To); err != nil {
			return err
		}
	}
	return nil
}

// shadow lets the standby make the step, out of sight.
func (f *member) shadow(s *Step) {
	r := f.spare
	if r.failed != nil {
		return
	}
	r.step.Seq, r.step.From, r.step.To = s.Seq, s.From, s.To
	r.step.Next, r.step.Woken = Never, s.Woken
	for i := range r.step.Out {
		out := &r.step.Out[i]
		out.Messages, out.Events = out.Messages[:0], out.Events[:0]
	}
	r.failed = guard(func(f Federate) error { return f.Step(&r.step) }, r.standby)
	if f.agenda != nil && r.failed == nil {
		r.failed = checkNext(&r.step)
		r.next = f.stepAt(r.step.Next)
	}
}

// hold makes the outputs what they were before the step, and marks them.
func (f *member) hold() {
	f.empty()
	for i := range f.step.Out {
		out := &f.step.Out[i]
		out.Values = append(out.Values[:0], f.spare.kept[i]...)
		out.Stale = f.outlets[i].port.Kind == Vector
	}
}

// closeTolerantly closes the federate, whose errors no longer count once it
// is lost, and its standby.
func (f *member) closeTolerantly() error {
	err := guard(Federate.Close, f.federate)
	if f.spare.loss != nil {
		err = nil
	}
	if s := f.spare.standby; s != nil {
		err = errors.Join(err, s.Close())
	}
	return err
}

func (w *wiring) addTolerance(t Tolerance, step Time) {
	f, err := w.find(t.Federate)
	switch {
	case err != nil:
		w.placef(t.Origin, "tolerance: %w", err)
	case f.spare != nil:
		w.placef(t.Origin, "tolerance: two for %s", t.Federate)
	default:
		f.spare = &spare{standby: t.Standby}
		if t.Standby != nil {
			w.checkStandby(f, t, step)
		}
	}
}

// checkStandby compares what a standby says of itself with the federate whose
// place it is to take.
func (w *wiring) checkStandby(f *member, t Tolerance, step Time) {
	d := t.Standby.Describe()
	if d.ByEvent != f.about.ByEvent {
		w.placef(t.Origin, "standby of %s: one of the two is event-stepped, the other is not", t.Federate)
	}
	if d.ByEvent && d.Step == 0 {
		d.Step = step
	}
	if d.Step != f.about.Step {
		w.placef(t.Origin, "standby of %s: its step is %v instead of %v", t.Federate, d.Step, f.about.Step)
	}
	samePort := func(a, b Port) bool {
		return a.Name == b.Name && a.Kind == b.Kind && a.Unit == b.Unit && slices.Equal(a.Elements, b.Elements)
	}
	if !slices.EqualFunc(d.Inputs, f.about.Inputs, samePort) || !slices.EqualFunc(d.Outputs, f.about.Outputs, samePort) {
		w.placef(t.Origin, "standby of %s: its ports differ", t.Federate)
	}
}
