package experiment

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"cosim/federates/ws"
	cosync "cosim/sync"
)

// checkParts are what is played, in this order; the essential ones come first
// in every session. The error says why the federate is lost.
var checkParts = [...]struct {
	name string
	play func(*checkSession) (note string, lost error)
}{
	{"hello", (*checkSession).hello},
	{"time zero", (*checkSession).zero},
	{"first steps", (*checkSession).firstSteps},
	{"nothing came", (*checkSession).nothing},
	{"edges of a step", (*checkSession).edges},
	{"stale inputs", (*checkSession).staleInputs},
	{"ping", (*checkSession).ping},
	{"comes back", (*checkSession).comesBack},
	{"lost answer", (*checkSession).lostAnswer},
	{"to the end", (*checkSession).toTheEnd},
}

const (
	checkEssential = 3  // parts without which no other can be played
	checkSteps     = 10 // that the parts take at least
)

// hello waits for the federate and what it says about itself.
func (s *checkSession) hello() (string, error) {
	ctx, cancel := context.WithCancel(context.Background()) // an interruption reaches the server by itself
	if s.program != nil {
		ctx, cancel = context.WithTimeout(ctx, connectWithin)
	}
	defer cancel()
	there := make(chan error, 1)
	go func() { there <- s.server.Await(ctx, func([]string) {}) }()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-there:
			if err != nil {
				return "", fmt.Errorf("it did not connect within %v", connectWithin)
			}
			s.about = s.peer.Describe()
			s.findWakes()
			s.step.Out = make([]cosync.Signal, len(s.about.Outputs))
			for i, p := range s.about.Outputs {
				s.step.Out[i].Values = make([]float64, len(p.Elements))
			}
			return outline(s.about), nil
		case <-look.C:
			if told := s.tap.told(); len(told) > 0 {
				return "", errors.New(strings.Join(told, "; "))
			}
			if s.program.hasEnded() && s.tap.latest().hasEnded() {
				return "", fmt.Errorf("it ended before it connected (%v)", s.program.how())
			}
		}
	}
}

// outline says in a line what a federate is.
func outline(about cosync.Description) string {
	text := fmt.Sprintf("a step every %v", about.Step)
	if about.ByEvent {
		text = "acts when it says"
	}
	for _, side := range []struct {
		verb  string
		ports []cosync.Port
	}{{"reads", about.Inputs}, {"writes", about.Outputs}} {
		for i, p := range side.ports {
			if i == 0 {
				text += "; " + side.verb + " "
			} else {
				text += ", "
			}
			text += p.Name
			if p.Kind == cosync.Vector {
				text += fmt.Sprintf(" (%d in %s)", len(p.Elements), p.Unit)
			} else {
				text += fmt.Sprintf(" (%v)", p.Kind)
			}
			if p.Wake != nil {
				text += ", which wakes it"
			}
		}
	}
	return text
}

// zero asks for the outputs before the first step.
func (s *checkSession) zero() (string, error) {
	if err := s.peer.Init(s.step.Out); err != nil {
		return "", s.lost(err)
	}
	return "", nil
}

func (s *checkSession) firstSteps() (string, error) {
	for range 3 {
		if err := s.advance(nil); err != nil {
			return "", err
		}
	}
	return "inputs of zeros, whole numbers and fractions", nil
}

// nothing leaves out all that may be left out.
func (s *checkSession) nothing() (string, error) {
	left := 0
	err := s.advance(func(in *cosync.Signal, port *cosync.Port) {
		if port.Optional || port.Kind != cosync.Vector {
			in.Values = nil
			left++
		}
	})
	if left == 0 {
		return "no input that may be left out", err
	}
	return fmt.Sprintf("%d of %d inputs left out", left, len(s.about.Inputs)), err
}

// edges sends messages and events at the first and last instant. What does not
// come directly may also stem from the step before.
func (s *checkSession) edges() (string, error) {
	sent := 0
	err := s.advance(func(in *cosync.Signal, port *cosync.Port) {
		if port.Kind == cosync.Vector {
			return
		}
		times := []cosync.Time{s.step.From, s.step.To - 1}
		if !port.Direct {
			times = slices.Insert(times, 0, s.step.From-1)
		}
		for i, at := range times {
			if port.Kind == cosync.Messages {
				in.Messages = append(in.Messages, cosync.Message{At: at, ID: uint64(i) * (1<<53 - 1) / 2, From: "µ", To: "a>b", Payload: []byte{0, 255}[:i%3]})
			} else {
				in.Events = append(in.Events, cosync.Event{At: at, Type: "check", Element: "bus/1", Value: float64(i) / 3, Detail: "µ \"quoted\"\n"})
			}
			sent++
		}
	})
	if sent == 0 {
		return "no input of messages or events", err
	}
	return fmt.Sprintf("%d messages and events at the first and last nanosecond", sent), err
}

