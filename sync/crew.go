package sync

import (
	"sync"
	"sync/atomic"
	"time"
)

// What it costs to act in parallel, from ten to more than a hundred
// microseconds by machine and load, is measured as the run goes.
const (
	firstOverhead = 30 * time.Microsecond
	leastSaving   = 10 * time.Microsecond // for less a helper is never woken
	refresh       = 64                    // one in so many parallel steps is made in turn, to see what it costs now
)

// crew calls the federates of one level: in turn when they are cheap, spread
// over persistent helper goroutines when they are costly. Federates of one
// level read nothing that another of them writes in the same step, so the
// choice shows in wall time only.
type crew struct {
	clock     Clock
	abandoned chan struct{} // closed when the run ends without waiting
	wake      chan struct{} // one token for each helper that is to join in
	done      chan struct{} // one token for each helper that has finished
	helpers   int
	overhead  time.Duration // running mean of the time in parallel beyond the least possible
	parallel  int64         // steps that were worth making in parallel
	idle      sync.WaitGroup

	batch []*member
	taken atomic.Int64
}

// start brings up n helpers.
func (c *crew) start(n int) {
	c.helpers, c.overhead = n, firstOverhead
	c.wake = make(chan struct{}, n)
	c.done = make(chan struct{}, n)
	for range n {
		c.idle.Go(c.help)
	}
}

// stop sends the helpers home; idle.Wait waits for them.
func (c *crew) stop() { close(c.wake) }

func (c *crew) help() {
	for range c.wake {
		c.share()
	}
}

// share works on the batch and reports, even if a federate ends the goroutine.
func (c *crew) share() {
	defer func() { c.done <- struct{}{} }()
	c.work()
}

func (c *crew) work() {
	for i := c.taken.Add(1) - 1; i < int64(len(c.batch)); i = c.taken.Add(1) - 1 {
		c.batch[i].call((*member).advance, c.clock, c.clock.Now())
	}
}

// step calls Step of all in the batch and returns once every call has
// returned. In turn, it stops at the first error.
func (c *crew) step(batch []*member) error {
	if n := c.helpersFor(batch); n > 0 {
		return c.inParallel(batch, n)
	}
	now := c.clock.Now()
	for _, f := range batch {
		now = f.call((*member).advance, c.clock, now)
		if f.err != nil {
			break
		}
		f.settle()
	}
	return nil
}

func (c *crew) inParallel(batch []*member, helpers int) error {
	begun := c.clock.Now()
	c.batch = batch
	c.taken.Store(0)
	for range helpers {
		c.wake <- struct{}{}
	}
	c.work()
	for range helpers {
		select {
		case <-c.done:
		case <-c.abandoned:
			return errAbandoned
		}
	}
	var s span
	for _, f := range batch {
		s.add(f.usual)
	}
	c.overhead += (c.clock.Now() - begun - s.shared(helpers) - c.overhead) / 8
	return nil
}

// helpersFor decides from the usual costs how many helpers to wake. The
// overhead fades while it forbids, so that it is measured again now and then.
func (c *crew) helpersFor(batch []*member) int {
	if c.helpers == 0 || len(batch) < 2 {
		return 0
	}
	var s span
	for _, f := range batch {
		if f.asker == nil { // to wait for an answer is no work to share
			s.add(f.usual)
		}
	}
	helpers := min(c.helpers, len(batch)-1)
	saving := s.total - s.shared(helpers)
	if saving < leastSaving {
		return 0
	}
	if saving < c.overhead {
		c.overhead -= c.overhead / 1024
		return 0
	}
	if c.parallel++; c.parallel%refresh == 0 {
		return 0
	}
	return helpers
}

// span sums up the costs of a batch.
type span struct{ total, longest time.Duration }

func (s *span) add(cost time.Duration) {
	s.total += cost
	s.longest = max(s.longest, cost)
}

// shared is the least time that the batch can take with helpers.
func (s *span) shared(helpers int) time.Duration {
	return max(s.longest, s.total/time.Duration(helpers+1))
}
