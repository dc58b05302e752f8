package outstation

import (
	"errors"
	"fmt"
	"time"

	"cosim/scada/iec104"
)

// What ends a connection.
var (
	ErrSequence = errors.New("sequence numbers do not fit")
	ErrTimeout  = errors.New("no answer in time")
	ErrState    = errors.New("not allowed in this state")
	ErrFlood    = errors.New("too many answers wait for acknowledgement")
)

// Limits of one session.
const (
	maxWaiting = 1024 // answers that wait for the window
	maxOrders  = 64   // orders under way
)

// state of the data transfer.
type state uint8

const (
	stopped  state = iota
	started        // by STARTDT
	stopping       // STOPDT is confirmed once all is acknowledged
)

// session is one connection, without socket and clock: frames and times go in,
// out collects what is to be written. It is not safe for concurrent use, but
// for the channel finished.
type session struct {
	station *Station
	master  string // address, for people
	out     []byte

	assoc     iec104.Association
	state     state
	lastAck   uint16      // newest N(R) of the peer
	sentAt    []time.Time // of I frames not acknowledged, oldest first
	recvSince time.Time   // of the oldest I frame that we did not acknowledge
	heardAt   time.Time
	testAt    time.Time // of a TESTFR without answer; zero: none
	greeted   bool      // end of initialisation was sent

	waiting      []answer
	interrogates map[iec104.TypeID]bool // answers to it are under way
	cursor       cursor
	orders       map[uint64]iec104.ASDU // confirmed, not yet carried out
	lastOrder    uint64
	finished     chan uint64 // orders that were carried out

	apdu   iec104.APDU
	report iec104.ASDU
}

// answer waits for the window to open.
type answer struct {
	asdu   iec104.ASDU
	reject []byte // frame to be rejected with asdu.Cause; nil: asdu is sent
	ends   bool   // the interrogation of the ASDU's type
}

func newSession(st *Station, master string, now time.Time) *session {
	return &session{
		station: st, master: master, heardAt: now, finished: make(chan uint64, maxOrders),
		interrogates: map[iec104.TypeID]bool{}, orders: map[uint64]iec104.ASDU{},
	}
}

// close gives back what the session holds of the station.
func (s *session) close() { s.station.forget(s) }

// receive takes one frame. An error ends the connection.
func (s *session) receive(now time.Time, frame []byte) error {
	err := s.apdu.Decode(frame)
	unknown := errors.Is(err, iec104.ErrUnknownType)
	if err != nil && !unknown {
		return err
	}
	s.heardAt = now
	if s.apdu.Format == iec104.FormatU {
		return s.control(now, s.apdu.Function)
	}
	if err := s.acknowledged(); err != nil {
		return err
	}
	if s.apdu.Format == iec104.FormatI {
		if s.state != started {
			return fmt.Errorf("outstation: application data before STARTDT: %w", ErrState)
		}
		if s.assoc.Unacknowledged() == 1 {
			s.recvSince = now
		}
		if unknown {
			s.reject(frame, iec104.UnknownType)
		} else {
			s.serve(now, frame)
		}
	}
	return s.advance(now)
}

// acknowledged notes the sequence numbers of the frame at hand.
func (s *session) acknowledged() error {
	const modulo = 1 << 15
	a := &s.apdu
	if n := int(a.RecvSeq-s.lastAck) & (modulo - 1); n > len(s.sentAt) {
		return fmt.Errorf("outstation: N(R) %d after %d with %d frames sent since: %w", a.RecvSeq, s.lastAck, len(s.sentAt), ErrSequence)
	} else if s.sentAt = s.sentAt[n:]; n > 0 {
		s.lastAck = a.RecvSeq
	}
	if r := s.assoc.Receive(a); a.Format == iec104.FormatI && r.Gap != 0 {
		return fmt.Errorf("outstation: N(S) %d is %d frames off: %w", a.SendSeq, r.Gap, ErrSequence)
	}
	return nil
}

