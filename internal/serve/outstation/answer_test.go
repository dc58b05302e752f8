package outstation

import (
	"errors"
	"testing"
	"time"

	"cosim/scada/iec104"
)

func TestInterrogationReadsEveryPointOnce(t *testing.T) {
	p := newPlant(t)
	for i := range p.values {
		p.values[i] = float64(i)
	}
	p.values[0], p.values[1] = 1, float64(iec104.DoubleOn)
	p.values[4], p.values[5] = 250, 0.05
	p.Image().Update(epoch, p.values, 0)
	m := p.started(t, "m")
	m.activate(iec104.CIcNa1, iec104.QualifierObject(0, iec104.StationInterrogation))
	m.expect("C_IC_NA_1 cot 7",
		"M_SP_NA_1 cot 20 101=0x1", "M_DP_NA_1 cot 20 201=0x2", "M_ST_NA_1 cot 20 301=2", "M_BO_NA_1 cot 20 401=3",
		"M_ME_NA_1 cot 20 501=0.25", "M_ME_NB_1 cot 20 601=50", "M_ME_NC_1 cot 20 701=7 702=8 703=9 … 40",
		"C_IC_NA_1 cot 10")
	m.activate(iec104.CIcNa1, iec104.QualifierObject(0, iec104.StationInterrogation+1))
	m.expect("C_IC_NA_1 cot 7", "M_SP_NA_1 cot 21 101=0x1", "M_DP_NA_1 cot 21 201=0x2", "C_IC_NA_1 cot 10")
	m.activate(iec104.CIcNa1, iec104.QualifierObject(0, 5))
	m.expect("C_IC_NA_1 cot 7 negative")
}

func TestASecondInterrogationWaitsForTheFirst(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	m.mute()
	ask := iec104.ASDU{Type: iec104.CIcNa1, Cause: iec104.Activation, Objects: []iec104.Object{iec104.QualifierObject(0, 20)}}
	for range 2 {
		if err := m.ask(ask); err != nil {
			t.Fatal(err)
		}
	}
	ask.Cause = iec104.Deactivation
	if err := m.ask(ask); err != nil {
		t.Fatal(err)
	}
	m.acknowledge()
	n := len(m.got)
	if m.got[n-1] != "C_IC_NA_1 cot 9 negative" && m.got[n-1] != "C_IC_NA_1 cot 9" {
		t.Errorf("the deactivation is answered by %q", m.got)
	}
}

func TestCountersAreFrozenAndReset(t *testing.T) {
	p := newPlant(t)
	count := func(v float64) {
		p.values[6] = v
		p.Image().Update(epoch, p.values, 0)
	}
	m := p.started(t, "m")
	ask := func(qcc uint8, want ...string) {
		t.Helper()
		m.activate(iec104.CCiNa1, iec104.QualifierObject(0, qcc))
		m.expect(append(append([]string{"C_CI_NA_1 cot 7"}, want...), "C_CI_NA_1 cot 10")...)
	}
	count(10)
	ask(5, "M_IT_NA_1 cot 37 801=10/0x0")
	ask(5 | qccFreeze<<6)
	count(15)
	ask(2, "M_IT_NA_1 cot 39 801=10/0x1")
	ask(5 | qccFreezeReset<<6)
	count(18)
	ask(5, "M_IT_NA_1 cot 37 801=15/0x42")
	ask(5 | qccFreeze<<6)
	ask(5, "M_IT_NA_1 cot 37 801=3/0x3")
	m.activate(iec104.CCiNa1, iec104.QualifierObject(0, 9))
	m.expect("C_CI_NA_1 cot 7 negative")
}

