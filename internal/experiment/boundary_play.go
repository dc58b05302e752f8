package experiment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"

	"cosim/internal/record"
	cosync "cosim/sync"
)

// errRecordEnds is why a replay ends before its time.
var errRecordEnds = errors.New("what came from outside is recorded up to here; cosim resume continues the run")

// tape plays what once came into a run from outside.
type tape struct {
	until   cosync.Time // what is no earlier does not count; 0: all counts
	orders  []record.Event
	cuts    map[int]int // checks by decision
	lost    []bool      // by federate: on the way
	differ  bool        // a live federate may answer otherwise
	outside []record.Outsider

	mu      sync.Mutex
	reader  *record.BoundaryReader
	waiting [][]*record.Crossing // read ahead, by federate
	over    bool                 // all is read
	failure error                // ends the run
	unlike  map[string]int       // answers that were otherwise, by federate
}

// openTape opens the boundary.log of a run's folder; nil if there is none.
func openTape(dir string, until cosync.Time) (*tape, error) {
	r, err := record.OpenBoundary(dir)
	if r == nil || errors.Is(err, record.ErrNoHeader) {
		return nil, ignoreNoHeader(err)
	}
	t := &tape{
		until: until, cuts: map[int]int{}, outside: r.Outsiders(), unlike: map[string]int{},
		lost: make([]bool, len(r.Outsiders())), waiting: make([][]*record.Crossing, len(r.Outsiders())),
	}
	for {
		c, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		switch c.Kind {
		case record.KindOrder:
			if t.counts(c.AtNS) {
				t.orders = append(t.orders, c.Order)
			}
		case record.KindInterruption:
			t.cuts[c.Decision] = c.Checks
		case record.KindLoss:
			t.lost[c.Federate] = t.lost[c.Federate] || t.counts(c.AtNS)
		}
	}
	if err := r.Close(); err != nil {
		return nil, err
	}
	t.reader, err = record.OpenBoundary(dir)
	return t, err
}

func ignoreNoHeader(err error) error {
	if errors.Is(err, record.ErrNoHeader) {
		return nil
	}
	return err
}

func (t *tape) counts(atNS int64) bool { return t.until == 0 || atNS < int64(t.until) }

// next is what a federate did in the step from atNS; nil where the tape has
// ended.
func (t *tape) next(federate int, atNS int64) (*record.Crossing, error) {
	if !t.counts(atNS) {
		return nil, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.waiting[federate]) == 0 && !t.over {
		c, err := t.reader.Next()
		switch {
		case err == io.EOF:
			t.over = true
		case err != nil:
			return nil, err
		case c.Kind == record.KindAnswer || c.Kind == record.KindLoss:
			t.waiting[c.Federate] = append(t.waiting[c.Federate], c)
		}
	}
	if len(t.waiting[federate]) == 0 {
		return nil, nil
	}
	c := t.waiting[federate][0]
	if c.AtNS != atNS {
		return nil, fmt.Errorf("experiment: %s has a step at %v where one at %v is asked for", record.BoundaryName, cosync.Time(c.AtNS), cosync.Time(atNS))
	}
	t.waiting[federate] = t.waiting[federate][1:]
	return c, nil
}

// fail ends the run after the present step, whatever losses it tolerates.
func (t *tape) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failure == nil {
		t.failure = err
	}
}

// Begin implements sync.Observer.
func (t *tape) Begin(f *cosync.Frame) error { return t.Observe(f) }

// Observe implements sync.Observer.
func (t *tape) Observe(*cosync.Frame) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failure
}

// End implements sync.Observer.
func (t *tape) End(error) error { return t.reader.Close() }

// recordedLoss is why a federate is lost in a repetition.
type recordedLoss struct{ reason, text string }

func (l *recordedLoss) Error() string { return l.text }

// played is an external federate in a repetition. As long as the tape lasts,
// the federation gets what is on it. If its program takes part, it is taken
// through the same steps, must answer alike, and goes on where the tape ends.
type played struct {
	tape  *tape
	place int
	about cosync.Description
	live  cosync.Federate // nil: the program takes no part
	last  [][]float64     // vectors, as on the tape
}

var (
	_ cosync.Asker     = (*played)(nil)
	_ cosync.Explainer = (*played)(nil)
	_ cosync.Finisher  = (*played)(nil)
)

func (p *played) Describe() cosync.Description { return p.about }

func (p *played) Init(out []cosync.Signal) error {
	p.last = make([][]float64, len(out))
	for i := range out {
		p.last[i] = slices.Clone(out[i].Values)
	}
	var err error
	if p.live != nil {
		err = p.live.Init(out)
	}
	return p.perform(&cosync.Step{From: -1, Out: out}, err)
}

// Ask implements sync.Asker.
func (p *played) Ask(s *cosync.Step) {
	if a, ok := p.live.(cosync.Asker); ok {
		a.Ask(s)
	}
}

