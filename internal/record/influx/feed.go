package influx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"cosim/internal/record"
)

const (
	batchPoints = 5000 // in a request, as the makers of InfluxDB advise
	// mostRefused is how many points the database may refuse before a run is
	// given up: then all are likely to be refused.
	mostRefused = 100
)

// Feed sends the log of one run. The log is the queue: it holds on disk what
// the database has not taken, and memory holds one batch.
type Feed struct {
	dir    string
	run    Run
	sender *Sender

	ended    atomic.Bool // the run ended; its log is about to be closed
	pace     *pace       // nil: the run does not go on
	finished chan struct{}

	// Of the goroutine that sends.
	log     *record.Reader
	encoder *encoder

	mu      sync.Mutex
	receipt Receipt
	header  int64 // bytes of the log before the first row
	total   int64 // bytes after it that were sent
	encoded int64 // points so far
	read    int64 // bytes after it from which they are
	err     error // what ended the feed early
}

// send reads the log to its end and sends it in batches.
func (f *Feed) send(ctx context.Context) error {
	file, err := os.Open(filepath.Join(f.dir, record.LogName))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := f.writeReceipt(); err != nil {
		return err
	}
	in := &tail{ctx: ctx, file: file, over: f.over, idle: func() error { return f.flush(ctx) }, wake: f.sender.ending}
	if f.log, err = record.NewReader(in); err != nil {
		return err
	}
	f.mu.Lock()
	f.header = f.log.Ending().Bytes
	f.mu.Unlock()
	if f.encoder, err = newEncoder(f.run, f.log.Columns()); err != nil {
		return err
	}
	for {
		r, err := f.log.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if r.Kind == record.KindRow {
			f.encoder.row(r.TimeNS, r.Values)
		} else {
			f.encoder.event(&r.Event)
		}
		if len(f.encoder.ends) >= batchPoints {
			if err := f.flush(ctx); err != nil {
				return err
			}
		}
	}
	f.encoder.begin()
	return f.flush(ctx)
}

// over reports whether the log will grow no more. A run's folder gets its
// timing last, and has none before.
func (f *Feed) over() bool {
	if f.sender.over.Load() || f.pace == nil {
		return true
	}
	if !f.ended.Load() {
		return false
	}
	_, err := os.Stat(filepath.Join(f.dir, record.TimingName))
	return err == nil
}

// flush sends what is encoded.
func (f *Feed) flush(ctx context.Context) error {
	if f.encoder == nil { // the header is not read yet
		return nil
	}
	if err := f.encoder.lines.Err(); err != nil {
		return err // a mistake of this package
	}
	f.mu.Lock()
	f.encoded += int64(len(f.encoder.ends))
	f.read = f.log.Ending().Bytes - f.header
	f.mu.Unlock()
	if len(f.encoder.ends) > 0 {
		if err := f.deliver(ctx, f.encoder.lines.Bytes(), 0, f.encoder.ends); err != nil {
			return err
		}
		f.encoder.reset()
	}
	if paces := f.pace.take(f.encoder); paces != "" {
		if err := f.try(ctx, paces); err != nil && !refused(err) {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total = f.log.Ending().Bytes - f.header
	return nil
}

// deliver sends the points that begin at from and end at ends, until the
// database has taken them. What it refuses is halved until the points that it
// refuses stand alone; they are counted.
func (f *Feed) deliver(ctx context.Context, lines []byte, from int, ends []int) error {
	points := len(ends)
	text := lines[from:ends[points-1]]
	err := f.try(ctx, string(text))
	switch {
	case err == nil:
		f.mu.Lock()
		f.receipt.Points += int64(points)
		f.mu.Unlock()
		f.sender.took()
		return nil
	case !refused(err):
		return err
	case points > 1:
		half := points / 2
		if err := f.deliver(ctx, lines, from, ends[:half]); err != nil {
			return err
		}
		return f.deliver(ctx, lines, ends[half-1], ends[half:])
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.receipt.Refused++
	if f.receipt.Refused == 1 {
		f.sender.report(fmt.Sprintf("influx: %s: %s refuses a point (%v)\n  %s", f.run.Name, f.sender.database.host, err, strings.TrimSuffix(string(text), "\n")))
	}
	if f.receipt.Refused >= mostRefused {
		return fmt.Errorf("given up after %d refused points: %w", f.receipt.Refused, err)
	}
	return nil
}

// try sends lines until the database has answered that it took them, or that it
// never will.
func (f *Feed) try(ctx context.Context, lines string) error {
	return f.sender.insist(ctx, func() (bool, error) {
		err := f.sender.write(ctx, lines)
		var never unfit
		return err != nil && !refused(err) && !errors.As(err, &never), err
	})
}

// size of the log after its header, under the lock.
func (f *Feed) size() int64 {
	info, err := os.Stat(filepath.Join(f.dir, record.LogName))
	if err != nil {
		return 0
	}
	return info.Size() - f.header
}

// behind is how many bytes of the log the database has not taken yet.
func (f *Feed) behind() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return max(0, f.size()-f.total)
}

// finish writes down what was sent.
func (f *Feed) finish(err error) {
	f.mu.Lock()
	f.err = err
	if err == nil {
		f.receipt.Complete = f.log.Ending().Closed
	}
	f.mu.Unlock()
	if err := f.writeReceipt(); err != nil {
		f.mu.Lock()
		f.err = errors.Join(f.err, err)
		f.mu.Unlock()
	}
	close(f.finished)
}

func (f *Feed) writeReceipt() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.receipt.write(f.dir)
}
