package influx

import (
	"context"
	"io"
	"os"
	"time"
)

// pollEvery is how often a log that goes on is looked at. It is written once a
// second of wall time.
const pollEvery = 200 * time.Millisecond

// tail reads a file that grows.
type tail struct {
	ctx  context.Context
	file *os.File
	over func() bool     // nothing more will be written
	idle func() error    // before each wait
	wake <-chan struct{} // closed when over is true for good
}

// Read returns io.EOF only when nothing more will be written.
func (t *tail) Read(p []byte) (int, error) {
	for {
		over := t.over()
		n, err := t.file.Read(p)
		if n > 0 || err != io.EOF || over {
			return n, err
		}
		if err := t.idle(); err != nil {
			return 0, err
		}
		select {
		case <-time.After(pollEvery):
		case <-t.wake:
		case <-t.ctx.Done():
			return 0, t.ctx.Err()
		}
	}
}
