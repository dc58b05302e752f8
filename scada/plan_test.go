package scada

import (
	"strings"
	"testing"
	"time"
)

func TestUplinkChangesAtItsGatewayByAnOrder(t *testing.T) {
	w := newWorld(t, only(testConfig(), "pmu-30"), plenty)
	w.keep = true
	w.runFor(time.Second)
	if err := w.sys.SetPlan([]Option{{Route: 1, Mode: OTP}}); err != nil {
		t.Fatal(err)
	}
	lost := 0
	w.spoil = func(f *Frame) bool { // the first order is lost
		if f.Route == "GW1>GW4" && lost == 0 {
			lost++
			return false
		}
		return true
	}
	w.runFor(time.Second)
	if w.sys.obeyed[0] != (Option{Route: 1, Mode: OTP}) || len(w.sys.pending) != 0 {
		t.Errorf("obeyed %+v, %d pending", w.sys.obeyed[0], len(w.sys.pending))
	}
	var first int64
	for _, e := range w.tasks {
		if e.Route == 1 && first == 0 {
			first = e.TriggerNS
		}
		if first != 0 && (e.Route != 1 || e.Mode != OTP || e.Degraded) || e.Outcome != Success {
			t.Fatalf("%+v", e)
		}
	}
	if first < second+100*ms || first > second+300*ms {
		t.Errorf("new route from %v on", time.Duration(first))
	}
}

func TestUplinkOptionIsOrderedAgainWhileUnanswered(t *testing.T) {
	w := newWorld(t, only(testConfig(), "pmu-30"), plenty)
	w.runFor(time.Second)
	w.breakLink("CC-GW4", true)
	if err := w.sys.SetPlan([]Option{{Route: 0, Mode: OTP}}); err != nil {
		t.Fatal(err)
	}
	w.runFor(5 * time.Second)
	w.breakLink("CC-GW4", false)
	w.runFor(1500 * time.Millisecond)
	if w.sys.atGateway[0].Mode != OTP || w.sys.obeyed[0].Mode != OTP {
		t.Errorf("at gateway %+v", w.sys.atGateway[0])
	}
}

func TestUplinkIsSwitchedOffAndOn(t *testing.T) {
	w := newWorld(t, only(testConfig(), "pmu-30"), plenty)
	w.runFor(time.Second)
	for _, off := range []bool{true, false} {
		if err := w.sys.SetPlan([]Option{{Mode: AESWC, Off: off}}); err != nil {
			t.Fatal(err)
		}
		w.runFor(2 * time.Second)
		last := w.tasks[len(w.tasks)-1]
		if (last.Cause == Deactivated) != off || (last.Outcome == Success) == off {
			t.Errorf("off %v: %+v", off, last)
		}
	}
}

func TestDownlinkChangesAtOnce(t *testing.T) {
	w := newWorld(t, only(testConfig(), "agc-30"), plenty)
	w.keep = true
	w.runFor(time.Second)
	if err := w.sys.SetPlan([]Option{{Route: 1, Mode: AESWC}}); err != nil {
		t.Fatal(err)
	}
	w.runFor(2 * time.Second)
	last := w.tasks[len(w.tasks)-1]
	if last.Route != 1 || last.Mode != AESWC || !last.Degraded || last.Strict || last.LatencyNS < 21*ms {
		t.Errorf("%+v", last)
	}
	var legs []string
	for _, f := range w.sent {
		if f.AtNS >= 2*second {
			legs = append(legs, f.Route)
		}
	}
	want := "CC>GW1 GW1>GW4 GW4>RTU30>IED-gen-30 IED-gen-30>RTU30>GW4 GW4>GW1 GW1>CC"
	if got := strings.Join(legs, " "); got != want {
		t.Errorf("legs %s, want %s", got, want)
	}
}

// A retry after a change of route is sealed anew and costs new key.
func TestRetryOnAnotherRouteTakesTheNewRoute(t *testing.T) {
	w := newWorld(t, only(testConfig(), "agc-30"), plenty)
	w.breakLink("CC-GW4", true)
	w.runFor(50 * time.Millisecond)
	if err := w.sys.SetPlan([]Option{{Route: 1, Mode: OTP}}); err != nil {
		t.Fatal(err)
	}
	w.runFor(500 * time.Millisecond)
	if len(w.tasks) != 1 || w.tasks[0].Outcome != Success || w.tasks[0].Route != 1 || w.tasks[0].Attempts != 2 {
		t.Errorf("%+v", w.tasks)
	}
}

func TestPlanIsRefused(t *testing.T) {
	w := newWorld(t, only(testConfig(), "agc-30"), plenty)
	for _, plan := range [][]Option{
		nil, {{Route: 2, Mode: OTP}}, {{Route: -1, Mode: OTP}}, {{Mode: AES}}, {{}},
	} {
		if err := w.sys.SetPlan(plan); err == nil {
			t.Errorf("%+v: no error", plan)
		}
	}
	if w.sys.Plan()[0] != (Option{Mode: OTP}) {
		t.Errorf("plan changed to %+v", w.sys.Plan()[0])
	}
}
