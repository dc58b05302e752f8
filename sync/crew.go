package sync

import (
	"sync"
	"sync/atomic"
	"time"
)

// worthHelp is the wall time that calling federates in parallel must be
// expected to save before a helper is woken, which itself costs some ten
// microseconds.
const worthHelp = 30 * time.Microsecond

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
	idle      sync.WaitGroup

	batch []*member
	taken atomic.Int64
}

// start brings up n helpers.
func (c *crew) start(n int) {
	c.helpers = n
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
	}
	return nil
}

func (c *crew) inParallel(batch []*member, helpers int) error {
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
	return nil
}

// helpersFor decides from the usual costs how many helpers to wake.
func (c *crew) helpersFor(batch []*member) int {
	if c.helpers == 0 || len(batch) < 2 {
		return 0
	}
	var total, longest time.Duration
	for _, f := range batch {
		total += f.usual
		longest = max(longest, f.usual)
	}
	helpers := min(c.helpers, len(batch)-1)
	if saved := total - max(longest, total/time.Duration(helpers+1)); saved < worthHelp {
		return 0
	}
	return helpers
}
