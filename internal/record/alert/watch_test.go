package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	cosync "cosim/sync"
)

// script is a federate that plays frequencies and events by the second; at its
// end it fails if fails is set.
type script struct {
	name   string
	hz     []float64
	events []cosync.Event
	took   map[int]time.Duration // of decisions, by second
	fails  int                   // second, 0 never
	store  []float64             // bits, by second
	pool   float64               // bits behind the store

	second int
	times  []time.Duration
}

func (s *script) Describe() cosync.Description {
	return cosync.Description{Name: s.name, Step: cosync.Second, Outputs: []cosync.Port{
		{Name: "frequency", Unit: "Hz", Elements: []string{"gen/1", "coi"}},
		{Name: "events", Kind: cosync.Events},
		{Name: "pool", Unit: "bit", Elements: []string{"pool/GW1-GW2", "pool/CC-GW1"}},
		{Name: "store", Unit: "bit", Elements: []string{"pool/GW1-GW2", "pool/CC-GW1"}},
	}}
}

func (s *script) Init([]cosync.Signal) error { return nil }

func (s *script) Step(st *cosync.Step) error {
	st.Out[0].Values[0] = 9 // of a machine, which is not looked at
	if s.second < len(s.hz) {
		st.Out[0].Values[1] = s.hz[s.second]
	}
	for _, e := range s.events {
		if st.From <= e.At && e.At < st.To {
			st.Out[1].Events = append(st.Out[1].Events, e)
		}
	}
	st.Out[2].Values[1] = s.pool
	if s.second < len(s.store) {
		st.Out[3].Values[1] = s.store[s.second]
	}
	if d, ok := s.took[s.second]; ok {
		s.times = append(s.times, d)
	}
	s.second++
	if s.fails > 0 && s.second == s.fails {
		return errors.New("gone")
	}
	return nil
}

func (s *script) Close() error                   { return nil }
func (s *script) DecisionTimes() []time.Duration { return s.times }

// alertsOf runs the federates for n seconds.
func alertsOf(t *testing.T, n int, feds ...cosync.Federate) []string {
	t.Helper()
	var told []string
	for _, a := range watched(t, n, Limits{SafeHz: 0.05, Period: 100 * time.Millisecond}, feds...) {
		told = append(told, fmt.Sprintf("%g %s %s %v", a.At.Seconds(), a.Rule, a.Element, a.Over))
	}
	return told
}

func watched(t *testing.T, n int, l Limits, feds ...cosync.Federate) []Alert {
	t.Helper()
	var told []Alert
	w := NewWatch("X-1", l, func(a Alert) { told = append(told, a) })
	var tolerated []cosync.Tolerance
	for _, f := range feds {
		tolerated = append(tolerated, cosync.Tolerance{Federate: f.Describe().Name})
	}
	m, err := cosync.New(feds, nil, cosync.Options{Stop: cosync.Time(n) * cosync.Second, Observers: []cosync.Observer{w}, Tolerated: tolerated})
	if err != nil {
		t.Fatal(err)
	}
	w.Meet(feds)
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return told
}

func TestFrequencyAlertsOnceUntilItIsBackForGood(t *testing.T) {
	hz := []float64{0, 0.06, 0.04, 0.02, -0.07, 0.01, 0, 0, 0, 0, 0, 0, 0, 0.051}
	got := alertsOf(t, 14, &script{name: "grid", hz: hz})
	want := []string{
		"2 frequency-out-of-band coi false",
		"6 frequency-out-of-band coi true", // since when it is back
		"14 frequency-out-of-band coi false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("alerts %q, want %q", got, want)
	}
}

func TestPoolAlertsBelowSafeAndWhenItIsBack(t *testing.T) {
	at := func(s float64, typ string) cosync.Event {
		return cosync.Event{At: cosync.Time(s * 1e9), Type: typ, Element: "CC-GW1", Value: 30000}
	}
	got := alertsOf(t, 9, &script{name: "scada", events: []cosync.Event{
		at(1, "pool-warn"), at(1.5, "pool-recover"), at(2, "pool-warn"), at(3.25, "pool-protect"), at(5.5, "pool-recover"), at(7, "pool-recover"),
	}})
	want := []string{"3.25 pool-below-safe CC-GW1 false", "5.5 pool-below-safe CC-GW1 true"}
	if !slices.Equal(got, want) {
		t.Errorf("alerts %q, want %q", got, want)
	}
}

func TestPoolThatIsRaisedIsNotRaisedAgain(t *testing.T) {
	at := func(s int, typ string) cosync.Event {
		return cosync.Event{At: cosync.Time(s) * cosync.Second, Type: typ, Element: "CC-GW1"}
	}
	got := alertsOf(t, 9, &script{name: "scada", events: []cosync.Event{
		at(1, "pool-protect"), at(2, "pool-warn"), at(3, "pool-protect"), at(4, "pool-warn"), at(5, "pool-recover"), at(7, "pool-protect"),
	}})
	want := []string{"1 pool-below-safe CC-GW1 false", "5 pool-below-safe CC-GW1 true", "7 pool-below-safe CC-GW1 false"}
	if !slices.Equal(got, want) {
		t.Errorf("alerts %q, want %q", got, want)
	}
}

