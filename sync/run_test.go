package sync_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cosim/sync"
)

// actor is a federate without inputs whose methods a test brings along.
type actor struct {
	name   string
	step   sync.Time
	onInit func() error
	onStep func(s *sync.Step) error
	closed chan struct{} // closed by Close; a second Close panics
}

func newActor(name string, onStep func(s *sync.Step) error) *actor {
	return &actor{name: name, step: 10 * sync.Millisecond, onStep: onStep, closed: make(chan struct{})}
}

func (a *actor) Describe() sync.Description {
	return sync.Description{Name: a.name, Step: a.step, Outputs: []sync.Port{{Name: "v", Elements: []string{"x"}}}}
}

func (a *actor) Init([]sync.Signal) error {
	if a.onInit != nil {
		return a.onInit()
	}
	return nil
}

func (a *actor) Step(s *sync.Step) error {
	if a.onStep != nil {
		return a.onStep(s)
	}
	return nil
}

func (a *actor) Close() error {
	close(a.closed)
	return nil
}

func (a *actor) isClosed() bool {
	select {
	case <-a.closed:
		return true
	default:
		return false
	}
}

// witness is an observer that remembers its calls.
type witness struct {
	begun, ended int
	frames       []sync.Time
	cause        error
	onFrame      func(f *sync.Frame) error
	onEnd        func() error
}

func (w *witness) Begin(*sync.Frame) error {
	w.begun++
	return nil
}

func (w *witness) Observe(f *sync.Frame) error {
	w.frames = append(w.frames, f.From)
	if w.onFrame != nil {
		return w.onFrame(f)
	}
	return nil
}

func (w *witness) End(cause error) error {
	w.ended++
	w.cause = cause
	if w.onEnd != nil {
		return w.onEnd()
	}
	return nil
}

