package federates

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"cosim/scada"
)

func TestAnOperatorsCommandActsInTheNextStepAndIsRecorded(t *testing.T) {
	g, b := newGrid(t, gridConfig())
	b.advance()
	for _, c := range []scada.Command{
		{Kind: scada.TaskAGC, Element: "gen/30", Value: 25},
		{Kind: scada.TaskShed, Element: "block/16", Value: 40},
		{Kind: scada.TaskBreaker, Element: "branch/16-17", Value: 0},
		{Kind: scada.TaskBreaker, Element: "branch/16-17", Value: 0},
	} {
		if err := g.Operate(b.step.To, c); err != nil {
			t.Fatal(err)
		}
	}
	b.advance()
	var got []string
	for _, e := range b.step.Out[gridEvents].Events {
		got = append(got, e.Type+" "+e.Element)
		if e.At != b.step.From {
			t.Errorf("%s at %v, want the start of the step, %v", e.Type, e.At, b.step.From)
		}
	}
	want := "operator-agc gen/30, operator-shed block/16, operator-breaker branch/16-17, breaker branch/16-17, " +
		"operator-breaker branch/16-17, breaker-refused branch/16-17"
	if strings.Join(got, ", ") != want {
		t.Errorf("events %s, want %s", strings.Join(got, ", "), want)
	}
	if mw := b.step.Out[gridReserve].Values[0]; mw != 40 {
		t.Errorf("%v MW called, want 40", mw)
	}
	before := b.step.Out[gridMechanical].Values[0]
	for range 3000 {
		b.advance()
	}
	if after := b.step.Out[gridMechanical].Values[0]; math.Abs(after-before) < 1 {
		t.Errorf("gen/30 stays at %v MW", after)
	}
}

func TestAnOperatorsSetPointComesOnTopOfTheControllers(t *testing.T) {
	g, b := newGrid(t, gridConfig())
	g.pending = append(g.pending, pendingCommand{Command: scada.Command{Kind: scada.TaskAGC, Element: "gen/30", Value: 10}})
	if err := g.Operate(0, scada.Command{Kind: scada.TaskAGC, Element: "gen/30", Value: 5}); err != nil {
		t.Fatal(err)
	}
	b.advance()
	i := g.gens["gen/30"]
	if got := g.power[i].sum(); got != 15 {
		t.Errorf("set point %v MW, want 15", got)
	}
	g.pending = append(g.pending, pendingCommand{Command: scada.Command{Kind: scada.TaskAGC, Element: "gen/30", Value: -10}})
	b.advance()
	if got := g.power[i].sum(); got != -5 {
		t.Errorf("set point %v MW, want -5", got)
	}
}

func TestAnOperatorCannotCommandWhatIsNotThere(t *testing.T) {
	g, _ := newGrid(t, gridConfig())
	for _, c := range []scada.Command{
		{Kind: scada.TaskAGC, Element: "gen/16"},
		{Kind: scada.TaskShed, Element: "block/99"},
		{Kind: scada.TaskBreaker, Element: "branch/1-99"},
		{Kind: scada.TaskPMU, Element: "pmu/30"},
	} {
		if err := g.Operate(0, c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

func TestDeliveredKeyIsOnTheBooksAndGoneOnceReleased(t *testing.T) {
	k := newSupply(t, plentyOfKey())
	s, b := newScada(t, smallScada(), k)
	b.advance()
	before := k.Pool.Account()
	drawn, collected := make([]byte, 32), make([]byte, 32)
	offset, err := s.Deliver(b.step.To, "CC-GW1", "CC", drawn)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Fetch("CC-GW1", offset, collected); err != nil || !bytes.Equal(drawn, collected) {
		t.Fatalf("%x at one end, %x at the other: %v", drawn, collected, err)
	}
	s.Release("CC-GW1", offset, 32)
	if err := s.Fetch("CC-GW1", offset, collected); err == nil {
		t.Error("fetched after its release")
	}
	b.advance()
	if got := k.Pool.Account().ConsumedBits - before.ConsumedBits; got < 256 {
		t.Errorf("%d bits consumed, want 256 at least", got)
	}
	events := b.step.Out[scadaKeyEvents].Events
	if len(events) == 0 || events[0].Type != KeyDelivered || events[0].Value != 256 || events[0].Detail != "CC" {
		t.Errorf("events %+v", events)
	}
	if _, err := s.Deliver(b.step.To, "CC-GW9", "CC", drawn); err == nil {
		t.Error("key of a link that is not there")
	}
	if _, err := s.Deliver(b.step.To, "CC-GW1", "CC", make([]byte, 1<<20)); !errors.Is(err, scada.ErrNoKey) {
		t.Errorf("more key than there is: %v", err)
	}
	b.advance()
	events = b.step.Out[scadaKeyEvents].Events
	if len(events) != 1 || events[0].Type != KeyRefused || events[0].Value != 8<<20 || events[0].Detail != "CC" {
		t.Errorf("events %+v", events)
	}
}

func TestAnOperatorChangesTheOptionOfAChain(t *testing.T) {
	s, b := newScada(t, smallScada(), newSupply(t, plentyOfKey()))
	b.advance()
	if err := s.SetOption(b.step.To, 1, scada.Option{Mode: scada.AESWC}); err != nil {
		t.Fatal(err)
	}
	if o := s.Options()[1]; o.Mode != scada.AESWC {
		t.Errorf("option %+v", o)
	}
	if err := s.SetOption(b.step.To, 1, scada.Option{Route: 7, Mode: scada.AESWC}); err == nil {
		t.Error("a route that is not there is taken")
	}
	b.advance()
	if e := b.step.Out[scadaPlan].Events; len(e) != 1 || e[0].Type != "operator-plan" || e[0].Element != "agc-30" || e[0].Detail != "aes-wc" {
		t.Errorf("events %+v", e)
	}
	if err := s.SetOption(b.step.To, 1, scada.Option{Mode: scada.AESWC, Off: true}); err != nil {
		t.Fatal(err)
	}
	b.advance()
	if e := b.step.Out[scadaPlan].Events; len(e) != 1 || e[0].Detail != "off aes-wc" {
		t.Errorf("a chain that is switched off loses its mode: %+v", e)
	}
}
