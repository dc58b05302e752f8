package federates

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"cosim/scada"
	cosync "cosim/sync"
)

func newIEDs(t testing.TB) *bench {
	t.Helper()
	ieds, err := scada.NewIEDs(smallScada(), scada.PresharedSecret(testStream("scada/psk")))
	if err != nil {
		t.Fatal(err)
	}
	return newBench(t, NewIEDs(ieds, 10*ms))
}

func TestIEDsStateTheirPorts(t *testing.T) {
	checkPorts(t, newIEDs(t).fed, `
ieds 10ms
in commands messages direct optional
out applied messages
out orders events
`)
}

// verdictOf is what becomes of a frame that arrives 3 ms into the next step.
func verdictOf(t testing.TB, b *bench, m cosync.Message) scada.Verdict {
	t.Helper()
	m.At = b.step.To + 3*ms
	b.in("commands").Messages = []cosync.Message{m}
	b.advance()
	applied := b.out("applied").Messages
	if len(applied) != 1 || applied[0].ID != m.ID || applied[0].From != m.To || applied[0].At != m.At || len(applied[0].Payload) != 1 {
		t.Fatalf("applied %+v, want one answer to frame %d of %s", applied, m.ID, m.To)
	}
	return scada.Verdict(applied[0].Payload[0])
}

// What a frame asks for goes on in the same step, with its time of arrival.
func TestVerifiedFramesBecomeOrders(t *testing.T) {
	frames := slices.Concat(
		[]cosync.Message{setPointFrame(t, scada.TaskAGC)}, []cosync.Message{setPointFrame(t, scada.TaskAVR)},
		shedFrames(t, 150), demanded(t, "breaker-16-17", 1),
	)
	want := []cosync.Event{
		{Type: scada.TaskAGC, Element: "gen/30"},
		{Type: scada.TaskAVR, Element: "gen/30"},
		{Type: scada.TaskShed, Element: "block/16", Value: 150},
		{Type: scada.TaskBreaker, Element: "branch/16-17", Value: 1},
	}
	for i, frame := range frames {
		b := newIEDs(t) // each frame is the first of a control centre of its own
		if v := verdictOf(t, b, frame); v != scada.Valid {
			t.Fatalf("%s: %v", want[i].Type, v)
		}
		orders := b.out("orders").Events
		if len(orders) != 1 {
			t.Fatalf("%s: orders %+v, want one", want[i].Type, orders)
		}
		w := want[i]
		w.Detail = strconv.FormatUint(frame.ID, 10)
		if w.At = 3 * ms; w.Value == 0 { // set points are the controller's
			if w.Value = orders[0].Value; w.Value <= 0 {
				t.Errorf("%s: %v, want more than nothing", w.Type, w.Value)
			}
		}
		if orders[0] != w {
			t.Errorf("order %+v, want %+v", orders[0], w)
		}
	}
}

// A frame with any bit turned, to a wrong IED or from a wrong gateway is
// rejected and orders nothing; the genuine one does once.
func TestTamperedFrameIsRejectedAndOrdersNothing(t *testing.T) {
	b := newIEDs(t)
	frame := shedFrames(t, 150)[0]
	reject := func(what string, m cosync.Message) {
		t.Helper()
		if v := verdictOf(t, b, m); v != scada.Rejected || len(b.out("orders").Events) != 0 {
			t.Errorf("%s: %v and orders %+v, want %v and none", what, v, b.out("orders").Events, scada.Rejected)
		}
	}
	for bit := range 8 * len(frame.Payload) {
		m := frame
		m.Payload = slices.Clone(frame.Payload)
		m.Payload[bit/8] ^= 1 << (bit % 8)
		reject(fmt.Sprintf("bit %d turned", bit), m)
	}
	cut, foreign, lost, wrong := frame, frame, frame, frame
	cut.Payload = frame.Payload[:len(frame.Payload)-1]
	foreign.To, lost.To, wrong.From = "IED-gen-30", "IED-77", "GW9"
	reject("cut short", cut)
	reject("at another IED", foreign)
	reject("at no IED", lost)
	reject("from another gateway", wrong)
	reject("empty", cosync.Message{ID: 5, From: "GW1", To: "IED-block-16"})
	for _, want := range []scada.Verdict{scada.Valid, scada.Duplicate} {
		ordered := 0
		if want == scada.Valid {
			ordered = 1
		}
		if v := verdictOf(t, b, frame); v != want || len(b.out("orders").Events) != ordered {
			t.Errorf("the genuine frame: %v and %d orders, want %v and %d", v, len(b.out("orders").Events), want, ordered)
		}
	}
}

// A frame's number leads from its judgement to the grid that obeys.
func TestFramesAreFollowedIntoTheGrid(t *testing.T) {
	b := newIEDs(t)
	g, atGrid := newGrid(t, gridConfig())
	var got []GridTrace
	follow := func(x GridTrace) { got = append(got, x) }
	b.fed.(*IEDs).Trace(follow)
	g.Trace(follow)
	frame := shedFrames(t, 150)[0]
	forged := frame
	forged.ID, forged.Payload = frame.ID+1, []byte("no frame of Q3P")
	verdictOf(t, b, frame)
	atGrid.in("orders").Events = append(slices.Clone(b.out("orders").Events), shed(5*ms, 30)) // the second from elsewhere
	verdictOf(t, b, forged)
	atGrid.until(30 * ms)
	c := scada.Command{Kind: scada.TaskShed, Element: "block/16", Value: 150}
	want := []GridTrace{
		{Frame: frame.ID, At: 3 * ms, Node: "IED-block-16", Verdict: scada.Valid, Command: c},
		{Frame: forged.ID, At: 13 * ms, Node: "IED-block-16", Verdict: scada.Rejected},
		{Frame: frame.ID, At: 10 * ms, Obeyed: true, Command: c},
	}
	if len(got) == 3 && got[1].Reason != "" {
		got[1].Reason = ""
	}
	if !slices.Equal(got, want) {
		t.Errorf("followed %+v\nwant %+v", got, want)
	}
}
