package alert

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Receiver takes alerts to people. Send is given one or more, in order, and may
// take its time.
type Receiver interface {
	Send(ctx context.Context, alerts []Alert) error
	// String names it without its secrets.
	String() string
}

// Bounds of a dispatcher: alerts of gather go out together, at most so many of
// them; of more that wait than the queue holds the oldest are dropped and
// counted.
const (
	gather    = time.Second
	most      = 50
	queue     = 1000
	sendLimit = 10 * time.Second
	tries     = 3
)

// Dispatcher takes alerts to its receivers, each at its own pace.
type Dispatcher struct {
	lines  []*line
	ended  sync.WaitGroup
	cancel context.CancelFunc
}

// line is the way to one receiver.
type line struct {
	to   Receiver
	tell func(string)
	wake chan struct{}
	done chan struct{}
	wait time.Duration // between two tries, at first

	mu      sync.Mutex
	waiting []Alert
	dropped int
	closed  bool
}

// NewDispatcher starts a goroutine for each receiver. What cannot be delivered
// is told. Close ends it.
func NewDispatcher(tell func(string), to ...Receiver) *Dispatcher {
	ctx, cancel := context.WithCancel(context.Background())
	d := &Dispatcher{cancel: cancel}
	for _, r := range to {
		l := &line{to: r, tell: tell, wake: make(chan struct{}, 1), done: make(chan struct{}), wait: time.Second}
		d.lines = append(d.lines, l)
		d.ended.Go(func() { l.serve(ctx) })
	}
	return d
}

// Hear takes an alert; it does not wait.
func (d *Dispatcher) Hear(a Alert) {
	for _, l := range d.lines {
		l.put(a)
	}
}

// Close delivers what waits and ends, after limit at the latest.
func (d *Dispatcher) Close(limit time.Duration) {
	for _, l := range d.lines {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		close(l.done)
	}
	stop := time.AfterFunc(limit, d.cancel)
	d.ended.Wait()
	stop.Stop()
	d.cancel()
}

func (l *line) put(a Alert) {
	l.mu.Lock()
	if len(l.waiting) == queue {
		l.waiting = append(l.waiting[:0], l.waiting[1:]...)
		l.dropped++
	}
	l.waiting = append(l.waiting, a)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take what waits, at most so many; closed says that nothing will follow.
func (l *line) take() (alerts []Alert, dropped int, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.waiting), most)
	alerts = append(alerts, l.waiting[:n]...)
	l.waiting = append(l.waiting[:0], l.waiting[n:]...)
	dropped, l.dropped = l.dropped, 0
	return alerts, dropped, l.closed
}

func (l *line) serve(ctx context.Context) {
	for {
		select {
		case <-l.wake:
			l.gather(ctx)
		case <-l.done:
		case <-ctx.Done():
		}
		for {
			alerts, dropped, closed := l.take()
			if dropped > 0 {
				l.tell(fmt.Sprintf("alert: %s is too slow: %d alerts were not sent", l.to, dropped))
			}
			if len(alerts) == 0 {
				if closed {
					return
				}
				break
			}
			if ctx.Err() != nil {
				l.giveUp(len(alerts))
				return
			}
			l.send(ctx, alerts)
		}
	}
}

// gather waits for alerts that go out with the first; it ends early when
// nothing more is to come.
func (l *line) gather(ctx context.Context) {
	timer := time.NewTimer(gather)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.done:
	case <-ctx.Done():
	}
}

// giveUp tells of what there was no time for: so many that were taken, and what
// waits.
func (l *line) giveUp(taken int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell(fmt.Sprintf("alert: %d more alert(s) to %s were not sent: no time was left at the end", taken+len(l.waiting), l.to))
}

// send tries a few times, also at the end: a receiver that is away for a moment
// is to have what it is told last.
func (l *line) send(ctx context.Context, alerts []Alert) {
	var err error
	wait := l.wait
	for try := range tries {
		if try > 0 {
			if !sleep(ctx, wait) {
				break
			}
			wait *= 3
		}
		limited, cancel := context.WithTimeout(ctx, sendLimit)
		sendErr := l.to.Send(limited, alerts)
		cancel()
		if sendErr == nil {
			return
		}
		if err == nil || ctx.Err() == nil { // what an answer said is worth more than that the time was over
			err = sendErr
		}
		if ctx.Err() != nil {
			break
		}
	}
	l.tell(fmt.Sprintf("alert: %s did not take %d alert(s), the first %q: %v", l.to, len(alerts), alerts[0].String(), err))
}

// sleep reports whether it slept so long.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
