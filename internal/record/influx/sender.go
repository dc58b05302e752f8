package influx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"cosim/internal/record"
	cosync "cosim/sync"
)

const (
	readAtOnce  = 8 // logs; each costs the memory of a batch
	writeAtOnce = 2 // requests
)

// Sender delivers the logs of runs to one database, in the background. Nothing
// that it does, or that the database does not do, holds up a run.
type Sender struct {
	database *Database
	report   func(string) // hears what a person should know; for concurrent use

	ctx     context.Context
	stop    context.CancelFunc
	reading chan struct{}
	writing chan struct{}
	over    atomic.Bool // no run goes on any more
	work    sync.WaitGroup

	mu       sync.Mutex
	feeds    []*Feed
	away     bool
	lastGood time.Time // the database has answered
}

// NewSender makes a sender. It is ended with Finish.
func NewSender(d *Database, report func(string)) *Sender {
	s := &Sender{
		database: d, report: report, lastGood: time.Now(),
		reading: make(chan struct{}, readAtOnce), writing: make(chan struct{}, writeAtOnce),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Watch returns an observer of a run that is recorded in dir, and that is sent
// from its start on.
func (s *Sender) Watch(dir string, run Run) cosync.Observer {
	f := s.feed(dir, run)
	f.pace = &pace{feed: f, now: time.Now}
	return f.pace
}

// Send sends what the log in dir holds now.
func (s *Sender) Send(dir string, run Run) { s.feed(dir, run).start() }

func (s *Sender) feed(dir string, run Run) *Feed {
	return &Feed{
		dir: dir, run: run, sender: s, finished: make(chan struct{}),
		receipt: Receipt{Run: run.Tag(), Epoch: run.Epoch, URL: s.database.target.URL, Bucket: s.database.target.Bucket},
	}
}

func (f *Feed) start() {
	s := f.sender
	s.mu.Lock()
	s.feeds = append(s.feeds, f)
	s.mu.Unlock()
	s.work.Go(func() {
		select {
		case s.reading <- struct{}{}:
			defer func() { <-s.reading }()
			f.finish(f.send(s.ctx))
		case <-s.ctx.Done():
			f.finish(s.ctx.Err())
		}
	})
}

// write sends lines in their turn.
func (s *Sender) write(ctx context.Context, lines string) error {
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
		return s.database.write(ctx, lines)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// note tells when the database goes away and when it comes back.
func (s *Sender) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && !s.away:
		s.report(fmt.Sprintf("influx: the database does not take points (%v); they are kept and tried again", err))
	case err == nil && s.away:
		s.report("influx: the database takes points again")
	}
	s.away = err != nil
	if err == nil {
		s.lastGood = time.Now()
	}
}

// Status is how far a sender has got.
type Status struct {
	Runs, Finished int
	Points         int64 // that the database has taken
	SentBytes      int64 // of the logs
	TotalBytes     int64
	Away           bool // the database does not take points
	SilentFor      time.Duration
}

// Status may be asked at any time.
func (s *Sender) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Runs: len(s.feeds), Away: s.away, SilentFor: time.Since(s.lastGood)}
	for _, f := range s.feeds {
		f.mu.Lock()
		st.Points += f.receipt.Points
		st.SentBytes += f.total
		f.mu.Unlock()
		st.TotalBytes += f.size()
		select {
		case <-f.finished:
			st.Finished++
		default:
		}
	}
	return st
}

func (f *Feed) size() int64 {
	info, err := os.Stat(filepath.Join(f.dir, record.LogName))
	if err != nil {
		return 0
	}
	return info.Size()
}

// behind is how many bytes of the log the database has not taken yet.
func (f *Feed) behind() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return max(0, f.size()-f.total)
}

// Limits of waiting at the end.
type Limits struct {
	Total  time.Duration // in all
	Silent time.Duration // for a database that takes nothing
}

// Undelivered is a run of which the database lacks something.
type Undelivered struct {
	Dir string
	Err error
}

// Finish is called when no run goes on any more. It waits until everything is
// sent, but no longer than the limits allow or ctx goes on, calls progress
// every now and then, and returns the runs that are not in the database as a
// whole, with all that was sent written down in their folders.
func (s *Sender) Finish(ctx context.Context, limits Limits, progress func(Status)) []Undelivered {
	s.over.Store(true)
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	if err := s.wait(ctx, done, limits, progress); err != nil {
		s.mu.Lock()
		for _, f := range s.feeds {
			f.mu.Lock()
			if f.trouble == nil {
				f.trouble = err
			}
			f.mu.Unlock()
		}
		s.mu.Unlock()
	}
	s.stop()
	<-done
	s.database.Close()
	var left []Undelivered
	for _, f := range s.feeds {
		switch {
		case f.err == nil && f.receipt.Refused > 0:
			left = append(left, Undelivered{f.dir, fmt.Errorf("it refused %d of the points", f.receipt.Refused)})
		case errors.Is(f.err, context.Canceled) && f.trouble != nil:
			left = append(left, Undelivered{f.dir, f.trouble})
		case f.err != nil:
			left = append(left, Undelivered{f.dir, f.err})
		}
	}
	return left
}

// wait returns why it did not wait until done.
func (s *Sender) wait(ctx context.Context, done <-chan struct{}, limits Limits, progress func(Status)) error {
	began := time.Now()
	s.mu.Lock()
	s.lastGood = began // patience begins anew
	s.mu.Unlock()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		st := s.Status()
		progress(st)
		switch waited := time.Since(began); {
		case waited >= limits.Total:
			return fmt.Errorf("not all was taken within %v", limits.Total)
		case st.SilentFor >= limits.Silent:
			return fmt.Errorf("the database took nothing for %v", limits.Silent)
		}
	}
}

// Receipts are those of all runs, after Finish.
func (s *Sender) Receipts() []Receipt {
	var all []Receipt
	for _, f := range s.feeds {
		all = append(all, f.receipt)
	}
	return all
}
