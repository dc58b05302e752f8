package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	cosync "cosim/sync"
)

// planner is an actor whose decisions take their time.
type planner struct {
	actor
	took []time.Duration
}

func (p *planner) DecisionTimes() []time.Duration { return p.took }

// troubled is a run of 14 seconds in which the frequency leaves its band, a
// pool falls below K_safe, decisions are late and a federate is lost; the
// first of two operators gets half of the key that it asks for.
func troubled(t *testing.T) *Feed {
	t.Helper()
	scene := Scene{
		Run: "S-9-1", SafeHz: 0.05, DecisionNS: int64(cosync.Second), Operators: []string{"TSO", "DSO"},
		Links: []Link{{Name: "CC-GW1", Quantum: true, AtCentre: true}}, Chains: []Chain{{ID: "pmu-1", Mode: "otp"}, {ID: "pmu-2", Mode: "otp", Operator: 1}},
	}
	vector := func(name string, elements ...string) cosync.Port {
		return cosync.Port{Name: name, Kind: cosync.Vector, Unit: "1", Elements: elements}
	}
	second := 0
	grid := &actor{about: cosync.Description{Name: "grid", Step: cosync.Second, Outputs: []cosync.Port{vector("frequency", "coi")}}, step: func(s *cosync.Step) {
		s.Out[0].Values[0] = []float64{0, 0.06, -0.08}[min(second, 2)]
		if second > 2 {
			s.Out[0].Values[0] = 0.01
		}
		second++
	}}
	scada := &planner{actor: actor{about: cosync.Description{Name: "scada", Step: cosync.Second, Outputs: []cosync.Port{
		{Name: "keys", Kind: cosync.Events},
		{Name: "tasks", Kind: cosync.Events},
		vector("decision", "objective", "bound", "gap", "evaluations", "nodes", "slack_bits", "commands", "load_mw", "interrupted"),
		vector("fairness", "index", "TSO", "DSO"),
	}}}}
	level := func(at float64, typ string) cosync.Event {
		return cosync.Event{At: cosync.Time(at * 1e9), Type: typ, Element: "CC-GW1", Value: 30000}
	}
	levels := []cosync.Event{level(1.5, "pool-warn"), level(2.5, "pool-protect"), level(4.5, "pool-recover"), level(5.5, "pool-warn"), level(6.5, "pool-recover")}
	scada.step = func(s *cosync.Step) {
		for _, e := range levels {
			if s.From <= e.At && e.At < s.To {
				s.Out[0].Events = append(s.Out[0].Events, e)
			}
		}
		for i, id := range []string{"pmu-1", "pmu-2"} {
			detail := "pmu otp"
			if i == 0 && s.From < 5*cosync.Second {
				detail = "pmu otp no-key"
			}
			s.Out[1].Events = append(s.Out[1].Events, cosync.Event{At: s.From, Type: "task", Element: id, Detail: detail})
		}
		took := 100 * time.Millisecond
		s.Out[2].Values[8] = 0
		switch s.From {
		case 3 * cosync.Second:
			took = 1200 * time.Millisecond
			s.Out[2].Values[8] = 70 // and the clock had ended it
		case 6 * cosync.Second:
			s.Out[2].Values[8] = 60
		}
		scada.took = append(scada.took, took)
		copy(s.Out[3].Values, []float64{0.9, 0.5, 1})
		if s.From == 8*cosync.Second {
			s.Out[3].Values[0] = 0.8
		}
	}
	lost := &failing{actor{about: cosync.Description{Name: "wind", Step: cosync.Second}, step: func(*cosync.Step) {}}}
	f := NewFeed(scene)
	federates := []cosync.Federate{grid, scada, lost}
	m, err := cosync.New(federates, nil, cosync.Options{
		Stop: 14 * cosync.Second, Observers: []cosync.Observer{f}, Tolerated: []cosync.Tolerance{{Federate: "wind"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Meet(federates)
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return f
}

// failing is lost at 7 s.
type failing struct{ actor }

func (f *failing) Step(s *cosync.Step) error {
	if s.From == 7*cosync.Second {
		return errors.New("gone")
	}
	return nil
}

func TestTheLogSaysEachAlertOnce(t *testing.T) {
	var got []string
	for _, e := range troubled(t).take(&cursor{rows: -1}, Status{}).Entries {
		if e.Type != EntryFailures {
			got = append(got, fmt.Sprintf("%g %s %v %v %g", e.AtS, e.Type, e.Alert, e.Over, e.Value))
		}
	}
	want := []string{
		"1.5 pool-warn false false 30000",
		"2 frequency-out-of-band true false 0.06",
		"2.5 pool-below-safe true false 30000",
		"4 late true false 1.2",
		"4.5 pool-below-safe true true 30000",
		"5.5 pool-warn false false 30000",
		"6.5 pool-recover false false 30000",
		"12 late true true 1.2",                   // both of them, 5 s after the last
		"4 frequency-out-of-band true true -0.08", // with its largest deviation, when it has lasted
		"7 federate-lost true false 0",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("entries\n%q, want\n%q", got, want)
	}
}

func TestADecisionIsLateOnce(t *testing.T) {
	g := troubled(t).take(&cursor{rows: -1}, Status{}).Figures
	if g.Late != 1 || g.Cut != 1 || g.Decisions != 14 {
		t.Errorf("%d late, %d ended by the clock of %d, want 1, 1, 14", g.Late, g.Cut, g.Decisions)
	}
}

func TestOperatorsHaveTheirOwnFigures(t *testing.T) {
	x := troubled(t).take(&cursor{rows: -1}, Status{}).Figures.Fairness
	if x == nil || len(x.Operators) != 2 {
		t.Fatalf("%+v", x)
	}
	if x.Index != 0.9 || math.Abs(x.Mean-12.5/14) > 1e-12 || x.Lowest != 0.8 || x.LowestAtS != 9 {
		t.Errorf("%+v", x)
	}
	if want := []OperatorNow{{14, 9, 0.5}, {14, 14, 1}}; !slices.Equal(x.Operators, want) {
		t.Errorf("%+v, want %+v", x.Operators, want)
	}
	if one := simulate(t, cosync.Second).take(&cursor{rows: -1}, Status{}).Figures.Fairness; one != nil {
		t.Errorf("one operator has %+v", one)
	}
}
