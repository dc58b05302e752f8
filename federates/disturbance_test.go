package federates

import (
	"math"
	"strings"
	"testing"
	"time"

	"cosim/network"
	cosync "cosim/sync"

	"pgregory.net/rapid"
)

func TestADisturbanceIsWhatItsEventSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Disturbance{
			Kind:     rapid.SampledFrom([]string{LinkBreak, AttenuationSurge, LoadStep, Attack}).Draw(t, "kind"),
			Element:  "bus/16",
			Duration: time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(longest)).Draw(t, "duration")),
		}
		switch d.Kind {
		case AttenuationSurge:
			d.DB = rapid.Float64Range(1e-9, 100).Draw(t, "db")
		case LoadStep:
			d.SizeMW = rapid.Float64Range(1e-9, 1e5).Draw(t, "mw")
		case Attack:
			d.Attack = network.Attack{
				Kind: rapid.SampledFrom([]string{"tamper", "inject"}).Draw(t, "attack"), From: rapid.SampledFrom([]string{"", "CC"}).Draw(t, "from"),
				Probability: rapid.Float64Range(0, 1).Draw(t, "probability"), RatePerS: rapid.Float64Range(0, 1e9).Draw(t, "rate"),
				DelayS: rapid.Float64Range(0, 10).Draw(t, "delay"), FlipBits: rapid.IntRange(0, 100).Draw(t, "flip"), KeepBytes: rapid.IntRange(0, 100).Draw(t, "keep"),
			}
		}
		e := d.Event(5)
		got, err := ParseDisturbance(e.Type, e.Element, e.Value, e.Detail)
		if err != nil || got.Kind != d.Kind || got != d {
			t.Errorf("%+v became %+v by way of %+v: %v", d, got, e, err)
		}
	})
}

func FuzzParseDisturbance(f *testing.F) {
	f.Add("operator-attack", "CC-GW1", 0.0, "duration=30s attack=tamper from=CC probability=1")
	f.Add("operator-load-step", "bus/16", 100.0, "duration=1h")
	f.Fuzz(func(t *testing.T, typ, element string, value float64, detail string) {
		d, err := ParseDisturbance(typ, element, value, detail)
		if err == nil && (d.Duration <= 0 || math.IsNaN(d.SizeMW) || math.IsNaN(d.DB)) {
			t.Errorf("%+v", d)
		}
	})
}

func TestADisturbanceThatMakesNoSenseIsRefused(t *testing.T) {
	for want, d := range map[string]Disturbance{
		"duration":            {Kind: LinkBreak},
		"db is 0":             {Kind: AttenuationSurge, Duration: time.Second},
		"size_mw is NaN":      {Kind: LoadStep, Duration: time.Second, SizeMW: math.NaN()},
		`kind is "fire"`:      {Kind: "fire", Duration: time.Second},
		"expected more than ": {Kind: AttenuationSurge, Duration: time.Second, DB: -3},
	} {
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", d, err, want)
		}
	}
}

func TestAnOperatorCutsAFibreForAWhile(t *testing.T) {
	q, _ := newQuantum(t, quietLink())
	b := newBench(t, q)
	b.advance()
	if err := q.Disturb(Disturbance{Kind: LinkBreak, Element: "A-B", Duration: 250 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 5 {
		b.advance()
		for _, e := range b.out("fibre").Events {
			got = append(got, e.At.String()+" "+e.Type)
		}
	}
	if want := "100ms operator-link-break, 100ms link-down, 350ms link-up"; strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
	for _, d := range []Disturbance{
		{Kind: LinkBreak, Element: "A-C", Duration: time.Second}, {Kind: LoadStep, Element: "A-B", SizeMW: 1, Duration: time.Second},
	} {
		if err := q.Disturb(d); err == nil {
			t.Errorf("%+v is taken", d)
		}
	}
}

func TestAnOperatorsSurgeLowersTheRateWhileItLasts(t *testing.T) {
	q, link := newQuantum(t, quietLink())
	b := newBench(t, q)
	b.advance()
	before := link.TargetBPS()
	if err := q.Disturb(Disturbance{Kind: AttenuationSurge, Element: "A-B", Duration: time.Second, DB: 6}); err != nil {
		t.Fatal(err)
	}
	b.advance()
	if during := link.TargetBPS(); !(during < before/2) {
		t.Errorf("%v bit/s during a surge of 6 dB, %v before", during, before)
	}
	for range 12 {
		b.advance()
	}
	if after := link.TargetBPS(); !(after > before/2) {
		t.Errorf("%v bit/s after the surge, %v before", after, before)
	}
}

func TestAnOperatorsLoadStepComesAndGoes(t *testing.T) {
	g, b := newGrid(t, gridConfig())
	b.advance()
	if err := g.Disturb(b.step.To, Disturbance{Kind: LoadStep, Element: "bus/16", SizeMW: 300, Duration: time.Second}); err != nil {
		t.Fatal(err)
	}
	began := b.step.To
	var got []string
	lowest := 0.0
	for range 150 {
		b.advance()
		lowest = min(lowest, b.out("frequency").Values[0])
		for _, e := range b.step.Out[gridEvents].Events {
			got = append(got, (e.At-began).String()+" "+e.Type)
		}
	}
	if want := "0s operator-load-step, 0s load-step, 1s load-step-end"; strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
	if lowest > -0.01 {
		t.Errorf("300 MW more lower the frequency by %v Hz only", -lowest)
	}
	for _, element := range []string{"bus/999", "16", "bus/"} {
		if err := g.Disturb(0, Disturbance{Kind: LoadStep, Element: element, SizeMW: 1, Duration: time.Second}); err == nil {
			t.Errorf("a load step at %q is taken", element)
		}
	}
}

func TestAnAdversaryComesWithTheFibresEvents(t *testing.T) {
	d := Disturbance{Kind: Attack, Element: "A-B", Duration: time.Second, Attack: network.Attack{Kind: "drop", Probability: 1}}
	q, _ := newQuantum(t, quietLink())
	qb := newBench(t, q)
	if err := q.Disturb(d); err != nil {
		t.Fatal(err)
	}
	qb.advance()
	if e := qb.out("fibre").Events; len(e) != 1 || e[0] != d.Event(0) {
		t.Errorf("events %+v", e)
	}
	n := newNetwork(t, twoLinks())
	b := newBench(t, n)
	d.Element = "CC-GW"
	for i := range 2 {
		if i == 1 {
			b.in("fibre").Events = []cosync.Event{d.Event(b.step.To)}
		}
		b.in("frames").Messages = []cosync.Message{{At: b.step.To, ID: 1, To: "CC>GW", Payload: make([]byte, 60)}}
		b.advance()
		if dropped := len(b.out("drops").Messages) == 1; dropped != (i == 1) {
			t.Errorf("frame %d: drops %+v", i, b.out("drops").Messages)
		}
	}
	for want, bad := range map[string]Disturbance{
		"does not exist": {Kind: Attack, Element: "A-Z", Duration: time.Second, Attack: d.Attack},
		"probability":    {Kind: Attack, Element: "CC-GW", Duration: time.Second, Attack: network.Attack{Kind: "drop"}},
		"none of tamper": {Kind: Attack, Element: "CC-GW", Duration: time.Second, Attack: network.Attack{Kind: "steal", Probability: 1}},
	} {
		if err := n.CheckAttack(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", bad, err, want)
		}
	}
}
