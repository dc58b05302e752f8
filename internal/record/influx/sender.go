package influx

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

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

	ctx      context.Context
	stop     context.CancelFunc
	reading  chan struct{}
	writing  chan struct{}
	prepared chan struct{} // closed when it is known whether the database can be written to
	never    error         // then: an unfit, or nil
	noted    chan struct{} // hears that an attempt was made
	ending   chan struct{} // closed when no run goes on any more
	over     atomic.Bool   // so is this true
	work     sync.WaitGroup
	aside    sync.WaitGroup // what prepares

	mu    sync.Mutex
	feeds []*Feed
	state connection
}

// NewSender makes a sender, which looks at once whether the database can be
// written to, and reports why it cannot. It is ended with Finish.
func NewSender(d *Database, report func(string)) *Sender {
	s := &Sender{
		database: d, report: report, state: connection{lastGood: time.Now()},
		reading: make(chan struct{}, readAtOnce), writing: make(chan struct{}, writeAtOnce),
		prepared: make(chan struct{}), ending: make(chan struct{}), noted: make(chan struct{}, 1),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.aside.Go(s.prepare)
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

// Status is how far a sender has got.
type Status struct {
	Runs, Finished int
	Points         int64 // that the database has taken
	WaitingPoints  int64 // that it has not, about; 0 if none was encoded yet
	SentBytes      int64 // of the logs
	TotalBytes     int64
	Away           bool // the database does not take points
	SilentFor      time.Duration
}

// Status may be asked at any time.
func (s *Sender) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Runs: len(s.feeds), Away: s.state.trouble != nil, SilentFor: time.Since(s.state.lastGood)}
	var encoded, read int64
	for _, f := range s.feeds {
		f.mu.Lock()
		st.Points += f.receipt.Points
		st.SentBytes += f.total
		st.TotalBytes += f.size()
		encoded, read = encoded+f.encoded, read+f.read
		f.mu.Unlock()
		select {
		case <-f.finished:
			st.Finished++
		default:
		}
	}
	if left := st.TotalBytes - st.SentBytes; left > 0 && read > 0 {
		st.WaitingPoints = int64(float64(encoded) / float64(read) * float64(left))
	}
	return st
}

// Waiting says how many points wait: "about 391,000 points", or only "points".
func (s Status) Waiting() string {
	if s.WaitingPoints == 0 {
		return "points"
	}
	step := int64(1)
	for s.WaitingPoints/step >= 1000 {
		step *= 10
	}
	digits := strconv.FormatInt((s.WaitingPoints+step/2)/step*step, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return "about " + digits + " points"
}

// Receipts are those of all runs, after Finish.
func (s *Sender) Receipts() []Receipt {
	var all []Receipt
	for _, f := range s.feeds {
		all = append(all, f.receipt)
	}
	return all
}
