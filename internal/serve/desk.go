package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	cosync "cosim/sync"
)

// What a desk may answer.
var (
	errBusy = errors.New("serve: too many requests wait for the next step")
	errOver = errors.New("serve: the run has ended")
	errHeld = errors.New("serve: the run is held or busy, its next step did not come in time")
)

// deskRoom is how many jobs may wait for a step.
const deskRoom = 4096

// desk is an observer that does jobs of other goroutines between two steps,
// when no federate acts.
type desk struct {
	mu      sync.Mutex
	waiting []*job
	over    bool
	ended   chan struct{} // closed with over
}

func newDesk() *desk { return &desk{ended: make(chan struct{})} }

// job is something to be done with the federates; its time is the start of the
// step to come.
type job struct {
	do   func(now cosync.Time)
	done chan struct{} // closed when it was done; nil when nobody waits
}

// post leaves a job for the next step.
func (d *desk) post(do func(now cosync.Time)) error {
	_, err := d.put(&job{do: do})
	return err
}

func (d *desk) put(j *job) (*job, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.over:
		return nil, errOver
	case len(d.waiting) >= deskRoom:
		return nil, errBusy
	}
	d.waiting = append(d.waiting, j)
	return j, nil
}

// do does a job at the next step and returns when it is done. A job that was
// not begun when ctx ended will not be.
func (d *desk) do(ctx context.Context, do func(now cosync.Time)) error {
	j, err := d.put(&job{do: do, done: make(chan struct{})})
	if err != nil {
		return err
	}
	select {
	case <-j.done:
		return nil
	case <-d.ended:
	case <-ctx.Done():
		if d.withdraw(j) {
			return fmt.Errorf("%w (%w)", errHeld, ctx.Err())
		}
	}
	select { // it is being done, or never will be
	case <-j.done:
		return nil
	case <-d.ended:
	}
	select {
	case <-j.done:
		return nil
	default:
		return errOver
	}
}

// withdraw takes back a job that was not begun.
func (d *desk) withdraw(j *job) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.Index(d.waiting, j)
	if i >= 0 {
		d.waiting = slices.Delete(d.waiting, i, i+1)
	}
	return i >= 0
}

// Begin implements sync.Observer.
func (d *desk) Begin(f *cosync.Frame) error { return d.Observe(f) }

// Observe implements sync.Observer. After the last step nothing is done.
func (d *desk) Observe(f *cosync.Frame) error {
	d.mu.Lock()
	jobs := d.waiting
	d.waiting = nil
	if f.To >= f.Stop {
		d.close()
		jobs = nil
	}
	d.mu.Unlock()
	for _, j := range jobs {
		j.do(f.To)
		if j.done != nil {
			close(j.done)
		}
	}
	return nil
}

// End implements sync.Observer.
func (d *desk) End(error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.close()
	return nil
}

// close ends the desk; mu is held.
func (d *desk) close() {
	if !d.over {
		d.over, d.waiting = true, nil
		close(d.ended)
	}
}
