package federates

import (
	"testing"

	"cosim/quantum"
	cosync "cosim/sync"
)

// quietLink is a link without random breaks.
func quietLink() quantum.LinkConfig {
	c := quantum.DefaultLinkConfig()
	c.BreakRateHz = 0
	return c
}

func newQuantum(t testing.TB, cfg quantum.LinkConfig, ds ...quantum.Disturbance) (*Quantum, *quantum.Link) {
	t.Helper()
	link, err := quantum.NewLink(cfg, int64(100*ms), ds, testStream)
	if err != nil {
		t.Fatal(err)
	}
	return NewQuantum([]QuantumLink{{Name: "A-B", Link: link, CutsFibre: cfg.BreakCuts == quantum.CutsFibre}}, 100*ms), link
}

func TestQuantumStatesItsPorts(t *testing.T) {
	fed, _ := newQuantum(t, quietLink())
	checkPorts(t, fed, `
quantum 100ms
out blocks events
out fibre events
out events events
out rate vector bit/s link/A-B
out qber vector 1 link/A-B
out attenuation vector dB/km link/A-B
out key vector bit link/A-B
out up vector s link/A-B
out state vector 1 link/A-B
`)
}

// Key of a step can be drawn from its end on, and all that was distilled
// leaves in blocks.
func TestBlocksLeaveAtStepEnds(t *testing.T) {
	cfg := quietLink()
	fed, link := newQuantum(t, cfg)
	b := newBench(t, fed)
	delivered, distilled := 0.0, 0.0
	for range 200 {
		b.advance()
		distilled += link.Observation().KeyBits
		for _, e := range b.out("blocks").Events {
			if e.Type != EventBlock || e.Element != "A-B" || e.At != b.step.To {
				t.Fatalf("block %+v in the step until %v", e, b.step.To)
			}
			if int64(e.Value)%int64(cfg.BlockBits) != 0 {
				t.Fatalf("a delivery of %v bits, which are no whole blocks of %d", e.Value, cfg.BlockBits)
			}
			delivered += e.Value
		}
	}
	if delivered == 0 {
		t.Fatal("20 s brought no block")
	}
	if got := delivered + link.PendingBits(); got < distilled-1e-6 || got > distilled+1e-6 {
		t.Errorf("delivered and pending %v bits of %v distilled", got, distilled)
	}
}

func TestBreakOfTheFibreHasItsExactTime(t *testing.T) {
	fed, _ := newQuantum(t, quietLink(), quantum.Disturbance{FromNS: 123_400_000, ToNS: 456_700_001, Break: true})
	b := newBench(t, fed)
	var fibre []cosync.Event
	for range 10 {
		b.advance()
		fibre = append(fibre, b.out("fibre").Events...)
		if n := len(b.out("events").Events); n > 0 {
			t.Errorf("%d events of the key beside those of the fibre", n)
		}
		down := b.step.To > 123_400_000 && b.step.To < 456_700_001
		if rate := b.out("rate").Values[0]; (rate == 0) != down {
			t.Errorf("rate at %v is %v bit/s", b.step.To, rate)
		}
	}
	want := []cosync.Event{
		{At: 123_400_000, Type: EventLinkDown, Element: "A-B"},
		{At: 456_700_001, Type: EventLinkUp, Element: "A-B"},
	}
	if len(fibre) != 2 || fibre[0] != want[0] || fibre[1] != want[1] {
		t.Errorf("fibre events\n%v, want\n%v", fibre, want)
	}
}

func TestBreakOfTheQuantumChannelLeavesTheFibre(t *testing.T) {
	cfg := quietLink()
	cfg.BreakCuts = quantum.CutsQuantum
	fed, _ := newQuantum(t, cfg, quantum.Disturbance{FromNS: 123_400_000, ToNS: 456_700_001, Break: true})
	b := newBench(t, fed)
	var events []cosync.Event
	for range 10 {
		b.advance()
		events = append(events, b.out("events").Events...)
		if n := len(b.out("fibre").Events); n > 0 {
			t.Errorf("%d events of a fibre that was not cut", n)
		}
	}
	if len(events) != 2 || events[0].At != 123_400_000 || events[1].At != 456_700_001 || events[0].Type == events[1].Type {
		t.Errorf("events %v, want a break and a repair", events)
	}
}
