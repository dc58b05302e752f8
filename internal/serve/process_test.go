package serve

import (
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"cosim/scada/iec104"
)

// operatorAt is a control centre that commands a run.
type operatorAt struct {
	t     *testing.T
	conn  net.Conn
	assoc iec104.Association
}

func dial(t *testing.T, address string) *operatorAt {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	o := &operatorAt{t: t, conn: conn}
	o.send(iec104.AppendU(nil, iec104.StartDTAct))
	return o
}

func (o *operatorAt) send(frame []byte) {
	o.t.Helper()
	if _, err := o.conn.Write(frame); err != nil {
		o.t.Fatal(err)
	}
}

func (o *operatorAt) command(kind iec104.TypeID, x iec104.Object) {
	o.t.Helper()
	frame, err := o.assoc.AppendI(nil, &iec104.ASDU{Type: kind, Cause: iec104.Activation, CommonAddr: 1, Objects: []iec104.Object{x}})
	if err != nil {
		o.t.Fatal(err)
	}
	o.send(frame)
}

// await reads until an ASDU of a type and a cause comes, and returns it.
func (o *operatorAt) await(kind iec104.TypeID, cause iec104.Cause) iec104.ASDU {
	o.t.Helper()
	for {
		b := make([]byte, 255)
		if _, err := io.ReadFull(o.conn, b[:2]); err != nil {
			o.t.Fatalf("waiting for %v, cause %d: %v", kind, cause, err)
		}
		b = b[:2+int(b[1])]
		if _, err := io.ReadFull(o.conn, b[2:]); err != nil {
			o.t.Fatal(err)
		}
		var a iec104.APDU
		if err := a.Decode(b); err != nil {
			o.t.Fatal(err)
		}
		if o.assoc.Receive(&a).AckDue {
			o.send(o.assoc.AppendS(nil))
		}
		if a.Format == iec104.FormatI && a.ASDU.Type == kind && a.ASDU.Cause == cause {
			if a.ASDU.Negative {
				o.t.Fatalf("%v is refused", kind)
			}
			return a.ASDU
		}
	}
}

func TestAMasterReadsTheGridAndCommandsIt(t *testing.T) {
	out := t.TempDir()
	s := serving(t, Config{IEC104: "127.0.0.1:0", Experiment: "S-2", Overrides: quiet("200s"), Out: out, RealTime: 4})
	m := dial(t, s.until(running)["iec104"].(string))
	list := s.call("GET", "/v1/iec104/points", "", 200)
	address := func(kind, name string) uint32 {
		for _, p := range list[kind].([]any) {
			if p := p.(map[string]any); p["name"] == name {
				return uint32(p["ioa"].(float64))
			}
		}
		t.Fatalf("no %s %q", kind, name)
		return 0
	}
	if a := address("points", "bus/16 frequency"); a != 10016 {
		t.Errorf("bus/16 frequency at %d", a)
	}

	m.command(iec104.CIcNa1, iec104.QualifierObject(0, iec104.StationInterrogation))
	frequencies := m.await(iec104.MMeNc1, iec104.Interrogated)
	if o := frequencies.Objects[0]; o.IOA != 10001 || math.Abs(float64(o.Float())-60) > 0.1 {
		t.Errorf("%+v is %v", o, o.Float())
	}
	m.await(iec104.CIcNa1, iec104.ActivationTerm)

	breaker, state := address("commands", "branch/16-17 breaker"), address("points", "branch/16-17 breaker")
	m.command(iec104.CDcNa1, iec104.DoubleObject(breaker, iec104.DoubleOff, iec104.Select))
	m.await(iec104.CDcNa1, iec104.ActivationCon)
	m.command(iec104.CDcNa1, iec104.DoubleObject(breaker, iec104.DoubleOff, 0))
	m.await(iec104.CDcNa1, iec104.ActivationCon)
	change := m.await(iec104.MDpTb1, iec104.Spontaneous).Objects[0]
	if change.IOA != state || change.Double() != iec104.DoubleOff {
		t.Errorf("%+v, want %d open", change, state)
	}
	m.command(iec104.CSeNc1, iec104.FloatObject(address("commands", "gen/30 power on top of the set point"), 25, 0))
	m.await(iec104.CSeNc1, iec104.ActivationTerm)
	m.command(iec104.CCiNa1, iec104.QualifierObject(0, iec104.CounterInterrogation))
	if used := m.await(iec104.MItNa1, iec104.CounterRequested); len(used.Objects) != 8 {
		t.Errorf("%d counters", len(used.Objects))
	}

	v := s.call("POST", "/v1/runs/current/stop", "", 200)
	events := eventsOf(t, v["dir"].(string))
	for _, want := range []string{"operator-breaker,branch/16-17", "breaker,branch/16-17", "operator-agc,gen/30,,,,25,MW"} {
		if !strings.Contains(events, want) {
			t.Errorf("no %q in the record:\n%s", want, grep(events, "operator"))
		}
	}
	if _, err := net.Dial("tcp", v["iec104"].(string)); err == nil {
		t.Error("the outstation outlives its run")
	}
}

func TestAClockSynchronisationMovesTheTimeTags(t *testing.T) {
	s := serving(t, Config{IEC104: "127.0.0.1:0", Experiment: "S-2", Overrides: quiet("200s"), RealTime: 4})
	m := dial(t, s.until(running)["iec104"].(string))
	noon := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	m.command(iec104.CCsNa1, iec104.Object{}.At(iec104.TimeTag(noon)))
	m.await(iec104.CCsNa1, iec104.ActivationCon)
	for range 50 {
		at, ok := m.await(iec104.MMeTf1, iec104.Spontaneous).Objects[0].Time.Time()
		if d := at.Sub(noon); ok && d >= 0 && d < time.Minute {
			return
		}
	}
	t.Error("the time tags stay as they were")
}
