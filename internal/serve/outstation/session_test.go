package outstation

import (
	"errors"
	"slices"
	"testing"
	"time"

	"cosim/scada/iec104"
)

func TestNothingIsSentBeforeSTARTDTAndAfterSTOPDT(t *testing.T) {
	p := newPlant(t)
	m := p.connect(t, "m")
	p.values[0] = 1
	p.Image().Update(epoch, p.values, 0)
	if err := m.wait(time.Second); err != nil {
		t.Fatal(err)
	}
	m.expect()
	if err := m.control(iec104.StartDTAct); err != nil {
		t.Fatal(err)
	}
	m.expect("STARTDT con", "M_EI_NA_1 cot 4") // what was before is for an interrogation
	if err := m.control(iec104.StopDTAct); err != nil {
		t.Fatal(err)
	}
	m.expect("STOPDT con")
	p.values[0] = 0
	p.Image().Update(epoch, p.values, 0)
	if err := m.wait(time.Second); err != nil {
		t.Fatal(err)
	}
	m.expect()
	if err := m.control(iec104.StartDTAct); err != nil {
		t.Fatal(err)
	}
	m.expect("STARTDT con", "M_SP_TB_1 cot 3 101=0x0") // what changed meanwhile
}

func TestSTOPDTIsConfirmedOnceAllIsAcknowledged(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	m.mute()
	p.values[0] = 1
	p.Image().Update(epoch, p.values, 0)
	if err := m.wait(0); err != nil {
		t.Fatal(err)
	}
	if err := m.control(iec104.StopDTAct); err != nil {
		t.Fatal(err)
	}
	m.expect("M_SP_TB_1 cot 3 101=0x1")
	m.acknowledge()
	m.expect("STOPDT con")
}

func TestAtMostKFramesAreOnTheirWay(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	m.mute()
	for i := range 3 * iec104.K {
		p.values[0] = float64(i % 2)
		p.values[1] = float64(i%2 + 1)
		p.Image().Update(epoch, p.values, 0)
		if err := m.wait(0); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.got); n != iec104.K {
		t.Fatalf("%d frames without acknowledgement, want %d", n, iec104.K)
	}
	m.acknowledge()
	if n := m.assoc.Unacknowledged(); n != 0 || len(m.s.sentAt) != 0 {
		t.Errorf("%d, %d outstanding", n, len(m.s.sentAt))
	}
	last := m.got[len(m.got)-1]
	if last != "M_DP_TB_1 cot 3 201=0x2" && last != "M_SP_TB_1 cot 3 101=0x1" {
		t.Errorf("the last report is %q", last)
	}
}

func TestTheStationAcknowledgesWFramesAtOnceAndFewerAfterT2(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	// Once K of its own are on the way, a station can answer only with S.
	m.mute()
	read := iec104.ASDU{Type: iec104.CRdNa1, Cause: iec104.Request, Objects: []iec104.Object{{IOA: 101}}}
	for range iec104.K {
		if err := m.ask(read); err != nil {
			t.Fatal(err)
		}
	}
	m.got = nil
	for i := 1; i <= iec104.W; i++ {
		if err := m.ask(read); err != nil {
			t.Fatal(err)
		}
		if got := len(m.got); (got == 1) != (i == iec104.W) {
			t.Fatalf("after %d frames: %q", i, m.got)
		}
	}
	m.got = nil
	if err := m.ask(read); err != nil {
		t.Fatal(err)
	}
	if err := m.wait(iec104.T2 - 1); err != nil || len(m.got) != 0 {
		t.Fatalf("before t2: %q, %v", m.got, err)
	}
	if err := m.wait(1); err != nil || !slices.Equal(m.got, []string{"S"}) {
		t.Fatalf("after t2: %q, %v", m.got, err)
	}
}

func TestAFrameThatIsNotAcknowledgedWithinT1EndsTheConnection(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	m.mute()
	p.values[0] = 1
	p.Image().Update(epoch, p.values, 0)
	if err := m.wait(0); err != nil {
		t.Fatal(err)
	}
	if due := m.s.due(); due != m.now.Add(iec104.T1) {
		t.Errorf("due at %v, want t1 after %v", due, m.now)
	}
	if err := m.wait(iec104.T1 - 1); err != nil {
		t.Fatal(err)
	}
	if err := m.wait(1); !errors.Is(err, ErrTimeout) {
		t.Errorf("after t1: %v", err)
	}
}

func TestASilentMasterIsTestedAfterT3AndLeftAfterT1More(t *testing.T) {
	p := newPlant(t)
	m := p.connect(t, "m")
	if due := m.s.due(); due != m.now.Add(iec104.T3) {
		t.Errorf("due at %v", due)
	}
	if err := m.wait(iec104.T3); err != nil {
		t.Fatal(err)
	}
	m.expect("TESTFR act")
	if err := m.control(iec104.TestFRCon); err != nil {
		t.Fatal(err)
	}
	if err := m.wait(iec104.T3); err != nil {
		t.Fatal(err)
	}
	m.expect("TESTFR act")
	if err := m.wait(iec104.T1); !errors.Is(err, ErrTimeout) {
		t.Errorf("without an answer: %v", err)
	}
}

func TestTheStationAnswersTESTFR(t *testing.T) {
	m := newPlant(t).connect(t, "m")
	if err := m.control(iec104.TestFRAct); err != nil {
		t.Fatal(err)
	}
	m.expect("TESTFR con")
}

func TestWhatAStreamCannotContainEndsTheConnection(t *testing.T) {
	frame := func(send, recv uint16) []byte {
		a := iec104.ASDU{Type: iec104.CRdNa1, Cause: iec104.Request, CommonAddr: 7, Objects: []iec104.Object{{IOA: 101}}}
		b, err := iec104.AppendI(nil, send, recv, &a)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		frame   []byte
		stopped bool
		want    error
	}{
		"a gap":                              {frame(1, 1), false, ErrSequence},
		"a repeated frame":                   {frame(0x7fff, 1), false, ErrSequence},
		"acknowledgement of what was unsent": {frame(0, 2), false, ErrSequence},
		"acknowledgement that goes back":     {iec104.AppendS(nil, 0x7fff), false, ErrSequence},
		"data before STARTDT":                {frame(0, 0), true, ErrState},
		"a confirmation from a master":       {iec104.AppendU(nil, iec104.StartDTCon), false, ErrState},
		"a malformed frame":                  {[]byte{0x68, 4, 0xff, 0, 0, 0}, false, nil},
	} {
		p := newPlant(t)
		m := p.connect(t, "m")
		if !c.stopped {
			m = p.started(t, "m")
		}
		if err := m.s.receive(m.now, c.frame); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAMasterThatAsksAndNeverAcknowledgesIsLeft(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	m.mute()
	var err error
	n := 0
	for ; err == nil && n < 2*maxWaiting; n++ {
		err = m.ask(iec104.ASDU{Type: iec104.CRdNa1, Cause: iec104.Request, Objects: []iec104.Object{{IOA: 101}}})
	}
	if !errors.Is(err, ErrFlood) || n > maxWaiting+iec104.K+1 {
		t.Errorf("after %d questions: %v", n, err)
	}
}
