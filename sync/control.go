package sync

import (
	"context"
	"fmt"
	"sync"
)

// Controller pauses, steps and resumes a run from another goroutine, and sets
// its pace. The zero value lets the run go, at the pace of its Options. A run is held between steps of the master, never
// within one, so that holding it changes no result.
type Controller struct {
	mu      sync.Mutex
	paused  bool
	steps   int           // still allowed while paused
	pace    float64       // simulated seconds a wall second; 0: as fast as possible
	paces   int           // how often the pace was set; 0: it is that of the Options
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
	c.tell()
}

// SetPace makes the run simulate so many seconds in a second of wall time from
// now on; 0 for as fast as possible. A lag is forgotten.
func (c *Controller) SetPace(realTime float64) error {
	if !validPace(realTime) {
		return fmt.Errorf("sync: a pace of %v simulated seconds a second, expected 0 to below 1e9", realTime)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pace = realTime
	c.paces++
	c.tell()
	return nil
}

func validPace(realTime float64) bool { return realTime >= 0 && realTime < 1e9 }

// tell wakes those who wait for a change; mu is held.
func (c *Controller) tell() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// next returns a channel that closes at the next change; mu is held.
func (c *Controller) next() <-chan struct{} {
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
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
	return c.next()
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
