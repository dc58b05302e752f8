package sync

import (
	"fmt"
	"math"
	"slices"
)

// agenda is when an event-stepped member acts.
type agenda struct {
	next  Time // a start of one of its steps, or Never
	wakes []waker
	woken bool // of the step at hand
}

func newAgenda(f *member) *agenda {
	a := &agenda{}
	for i := range f.inlets {
		in := &f.inlets[i]
		wake := in.port.Wake
		if wake == nil {
			continue
		}
		w := waker{in: in}
		for j, e := range in.port.Elements {
			if wake.Elements == nil || slices.Contains(wake.Elements, e) {
				w.elements = append(w.elements, j)
			}
		}
		w.seen = make([]float64, len(w.elements))
		a.wakes = append(a.wakes, w)
	}
	return a
}

// isDue says whether f acts at t.
func (a *agenda) isDue(f *member, t Time) bool {
	if t%f.about.Step != 0 {
		return false
	}
	a.woken = slices.ContainsFunc(a.wakes, waker.rings) && f.steps > 0
	return a.woken || a.next == t
}

// begin readies the step whose inputs have been read.
func (a *agenda) begin(f *member) {
	f.step.Seq, f.step.Next, f.step.Woken = f.steps, Never, a.woken
	f.watch.seq.Store(f.steps)
	for i := range a.wakes {
		a.wakes[i].look()
	}
}

// waker is an input that wakes its federate.
type waker struct {
	in       *inlet
	elements []int     // of a vector: those that count
	seen     []float64 // by place in elements: as the federate last read them
	stale    bool      // likewise
}

// rings says whether there is something that the federate is to act for.
func (w waker) rings() bool {
	if len(w.in.links) == 0 {
		return false
	}
	if w.in.port.Kind != Vector {
		return slices.ContainsFunc(w.in.links, func(l *link) bool { return len(l.messages.ready)+len(l.events.ready) > 0 })
	}
	values, stale := w.in.links[0].vector()
	for i, j := range w.elements {
		if w.in.port.Wake.Counts(w.seen[i], values[j]) {
			return true
		}
	}
	return stale != w.stale
}

// look keeps what the federate reads.
func (w *waker) look() {
	if w.in.port.Kind != Vector || len(w.in.links) == 0 {
		return
	}
	values, stale := w.in.links[0].vector()
	for i, j := range w.elements {
		w.seen[i] = values[j]
	}
	w.stale = stale
}

// Counts says whether a change from a to b has the federate act, if it is one
// of the elements that count: it leads across a level, or there are none.
func (w *Wake) Counts(a, b float64) bool {
	if len(w.Levels) == 0 {
		return a != b
	}
	return slices.ContainsFunc(w.Levels, func(x float64) bool { return (a < x) != (b < x) })
}

// checkNext says what is wrong with the time that an event-stepped federate has
// named.
func checkNext(s *Step) error {
	if s.Next <= s.From {
		return fmt.Errorf("asks for its next step at %v, expected later than %v, when this one begins", s.Next, s.From)
	}
	return nil
}

// stepAt is the first start of a step of f that is no earlier than t.
func (f *member) stepAt(t Time) Time {
	if late := t % f.about.Step; late > 0 {
		if t > math.MaxInt64-f.about.Step {
			return Never
		}
		return t - late + f.about.Step
	}
	return t
}

// pass lets a time go by at which f does not act. Its standby may act, and
// faults of what it holds begin or end.
func (f *member) pass(t Time, clock Clock) error {
	if t%f.about.Step != 0 {
		return nil
	}
	if r := f.spare; r != nil && r.standby != nil && r.loss == nil && r.next == t {
		f.call((*member).advanceStandby, clock, clock.Now())
		if f.err != nil {
			return f.err
		}
	}
	for i := range f.outlets {
		if o := &f.outlets[i]; len(o.faults) > 0 && o.port.Kind == Vector {
			if err := o.publish(&f.step.Out[i], t, t+f.about.Step); err != nil {
				return err
			}
			f.ends = t + f.about.Step
		}
	}
	return nil
}

// advanceStandby makes a step that the standby alone has named.
func (f *member) advanceStandby() error {
	for i := range f.inlets {
		if in := &f.step.In[i]; f.inlets[i].port.Kind == Vector {
			f.inlets[i].read(in)
		} else {
			in.Messages, in.Events = in.Messages[:0], in.Events[:0]
		}
	}
	f.shadow(&Step{Seq: f.steps, From: f.spare.next, To: f.spare.next + f.about.Step})
	return nil
}

// checkWakes gathers what is wrong with the inputs that wake a federate.
func (w *wiring) checkWakes(d *Description) {
	for _, p := range d.Outputs {
		if p.Wake != nil {
			w.addf("%s.%s: an output wakes nobody; the inputs that read it do", d.Name, p.Name)
		}
	}
	for _, p := range d.Inputs {
		switch {
		case p.Wake == nil:
			continue
		case !d.ByEvent:
			w.addf("%s.%s: only an event-stepped federate can be woken; %s makes every step", d.Name, p.Name, d.Name)
		case p.Kind != Vector && len(p.Wake.Elements)+len(p.Wake.Levels) > 0:
			w.addf("%s.%s: %v wake without elements and levels", d.Name, p.Name, p.Kind)
		}
		for _, e := range p.Wake.Elements {
			if p.Kind == Vector && !slices.Contains(p.Elements, e) {
				w.addf("%s.%s: no element %q to wake for%s", d.Name, p.Name, e, suggestion(e, p.Elements))
			}
		}
		for _, x := range p.Wake.Levels {
			if x-x != 0 {
				w.addf("%s.%s: level %v is not finite", d.Name, p.Name, x)
			}
		}
	}
}
