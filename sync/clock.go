package sync

import "time"

// Clock is the wall clock, apart from the rest so that tests can bring their
// own. It serves pacing, stall reports and timings, never results.
type Clock interface {
	// Now returns the wall time passed since a fixed moment.
	Now() time.Duration
	// After returns a channel that receives once d has passed.
	After(d time.Duration) <-chan time.Time
}

// wallClock reads the monotonic clock alone, half the price of time.Now.
type wallClock struct{ start time.Time }

func (c wallClock) Now() time.Duration                     { return time.Since(c.start) }
func (c wallClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
