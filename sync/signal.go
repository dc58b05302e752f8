package sync

import (
	"fmt"
	"slices"
)

// timed is what carries an exact time.
type timed interface {
	Message | Event
	when() Time
}

func (m Message) when() Time { return m.At }
func (e Event) when() Time   { return e.At }

// String returns "vector", "messages" or "events".
func (k Kind) String() string {
	switch k {
	case Vector:
		return "vector"
	case Messages:
		return "messages"
	case Events:
		return "events"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// queue holds the messages or events on their way to one reader.
type queue[T timed] struct {
	made  []T // in a step that has not ended yet
	ready []T // for the reader's next step
}

// release lets the reader have what was made in the step that has now ended.
func (q *queue[T]) release() {
	if len(q.ready) == 0 {
		q.made, q.ready = q.ready, q.made
		return
	}
	q.ready = append(q.ready, q.made...)
	q.made = q.made[:0]
}

// take moves what is ready to the end of items.
func (q *queue[T]) take(items []T) []T {
	items = append(items, q.ready...)
	q.ready = q.ready[:0]
	return items
}

// sortByTime orders items by time and leaves equal times as they are: in
// order of connection, then of emission.
func sortByTime[T timed](items []T) {
	byTime := func(a, b T) int { return int(min(1, max(-1, a.when()-b.when()))) }
	if !slices.IsSortedFunc(items, byTime) {
		slices.SortStableFunc(items, byTime)
	}
}

// published is a vector as readers see it.
type published struct {
	values []float64
	stale  bool
}

// outlet is an output port at run time. now is what the current step made,
// ended what the last step that has ended made; they change places when the
// next step begins. The federate writes into a slice of its own (its Step's
// Out), so that a value holds until it is written again.
type outlet struct {
	name       string // "grid.frequency"
	index      int    // in Frame.Outputs
	port       Port
	now, ended published
	readers    []*link
	faults     []activeFault
	faulted    bool
}

// link is a connection at run time.
type link struct {
	from     *outlet
	direct   bool
	gather   []int // source element of each element; nil: the same order
	scale    conversion
	values   []float64 // only if gathered or scaled
	messages queue[Message]
	events   queue[Event]
}

// inlet is an input port at run time. A vector has one link at most.
type inlet struct {
	port  Port
	links []*link
}

// publish makes a finished step's output visible: vectors in now, messages
// and events in the readers' queues. It returns what is wrong with the output.
func (o *outlet) publish(out *Signal, from, to Time) error {
	if err := o.checkMade(out, from, to); err != nil {
		return err
	}
	o.faulted = false
	if o.port.Kind == Vector {
		copy(o.now.values, out.Values)
		o.now.stale = out.Stale
		for i := range o.faults {
			if f := &o.faults[i]; from >= f.From && from < f.To {
				before := o.ended.values
				if from == to {
					before = out.Values // Init: nothing came before
				}
				f.distort(o.now.values, before)
				o.faulted = true
			}
		}
		return nil
	}
	made := len(out.Messages) + len(out.Events)
	for i := range o.faults {
		out.Messages = thin(&o.faults[i], out.Messages)
		out.Events = thin(&o.faults[i], out.Events)
	}
	o.faulted = len(out.Messages)+len(out.Events) < made
	for _, l := range o.readers {
		if l.direct {
			l.messages.ready = append(l.messages.ready, out.Messages...)
			l.events.ready = append(l.events.ready, out.Events...)
		} else {
			l.messages.made = append(l.messages.made, out.Messages...)
			l.events.made = append(l.events.made, out.Events...)
		}
	}
	return nil
}

// checkMade refuses what must not reach another federate: a vector of another
// length or with values that are not finite, content of another kind, times
// outside of the step. Both ends of the step count as inside.
func (o *outlet) checkMade(out *Signal, from, to Time) error {
	if o.port.Kind == Vector {
		if len(out.Values) != len(o.port.Elements) {
			return fmt.Errorf("output %s has %d values instead of %d", o.port.Name, len(out.Values), len(o.port.Elements))
		}
		for i, x := range out.Values {
			if x-x != 0 {
				return fmt.Errorf("output %s: %s is %v", o.port.Name, o.port.Elements[i], x)
			}
		}
	}
	if len(out.Messages) > 0 && o.port.Kind != Messages || len(out.Events) > 0 && o.port.Kind != Events {
		return fmt.Errorf("output %s of kind %v holds %d messages and %d events", o.port.Name, o.port.Kind, len(out.Messages), len(out.Events))
	}
	for i := range out.Messages {
		if at := out.Messages[i].At; at < from || at > to {
			return fmt.Errorf("output %s: message %d at %v lies outside of [%v, %v]", o.port.Name, out.Messages[i].ID, at, from, to)
		}
	}
	for i := range out.Events {
		if at := out.Events[i].At; at < from || at > to {
			return fmt.Errorf("output %s: event %q at %v lies outside of [%v, %v]", o.port.Name, out.Events[i].Type, at, from, to)
		}
	}
	return nil
}

// release ends the step that made now: delayed readers see it from here on, and
// direct ones as well if it holds because the federate need not act again.
func (o *outlet) release(holds bool) {
	o.now, o.ended = o.ended, o.now
	if holds {
		copy(o.now.values, o.ended.values)
		o.now.stale = o.ended.stale
	}
	for _, l := range o.readers {
		if !l.direct && o.port.Kind != Vector {
			l.messages.release()
			l.events.release()
		}
	}
}

// read fills in with what the reader may see now.
func (i *inlet) read(in *Signal) {
	switch i.port.Kind {
	case Vector:
		if len(i.links) > 0 {
			in.Values, in.Stale = i.links[0].vector()
		}
	case Messages:
		in.Messages = in.Messages[:0]
		for _, l := range i.links {
			in.Messages = l.messages.take(in.Messages)
		}
		sortByTime(in.Messages)
	case Events:
		in.Events = in.Events[:0]
		for _, l := range i.links {
			in.Events = l.events.take(in.Events)
		}
		sortByTime(in.Events)
	}
}

// vector returns the source's own slice where order and unit agree.
func (l *link) vector() ([]float64, bool) {
	source := &l.from.ended
	if l.direct {
		source = &l.from.now
	}
	if l.values == nil {
		return source.values, source.stale
	}
	for i := range l.values {
		j := i
		if l.gather != nil {
			j = l.gather[i]
		}
		l.values[i] = source.values[j] * l.scale.mul / l.scale.div
	}
	return l.values, source.stale
}