func mustNew(t testing.TB, o sync.Options, actors ...*actor) *sync.Master {
	t.Helper()
	if o.Stop == 0 {
		o.Stop = 100 * sync.Millisecond
	}
	var federates []sync.Federate
	for _, a := range actors {
		federates = append(federates, a)
	}
	m, err := sync.New(federates, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFailedInitClosesAllAndShowsNothing(t *testing.T) {
	a, b := newActor("a", nil), newActor("b", nil)
	b.onInit = func() error { return errors.New("no such case") }
	w := &witness{}
	err := mustNew(t, sync.Options{Observers: []sync.Observer{w}}, a, b).Run(context.Background())
	if err == nil || err.Error() != "sync: b, init: no such case" {
		t.Errorf("error %v", err)
	}
	if !a.isClosed() || !b.isClosed() {
		t.Error("not all closed")
	}
	if w.begun+w.ended != 0 {
		t.Error("an observer was called without a frame to show")
	}
}

func TestPanicNamesFederateAndKeepsStack(t *testing.T) {
	a := newActor("a", func(s *sync.Step) error { s.In[7].Stale = true; return nil })
	err := mustNew(t, sync.Options{}, a).Run(context.Background())
	var failed *sync.FederateError
	var panicked *sync.PanicError
	if !errors.As(err, &failed) || failed.Federate != "a" || failed.Call != "step" {
		t.Fatalf("error %v", err)
	}
	if !errors.As(err, &panicked) || !strings.Contains(string(panicked.Stack), "TestPanicNames") {
		t.Fatalf("error %v", err)
	}
}

func TestFederateThatEndsItsGoroutineEndsTheRun(t *testing.T) {
	a, b := newActor("a", nil), newActor("b", func(*sync.Step) error { runtime.Goexit(); return nil })
	err := mustNew(t, sync.Options{}, a, b).Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "ended the goroutine") {
		t.Errorf("error %v", err)
	}
	if !a.isClosed() || !b.isClosed() {
		t.Error("not all closed")
	}
}

func TestObserverErrorEndsTheRun(t *testing.T) {
	for name, onFrame := range map[string]func(*sync.Frame) error{
		"error": func(*sync.Frame) error { return errors.New("disk full") },
		"panic": func(*sync.Frame) error { panic("disk full") },
	} {
		t.Run(name, func(t *testing.T) {
			a, first, second := newActor("a", nil), &witness{onFrame: onFrame}, &witness{}
			err := mustNew(t, sync.Options{Observers: []sync.Observer{first, second}}, a).Run(context.Background())
			if err == nil || !strings.HasPrefix(err.Error(), "sync: observer *sync_test.witness, frame at 0s: ") {
				t.Errorf("error %v", err)
			}
			if !a.isClosed() || first.ended != 1 || second.ended != 1 || second.cause == nil {
				t.Error("not all ended with the cause")
			}
		})
	}
}

func TestObserverErrorAtTheEndFailsTheRun(t *testing.T) {
	a, w := newActor("a", nil), &witness{onEnd: func() error { return errors.New("disk full") }}
	err := mustNew(t, sync.Options{Observers: []sync.Observer{w}}, a).Run(context.Background())
	if err == nil || err.Error() != "sync: observer *sync_test.witness, end: disk full" {
		t.Errorf("error %v", err)
	}
	if !a.isClosed() {
		t.Error("not closed")
	}
}

func TestStallNamesAFewOfMany(t *testing.T) {
	s := sync.Stall{Name: "a", Call: "close", Waited: 2 * time.Second, Answered: time.Second, Waiting: strings.Fields("b c d e f g")}
	if got, want := s.String(), "waiting for a: close asked 2s ago, last answer 1s ago; b, c, d and 3 others wait for it"; got != want {
		t.Error(got)
	}
}

func TestMasterRunsOnce(t *testing.T) {
	m := mustNew(t, sync.Options{}, newActor("a", nil))
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := m.Run(context.Background()); err == nil {
		t.Error("ran twice")
	}
}

func TestCancelEndsBetweenSteps(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	a := newActor("a", func(s *sync.Step) error {
		if s.Seq == 3 {
			cancel()
		}
		return nil
	})
	w := &witness{}
	err := mustNew(t, sync.Options{Observers: []sync.Observer{w}}, a).Run(ctx)
	if !errors.Is(err, context.Canceled) || err.Error() != "sync: stopped at 40ms: context canceled" {
		t.Errorf("error %v", err)
	}
	if len(w.frames) != 4 || !errors.Is(w.cause, context.Canceled) || !a.isClosed() {
		t.Errorf("frames %v, cause %v", w.frames, w.cause)
	}
}

// The tests below run in a bubble of synctest, where time passes at once when
// all goroutines sleep.

func TestStallIsReportedAtGrowingIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []string
		slow := newActor("my-grid", func(s *sync.Step) error {
			if s.Seq == 2 {
				time.Sleep(17 * time.Second)
			}
			return nil
		})
		slow.step = 100 * sync.Millisecond
		m := mustNew(t, sync.Options{Stop: sync.Second, OnStall: func(s sync.Stall) { reports = append(reports, s.String()) }},
			slow, newActor("grid", nil), newActor("network", nil))
		if err := m.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"waiting for my-grid: step 2 at 200ms asked 2s ago, last answer 2s ago; grid and network wait for it",
			"waiting for my-grid: step 2 at 200ms asked 4s ago, last answer 4s ago; grid and network wait for it",
			"waiting for my-grid: step 2 at 200ms asked 8s ago, last answer 8s ago; grid and network wait for it",
			"waiting for my-grid: step 2 at 200ms asked 16s ago, last answer 16s ago; grid and network wait for it",
		}
		if !slices.Equal(reports, want) {
			t.Errorf("reports:\n%s", strings.Join(reports, "\n"))
		}
	})
}

func TestStallInInitAndInObserverIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []string
		a := newActor("a", nil)
		a.onInit = func() error { time.Sleep(3 * time.Second); return nil }
		w := &witness{onFrame: func(f *sync.Frame) error {
			if f.Seq == 5 {
				time.Sleep(3 * time.Second)
			}
			return nil
		}}
		m := mustNew(t, sync.Options{Observers: []sync.Observer{w}, OnStall: func(s sync.Stall) { reports = append(reports, s.String()) }}, a)
		if err := m.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"waiting for a: init asked 2s ago, no answer so far",
			"waiting for observer *sync_test.witness: observe asked 2s ago, last answer 2s ago; a waits for it",
		}
		if !slices.Equal(reports, want) {
			t.Errorf("reports:\n%s", strings.Join(reports, "\n"))
		}
	})
}

func TestMissedDeadlineEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck := newActor("my-grid", func(s *sync.Step) error {
			if s.Seq == 3 {
				<-release
			}
			return nil
		})
		other, w := newActor("network", nil), &witness{}
		m := mustNew(t, sync.Options{StepDeadline: 5 * time.Second, Observers: []sync.Observer{w}}, other, stuck)
		err := m.Run(context.Background())
		if !errors.Is(err, sync.ErrDeadline) || err.Error() != "sync: my-grid, step 3 at 30ms: did not answer before its deadline of 5s" {
			t.Errorf("error %v", err)
		}
		if len(w.frames) != 3 || w.ended != 1 || !errors.Is(w.cause, sync.ErrDeadline) {
			t.Errorf("frames %v, cause %v", w.frames, w.cause)
		}
		if !other.isClosed() {
			t.Error("the idle federate was not closed")
		}
		if stuck.isClosed() {
			t.Error("closed while its step was under way")
		}
		close(release)
		<-stuck.closed
	})
}

func TestMissedDeadlineInParallelEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
		release := make(chan struct{})
		var actors []*actor
		for i := range 4 {
			actors = append(actors, newActor(fmt.Sprint("f", i), func(s *sync.Step) error {
				time.Sleep(time.Millisecond)
				if s.Seq == 8 && i%2 == 1 {
					<-release
				}
				return nil
			}))
		}
		m := mustNew(t, sync.Options{StepDeadline: time.Second}, actors...)
		err := m.Run(context.Background())
		if !errors.Is(err, sync.ErrDeadline) {
			t.Errorf("error %v", err)
		}
		if !actors[0].isClosed() || actors[1].isClosed() || !actors[2].isClosed() || actors[3].isClosed() {
			t.Error("exactly the idle federates should be closed")
		}
		close(release)
		<-actors[1].closed
		<-actors[3].closed
	})
}

func TestCancelDoesNotWaitForeverForAFederate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		release := make(chan struct{})
		stuck := newActor("a", func(*sync.Step) error { <-release; return nil })
		begun := time.Now()
		err := mustNew(t, sync.Options{}, stuck).Run(ctx)
		if !errors.Is(err, sync.ErrCancelled) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if waited := time.Since(begun); waited > 63*time.Second {
			t.Errorf("waited %v", waited)
		}
		close(release)
		<-stuck.closed
	})
}

func TestPaceAndLag(t *testing.T) {
	for _, test := range []struct {
		name   string
		factor float64
		hiccup time.Duration // of the step from 50 ms
		wall   time.Duration
		worst  time.Duration
	}{
		{"as fast as possible", 0, 0, 0, 0},
		{"real time", 1, 0, 90 * time.Millisecond, 0},
		{"ten times real time", 10, 0, 9 * time.Millisecond, 0},
		{"a late step is caught up", 1, 25 * time.Millisecond, 90 * time.Millisecond, 15 * time.Millisecond},
		{"too late to catch up", 1, time.Second, 1050 * time.Millisecond, 990 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newActor("a", func(s *sync.Step) error {
					if s.Seq == 5 {
						time.Sleep(test.hiccup)
					}
					return nil
				})
				m := mustNew(t, sync.Options{RealTime: test.factor}, a)
				begun := time.Now()
				if err := m.Run(context.Background()); err != nil {
					t.Fatal(err)
				}
				if wall := time.Since(begun); wall != test.wall {
					t.Errorf("took %v, want %v", wall, test.wall)
				}
				if worst := m.Timing().WorstLag; worst != test.worst {
					t.Errorf("worst lag %v, want %v", worst, test.worst)
				}
			})
		})
	}
}

func TestControllerPausesStepsAndResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c sync.Controller
		c.Pause()
		w := &witness{}
		m := mustNew(t, sync.Options{Controller: &c, RealTime: 1, Observers: []sync.Observer{w}}, newActor("a", nil))
		done := make(chan error)
		go func() { done <- m.Run(context.Background()) }()
		expect := func(frames int) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			if len(w.frames) != frames {
				t.Errorf("%d frames, want %d", len(w.frames), frames)
			}
		}
		expect(0)
		c.StepOnce()
		expect(1)
		c.StepOnce()
		c.StepOnce()
		expect(3)
		c.Resume()
		time.Sleep(35 * time.Millisecond)
		c.StepOnce()
		expect(8) // three at 10, 20, 30 ms besides the one at once, one more by StepOnce
		if !c.Paused() {
			t.Error("not paused after StepOnce")
		}
		c.Resume()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if worst := m.Timing().WorstLag; worst > 0 {
			t.Errorf("a pause counts as lag: %v", worst)
		}
	})
}

func TestCancelEndsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var c sync.Controller
		c.Pause()
		a := newActor("a", nil)
		if err := mustNew(t, sync.Options{Controller: &c}, a).Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if !a.isClosed() {
			t.Error("not closed")
		}
	})
}

func TestCostlyFederatesActInParallelAndAreTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
		var actors []*actor
		for i := range 4 {
			actors = append(actors, newActor(fmt.Sprint("f", i), func(s *sync.Step) error {
				time.Sleep(time.Millisecond)
				return nil
			}))
		}
		m := mustNew(t, sync.Options{Stop: sync.Second}, actors...)
		if err := m.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		timing := m.Timing()
		// The first step and one in 64 go in turn, all others in parallel.
		if timing.Wall != 106*time.Millisecond {
			t.Errorf("took %v", timing.Wall)
		}
		for _, f := range timing.Federates {
			if f.Steps != 100 || f.Total != 100*time.Millisecond || f.Max != time.Millisecond {
				t.Errorf("%+v", f)
			}
		}
	})
}

// tickingClock advances by a millisecond at each look.
type tickingClock struct{ now time.Duration }

func (c *tickingClock) Now() time.Duration {
	c.now += time.Millisecond
	return c.now
}

func (c *tickingClock) After(time.Duration) <-chan time.Time { return nil }

func TestTimingsComeFromTheClockGiven(t *testing.T) {
	m := mustNew(t, sync.Options{Clock: &tickingClock{}, Stop: 20 * sync.Millisecond}, newActor("a", nil))
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if f := m.Timing().Federates[0]; f.Steps != 2 || f.Total != 2*time.Millisecond {
		t.Errorf("%+v", f)
	}
}

func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	good := sync.Options{Stop: sync.Second}
	for name, spoil := range map[string]func(*sync.Options){
		"Stop":         func(o *sync.Options) { o.Stop = 0 },
		"Step":         func(o *sync.Options) { o.Step = -1 },
		"RealTime":     func(o *sync.Options) { o.RealTime = -1 },
		"StallAfter":   func(o *sync.Options) { o.StallAfter = -1 },
		"StepDeadline": func(o *sync.Options) { o.StepDeadline = -1 },
		"master's 3ms": func(o *sync.Options) { o.Step = 3 * sync.Millisecond },
	} {
		o := good
		spoil(&o)
		_, err := sync.New([]sync.Federate{newActor("a", nil)}, nil, o)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(name)) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := sync.New(nil, nil, good); err == nil {
		t.Error("a federation without federates passed")
	}
}
