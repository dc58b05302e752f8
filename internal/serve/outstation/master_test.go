package outstation

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"cosim/scada/iec104"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// everyPoint is a point of every monitored type, and a few more floats.
func everyPoint() []Point {
	points := []Point{
		{IOA: 101, Type: iec104.MSpNa1, Name: "link", Group: 1},
		{IOA: 201, Type: iec104.MDpNa1, Name: "breaker", Group: 1},
		{IOA: 301, Type: iec104.MStNa1, Name: "tap"},
		{IOA: 401, Type: iec104.MBoNa1, Name: "links"},
		{IOA: 501, Type: iec104.MMeNa1, Name: "pool", FullScale: 1000},
		{IOA: 601, Type: iec104.MMeNb1, Name: "deviation", Resolution: 0.001},
		{IOA: 801, Type: iec104.MItNa1, Name: "key", Group: 2},
	}
	for i := range 40 {
		points = append(points, Point{IOA: uint32(701 + i), Type: iec104.MMeNc1, Name: "frequency", Deadband: 0.01})
	}
	return points
}

// plant is a station whose orders a test looks at.
type plant struct {
	*Station
	values []float64
	orders []Order
	done   []func()
	refuse error
	clock  time.Time
}

func newPlant(t testing.TB) *plant {
	t.Helper()
	image, err := NewImage(everyPoint())
	if err != nil {
		t.Fatal(err)
	}
	p := &plant{values: make([]float64, len(everyPoint()))}
	p.Station, err = New(Config{
		CommonAddr: 7, Image: image,
		Commands: []Command{
			{IOA: 2001, Name: "breaker", MustSelect: true, Types: []iec104.TypeID{iec104.CScNa1, iec104.CDcNa1, iec104.CScTa1}},
			{IOA: 2002, Name: "power", Min: -100, Max: 100, FullScale: 200, Types: []iec104.TypeID{iec104.CSeNa1, iec104.CSeNb1, iec104.CSeNc1, iec104.CSeTc1}},
		},
		Operate: func(o Order, done func()) error {
			if p.refuse != nil {
				return p.refuse
			}
			p.orders, p.done = append(p.orders, o), append(p.done, done)
			return nil
		},
		SetClock: func(t time.Time) error { p.clock = t; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Image().Update(epoch, p.values, 0)
	return p
}

// master is the other end of a session, without a socket.
type master struct {
	t     testing.TB
	s     *session
	now   time.Time
	assoc iec104.Association
	muted []byte // N(R) of all it sends, acknowledging nothing more; nil: it acknowledges
	got   []string
}

func (p *plant) connect(t testing.TB, name string) *master {
	return &master{t: t, s: newSession(p.Station, name, epoch), now: epoch}
}

// started is a master that has sent STARTDT and read the greeting.
func (p *plant) started(t testing.TB, name string) *master {
	m := p.connect(t, name)
	m.control(iec104.StartDTAct)
	m.expect("STARTDT con", "M_EI_NA_1 cot 4")
	return m
}

// take reads what the session has written, and acknowledges it.
func (m *master) take() {
	m.t.Helper()
	for len(m.s.out) > 0 {
		n, err := iec104.FrameLen(m.s.out)
		if err != nil {
			m.t.Fatal(err)
		}
		var a iec104.APDU
		if err := a.Decode(m.s.out[:n]); err != nil && !errors.Is(err, iec104.ErrUnknownType) {
			m.t.Fatal(err)
		}
		m.s.out = m.s.out[n:]
		if r := m.assoc.Receive(&a); r.Gap != 0 || !r.AckValid {
			m.t.Fatalf("the station sends %+v: %+v", a, r)
		}
		m.got = append(m.got, tell(&a))
		if m.assoc.Unacknowledged() > 0 && m.muted == nil {
			if err := m.s.receive(m.now, m.assoc.AppendS(nil)); err != nil {
				m.t.Fatal(err)
			}
		}
	}
}

// tell is a frame in words.
func tell(a *iec104.APDU) string {
	switch a.Format {
	case iec104.FormatU:
		return a.Function.String()
	case iec104.FormatS:
		return "S"
	}
	text := fmt.Sprintf("%v cot %d", a.ASDU.Type, a.ASDU.Cause)
	if a.ASDU.Negative {
		text += " negative"
	}
	for i, o := range a.ASDU.Objects {
		if o.IOA == 0 {
			continue
		}
		if i == 3 {
			return text + fmt.Sprintf(" … %d", len(a.ASDU.Objects))
		}
		text += fmt.Sprintf(" %d", o.IOA)
		switch a.ASDU.Type {
		case iec104.MMeNc1, iec104.MMeTf1, iec104.CSeNc1:
			text += fmt.Sprintf("=%v", o.Float())
		case iec104.MMeNa1, iec104.MMeTd1:
			text += fmt.Sprintf("=%v", o.Normalized())
		case iec104.MMeNb1, iec104.MMeTe1:
			text += fmt.Sprintf("=%v", o.Scaled())
		case iec104.MSpNa1, iec104.MSpTb1, iec104.MDpNa1, iec104.MDpTb1:
			text += fmt.Sprintf("=%#x", o.Qualifier)
		case iec104.MItNa1:
			text += fmt.Sprintf("=%d/%#x", int32(o.Value), o.Qualifier)
		case iec104.MStNa1, iec104.MBoNa1:
			text += fmt.Sprintf("=%d", o.Value)
		}
	}
	return text
}

func (m *master) control(f iec104.Function) error {
	m.t.Helper()
	err := m.s.receive(m.now, iec104.AppendU(nil, f))
	m.take()
	return err
}

// ask sends application data; the common address is the station's unless set.
func (m *master) ask(a iec104.ASDU) error {
	m.t.Helper()
	if a.CommonAddr == 0 {
		a.CommonAddr = m.s.station.cfg.CommonAddr
	}
	frame, err := m.assoc.AppendI(nil, &a)
	if err != nil {
		m.t.Fatal(err)
	}
	if m.muted != nil {
		copy(frame[4:6], m.muted)
	}
	err = m.s.receive(m.now, frame)
	m.take()
	return err
}

// mute lets the master acknowledge nothing from now on, until acknowledge.
func (m *master) mute() { m.muted = m.assoc.AppendS(nil)[4:6] }

// acknowledge all, and read what follows.
func (m *master) acknowledge() {
	m.t.Helper()
	m.muted = nil
	if err := m.s.receive(m.now, m.assoc.AppendS(nil)); err != nil {
		m.t.Fatal(err)
	}
	m.take()
}

func (m *master) activate(t iec104.TypeID, o iec104.Object) {
	m.t.Helper()
	if err := m.ask(iec104.ASDU{Type: t, Cause: iec104.Activation, Objects: []iec104.Object{o}}); err != nil {
		m.t.Fatal(err)
	}
}

func (m *master) wait(d time.Duration) error {
	m.t.Helper()
	m.now = m.now.Add(d)
	err := m.s.advance(m.now)
	m.take()
	return err
}

// expect compares what came, but for S frames, and forgets it.
func (m *master) expect(want ...string) {
	m.t.Helper()
	var got []string
	for _, g := range m.got {
		if g != "S" {
			got = append(got, g)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		m.t.Fatalf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	m.got = nil
}

var nan = math.NaN()
