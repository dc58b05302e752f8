package outstation

import (
	"testing"
	"time"

	"cosim/scada/iec104"
)

func TestMeasuredValuesAreReportedBeyondTheirDeadband(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	at := epoch
	set := func(i int, v float64, want ...string) {
		t.Helper()
		at = at.Add(time.Second)
		p.values[i] = v
		p.Image().Update(at, p.values, 0)
		if err := m.wait(0); err != nil {
			t.Fatal(err)
		}
		m.expect(want...)
	}
	set(7, 0.009)
	set(7, 0.018, "M_ME_TF_1 cot 3 701=0.018")
	set(7, 0.025)
	set(7, 0.029, "M_ME_TF_1 cot 3 701=0.029")
	set(4, 500, "M_ME_TD_1 cot 3 501=0.5")
	set(5, -0.2, "M_ME_TE_1 cot 3 601=-200")
	set(2, -1, "M_ST_NA_1 cot 3 301=127")
	set(3, 5, "M_BO_NA_1 cot 3 401=5")
	set(6, 5) // counters wait for their interrogation
}

func TestEveryChangeOfStateIsReportedInOrderWithItsTime(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	for i := 1; i <= 3; i++ {
		p.values[0] = float64(i % 2)
		p.values[8] = float64(i)
		p.Image().Update(epoch.Add(time.Duration(i)*time.Second), p.values, 0)
	}
	var a iec104.ASDU
	if !p.Image().report(&m.s.cursor, &a) || a.Type != iec104.MSpTb1 || len(a.Objects) != 3 {
		t.Fatalf("%+v", a)
	}
	for i, o := range a.Objects {
		at, ok := o.Time.Time()
		if want := epoch.Add(time.Duration(i+1) * time.Second); !ok || !at.Equal(want) || o.On() != (i%2 == 0) {
			t.Errorf("change %d: %+v at %v, want %v", i, o, at, want)
		}
	}
	if !p.Image().report(&m.s.cursor, &a) || len(a.Objects) != 1 || a.Objects[0].Float() != 3 {
		t.Errorf("of a measured value the newest only: %+v", a)
	}
}

func TestASlowMasterStillLearnsTheNewestStates(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	p.values[1] = float64(iec104.DoubleOn) // long ago
	for i := range 2*logSize + 1 {
		p.values[0] = float64((i + 1) % 2)
		p.Image().Update(epoch, p.values, 0)
	}
	if err := m.wait(0); err != nil {
		t.Fatal(err)
	}
	m.expect("M_SP_TB_1 cot 3 101=0x1", "M_DP_TB_1 cot 3 201=0x2")
}

func TestAChangeOfQualityIsReported(t *testing.T) {
	p := newPlant(t)
	m := p.started(t, "m")
	p.Image().Update(epoch, p.values, iec104.NotTopical)
	if err := m.wait(0); err != nil {
		t.Fatal(err)
	}
	if len(m.got) < 5 || m.got[0] != "M_SP_TB_1 cot 3 101=0x40" {
		t.Errorf("%q", m.got)
	}
}

func TestValuesBeyondTheirTypeAreMarked(t *testing.T) {
	for _, c := range []struct {
		p    Point
		v    float64
		want iec104.Object
	}{
		{Point{IOA: 1, Type: iec104.MMeNb1}, 40000, iec104.ScaledObject(1, 32767, iec104.Overflow)},
		{Point{IOA: 1, Type: iec104.MMeNa1, FullScale: 10}, -11, iec104.NormalizedObject(1, -1, iec104.Overflow)},
		{Point{IOA: 1, Type: iec104.MMeNc1}, nan, iec104.FloatObject(1, 0, iec104.Invalid)},
		{Point{IOA: 1, Type: iec104.MStNa1}, 64, iec104.Object{IOA: 1, Value: 63, Qualifier: iec104.Overflow}},
		{Point{IOA: 1, Type: iec104.MStNa1}, -64, iec104.Object{IOA: 1, Value: 64}},
		{Point{IOA: 1, Type: iec104.MBoNa1}, 1 << 31, iec104.Object{IOA: 1, Value: 1 << 31}},
	} {
		if got := c.p.object(c.v, 0); got != c.want {
			t.Errorf("%v of %v: %+v, want %+v", c.p.Type, c.v, got, c.want)
		}
	}
}

func TestMistakesInAStationAreFound(t *testing.T) {
	for name, points := range map[string][]Point{
		"two at one address": {{IOA: 1, Type: iec104.MSpNa1}, {IOA: 1, Type: iec104.MSpNa1}},
		"a command type":     {{IOA: 1, Type: iec104.CScNa1}},
		"no address":         {{Type: iec104.MSpNa1}},
		"group":              {{IOA: 1, Type: iec104.MSpNa1, Group: 17}},
		"deadband":           {{IOA: 1, Type: iec104.MMeNc1, Deadband: nan}},
	} {
		if _, err := NewImage(points); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	image, err := NewImage([]Point{{IOA: 1, Type: iec104.MSpNa1}})
	if err != nil {
		t.Fatal(err)
	}
	operate := func(Order, func()) error { return nil }
	types := []iec104.TypeID{iec104.CScNa1}
	for name, c := range map[string]Config{
		"no common address":       {Image: image},
		"nobody to operate":       {Image: image, CommonAddr: 1, Commands: []Command{{IOA: 2, Types: types}}},
		"address of a point":      {Image: image, CommonAddr: 1, Operate: operate, Commands: []Command{{IOA: 1, Types: types}}},
		"no types":                {Image: image, CommonAddr: 1, Operate: operate, Commands: []Command{{IOA: 2}}},
		"a monitored type":        {Image: image, CommonAddr: 1, Operate: operate, Commands: []Command{{IOA: 2, Types: []iec104.TypeID{iec104.MSpNa1}}}},
		"two at the same address": {Image: image, CommonAddr: 1, Operate: operate, Commands: []Command{{IOA: 2, Types: types}, {IOA: 2, Types: types}}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
