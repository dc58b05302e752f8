package sync

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// Options of a run. Only Stop must be set.
type Options struct {
	// Stop is when the run ends: a multiple of every federate's step.
	Stop Time
	// Step is the master's own step; zero for the greatest common divisor of
	// the federates' steps. If all of these are the master's, it must be given.
	Step Time
	// RealTime is how many seconds are simulated in a second of wall time at
	// most; zero for as fast as possible.
	RealTime float64
	// StallAfter is the wall time after which OnStall is told for whom the
	// federation waits, and again after twice, four times … that time; zero
	// for 2 s. OnStall is called from a goroutine of its own.
	StallAfter time.Duration
	OnStall    func(Stall)
	// StepDeadline is the wall time a federate may take for a step before the
	// run ends with ErrDeadline; zero for no limit.
	StepDeadline time.Duration
	Observers    []Observer
	Faults       []Fault
	// Tolerated are the federates without which the run may go on. Standbys
	// belong to the master like the federates.
	Tolerated []Tolerance
	// Controller, if any, can hold the run between steps.
	Controller *Controller
	// Clock is the wall clock; nil for the real one.
	Clock Clock
}

// Master advances simulated time and moves data between federates.
type Master struct {
	members   []*member
	levels    [][]*member
	step      Time
	options   Options
	clock     Clock
	pacer     pacer
	crew      crew
	watchdog  watchdog
	observers []*watchedObserver
	frame     Frame
	due       []*member // of the level at hand
	wall      time.Duration
	started   atomic.Bool
}

// New checks a federation and makes it ready to run. All mistakes are in the
// error, each with its origin, federate and port. The federates belong to the
// master once New has returned no error: Run closes them.
func New(federates []Federate, connections []Connection, o Options) (*Master, error) {
	if len(federates) == 0 {
		return nil, errors.New("sync: no federates")
	}
	members, err := wire(federates, connections, &o)
	if err = errors.Join(err, checkTimes(members, o.Step, o.Stop), o.check()); err != nil {
		return nil, fmt.Errorf("sync: the federation does not fit together:\n%w", err)
	}
	if o.StallAfter == 0 {
		o.StallAfter = 2 * time.Second
	}
	if o.Clock == nil {
		o.Clock = wallClock{time.Now()}
	}
	m := &Master{members: members, levels: levels(members), step: o.Step, options: o, clock: o.Clock}
	m.pacer = pacer{clock: o.Clock, factor: o.RealTime}
	m.crew = crew{clock: o.Clock, abandoned: make(chan struct{})}
	m.watchdog = watchdog{clock: o.Clock, after: o.StallAfter, deadline: o.StepDeadline, report: o.OnStall, overdue: make(chan *FederateError, 1)}
	m.frame = newFrame(members, o.Stop)
	for _, f := range members {
		f.watch.name, f.watch.step, f.watch.byEvent = f.about.Name, f.about.Step, f.agenda != nil
		m.watchdog.watched = append(m.watchdog.watched, &f.watch)
	}
	for _, observer := range o.Observers {
		w := &watchedObserver{Observer: observer, watch: watch{name: fmt.Sprintf("observer %T", observer)}}
		m.observers = append(m.observers, w)
		m.watchdog.watched = append(m.watchdog.watched, &w.watch)
	}
	return m, nil
}

func (o *Options) check() error {
	var errs []error
	for _, x := range []struct {
		name string
		bad  bool
	}{
		{"Step", o.Step < 0},
		{"StallAfter", o.StallAfter < 0},
		{"StepDeadline", o.StepDeadline < 0},
		{"RealTime", !validPace(o.RealTime)},
	} {
		if x.bad {
			errs = append(errs, fmt.Errorf("option %s is out of range", x.name))
		}
	}
	return errors.Join(errs...)
}

// Step returns the master's step.
func (m *Master) Step() Time { return m.step }

// Levels returns the names of the federates in the order in which they act:
// those of one level may act at the same moment of wall time.
func (m *Master) Levels() [][]string {
	names := make([][]string, len(m.levels))
	for i, level := range m.levels {
		for _, f := range level {
			names[i] = append(names[i], f.about.Name)
		}
	}
	return names
}

// Run simulates from zero to Stop, once. Whatever happens, observers are
// ended with the cause and then all federates closed. A cancelled ctx ends
// the run between two steps with an error that wraps ctx.Err().
//
// A federate that missed its deadline, and any that is busy at that moment,
// is closed as soon as its call returns, which may be after Run did.
func (m *Master) Run(ctx context.Context) error {
	if m.started.Swap(true) {
		return errors.New("sync: a master runs once")
	}
	begun := m.clock.Now()
	m.crew.start(min(runtime.GOMAXPROCS(0), widest(m.levels)) - 1)
	m.watchdog.call.Store(initCall)
	quit, asleep := make(chan struct{}), make(chan struct{})
	go func() { defer close(asleep); m.watchdog.run(ctx.Done(), quit) }()

	var err error
	done := make(chan error, 1)
	go m.work(ctx, done)
	select {
	case err = <-done:
		m.watchdog.call.Store(closeCall)
		if err == nil {
			m.finish()
		}
		err = errors.Join(err, m.endObservers(err), m.closeMembers())
		m.crew.stop()
		m.crew.idle.Wait()
	case late := <-m.watchdog.overdue:
		close(m.crew.abandoned)
		err = errors.Join(late, ctx.Err())
		err = errors.Join(err, m.endObservers(err), m.abandonMembers())
		m.crew.stop()
	}
	close(quit)
	<-asleep
	m.wall = m.clock.Now() - begun
	return err
}

