package influx

import (
	"context"
	"fmt"
	"time"
)

// connection is what is known of the database. Of the sender, under its lock.
type connection struct {
	ready    bool      // it was found fit to be written to
	taken    bool      // it has taken points
	trouble  error     // why it does not now; nil if it does, or nothing is known
	since    time.Time // when the trouble began
	failed   time.Time // the last attempt
	lastGood time.Time // its last good answer, or the sender's start
}

// unfit says why the database can never be written to as things are set.
type unfit struct{ error }

// prepare finds out whether the database can be written to, beside the runs,
// which do not wait for it.
func (s *Sender) prepare() {
	err := s.insist(s.ctx, func() (bool, error) {
		err := s.database.Prepare(s.ctx)
		return Away(err), err
	})
	if err != nil && s.ctx.Err() == nil {
		s.never = unfit{fmt.Errorf("it %w", err)}
		s.report(fmt.Sprintf("influx: %s %v; nothing is sent", s.database.host, err))
	}
	close(s.prepared)
}

// write sends lines in their turn, when the database is prepared.
func (s *Sender) write(ctx context.Context, lines string) error {
	select {
	case <-s.prepared:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.never != nil {
		return s.never
	}
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
		return s.database.write(ctx, lines)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Waits between two attempts.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 10 * time.Second
)

// insist makes attempts until one succeeds or fails for good. When the last run
// ends the next one is made at once.
func (s *Sender) insist(ctx context.Context, attempt func() (again bool, err error)) error {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		again, err := attempt()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !again {
			if err == nil || refused(err) {
				s.note(nil)
			}
			return err
		}
		s.note(err)
		hurry := s.ending
		if s.over.Load() {
			hurry = nil // closed, or about to be
		}
		select {
		case <-time.After(max(wait, min(retryAfter(err), time.Minute))):
		case <-hurry:
			wait = firstWait / 2
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// note keeps what is wrong with the database, and tells when that changes.
func (s *Sender) note(err error) {
	var waiting string
	if err != nil {
		waiting = s.Status().Waiting()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, now := &s.state, time.Now()
	switch {
	case err != nil && c.trouble == nil:
		c.since = now
		s.report(fmt.Sprintf("influx: %s does not take points (%v); %s wait in the log and are tried again", s.database.host, err, waiting))
	case err == nil && c.trouble != nil:
		s.report(fmt.Sprintf("influx: %s takes points again", s.database.host))
	}
	c.trouble = err
	if err != nil {
		c.failed = now
	} else {
		c.ready, c.lastGood = true, now
	}
	select {
	case s.noted <- struct{}{}:
	default: // a word is waiting already
	}
}

// took notes that points were taken.
func (s *Sender) took() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.taken = true
}
