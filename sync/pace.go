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
	lag, worst atomic.Int64
}

// wait returns when the step from t may start, or when ctx ends.
func (p *pacer) wait(ctx context.Context, t Time) {
	if p.factor == 0 {
		return
	}
	due := p.start + time.Duration(float64(t)/p.factor)
	if early := due - p.clock.Now(); early > 0 {
		select {
		case <-p.clock.After(early):
		case <-ctx.Done():
			return
		}
	}
	lag := int64(max(0, p.clock.Now()-due))
	p.lag.Store(lag)
	p.worst.Store(max(lag, p.worst.Load()))
}
