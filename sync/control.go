package sync

import (
	"context"
	"sync"
)

// Controller pauses, steps and resumes a run from another goroutine. The zero
// value lets the run go. A run is held between steps of the master, never
// within one, so that holding it changes no result.
type Controller struct {
	mu      sync.Mutex
	paused  bool
	steps   int           // still allowed while paused
	changed chan struct{} // closed at the next change; nil when nobody waits
}

// Pause holds the run before its next step.
func (c *Controller) Pause() { c.set(true, 0) }

// Resume lets a held run go on.
func (c *Controller) Resume() { c.set(false, 0) }

// StepOnce lets one more step pass and holds the run after it.
func (c *Controller) StepOnce() { c.set(true, 1) }

// Paused reports whether the run is, or is about to be, held.
func (c *Controller) Paused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused
}

func (c *Controller) set(paused bool, steps int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = paused
	if steps == 0 {
		c.steps = 0
	}
	c.steps += steps
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// pass takes leave for one step. When the run is held it returns a channel
// that closes at the next change.
func (c *Controller) pass() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.paused {
		return nil
	}
	if c.steps > 0 {
		c.steps--
		return nil
	}
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
}

// wait returns when the next step may pass, or when ctx ends.
func (c *Controller) wait(ctx context.Context) {
	for held := c.pass(); held != nil; held = c.pass() {
		select {
		case <-held:
		case <-ctx.Done():
			return
		}
	}
}