func (p *played) Step(s *cosync.Step) error {
	var err error
	if p.live != nil {
		err = p.live.Step(s)
	}
	return p.perform(s, err)
}

// perform puts what is on the tape into the outputs and names the time that it
// names; liveErr is how the program fared in the same step.
func (p *played) perform(s *cosync.Step, liveErr error) error {
	atNS, out := int64(s.From), s.Out
	c, err := p.tape.next(p.place, atNS)
	switch {
	case err != nil:
		p.tape.fail(err)
		return err
	case c == nil && p.live == nil:
		p.tape.fail(errRecordEnds)
		return errRecordEnds
	case c == nil:
		return liveErr // from here on it is on its own
	case c.Kind == record.KindLoss:
		return &recordedLoss{c.Reason, c.Text}
	case liveErr != nil:
		err = fmt.Errorf("experiment: %s is lost while it catches up: %w", p.about.Name, liveErr)
		p.tape.fail(err)
		return err
	}
	for i := range out {
		said := &c.Outputs[i]
		if said.Values != nil {
			copy(p.last[i], said.Values)
		}
		if p.live != nil {
			if what := p.difference(i, &out[i], said); what != "" {
				p.tape.unlikeness(p.about.Name, atNS, what)
			}
		}
		copy(out[i].Values, p.last[i])
		out[i].Messages = append(out[i].Messages[:0], said.Messages...)
		out[i].Events = append(out[i].Events[:0], said.Events...)
	}
	if next := cosync.Time(c.NextNS); p.about.ByEvent && atNS >= 0 {
		if p.live != nil && s.Next != next {
			p.tape.unlikeness(p.about.Name, atNS, fmt.Sprintf("it wants to act next %s instead of %s", when(s.Next), when(next)))
		}
		s.Next = next
	}
	return nil
}

// when says a time that an event-stepped federate has named.
func when(t cosync.Time) string {
	if t == cosync.Never {
		return "when an input wakes it"
	}
	return fmt.Sprintf("at %v", t)
}

// unlikeness notes that a program has not answered as it did.
func (t *tape) unlikeness(federate string, atNS int64, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unlike[federate]++
	if !t.differ && t.failure == nil {
		t.failure = fmt.Errorf("experiment: %s does not answer the step at %v as it did in the run: %s", federate, cosync.Time(max(0, atNS)), what)
	}
}

// difference says in what an output differs from what is on the tape.
func (p *played) difference(i int, now, said *cosync.Signal) string {
	expected := cosync.Signal{Values: p.last[i], Messages: said.Messages, Events: said.Events}
	return signalDifference(&p.about.Outputs[i], &expected, now)
}

// signalDifference names the first thing in which b differs from a.
func signalDifference(port *cosync.Port, a, b *cosync.Signal) string {
	for i := range min(len(a.Values), len(b.Values)) {
		if x, y := a.Values[i], b.Values[i]; math.Float64bits(x) != math.Float64bits(y) {
			return fmt.Sprintf("%s of %s is %v %s instead of %v", port.Elements[i], port.Name, y, port.Unit, x)
		}
	}
	if a.Stale != b.Stale {
		return port.Name + " is held in one"
	}
	for i := range min(len(a.Messages), len(b.Messages)) {
		x, y := &a.Messages[i], &b.Messages[i]
		if x.At != y.At || x.ID != y.ID || x.From != y.From || x.To != y.To || x.Class != y.Class || !bytes.Equal(x.Payload, y.Payload) {
			return fmt.Sprintf("message %d of %s is %s instead of %s", i, port.Name, messageText(y), messageText(x))
		}
	}
	if n, m := len(a.Messages), len(b.Messages); n != m {
		return fmt.Sprintf("%s has %d messages instead of %d", port.Name, m, n)
	}
	for i := range min(len(a.Events), len(b.Events)) {
		if x, y := a.Events[i], b.Events[i]; x != y {
			return fmt.Sprintf("event %d of %s is %s instead of %s", i, port.Name, eventText(y), eventText(x))
		}
	}
	if n, m := len(a.Events), len(b.Events); n != m {
		return fmt.Sprintf("%s has %d events instead of %d", port.Name, m, n)
	}
	return ""
}

func messageText(m *cosync.Message) string {
	return fmt.Sprintf("%s %d from %s to %s at %v (%x)", m.Class, m.ID, m.From, m.To, m.At, m.Payload[:min(len(m.Payload), 16)])
}

func eventText(e cosync.Event) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %v at %v %s", e.Type, e.Element, e.Value, e.At, e.Detail))
}

// Explain implements sync.Explainer.
func (p *played) Explain() string {
	if e, ok := p.live.(cosync.Explainer); ok {
		return e.Explain()
	}
	return ""
}

// Finish implements sync.Finisher.
func (p *played) Finish() {
	if x, ok := p.live.(cosync.Finisher); ok {
		x.Finish()
	}
}

func (p *played) Close() error {
	if p.live == nil {
		return nil
	}
	return p.live.Close()
}
