package record

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// ErrNoHeader says that a log was cut off before it had any content.
var ErrNoHeader = errors.New("has no whole header")

// frameReader reads the records of a log one after another and stops at the
// first that is not whole.
type frameReader struct {
	in     *bufio.Reader
	body   []byte
	offset int64  // in the file, behind the last whole record
	before int64  // in the file, of the last whole record
	torn   string // why it stopped before the end of the file
	done   bool
}

// open reads the first bytes, which say what kind of log it is, and the header.
func (r *frameReader) open(in io.Reader, name, magic string) (header []byte, err error) {
	r.in = bufio.NewReaderSize(in, bufferBytes)
	start := make([]byte, len(magic))
	switch _, err := io.ReadFull(r.in, start); {
	case cutOff(err):
		return nil, fmt.Errorf("record: not a %s: it %w", name, ErrNoHeader)
	case err != nil:
		return nil, fmt.Errorf("record: %w", err)
	case string(start) != magic:
		return nil, fmt.Errorf("record: not a %s: it does not begin with %s", name, magic)
	}
	r.offset = int64(len(magic))
	kind, content, err := r.next()
	if err != nil && err != io.EOF {
		return nil, err
	}
	if err == io.EOF || kind != kindHeader {
		return nil, fmt.Errorf("record: %s %w", name, ErrNoHeader)
	}
	return content, nil
}

// next returns a record, or io.EOF at the end of the file and at damage.
func (r *frameReader) next() (kind Kind, content []byte, err error) {
	if r.done {
		return 0, nil, io.EOF
	}
	kind, content, err = r.nextBody()
	if err != nil {
		return 0, nil, fmt.Errorf("record: %w", err)
	}
	if r.done {
		return 0, nil, io.EOF
	}
	return kind, content, nil
}

// end is called at the end record, which is the last.
func (r *frameReader) end() {
	r.done = true
	if _, err := r.in.ReadByte(); err == nil {
		r.stop("more follows the end record")
	}
}

// refuse takes the last record for damage.
func (r *frameReader) refuse(reason string) {
	r.offset = r.before
	r.stop(reason)
}

func (r *frameReader) stop(reason string) {
	r.done = true
	r.torn = reason
}

// nextBody reads one frame. At the end of the file and at damage it stops the
// reader.
func (r *frameReader) nextBody() (kind Kind, content []byte, err error) {
	var frame [frameBytes]byte
	if err := r.readFull(frame[:]); err != nil {
		if err == io.EOF {
			r.done = true
			return 0, nil, nil
		}
		return 0, nil, r.stopIfCut(err)
	}
	length := binary.LittleEndian.Uint32(frame[:])
	if length == 0 || length > maxBodyBytes {
		r.stop(fmt.Sprintf("record claims a length of %d bytes", length))
		return 0, nil, nil
	}
	if err := r.readBody(int(length)); err != nil {
		return 0, nil, r.stopIfCut(err)
	}
	if crc32.Checksum(r.body, castagnoli) != binary.LittleEndian.Uint32(frame[4:]) {
		r.stop("checksum does not match")
		return 0, nil, nil
	}
	r.before, r.offset = r.offset, r.offset+frameBytes+int64(length)
	return Kind(r.body[0]), r.body[1:], nil
}

// readFull reads all of b; a reader's method, so that b stays off the heap.
func (r *frameReader) readFull(b []byte) error {
	for i := range b {
		c, err := r.in.ReadByte()
		if err == io.EOF && i > 0 {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		b[i] = c
	}
	return nil
}

// readBody reads length bytes into r.body, whose memory grows only as bytes
// really come: a damaged length must not allocate what is not there.
func (r *frameReader) readBody(length int) error {
	r.body = r.body[:0]
	for len(r.body) < length {
		have := len(r.body)
		if cap(r.body) == have {
			r.body = append(r.body, make([]byte, max(4096, have))...)
		}
		r.body = r.body[:min(length, cap(r.body))]
		if _, err := io.ReadFull(r.in, r.body[have:]); err != nil {
			return err
		}
	}
	return nil
}

func (r *frameReader) stopIfCut(err error) error {
	if !cutOff(err) {
		return err
	}
	r.stop("last record is cut off")
	return nil
}

func cutOff(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

// frameWriter appends records to a log.
type frameWriter struct {
	out       *bufio.Writer
	now       func() time.Time
	lastFlush time.Time
	frame     []byte // memory of the record being encoded
}

func newFrameWriter(w io.Writer, now func() time.Time) frameWriter {
	return frameWriter{out: bufio.NewWriterSize(w, bufferBytes), now: now, lastFlush: now()}
}

// write appends the frame and flushes if a second has gone by. After an error
// every further call fails with the same one.
func (w *frameWriter) write() error {
	if body := len(w.frame) - frameBytes; body > maxBodyBytes {
		return fmt.Errorf("record: record of %d bytes, limit %d", body, maxBodyBytes)
	}
	endFrame(w.frame)
	if _, err := w.out.Write(w.frame); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if now := w.now(); now.Sub(w.lastFlush) >= flushEvery {
		w.lastFlush = now
		return w.flush()
	}
	return nil
}

func (w *frameWriter) flush() error {
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}