func TestWhatIsUnknownIsAnsweredWithItsCause(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	one := func(t iec104.TypeID, cause iec104.Cause, ca uint16, ioa uint32) iec104.ASDU {
		return iec104.ASDU{Type: t, Cause: cause, CommonAddr: ca, Objects: []iec104.Object{{IOA: ioa}}}
	}
	for _, c := range []struct {
		ask  iec104.ASDU
		want string
	}{
		{one(iec104.MSpNa1, iec104.Spontaneous, 7, 101), "M_SP_NA_1 cot 44 negative 101=0x0"},
		{one(iec104.CRdNa1, iec104.Activation, 7, 101), "C_RD_NA_1 cot 45 negative 101"},
		{one(iec104.CRdNa1, iec104.Request, 8, 101), "C_RD_NA_1 cot 46 negative 101"},
		{one(iec104.CRdNa1, iec104.Request, broadcastAddr, 101), "C_RD_NA_1 cot 46 negative 101"},
		{one(iec104.CRdNa1, iec104.Request, 7, 102), "C_RD_NA_1 cot 47 negative 102"},
		{one(iec104.CRdNa1, iec104.Request, 7, 801), "C_RD_NA_1 cot 47 negative 801"},
		{one(iec104.CIcNa1, iec104.Activation, 7, 1), "C_IC_NA_1 cot 47 negative 1"},
		{one(iec104.CScNa1, iec104.Activation, 7, 101), "C_SC_NA_1 cot 47 negative 101"},
		{one(iec104.CSeNc1, iec104.Activation, 7, 2001), "C_SE_NC_1 cot 47 negative 2001=0"},
		{one(iec104.CRdNa1, iec104.Request, 7, 101), "M_SP_NA_1 cot 5 101=0x0"},
	} {
		if err := m.ask(c.ask); err != nil {
			t.Fatal(err)
		}
		m.expect(c.want)
	}
	m = p.started(t, "n")
	unknown, err := m.assoc.AppendI(nil, &iec104.ASDU{Type: iec104.CRdNa1, Cause: iec104.Request, CommonAddr: 7, Objects: []iec104.Object{{IOA: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	unknown[6] = 122 // a file type
	if err := m.s.receive(m.now, unknown); err != nil {
		t.Fatal(err)
	}
	m.take()
	m.expect("type 122 cot 44 negative")
}

func TestABroadcastIsAnsweredUnderTheStationsAddress(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	if err := m.ask(iec104.ASDU{Type: iec104.CCsNa1, Cause: iec104.Activation, CommonAddr: broadcastAddr, Objects: []iec104.Object{
		iec104.Object{}.At(iec104.TimeTag(epoch.Add(time.Hour))),
	}}); err != nil {
		t.Fatal(err)
	}
	m.expect("C_CS_NA_1 cot 7")
	if !p.clock.Equal(epoch.Add(time.Hour)) {
		t.Errorf("the clock was set to %v", p.clock)
	}
}

func TestAClockThatMakesNoSenseIsRefused(t *testing.T) {
	m := newPlant(t).started(t, "m")
	m.activate(iec104.CCsNa1, iec104.Object{}.At(iec104.CP56Time2a{0, 0, 0x80}))
	m.expect("C_CS_NA_1 cot 7 negative")
}

func TestTheTestCommandIsMirrored(t *testing.T) {
	m := newPlant(t).started(t, "m")
	m.activate(iec104.CTsTa1, iec104.Object{Value: 0xa55a})
	m.expect("C_TS_TA_1 cot 7")
}

func TestASetPointIsConfirmedAndTerminatedOnceItWasObeyed(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	for _, c := range []struct {
		kind  iec104.TypeID
		o     iec104.Object
		value float64
	}{
		{iec104.CSeNc1, iec104.FloatObject(2002, 12.5, 0), 12.5},
		{iec104.CSeTc1, iec104.FloatObject(2002, -12.5, 0).At(iec104.TimeTag(epoch)), -12.5},
		{iec104.CSeNb1, iec104.ScaledObject(2002, 42, 0), 42},
		{iec104.CSeNa1, iec104.NormalizedObject(2002, 0.25, 0), 50},
	} {
		p.orders, p.done = nil, nil
		m.activate(c.kind, c.o)
		if len(p.orders) != 1 || p.orders[0] != (Order{2002, c.value, "m"}) {
			t.Fatalf("%v: orders %v", c.kind, p.orders)
		}
		if len(m.got) != 1 {
			t.Fatalf("%v: %q before it was obeyed", c.kind, m.got)
		}
		p.done[0]()
		p.done[0]() // twice is no harm
		if err := m.s.terminate(m.now, <-m.s.finished); err != nil {
			t.Fatal(err)
		}
		m.take()
		if len(m.got) != 2 || m.s.apdu.ASDU.Type != c.kind {
			t.Fatalf("%v: %q", c.kind, m.got)
		}
		m.got = nil
		select {
		case <-m.s.finished:
		default:
		}
	}
	m.activate(iec104.CSeNc1, iec104.FloatObject(2002, 100.5, 0))
	m.expect("C_SE_NC_1 cot 7 negative 2002=100.5")
	m.activate(iec104.CSeNc1, iec104.FloatObject(2002, float32(nan), 0))
	m.expect("C_SE_NC_1 cot 7 negative 2002=NaN")
	p.refuse = errors.New("the process is held")
	m.activate(iec104.CSeNc1, iec104.FloatObject(2002, 1, 0))
	m.expect("C_SE_NC_1 cot 7 negative 2002=1")
}

func TestACommandThatMustBeSelectedIsRefusedWithout(t *testing.T) {
	p := newPlant(t)
	m, other := p.started(t, "m"), p.started(t, "other")
	on, selectOn := iec104.DoubleObject(2001, iec104.DoubleOn, 0), iec104.DoubleObject(2001, iec104.DoubleOn, iec104.Select)
	no, yes := "C_DC_NA_1 cot 7 negative 2001", "C_DC_NA_1 cot 7 2001"
	m.activate(iec104.CDcNa1, on)
	m.expect(no)
	m.activate(iec104.CDcNa1, selectOn)
	m.expect(yes)
	other.activate(iec104.CDcNa1, selectOn)
	other.expect(no)
	other.activate(iec104.CDcNa1, on)
	other.expect(no)
	m.activate(iec104.CDcNa1, on)
	m.expect(yes)
	if len(p.orders) != 1 || p.orders[0] != (Order{2001, 1, "m"}) {
		t.Fatalf("orders %v", p.orders)
	}
	m.activate(iec104.CDcNa1, on)
	m.expect(no) // a selection serves once

	m.activate(iec104.CDcNa1, selectOn)
	m.activate(iec104.CDcNa1, iec104.DoubleObject(2001, iec104.DoubleOff, 0))
	m.expect(yes, no) // another value than was selected
	m.activate(iec104.CDcNa1, on)
	m.expect(no)

	m.activate(iec104.CDcNa1, selectOn)
	m.now = m.now.Add(SelectFor)
	m.activate(iec104.CDcNa1, on)
	m.expect(yes, no) // too late

	m.activate(iec104.CScNa1, iec104.SingleObject(2001, false, iec104.Select))
	if err := m.ask(iec104.ASDU{Type: iec104.CScNa1, Cause: iec104.Deactivation, Objects: []iec104.Object{iec104.SingleObject(2001, false, 0)}}); err != nil {
		t.Fatal(err)
	}
	m.activate(iec104.CScNa1, iec104.SingleObject(2001, false, 0))
	m.expect("C_SC_NA_1 cot 7 2001", "C_SC_NA_1 cot 9 2001", "C_SC_NA_1 cot 7 negative 2001")

	m.activate(iec104.CDcNa1, selectOn)
	m.s.close()
	other.activate(iec104.CDcNa1, selectOn)
	other.expect(yes) // a master that leaves takes its selection along
	other.activate(iec104.CDcNa1, iec104.DoubleObject(2001, iec104.DoubleIntermediate, 0))
	other.expect(no)
}

func TestATestCommandMovesNothing(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	if err := m.ask(iec104.ASDU{Type: iec104.CSeNc1, Cause: iec104.Activation, Test: true, Objects: []iec104.Object{iec104.FloatObject(2002, 1, 0)}}); err != nil {
		t.Fatal(err)
	}
	m.expect("C_SE_NC_1 cot 7 2002=1", "C_SE_NC_1 cot 10 2002=1")
	if len(p.orders) != 0 {
		t.Errorf("orders %v", p.orders)
	}
}
