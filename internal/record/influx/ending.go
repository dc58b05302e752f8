package influx

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits of waiting at the end.
type Limits struct {
	Total  time.Duration // in all
	Silent time.Duration // for a database that took points and takes none any more
	// Unheard is for a database that has taken none at all; 0 means Silent.
	Unheard time.Duration
}

// Undelivered is a run of which the database lacks something.
type Undelivered struct {
	Dir string
	Err error
}

// Finish is called when no run goes on any more. It waits until everything is
// sent, but no longer than the limits allow or ctx goes on, calls progress
// every now and then, and returns the runs that are not in the database as a
// whole, with all that was sent written down in their folders. A request that
// is under way then is abandoned and its points do not count as sent.
func (s *Sender) Finish(ctx context.Context, limits Limits, progress func(Status)) []Undelivered {
	s.over.Store(true)
	close(s.ending)
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	reason := s.wait(ctx, done, limits, progress)
	s.stop()
	<-done
	s.aside.Wait()
	s.database.Close()
	var left []Undelivered
	for _, f := range s.feeds {
		switch {
		case f.err == nil && f.receipt.Refused > 0:
			left = append(left, Undelivered{f.dir, fmt.Errorf("it refused %d of the points", f.receipt.Refused)})
		case errors.Is(f.err, context.Canceled) && reason != nil:
			left = append(left, Undelivered{f.dir, reason})
		case f.err != nil:
			left = append(left, Undelivered{f.dir, f.err})
		}
	}
	return left
}

// lookEvery is how often it is looked whether the time is over.
const lookEvery = 50 * time.Millisecond

// wait returns why it did not wait until done.
func (s *Sender) wait(ctx context.Context, done <-chan struct{}, limits Limits, progress func(Status)) error {
	if limits.Unheard == 0 {
		limits.Unheard = limits.Silent
	}
	began := time.Now()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := s.enough(began, limits); err != nil {
			return err
		}
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-s.noted:
		case <-tick.C:
			progress(s.Status())
		}
	}
}

// enough says why the database is waited for no longer, or nil. Of one that is
// away all the time counts since it is, also before the end; one more attempt is
// waited for, since that may be the good one.
func (s *Sender) enough(began time.Time, limits Limits) error {
	s.mu.Lock()
	c := s.state
	s.mu.Unlock()
	patience, since := limits.Unheard, began
	if c.taken || c.ready && c.trouble == nil {
		patience = limits.Silent
	}
	if c.trouble != nil {
		since = c.since
	} else if c.lastGood.After(began) {
		since = c.lastGood
	}
	waited := time.Since(began)
	tried := c.trouble == nil || c.failed.After(began) || waited >= limits.Unheard
	switch {
	case waited < limits.Total && (time.Since(since) < patience || !tried):
		return nil
	case c.trouble != nil:
		return c.trouble
	case !c.ready:
		return errors.New("no answer")
	case waited >= limits.Total:
		return fmt.Errorf("not all was taken within %v", limits.Total)
	}
	return fmt.Errorf("it took nothing for %v", patience)
}