// control obeys a U frame.
func (s *session) control(now time.Time, f iec104.Function) error {
	switch f {
	case iec104.StartDTAct:
		if s.state == stopped {
			s.start()
		}
		s.state = started
		s.out = iec104.AppendU(s.out, iec104.StartDTCon)
		if !s.greeted {
			s.greeted = true
			s.send(iec104.ASDU{Type: iec104.MEiNa1, Cause: iec104.Initialised, Objects: []iec104.Object{{}}})
		}
	case iec104.StopDTAct:
		if s.state == stopped {
			s.out = iec104.AppendU(s.out, iec104.StopDTCon)
			break
		}
		s.state = stopping
		s.waiting = nil
		clear(s.interrogates)
	case iec104.TestFRAct:
		s.out = iec104.AppendU(s.out, iec104.TestFRCon)
	case iec104.TestFRCon:
		s.testAt = time.Time{}
	default:
		return fmt.Errorf("outstation: %v from a master: %w", f, ErrState)
	}
	return s.advance(now)
}

// start begins the transfer; what changed while it was stopped follows, but
// for what was before the first start.
func (s *session) start() {
	if s.cursor.seen == nil {
		s.cursor = s.station.cfg.Image.cursor()
	}
}

// advance sends what the window lets pass and watches the timers.
func (s *session) advance(now time.Time) error {
	switch {
	case len(s.sentAt) > 0 && now.Sub(s.sentAt[0]) >= iec104.T1:
		return fmt.Errorf("outstation: a frame was not acknowledged for %v: %w", iec104.T1, ErrTimeout)
	case !s.testAt.IsZero() && now.Sub(s.testAt) >= iec104.T1:
		return fmt.Errorf("outstation: TESTFR was not answered for %v: %w", iec104.T1, ErrTimeout)
	case len(s.waiting) > maxWaiting:
		return fmt.Errorf("outstation: %d answers: %w", len(s.waiting), ErrFlood)
	}
	if s.state == started {
		if err := s.pump(now); err != nil {
			return err
		}
	}
	if n := s.assoc.Unacknowledged(); n >= iec104.W || n > 0 && (s.state == stopping || now.Sub(s.recvSince) >= iec104.T2) {
		s.out = s.assoc.AppendS(s.out)
	}
	if s.state == stopping && len(s.sentAt) == 0 {
		s.state = stopped
		s.out = iec104.AppendU(s.out, iec104.StopDTCon)
	}
	if s.testAt.IsZero() && now.Sub(s.heardAt) >= iec104.T3 {
		s.testAt = now
		s.out = iec104.AppendU(s.out, iec104.TestFRAct)
	}
	return nil
}

// due is when advance is to be called at the latest.
func (s *session) due() time.Time {
	at := s.heardAt.Add(iec104.T3)
	if !s.testAt.IsZero() {
		at = s.testAt.Add(iec104.T1)
	}
	if len(s.sentAt) > 0 {
		at = earlier(at, s.sentAt[0].Add(iec104.T1))
	}
	if s.assoc.Unacknowledged() > 0 {
		at = earlier(at, s.recvSince.Add(iec104.T2))
	}
	return at
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// pump sends answers, then spontaneous reports, until K frames are on their
// way.
func (s *session) pump(now time.Time) (err error) {
	for len(s.sentAt) < iec104.K {
		switch {
		case len(s.waiting) > 0:
			a := &s.waiting[0]
			if a.reject != nil {
				s.out, err = s.assoc.AppendRejection(s.out, a.reject, a.asdu.Cause)
			} else {
				s.out, err = s.assoc.AppendI(s.out, &a.asdu)
			}
			if a.ends {
				delete(s.interrogates, a.asdu.Type)
			}
			s.waiting = s.waiting[1:]
		case s.station.cfg.Image.report(&s.cursor, &s.report):
			s.report.CommonAddr = s.station.cfg.CommonAddr
			s.out, err = s.assoc.AppendI(s.out, &s.report)
		default:
			return nil
		}
		if err != nil {
			return err
		}
		s.sentAt = append(s.sentAt, now)
	}
	return nil
}

// send lets an ASDU wait for the window.
func (s *session) send(a iec104.ASDU) {
	a.CommonAddr = s.station.cfg.CommonAddr
	s.waiting = append(s.waiting, answer{asdu: a})
}

// reject lets the refusal of a frame wait for the window.
func (s *session) reject(frame []byte, cause iec104.Cause) {
	s.waiting = append(s.waiting, answer{asdu: iec104.ASDU{Cause: cause}, reject: append([]byte(nil), frame...)})
}
