package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// DifferenceError says that a log, written again from its start, came to differ
// from what stands in its file.
type DifferenceError struct {
	Path string
	At   int64 // byte in the file
}

// Error returns "record: runs/S-2-1/run.log: ...".
func (e *DifferenceError) Error() string {
	return fmt.Sprintf("record: %s: what is made now differs from what stands there, from byte %d on", e.Path, e.At)
}

// continuation writes a log again from its start: what stands in the file
// already must be the same, byte for byte, and is left alone; what comes behind
// is appended. A process that is killed on the way leaves a log that is no
// shorter than it was.
type continuation struct {
	file  *os.File
	at    int64 // how much was written
	whole int64 // bytes of the file that count: whole records, but for the end
	cut   bool  // what does not count is gone from the file
	there []byte
}

// continueFile opens a log to be written again, and holds it against other
// processes. One that does not exist, or has no whole header, begins anew.
func continueFile(path, magic string) (*continuation, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	c := &continuation{file: file}
	if err := Lock(file); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is being written by another process", path), err, file.Close())
	}
	if c.whole, err = wholeBytes(file, magic); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return c, nil
}

// wholeBytes is the length of a log up to its end record or to the last record
// that is whole.
func wholeBytes(file *os.File, magic string) (int64, error) {
	var r frameReader
	if _, err := r.open(io.NewSectionReader(file, 0, 1<<62), filepath.Base(file.Name()), magic); err != nil {
		var system *fs.PathError
		if errors.As(err, &system) {
			return 0, err
		}
		return 0, nil
	}
	for {
		switch kind, _, err := r.next(); {
		case err == io.EOF:
			return r.offset, nil
		case err != nil:
			return 0, err
		case kind == kindEnd:
			return r.before, nil
		}
	}
}

// Write implements io.Writer.
func (c *continuation) Write(p []byte) (int, error) {
	known := int(min(int64(len(p)), max(0, c.whole-c.at)))
	if known > 0 {
		c.there = append(c.there[:0], p[:known]...) // of that length
		if _, err := c.file.ReadAt(c.there, c.at); err != nil {
			return 0, err
		}
		if !bytes.Equal(c.there, p[:known]) {
			at := c.at
			for i := range c.there {
				if c.there[i] != p[i] {
					at += int64(i)
					break
				}
			}
			return 0, &DifferenceError{c.file.Name(), at}
		}
		c.at += int64(known)
	}
	if known == len(p) {
		return known, nil
	}
	if err := c.truncate(); err != nil {
		return known, err
	}
	n, err := c.file.WriteAt(p[known:], c.at)
	c.at += int64(n)
	return known + n, err
}

// truncate removes what does not count, once.
func (c *continuation) truncate() error {
	if c.cut {
		return nil
	}
	c.cut = true
	return c.file.Truncate(c.whole)
}

// createFile makes an empty log and holds it against other processes.
func createFile(path string) (*os.File, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := Lock(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// behind reports whether what stands in the file goes on where writing ended:
// then it has no end to get.
func (c *continuation) behind() bool { return c != nil && c.at < c.whole }