// work simulates and sends what came of it, even if a federate ends the
// goroutine; nothing when the run did not wait.
func (m *Master) work(ctx context.Context, done chan<- error) {
	err := fmt.Errorf("sync: a federate or observer %w", errExited)
	defer func() {
		if !errors.Is(err, errAbandoned) {
			done <- err
		}
	}()
	err = m.simulate(ctx)
}

// simulate is the core: one turn of the loop is one step of the federation.
func (m *Master) simulate(ctx context.Context) error {
	if err := m.begin(); err != nil {
		return err
	}
	for t := Time(0); t < m.options.Stop; t += m.step {
		if err := m.await(ctx, t); err != nil {
			return err
		}
		m.release(t)
		for _, level := range m.levels {
			if err := m.advance(level, t); err != nil {
				return err
			}
		}
		if err := m.observe(t); err != nil {
			return err
		}
	}
	return nil
}

// begin initialises the federates and shows the observers the first frame.
func (m *Master) begin() error {
	for _, f := range m.members {
		f.call((*member).init, m.clock, m.clock.Now())
		if f.err == nil {
			f.err = f.publish()
		}
		if f.err != nil {
			return f.failure(initCall, f.err)
		}
	}
	m.watchdog.call.Store(stepCall)
	m.frame.Seq = -1
	m.frame.update(m.members, 0)
	for _, o := range m.observers {
		o.begun = true
		if err := o.show(Observer.Begin, &m.frame, m.clock); err != nil {
			return err
		}
	}
	m.pacer.start = m.clock.Now()
	return nil
}

// await holds the step from t back as long as a controller or the pace asks.
func (m *Master) await(ctx context.Context, t Time) error {
	if c := m.options.Controller; c != nil && c.Paused() {
		held := m.clock.Now()
		c.wait(ctx)
		m.pacer.start += m.clock.Now() - held
	}
	m.pacer.wait(ctx, t, m.options.Controller)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sync: stopped at %v: %w", t, err)
	}
	m.watchdog.at.Store(int64(t))
	return nil
}

// release ends the steps that last until t.
func (m *Master) release(t Time) {
	for _, f := range m.members {
		if f.ends == t {
			f.release()
		}
	}
}

// advance lets those of a level act whose time has come.
func (m *Master) advance(level []*member, t Time) error {
	m.due = m.due[:0]
	for _, f := range level {
		if f.isDue(t) {
			f.gather(t)
			if f.asker != nil {
				f.call((*member).ask, m.clock, m.clock.Now())
			}
			m.due = append(m.due, f)
		} else if f.agenda != nil {
			if err := f.pass(t, m.clock); err != nil {
				return f.failure(stepCall, err)
			}
		}
	}
	if err := m.crew.step(m.due); err != nil {
		return err
	}
	for _, f := range m.due {
		if f.err == nil {
			f.err = f.publish()
		}
		if f.err != nil {
			return f.failure(stepCall, f.err)
		}
		f.book()
		f.ends = f.step.To
		if f.agenda != nil {
			f.agenda.next = f.stepAt(f.step.Next)
		}
	}
	return nil
}

// observe shows the observers the step from t.
func (m *Master) observe(t Time) error {
	if len(m.observers) == 0 {
		return nil
	}
	m.frame.Seq++
	m.frame.From, m.frame.To = t, t+m.step
	m.frame.update(m.members, t)
	for _, o := range m.observers {
		if err := o.show(Observer.Observe, &m.frame, m.clock); err != nil {
			return err
		}
	}
	return nil
}

// endObservers ends those whose Begin was called.
func (m *Master) endObservers(cause error) error {
	var errs []error
	for _, o := range m.observers {
		if o.begun {
			errs = append(errs, o.end(cause))
		}
	}
	return errors.Join(errs...)
}

// finish tells those who want to hear it that the run has reached its end.
func (m *Master) finish() {
	for _, f := range m.members {
		if x, ok := f.federate.(Finisher); ok {
			_ = guard(func(x Finisher) error { x.Finish(); return nil }, x) // what went wrong shows in Close
		}
	}
}

// closeMembers closes all federates.
func (m *Master) closeMembers() error {
	var errs []error
	for _, f := range m.members {
		f.watch.busy.Store(0) // a method that ended its goroutine left it busy
		f.call((*member).close, m.clock, m.clock.Now())
		errs = append(errs, f.failure(closeCall, f.err))
	}
	return errors.Join(errs...)
}

// abandonMembers closes those that are idle and leaves the others to the
// goroutines that are in them.
func (m *Master) abandonMembers() error {
	var idle []*member
	for _, f := range m.members {
		if f.watch.abandon() {
			idle = append(idle, f)
		}
	}
	var errs []error
	for _, f := range idle {
		errs = append(errs, f.failure(closeCall, guard((*member).close, f)))
	}
	return errors.Join(errs...)
}

func widest(levels [][]*member) int {
	n := 0
	for _, level := range levels {
		n = max(n, len(level))
	}
	return n
}
