package iec104

import "time"

// Parameters of a connection, at the standard's defaults.
const (
	Port = 2404
	K    = 12 // most I frames sent and not acknowledged
	W    = 8  // acknowledge at the latest after so many I frames received

	T0 = 30 * time.Second // connection establishment
	T1 = 15 * time.Second // wait for an acknowledgement or confirmation
	T2 = 10 * time.Second // longest delay of an acknowledgement, less than T1
	T3 = 20 * time.Second // idle time before TESTFR
)

// Association keeps the sequence numbers of one end of a connection. The zero
// value is a connection just opened.
//
// It observes and never blocks or closes: whether a gap or a full window ends
// the connection is for the caller. The simulation ignores both (a loss there
// is a loss of the task), a TCP endpoint obeys them.
type Association struct {
	sendNext  uint16 // V(S)
	recvNext  uint16 // V(R)
	acked     uint16 // oldest N(S) that the peer has not acknowledged
	unchecked int    // I frames received since we last sent an N(R)
}

// Receipt is what one received frame means for the association.
type Receipt struct {
	// Gap is 0 for an I frame in order, n > 0 when n frames before it are
	// missing, n < 0 when it comes n frames late or again.
	Gap int
	// AckValid is false when N(R) acknowledges what was never sent.
	AckValid bool
	// AckDue says that W I frames wait for an acknowledgement: send an S
	// frame unless an I frame goes out at once.
	AckDue bool
}

// AppendI appends a as the next I frame; it acknowledges all received.
func (s *Association) AppendI(dst []byte, a *ASDU) ([]byte, error) {
	dst, err := AppendI(dst, s.sendNext, s.recvNext, a)
	if err != nil {
		return dst, err
	}
	s.sendNext = (s.sendNext + 1) % seqModulo
	s.unchecked = 0
	return dst, nil
}

// AppendRejection appends the rejection of frame as the next I frame.
func (s *Association) AppendRejection(dst, frame []byte, cause Cause) ([]byte, error) {
	dst, err := AppendRejection(dst, s.sendNext, s.recvNext, frame, cause)
	if err != nil {
		return dst, err
	}
	s.sendNext = (s.sendNext + 1) % seqModulo
	s.unchecked = 0
	return dst, nil
}

// AppendS appends an S frame that acknowledges all received.
func (s *Association) AppendS(dst []byte) []byte {
	s.unchecked = 0
	return AppendS(dst, s.recvNext)
}

// Receive takes note of a decoded frame. A U frame changes nothing.
func (s *Association) Receive(a *APDU) Receipt {
	r := Receipt{AckValid: true}
	if a.Format == FormatU {
		return r
	}
	// Without loss of order N(R) lies in [acked, sendNext], modulo 2¹⁵; one
	// that steps back is old, not invalid, since frames may overtake.
	if ahead := seqDiff(a.RecvSeq, s.acked); ahead > s.Outstanding() {
		r.AckValid = false
	} else if ahead > 0 {
		s.acked = a.RecvSeq
	}
	if a.Format == FormatI {
		r.Gap = seqDiff(a.SendSeq, s.recvNext)
		if r.Gap >= 0 {
			s.recvNext = (a.SendSeq + 1) % seqModulo
		}
		s.unchecked++
	}
	r.AckDue = s.unchecked >= W
	return r
}

// Outstanding is the number of I frames sent that the peer has not yet
// acknowledged; a strict sender stops at K.
func (s *Association) Outstanding() int { return seqDiff(s.sendNext, s.acked) }

// Unacknowledged is the number of I frames received since an N(R) was sent.
func (s *Association) Unacknowledged() int { return s.unchecked }

// seqDiff is a-b on the circle of 2¹⁵ numbers, in [-2¹⁴, 2¹⁴).
func seqDiff(a, b uint16) int {
	const half = seqModulo / 2
	return (int(a)-int(b)+half+seqModulo)%seqModulo - half
}
