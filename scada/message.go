package scada

import (
	"bytes"
	"errors"
	"fmt"

	"cosim/scada/q3p"
)

// messageKind says what a message is for.
type messageKind uint8

const (
	measurement  messageKind = iota // IED to control centre
	command                         // control centre to IED, or interrogation to gateway
	confirmation                    // the answer to a command
	answer                          // to an interrogation, before its end
	termination                     // the end of an interrogation
	receipt                         // S frame: acknowledges I frames
	clock                           // clock synchronisation
	order                           // change of an uplink's route, for its gateway
	orderAnswer                     // the gateway obeyed
)

// message is one payload on its way along a route. The frames of all its
// quantum hops are sealed together, when the first of them is sent.
type message struct {
	kind    messageKind
	chain   *chain
	task    *task    // whose fate it decides or whose key it draws; nil for none
	pending *pending // the exchange it belongs to, or nil
	payload []byte
	route   *route
	mode    Mode
	sealed  [maxLegs][]byte
	opened  [maxLegs]bool // by the receiver of the leg
	answers []*message    // what the receiver replied, to be repeated for duplicates
}

// maxLegs is the longest route in legs.
const maxLegs = 6

func (m *message) command() q3p.Command {
	if m.kind == order || m.kind == orderAnswer {
		return q3p.Control
	}
	return q3p.Data
}

// newMessage hands out messages from slabs.
func (s *System) newMessage(m message) *message {
	if len(s.messages) == 0 {
		s.messages = make([]message, 64)
	}
	p := &s.messages[0]
	s.messages = s.messages[1:]
	*p = m
	return p
}

// forward sends leg i of m, sealing it if that was not done; false means that
// key was missing.
func (s *System) forward(m *message, i int, atNS int64) (sent bool, err error) {
	var waitNS int64
	if m.sealed[i] == nil {
		if m.route.legs[i].via.pool == nil {
			err = s.sealLeg(m, i, atNS, &waitNS)
		} else if sent, err = s.sealHops(m, i, atNS, &waitNS); !sent {
			return false, err
		}
		if err != nil {
			return false, fmt.Errorf("scada: chain %s, leg %s: %w", m.chain.ID, m.route.legs[i].path, err)
		}
	}
	l := &m.route.legs[i]
	mode := m.mode
	if l.via.pool == nil {
		mode = AES
	}
	s.nextFrame++
	s.sent.add(inFlight{atNS, m, i})
	s.out.Frames = append(s.out.Frames, Frame{
		ID: s.nextFrame, AtNS: atNS, From: l.via.from, Route: l.path,
		Class: m.chain.Task, Priority: m.chain.Priority, Payload: m.sealed[i],
		ServiceNS: waitNS + int64(2*s.cfg.Crypto.Costs.MessageNS(mode, 8*len(m.payload))),
	})
	s.tracer.sent(s, m, waitNS)
	s.uttered(m, i)
	return true, nil
}

// sealHops seals leg i and all quantum hops after it, or none if any pool is
// short.
func (s *System) sealHops(m *message, i int, atNS int64, waitNS *int64) (ok bool, err error) {
	end := i
	for ; end < len(m.route.legs) && m.route.legs[end].via.pool != nil; end++ {
		a := m.route.legs[end].via
		r := DrawRequest{atNS, a.from, m.chain.highest}
		if held, bits := a.pool.Available(r), int64(a.drawBits(m.mode, len(m.payload))); held < bits {
			s.tracer.short(s, m, end, atNS, bits, held)
			return false, nil
		}
	}
	for j := i; j < end; j++ {
		// Key for later hops is fetched while the message travels: only the
		// first hop waits.
		var ignored int64
		wait := waitNS
		if j > i {
			wait = &ignored
		}
		if err := s.sealLeg(m, j, atNS, wait); err != nil {
			if isShortage(err) {
				s.tracer.short(s, m, j, atNS, 0, 0)
				return false, nil
			}
			return false, err
		}
	}
	return true, nil
}

func (s *System) sealLeg(m *message, i int, atNS int64, waitNS *int64) error {
	a := m.route.legs[i].via
	frame, bits, wait, err := a.seal(s.arena.carve(len(m.payload)+q3p.Overhead), m, i, DrawRequest{atNS, a.from, m.chain.highest})
	if a.pool != nil {
		a.drawnBits[m.chain.operator] += int64(bits)
	}
	if m.task != nil && bits > 0 {
		m.task.keyBits += bits
		s.out.Key = append(s.out.Key, KeyMove{Operator: m.chain.operator, TriggerNS: m.task.triggerNS, DrawnBits: bits})
	}
	s.tracer.drawn(s, m, i)
	if err != nil {
		return err
	}
	m.sealed[i], *waitNS = frame, wait
	return nil
}

