package experiment

import (
	"fmt"
	"slices"

	"cosim/federates/ws"
	cosync "cosim/sync"
)

// checkExchange is the federation's step in a check, that of the shipped
// experiments.
const checkExchange = 10 * cosync.Millisecond

// waking is an input that has an event-stepped federate act.
type waking struct {
	input    int
	elements []int     // of a vector: those that count
	seen     []float64 // their values in the last step; nil before the first
}

func (s *checkSession) findWakes() {
	for i, p := range s.about.Inputs {
		if p.Wake == nil {
			continue
		}
		w := waking{input: i}
		for j, e := range p.Elements {
			if p.Wake.Elements == nil || slices.Contains(p.Wake.Elements, e) {
				w.elements = append(w.elements, j)
			}
		}
		s.wakes = append(s.wakes, w)
	}
}

// stepLength is that of the federate's steps.
func (s *checkSession) stepLength() cosync.Time {
	if s.about.Step == 0 {
		return checkExchange
	}
	return s.about.Step
}

// named is the step that an event-stepped federate wants; false if it wants
// none.
func (s *checkSession) named() (cosync.Time, bool) {
	next, length := s.step.Next, s.stepLength()
	if next == cosync.Never || next > simTime(s.o.Duration) {
		return next, next != cosync.Never
	}
	return (next + length - 1) / length * length, true
}

// turn finds the time of the next step. A federate of fixed steps makes one
// after the other. One that is event-stepped is woken where that can be, so that
// the parts are played close together, and is else asked when it said.
func (s *checkSession) turn() error {
	st, length, stop := &s.step, s.stepLength(), simTime(s.o.Duration)
	from := st.To
	if named, any := s.named(); s.about.ByEvent && st.Seq >= 0 && len(s.wakes) == 0 {
		switch {
		case !any && !s.idle:
			s.idle = true
			s.blame("%s: it names no next_ns and has no input that wakes it: it would never act again", s.where())
		case any:
			from = named
		}
	}
	if from >= stop {
		s.short = fmt.Errorf("experiment: %s acts %d times in the session's %v and next at %v, the parts take %d: give it a longer --duration", s.o.Name, st.Seq+1, stop, from, checkSteps)
		return s.short
	}
	st.From, st.To = from, from+length
	return nil
}

// goesOn says whether the session is not over yet. An event-stepped federate
// goes on as long as it names times; from here on nothing else has it act.
func (s *checkSession) goesOn() bool {
	if !s.about.ByEvent {
		return s.step.To < simTime(s.o.Duration)
	}
	s.wakes = nil
	named, any := s.named()
	return any && named < simTime(s.o.Duration)
}

// wake sees to it that an input really has the federate act, and says so.
func (s *checkSession) wake() {
	st := &s.step
	st.Next, st.Woken = cosync.Never, false
	for i := range s.wakes {
		w := &s.wakes[i]
		in, port := &st.In[w.input], &s.about.Inputs[w.input]
		if port.Kind != cosync.Vector {
			st.Woken = st.Woken || len(in.Messages)+len(in.Events) > 0
			continue
		}
		if in.Values == nil {
			continue // left out
		}
		seen := w.seen
		w.seen = nil
		for k, j := range w.elements {
			if levels := port.Wake.Levels; len(levels) > 0 { // now above all, now below
				in.Values[j] = slices.Max(levels) + 1
				if st.Seq%2 == 0 {
					in.Values[j] = slices.Min(levels) - 1
				}
			}
			st.Woken = st.Woken || seen != nil && port.Wake.Counts(seen[k], in.Values[j])
			w.seen = append(w.seen, in.Values[j])
		}
	}
	if len(s.wakes) == 0 || st.Woken || st.Seq == 0 {
		st.Woken = st.Woken && st.Seq > 0
		return
	}
	in, port := &st.In[s.wakes[0].input], &s.about.Inputs[s.wakes[0].input]
	switch port.Kind {
	case cosync.Messages:
		in.Messages = append(in.Messages, cosync.Message{At: st.From, From: "check"})
	case cosync.Events:
		in.Events = append(in.Events, cosync.Event{At: st.From, Type: "check"})
	}
	st.Woken = true
}

// nextOf is the time that an answer names.
func nextOf(d *ws.Done) cosync.Time {
	if d.NextNS == nil {
		return cosync.Never
	}
	return cosync.Time(*d.NextNS)
}
