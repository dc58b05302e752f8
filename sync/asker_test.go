package sync_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cosim/sync"
)

// remote is a federate whose work is done elsewhere.
type remote struct {
	*actor
	onAsk func()
}

func (r *remote) Ask(*sync.Step)  { r.onAsk() }
func (r *remote) Explain() string { return "connection lost 1s ago" }

func TestAllOfALevelAreAskedBeforeTheFirstAnswer(t *testing.T) {
	var calls []string
	var federates []sync.Federate
	for _, name := range []string{"a", "b", "c"} {
		federates = append(federates, &remote{
			newActor(name, func(*sync.Step) error { calls = append(calls, "step "+name); return nil }),
			func() { calls = append(calls, "ask "+name) },
		})
	}
	m, err := sync.New(federates, nil, sync.Options{Stop: 20 * sync.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	one := []string{"ask a", "ask b", "ask c", "step a", "step b", "step c"}
	if !slices.Equal(calls, append(one, one...)) {
		t.Errorf("calls %v", calls)
	}
}

func TestPanicInAskIsTheStepsError(t *testing.T) {
	a := &remote{newActor("a", nil), func() { panic("no socket") }}
	m, err := sync.New([]sync.Federate{a}, nil, sync.Options{Stop: 20 * sync.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var panicked *sync.PanicError
	if err := m.Run(context.Background()); !errors.As(err, &panicked) {
		t.Errorf("error %v", err)
	}
}

func TestStallQuotesTheFederate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []string
		a := &remote{newActor("a", func(s *sync.Step) error {
			if s.Seq == 1 {
				time.Sleep(3 * time.Second)
			}
			return nil
		}), func() {}}
		m, err := sync.New([]sync.Federate{a, newActor("b", nil)}, nil, sync.Options{
			Stop: 20 * sync.Millisecond, OnStall: func(s sync.Stall) { reports = append(reports, s.String()) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		const want = "waiting for a: step 1 at 10ms asked 2s ago, last answer 2s ago (connection lost 1s ago); b waits for it"
		if len(reports) != 1 || reports[0] != want {
			t.Errorf("reports:\n%s", strings.Join(reports, "\n"))
		}
	})
}

func TestStallCountsTheStepsThatAreMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []string
		relay := &watcher{sync.Description{Name: "relay", ByEvent: true}, 30 * sync.Millisecond}
		m, err := sync.New([]sync.Federate{&slowAt{relay, 60 * sync.Millisecond}, newActor("b", nil)}, nil, sync.Options{
			Stop: 90 * sync.Millisecond, OnStall: func(s sync.Stall) { reports = append(reports, s.String()) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		const want = "waiting for relay: step 2 at 60ms asked 2s ago, last answer 2s ago; b waits for it"
		if len(reports) != 1 || reports[0] != want {
			t.Errorf("reports:\n%s", strings.Join(reports, "\n"))
		}
	})
}

// slowAt takes three seconds for one step.
type slowAt struct {
	sync.Federate
	at sync.Time
}

func (f *slowAt) Step(s *sync.Step) error {
	if s.From == f.at {
		time.Sleep(3 * time.Second)
	}
	return f.Federate.Step(s)
}
