package sync

import (
	"errors"
	"runtime/debug"
	"time"
)

// member is a federate at run time.
type member struct {
	federate Federate
	asker    Asker // the federate, if it is one
	askErr   error // of a panic in Ask
	about    Description
	inlets   []inlet
	outlets  []outlet
	step     Step    // reused for every call
	ends     Time    // end of its last step, and start of the next unless it has an agenda
	agenda   *agenda // nil: it makes every step
	level    int     // longest path of direct connections that ends here

	spare *spare // nil: its failure ends the run
	watch watch
	err   error         // of the last call
	cost  time.Duration // of the last step, wall time
	usual time.Duration // running mean of cost when acting in turn
	timing
}

// timing sums up the wall time of a member's steps.
type timing struct {
	steps      int64
	total, max time.Duration
}

// prepare makes the signals, once the federation is wired.
func (f *member) prepare() {
	f.step.In = make([]Signal, len(f.inlets))
	f.step.Out = make([]Signal, len(f.outlets))
	for i := range f.outlets {
		if f.outlets[i].port.Kind == Vector {
			f.step.Out[i].Values = make([]float64, len(f.outlets[i].port.Elements))
		}
	}
}

// release ends the federate's last step for those who read it delayed.
func (f *member) release() {
	for i := range f.outlets {
		f.outlets[i].release(f.agenda != nil)
	}
}

// isDue says whether the federate acts at t.
func (f *member) isDue(t Time) bool {
	if f.agenda != nil {
		return f.agenda.isDue(f, t)
	}
	return f.ends == t
}

// gather readies the step from t: inputs read, outputs emptied.
func (f *member) gather(t Time) {
	f.step.Seq = int64(t / f.about.Step)
	f.step.From, f.step.To = t, t+f.about.Step
	for i := range f.inlets {
		f.inlets[i].read(&f.step.In[i])
	}
	f.empty()
	if f.agenda != nil {
		f.agenda.begin(f)
	}
}

// empty removes the messages and events of the last step.
func (f *member) empty() {
	for i := range f.step.Out {
		out := &f.step.Out[i]
		out.Messages, out.Events = out.Messages[:0], out.Events[:0]
	}
}

// publish hands the outputs on to their readers and books the step.
func (f *member) publish() error {
	for i := range f.outlets {
		if err := f.outlets[i].publish(&f.step.Out[i], f.step.From, f.step.To); err != nil {
			return err
		}
	}
	return nil
}

// book adds the last step's cost to the timings.
func (f *member) book() {
	f.steps++
	f.total += f.cost
	f.max = max(f.max, f.cost)
}

// settle adds the last step's cost to the usual one.
func (f *member) settle() {
	if f.usual == 0 {
		f.usual = f.cost
	}
	f.usual += (f.cost - f.usual) / 8
}

// call runs one of the federate's methods under the eyes of the watchdog and
// returns the wall time at its end. Where the run did not wait for the call
// to return, the federate is closed here and f.err is errAbandoned.
func (f *member) call(method func(*member) error, clock Clock, start time.Duration) time.Duration {
	if !f.watch.begin(start) {
		f.err = errAbandoned
		return start
	}
	f.err = errExited // stays if the method ends the goroutine
	f.err = guard(method, f)
	end := clock.Now()
	if !f.watch.end(start, end) {
		_ = guard((*member).close, f) // nobody is left to hear of an error
		f.err = errAbandoned
		return end
	}
	f.cost = end - start
	return end
}

func (f *member) init() error {
	if err := f.federate.Init(f.step.Out); err != nil || f.spare == nil {
		return err
	}
	return f.initSpare()
}

// ask begins a step whose answer advance waits for.
func (f *member) ask() error {
	if f.spare != nil && f.spare.loss != nil {
		return nil
	}
	f.askErr = guard(func(f *member) error { f.asker.Ask(&f.step); return nil }, f)
	return nil
}

func (f *member) stepFederate() error {
	if f.askErr != nil {
		return f.askErr
	}
	if err := f.federate.Step(&f.step); err != nil || f.agenda == nil {
		return err
	}
	return checkNext(&f.step)
}

func (f *member) advance() error {
	if f.spare != nil {
		return f.advanceTolerantly()
	}
	return f.stepFederate()
}

func (f *member) close() error {
	if f.spare != nil {
		return f.closeTolerantly()
	}
	return f.federate.Close()
}

// guard turns a panic into an error.
func guard[T any](call func(T) error, x T) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	return call(x)
}

// failure wraps an error of a call; the run's own sentinel stays bare.
func (f *member) failure(call string, err error) error {
	if err == nil || errors.Is(err, errAbandoned) {
		return err
	}
	return &FederateError{Federate: f.about.Name, Call: call, Seq: f.step.Seq, At: f.step.From, Err: err}
}
