package sync

import (
	"context"
	"sync/atomic"
	"time"
)

// pacer starts the step from simulated time t no earlier than t/factor of wall
// time after the start. A late run is not thinned out: it catches up by
// running as fast as it can, and reports its lag.
type pacer struct {
	clock      Clock
	factor     float64 // simulated seconds a wall second; 0: as fast as possible
	start      time.Duration
	paces      int // changes of the factor that were taken over
	lag, worst atomic.Int64
}

// wait returns when the step from t may start, or when ctx ends. The
// controller, if any, may change the pace meanwhile.
func (p *pacer) wait(ctx context.Context, t Time, c *Controller) {
	for {
		changed := p.follow(c, t)
		if p.factor == 0 {
			return
		}
		due := p.start + time.Duration(float64(t)/p.factor)
		if early := due - p.clock.Now(); early > 0 {
			select {
			case <-p.clock.After(early):
			case <-changed:
				continue
			case <-ctx.Done():
				return
			}
		}
		lag := int64(max(0, p.clock.Now()-due))
		p.lag.Store(lag)
		p.worst.Store(max(lag, p.worst.Load()))
		return
	}
}

// follow takes over a new pace, by which the step from t is due now, and
// returns a channel that closes at the controller's next change; nil without
// one.
func (p *pacer) follow(c *Controller, t Time) <-chan struct{} {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.paces != c.paces {
		p.paces, p.factor = c.paces, c.pace
		p.lag.Store(0)
		if p.factor > 0 {
			p.start = p.clock.Now() - time.Duration(float64(t)/p.factor)
		}
	}
	if p.factor == 0 {
		return nil
	}
	return c.next()
}
