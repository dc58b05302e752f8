package sync

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"
)

// watch is what the watchdog sees of a federate or an observer.
type watch struct {
	name     string
	step     Time         // of a federate; 0 for an observer
	byEvent  bool         // seq counts its steps
	seq      atomic.Int64 // of its last step, if so
	busy     atomic.Int64 // 0 idle, else 1 + the wall time at which it was asked; gone
	answered atomic.Int64 // 1 + the wall time of its last answer
	explain  func() string
}

// gone marks a member the run no longer waits for.
const gone = math.MinInt64

// begin marks a call; false means that the run has ended.
func (w *watch) begin(now time.Duration) bool { return w.busy.CompareAndSwap(0, int64(now)+1) }

// end marks its return; false means that the run ended without waiting.
func (w *watch) end(asked, now time.Duration) bool {
	w.answered.Store(int64(now) + 1)
	return w.busy.CompareAndSwap(int64(asked)+1, 0)
}

// abandon gives the member up and reports whether it was idle; a busy one is
// closed by the goroutine that called it, once that returns.
func (w *watch) abandon() (idle bool) { return w.busy.Swap(gone) == 0 }

// Stall tells for whom the federation waits.
type Stall struct {
	Name   string        // of a federate, or "observer" and its type
	Call   string        // "init", "step", "observe" or "close"
	Seq    int64         // of the federate's own steps
	At     Time          // start of that step
	Waited time.Duration // wall time since it was asked
	// Answered is the wall time since its last answer, negative if there was
	// none.
	Answered time.Duration
	Detail   string   // what the federate itself says of it (Explainer)
	Waiting  []string // the federates that wait for it
}

// String returns "waiting for my-grid: step 42 at 4.2s asked 2s ago, last
// answer 3.2s ago; grid and network wait for it".
func (s Stall) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "waiting for %s: ", s.Name)
	if s.Call == "step" {
		fmt.Fprintf(&b, "step %d at %v", s.Seq, s.At)
	} else {
		b.WriteString(s.Call)
	}
	fmt.Fprintf(&b, " asked %v ago, ", s.Waited.Round(time.Millisecond))
	if s.Answered < 0 {
		b.WriteString("no answer so far")
	} else {
		fmt.Fprintf(&b, "last answer %v ago", s.Answered.Round(time.Millisecond))
	}
	if s.Detail != "" {
		b.WriteString(" (" + s.Detail + ")")
	}
	switch n := len(s.Waiting); {
	case n == 1:
		fmt.Fprintf(&b, "; %s waits for it", s.Waiting[0])
	case n > 4:
		fmt.Fprintf(&b, "; %s and %d others wait for it", strings.Join(s.Waiting[:3], ", "), n-3)
	case n > 1:
		fmt.Fprintf(&b, "; %s and %s wait for it", strings.Join(s.Waiting[:n-1], ", "), s.Waiting[n-1])
	}
	return b.String()
}

// The calls that are watched.
const (
	initCall    = "init"
	stepCall    = "step"
	observeCall = "observe"
	closeCall   = "close"
)

// watchdog looks from a goroutine of its own at those the loop may wait for.
type watchdog struct {
	clock    Clock
	watched  []*watch
	after    time.Duration
	deadline time.Duration // of a step; 0: none
	report   func(Stall)
	call     atomic.Value        // the call that federates are in
	at       atomic.Int64        // simulated time of the current step
	overdue  chan *FederateError // receives the one federate that ends the run

	patience []patience // by place in watched
	grace    time.Duration
}

// patience remembers how far a call in progress has been reported.
type patience struct {
	asked int64
	next  time.Duration
}

// run reports stalls until quit closes or a federate is overdue. After a
// cancellation federates get the time of a stall to come back.
func (w *watchdog) run(cancelled, quit <-chan struct{}) {
	period := w.after / 4
	if w.deadline > 0 {
		period = min(period, w.deadline/4)
	}
	period = max(period, time.Millisecond)
	w.patience = make([]patience, len(w.watched))
	for {
		select {
		case <-quit:
			return
		case <-cancelled:
			cancelled, w.grace = nil, w.clock.Now()+w.after
		case <-w.clock.After(period):
		}
		now := w.clock.Now()
		for i, f := range w.watched {
			asked := f.busy.Load()
			if asked <= 0 {
				continue
			}
			if w.giveUp(f, asked, now) {
				return
			}
			w.look(i, f, asked, now)
		}
	}
}

// stall describes the call that f has been in since asked.
func (w *watchdog) stall(f *watch, asked int64, now time.Duration) Stall {
	s := Stall{Name: f.name, Call: observeCall, At: Time(w.at.Load()), Waited: now - time.Duration(asked-1), Answered: -1}
	if f.step > 0 {
		s.Call, s.Seq = w.call.Load().(string), int64(s.At/f.step)
		if f.byEvent {
			s.Seq = f.seq.Load()
		}
	}
	if answered := f.answered.Load(); answered > 0 {
		s.Answered = now - time.Duration(answered-1)
	}
	return s
}

// giveUp ends the run for a federate that is past its deadline, or past the
// grace after a cancellation.
func (w *watchdog) giveUp(f *watch, asked int64, now time.Duration) bool {
	s := w.stall(f, asked, now)
	var cause error
	switch {
	case f.step == 0 || s.Call == closeCall:
		return false
	case w.grace > 0 && now >= w.grace:
		cause = ErrCancelled
	case w.deadline > 0 && s.Call == stepCall && s.Waited >= w.deadline:
		cause = fmt.Errorf("%w of %v", ErrDeadline, w.deadline)
	default:
		return false
	}
	if !f.busy.CompareAndSwap(asked, gone) {
		return false // it has answered just now
	}
	w.overdue <- &FederateError{Federate: s.Name, Call: s.Call, Seq: s.Seq, At: s.At, Err: cause}
	return true
}

// look reports a call that lasts, at 1, 2, 4, 8 … times the stall time.
func (w *watchdog) look(i int, f *watch, asked int64, now time.Duration) {
	p := &w.patience[i]
	if p.asked != asked {
		*p = patience{asked, w.after}
	}
	s := w.stall(f, asked, now)
	if s.Waited < p.next {
		return
	}
	for p.next <= s.Waited {
		p.next *= 2
	}
	for _, other := range w.watched {
		if other.step > 0 && other.busy.Load() == 0 {
			s.Waiting = append(s.Waiting, other.name)
		}
	}
	if f.explain != nil {
		s.Detail = f.explain()
	}
	if w.report != nil && f.busy.Load() == asked {
		w.report(s)
	}
}