// deliver opens a frame at a gateway or control centre. What it is follows
// from its authenticated message id alone; the frame's ID serves the books.
func (s *System) deliver(d *Delivery) error {
	a := s.associations[[2]string{d.From, d.Node}]
	if a == nil || a.receive == nil {
		s.refuse(d, Rejected, "no association from "+d.From)
		return nil
	}
	h, plain, err := a.receive.Open(s.plain[:0], d.Payload, a.pool)
	s.plain = plain[:0]
	m, i := a.recall(h.MessageID)
	switch {
	case errors.Is(err, q3p.ErrReplay) && m != nil && m.opened[i] && bytes.Equal(d.Payload, m.sealed[i]):
		s.refuse(d, Duplicate, "seen before")
		return s.repeat(m, i)
	case err != nil:
		s.refuse(d, Rejected, err.Error())
		return nil
	case m == nil:
		s.refuse(d, Rejected, "older than the relay remembers")
		return nil
	}
	m.opened[i] = true
	s.tracer.opened(s, m, d)
	if i+1 < len(m.route.legs) {
		return s.relay(m, i+1)
	}
	return s.arrive(m, d.AtNS)
}

// relay sends the next leg of a message, from a gateway.
func (s *System) relay(m *message, next int) error {
	if m.kind == measurement && next == 1 {
		if !s.enterGateway(m) {
			return nil
		}
	}
	sent, err := s.forward(m, next, s.nowNS)
	if !sent && m.task != nil {
		m.task.obstacle(NoKey)
	}
	return err
}

// repeat answers a duplicate: a relay sends its next leg again, the end of the
// route its answers.
func (s *System) repeat(m *message, i int) error {
	if m.pending == nil || m.pending.over {
		return nil
	}
	if i+1 < len(m.route.legs) {
		return s.relay(m, i+1)
	}
	return s.answerAgain(m)
}

func (s *System) answerAgain(m *message) error {
	for _, r := range m.answers {
		if _, err := s.forward(r, 0, s.nowNS); err != nil {
			return err
		}
	}
	return nil
}

// arrive takes a message at the end of its route.
func (s *System) arrive(m *message, atNS int64) error {
	switch m.kind {
	case measurement:
		s.settle(m.task, m, atNS)
		return s.measured(m)
	case command:
		return s.interrogated(m)
	case confirmation, answer, termination:
		return s.answered(m, atNS)
	case receipt:
		return s.receiveAtStation(m)
	case clock:
		return s.clockSet(m)
	case order:
		return s.obeyOrder(m)
	case orderAnswer:
		s.orderObeyed(m)
	}
	return nil
}

// refuse books a frame that was not accepted. A frame of a task that is
// refused for its content is an obstacle to the task.
func (s *System) refuse(d *Delivery, v Verdict, reason string) {
	s.out.Refusals = append(s.out.Refusals, Refusal{d.AtNS, d.ID, d.Node, v, reason})
	s.tracer.refused(s, d, v, reason)
	if v != Rejected {
		return
	}
	if f := s.sent.find(d.ID); f != nil && f.message.task != nil {
		f.message.task.obstacle(TagRejected)
	}
}

// inFlight is one sent frame.
type inFlight struct {
	atNS    int64
	message *message
	leg     int
}

// flights remembers sent frames by their consecutive IDs until they are too
// old to matter.
type flights struct {
	first  uint64 // ID of frames[0]
	frames []inFlight
}

func (f *flights) add(e inFlight) { f.frames = append(f.frames, e) }

func (f *flights) find(id uint64) *inFlight {
	if i := id - f.first; id >= f.first && i < uint64(len(f.frames)) {
		return &f.frames[i]
	}
	return nil
}

// forget drops frames sent before beforeNS; what is left moves only when it
// is the smaller part.
func (f *flights) forget(beforeNS int64) {
	n := 0
	for n < len(f.frames) && f.frames[n].atNS < beforeNS {
		n++
	}
	if n == 0 || 2*n < len(f.frames) {
		return
	}
	kept := copy(f.frames, f.frames[n:])
	clear(f.frames[kept:])
	f.frames = f.frames[:kept]
	f.first += uint64(n)
}