func (s *checkSession) staleInputs() (string, error) {
	err := s.advance(func(in *cosync.Signal, _ *cosync.Port) { in.Stale = true })
	if len(s.about.Inputs) == 0 {
		return "no inputs", err
	}
	return "all inputs held", err
}

// ping sends one between two steps.
func (s *checkSession) ping() (string, error) {
	c := s.tap.latest()
	c.mark()
	const head, word = "\x89\x05", "cosim"
	if _, err := c.Conn.Write([]byte(head + word)); err != nil {
		return "", s.lost(err)
	}
	limit := time.Now().Add(pongWithin)
	for !c.ponged(word) {
		if time.Now().After(limit) {
			s.blame("expected a pong with the ping's bytes within %v, got none", pongWithin)
			break
		}
		time.Sleep(time.Millisecond)
	}
	return "", s.advance(nil)
}

// pongWithin is the wall time for the answer to a ping.
const pongWithin = time.Second

// comesBack cuts the connection between two steps.
func (s *checkSession) comesBack() (string, error) {
	if s.o.StaysAway {
		return "left out", nil
	}
	s.cut = true
	_ = s.tap.latest().Close()
	return "its connection was cut between two steps", s.advance(nil)
}

// lostAnswer cuts the connection when an answer has come, but before the master
// has read it: the same answer must come once more.
func (s *checkSession) lostAnswer() (string, error) {
	if s.o.StaysAway {
		return "left out", nil
	}
	before := s.tap.latest()
	first := make([]cosync.Signal, len(s.step.Out))
	for i := range first {
		first[i].Values = slices.Clone(s.step.Out[i].Values)
	}
	s.cut = true
	before.swallow()
	if err := s.advance(nil); err != nil {
		return "", err
	}
	payload := before.lastMessage()
	codec, d := ws.CBOR, &ws.Done{}
	if len(payload) > 0 && payload[0] == '{' {
		codec = ws.JSON
	}
	if err := codec.Decode(payload, d); err != nil {
		s.blame("%s: %v", s.where(), err)
		return "", nil
	}
	for i := range first {
		port := &s.about.Outputs[i]
		if content, given := d.Outputs[port.Name]; given {
			if err := codec.Fill(&first[i], port, &content, s.step.From, s.step.To); err != nil {
				s.blame("%s: %v", s.where(), err)
			}
		}
		if port.Kind == cosync.Vector && !slices.Equal(first[i].Values, s.step.Out[i].Values) {
			s.blame("%s was asked for again after its answer was lost: expected the same answer, got another for %s (%v, not %v)", s.where(), port.Name, s.step.Out[i].Values, first[i].Values)
		} else if len(first[i].Messages) != len(s.step.Out[i].Messages) || len(first[i].Events) != len(s.step.Out[i].Events) ||
			len(first[i].Messages) > 0 && !reflect.DeepEqual(first[i].Messages, s.step.Out[i].Messages) ||
			len(first[i].Events) > 0 && !reflect.DeepEqual(first[i].Events, s.step.Out[i].Events) {
			s.blame("%s was asked for again after its answer was lost: expected the same answer, got another for %s", s.where(), port.Name)
		}
	}
	if next := nextOf(d); next != s.step.Next {
		s.blame("%s was asked for again after its answer was lost: expected the same answer, got another next_ns (%d, not %d)", s.where(), s.step.Next, next)
	}
	return "its answer was lost, and asked for again", nil
}

// toTheEnd plays the rest, and stops.
func (s *checkSession) toTheEnd() (string, error) {
	for s.goesOn() {
		if err := s.advance(nil); err != nil {
			return "", err
		}
	}
	s.clear()
	c := s.tap.latest()
	s.peer.Finish()
	_ = s.peer.Close()
	if !c.leaves() {
		s.blame("expected it to hang up after stop; it keeps the connection")
	}
	if n := len(c.messages()); n > 0 {
		s.blame("expected nothing after stop, got %d messages", n)
	}
	if s.program != nil {
		if err := s.program.wait(s.o.Patience); err != nil {
			s.blame("%v", err)
		}
	}
	slices.Sort(s.answers)
	return fmt.Sprintf("%d steps; answers after %v in the median, %v at most",
		s.step.Seq+1, s.answers[len(s.answers)/2].Round(time.Microsecond), s.answers[len(s.answers)-1].Round(time.Microsecond)), nil
}
