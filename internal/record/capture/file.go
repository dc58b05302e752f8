package capture

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// flushEvery is how long packets wait to be handed to the operating system.
const flushEvery = time.Second

// File is a capture in a file.
type File struct {
	*Writer
	file      *os.File
	lastFlush time.Time
}

// Create makes a capture. With again, one that stands there is written again
// from its start, with the same bytes, and stays as long as it is until Close.
func Create(path, application string, names []Name, again bool) (*File, error) {
	flags := os.O_WRONLY | os.O_CREATE
	if !again {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	return &File{Writer: NewWriter(file, application, names), file: file, lastFlush: time.Now()}, nil
}

// Pace hands what was written to the operating system once a second.
func (f *File) Pace() error {
	now := time.Now()
	if now.Sub(f.lastFlush) < flushEvery {
		return nil
	}
	f.lastFlush = now
	return f.Flush()
}

// Close ends the capture. One that is whole ends here; what stands behind one
// that is not, from an earlier writing, stays.
func (f *File) Close(whole bool) error {
	err := f.Flush()
	if err == nil && whole {
		if at, seekErr := f.file.Seek(0, 1); seekErr != nil {
			err = seekErr
		} else {
			err = f.file.Truncate(at)
		}
	}
	if err = errors.Join(err, f.file.Close()); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	return nil
}
