package iec104

import "testing"

// link carries frames of one association to the other and decodes them.
type link struct {
	t    *testing.T
	a, b Association
}

func (l *link) send(from *Association) APDU {
	l.t.Helper()
	frame, err := from.AppendI(nil, &ASDU{Type: MMeNc1, Cause: Spontaneous, CommonAddr: 1, Objects: []Object{{IOA: 1}}})
	if err != nil {
		l.t.Fatal(err)
	}
	var a APDU
	if err := a.Decode(frame); err != nil {
		l.t.Fatal(err)
	}
	return a
}

func (l *link) acknowledge(from *Association) APDU {
	l.t.Helper()
	var a APDU
	if err := a.Decode(from.AppendS(nil)); err != nil {
		l.t.Fatal(err)
	}
	return a
}

func TestAcknowledgementIsDueAfterW(t *testing.T) {
	l := &link{t: t}
	for round := range 3 {
		for i := 1; i <= W; i++ {
			a := l.send(&l.a)
			if r := l.b.Receive(&a); r != (Receipt{Gap: 0, AckValid: true, AckDue: i == W}) {
				t.Fatalf("round %d, frame %d: %+v", round, i, r)
			}
		}
		if n := l.a.Outstanding(); n != W {
			t.Fatalf("%d outstanding, want %d", n, W)
		}
		s := l.acknowledge(&l.b)
		if r := l.a.Receive(&s); !r.AckValid || l.a.Outstanding() != 0 || l.b.Unacknowledged() != 0 {
			t.Fatalf("after the S frame: %+v, %d outstanding", r, l.a.Outstanding())
		}
	}
}

func TestAnIFrameAcknowledgesToo(t *testing.T) {
	l := &link{t: t}
	for range W - 1 {
		a := l.send(&l.a)
		l.b.Receive(&a)
	}
	back := l.send(&l.b)
	l.a.Receive(&back)
	if l.a.Outstanding() != 0 || l.b.Unacknowledged() != 0 {
		t.Errorf("%d outstanding, %d unacknowledged", l.a.Outstanding(), l.b.Unacknowledged())
	}
}

func TestSequenceNumbersWrap(t *testing.T) {
	l := &link{t: t, a: Association{sendNext: seqModulo - 2, acked: seqModulo - 2}, b: Association{recvNext: seqModulo - 2}}
	for i, want := range []uint16{seqModulo - 2, seqModulo - 1, 0, 1} {
		a := l.send(&l.a)
		if r := l.b.Receive(&a); a.SendSeq != want || r.Gap != 0 {
			t.Errorf("frame %d: N(S) %d, gap %d", i, a.SendSeq, r.Gap)
		}
	}
	s := l.acknowledge(&l.b)
	if r := l.a.Receive(&s); !r.AckValid || l.a.Outstanding() != 0 {
		t.Errorf("%+v, %d outstanding", r, l.a.Outstanding())
	}
}

func TestLossesAndLateFramesAreTold(t *testing.T) {
	l := &link{t: t}
	var frames []APDU
	for range 5 {
		frames = append(frames, l.send(&l.a))
	}
	for _, c := range []struct{ frame, gap int }{{0, 0}, {3, 2}, {1, -3}, {4, 0}, {4, -1}} {
		if r := l.b.Receive(&frames[c.frame]); r.Gap != c.gap {
			t.Errorf("frame %d: gap %d, want %d", c.frame, r.Gap, c.gap)
		}
	}
	// What was lost in between is acknowledged with the newest: a loss is a
	// loss of its task, not of the connection.
	s := l.acknowledge(&l.b)
	if l.a.Receive(&s); l.a.Outstanding() != 0 {
		t.Errorf("%d outstanding", l.a.Outstanding())
	}
}

func TestAcknowledgementOfWhatWasNotSentIsInvalid(t *testing.T) {
	l := &link{t: t}
	l.send(&l.a)
	for _, c := range []struct {
		recvSeq     uint16
		valid       bool
		outstanding int
	}{{2, false, 1}, {1, true, 0}, {0, true, 0}, {2, false, 0}} {
		if r := l.a.Receive(&APDU{Format: FormatS, RecvSeq: c.recvSeq}); r.AckValid != c.valid || l.a.Outstanding() != c.outstanding {
			t.Errorf("N(R) %d: %+v, %d outstanding", c.recvSeq, r, l.a.Outstanding())
		}
	}
}

func TestUFramesAndErrorsLeaveTheNumbersAlone(t *testing.T) {
	s := Association{sendNext: 5, recvNext: 6, acked: 4, unchecked: 3}
	before := s
	s.Receive(&APDU{Format: FormatU, Function: TestFRAct})
	if _, err := s.AppendI(nil, &ASDU{}); err == nil {
		t.Error("an empty ASDU is sent")
	}
	if s != before {
		t.Errorf("%+v, was %+v", s, before)
	}
}