// A store that is spent before each refill is one alert, until it lasts.
func TestStoreAlertsUntilItLastsFromRefillToRefill(t *testing.T) {
	limits := Limits{SafeHz: 20, Stores: Stores{Links: []string{"CC-GW1"}, SafeBits: 100, Period: 3 * time.Second}}
	play := func(pool float64) []string {
		var got []string
		for _, a := range watched(t, 13, limits, &script{
			name: "scada", pool: pool, store: []float64{300, 120, 99, 300, 110, 40, 300, 200, 150, 140, 130, 120, 90},
			// The pool is not what is watched.
			events: []cosync.Event{{At: cosync.Second, Type: "pool-protect", Element: "CC-GW1"}},
		}) {
			got = append(got, a.String())
		}
		return got
	}
	want := []string{
		"X-1: store CC-GW1 is below K_safe with 99 bit at 3.00 s",
		"X-1: store CC-GW1 holds 140 bit again at 7.00 s",
		"X-1: store CC-GW1 is below K_safe with 90 bit at 13.00 s",
	}
	if got := play(1000); !slices.Equal(got, want) {
		t.Errorf("alerts %q, want %q", got, want)
	}
	want = []string{"X-1: store CC-GW1 is below K_safe with 50 bit at 1.00 s"}
	if got := play(50); !slices.Equal(got, want) {
		t.Errorf("an allowance without key behind it: alerts %q, want %q", got, want)
	}
}

func TestLateDecisionsAreOneAlertUntilTheyAreInTimeForGood(t *testing.T) {
	const inTime, late = 90 * time.Millisecond, 150 * time.Millisecond
	took := map[int]time.Duration{1: inTime, 2: late, 3: late, 4: inTime, 5: 240 * time.Millisecond, 6: inTime, 7: inTime, 8: inTime, 9: inTime, 10: inTime, 11: late}
	var got []string
	for _, a := range watched(t, 13, Limits{SafeHz: 20, Period: 100 * time.Millisecond, Calm: 3 * time.Second}, &script{name: "scada", took: took}) {
		got = append(got, a.String())
	}
	want := []string{
		"X-1: a decision took 0.150 s, longer than its period of 0.100 s at 3.00 s",
		"X-1: decisions are in time again after 3 late ones, the slowest of 0.240 s, at 7.00 s",
		"X-1: a decision took 0.150 s, longer than its period of 0.100 s at 12.00 s",
		"X-1: late decisions are over with the run: 1 late one, the slowest of 0.150 s, at 13.00 s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("alerts %q, want %q", got, want)
	}
}

func TestLateDecisionsAndLostFederatesAlert(t *testing.T) {
	got := alertsOf(t, 6,
		&script{name: "scada", took: map[int]time.Duration{1: 100 * time.Millisecond, 2: 101 * time.Millisecond}},
		&script{name: "grid", fails: 4})
	want := []string{"3 decision-late  false", "3 federate-lost grid false"}
	if !slices.Equal(got, want) {
		t.Errorf("alerts %q, want %q", got, want)
	}
}

func TestAlertsAreSentences(t *testing.T) {
	for want, a := range map[string]Alert{
		"X-1: pool CC-GW1 is below K_safe with 33120 bit at 3.25 s":                 {At: 3.25e9, Rule: RulePool, Element: "CC-GW1", Value: 33120, Unit: "bit"},
		"X-1: pool CC-GW1 holds 52000 bit again at 5.00 s":                          {At: 5e9, Rule: RulePool, Element: "CC-GW1", Over: true, Value: 52000, Unit: "bit"},
		"X-1: frequency is outside ±0.050 Hz: -0.061 Hz at 1.00 s":                  {At: 1e9, Rule: RuleFrequency, Value: -0.061, Limit: 0.05, Unit: "Hz"},
		"X-1: a decision took 0.120 s, longer than its period of 0.100 s at 1.00 s": {At: 1e9, Rule: RuleDecision, Value: 0.12, Limit: 0.1, Unit: "s"},
		"X-1: federate my-grid is lost: ended with 1 at 1.00 s":                     {At: 1e9, Rule: RuleFederate, Element: "my-grid", Detail: "ended with 1"},
	} {
		a.Run = "X-1"
		if got := a.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if s := (Alert{Run: "X-1", Rule: RuleFrequency, Over: true, Value: 0.2, Limit: 0.05, Unit: "Hz"}).String(); !strings.Contains(s, "largest deviation was 0.200 Hz") {
		t.Error(s)
	}
}
