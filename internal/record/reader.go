package record

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Record is a series row or an event.
type Record struct {
	Kind   Kind
	TimeNS int64
	Values []float64 // of a row; overwritten by the next one
	Event  Event     // of an event
}

// Ending says how a log ends and how much of it could be read.
type Ending struct {
	Closed bool // the writer closed the log: the run was neither killed nor is it still going on
	Failed bool // the run ended with an error; known of closed logs only
	// Torn says why reading stopped before the end of the file; empty if it did not.
	Torn   string
	Rows   int64
	Events int64
	LastNS int64 // simulated time of the latest record
	Bytes  int64 // length of the file up to the last whole record
}

// String tells a person what was read, in one line.
func (e Ending) String() string {
	state := "closed"
	switch {
	case e.Torn != "":
		state = fmt.Sprintf("torn at byte %d: %s", e.Bytes, e.Torn)
	case !e.Closed:
		state = "not closed: the run was killed or goes on"
	case e.Failed:
		state = "closed after a failure"
	}
	return fmt.Sprintf("%d rows and %d events up to %v (%s)", e.Rows, e.Events, time.Duration(e.LastNS), state)
}

// Reader reads a run.log from its start, one record at a time, in constant
// memory.
type Reader struct {
	in      *bufio.Reader
	closer  io.Closer
	columns []Column
	body    []byte
	record  Record
	values  []float64
	words   interned
	ending  Ending
	done    bool
}

// Open opens the run.log of a run's folder. The caller closes the reader.
func Open(runDir string) (*Reader, error) {
	path := filepath.Join(runDir, LogName)
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	r, err := NewReader(file)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	r.closer = file
	return r, nil
}

// NewReader reads the header of a log. It fails if there is no whole header,
// or one of another format.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, bufferBytes), words: interned{}}
	start := make([]byte, len(magic))
	if _, err := io.ReadFull(r.in, start); err != nil && !cutOff(err) {
		return nil, fmt.Errorf("record: %w", err)
	}
	if string(start) != magic {
		return nil, errors.New("record: not a run.log: it does not begin with " + magic)
	}
	r.ending.Bytes = int64(len(magic))
	kind, content, err := r.nextBody()
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if r.ending.Torn != "" || kind != kindHeader {
		return nil, errors.New("record: run.log has no whole header")
	}
	if r.columns, err = decodeHeader(content); err != nil {
		return nil, err
	}
	r.values = make([]float64, len(r.columns))
	return r, nil
}

// Columns describes the values of each row.
func (r *Reader) Columns() []Column { return r.columns }

// Next returns the next row or event. It belongs to the reader and is valid
// until the following call. At the end of the log, and at the first record
// that is not whole, Next returns io.EOF, and Ending tells which it was. Any
// other error is one of reading the file.
func (r *Reader) Next() (*Record, error) {
	if r.done {
		return nil, io.EOF
	}
	before := r.ending.Bytes
	kind, content, err := r.nextBody()
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if r.done {
		return nil, io.EOF
	}
	if reason := r.decode(kind, content); reason != "" {
		r.ending.Bytes = before
		r.stop(reason)
	}
	if r.done {
		return nil, io.EOF
	}
	return &r.record, nil
}

// Ending tells how the log ended; it is final once Next has returned io.EOF.
func (r *Reader) Ending() Ending { return r.ending }

// Close closes the file that Open opened.
func (r *Reader) Close() error {
	if r.closer == nil {
		return nil
	}
	return r.closer.Close()
}

func (r *Reader) stop(reason string) {
	r.done = true
	r.ending.Torn = reason
}

// decode takes in one body; it returns why it is damaged, or "".
func (r *Reader) decode(kind Kind, content []byte) string {
	switch kind {
	case KindRow:
		t, err := decodeRow(content, r.values)
		if err != nil {
			return err.Error()
		}
		r.record = Record{Kind: KindRow, TimeNS: t, Values: r.values}
		r.ending.Rows++
	case KindEvent:
		r.record = Record{Kind: KindEvent}
		if err := decodeEvent(content, &r.record.Event, r.words); err != nil {
			return err.Error()
		}
		r.record.TimeNS = r.record.Event.AtNS
		r.ending.Events++
	case kindEnd:
		if len(content) != 1 || content[0] > 1 {
			return "end record is malformed"
		}
		r.ending.Closed, r.ending.Failed = true, content[0] == 1
		r.done = true
		if _, err := r.in.ReadByte(); err == nil {
			r.stop("more follows the end record")
		}
		return ""
	default:
		return fmt.Sprintf("record of unknown kind %d", kind)
	}
	r.ending.LastNS = max(r.ending.LastNS, r.record.TimeNS)
	return ""
}

// nextBody reads one frame. At the end of the file and at damage it stops the
// reader.
func (r *Reader) nextBody() (kind Kind, content []byte, err error) {
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
	r.ending.Bytes += frameBytes + int64(length)
	return Kind(r.body[0]), r.body[1:], nil
}

// readFull reads all of b; a reader's method, so that b stays off the heap.
func (r *Reader) readFull(b []byte) error {
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
func (r *Reader) readBody(length int) error {
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

func (r *Reader) stopIfCut(err error) error {
	if !cutOff(err) {
		return err
	}
	r.stop("last record is cut off")
	return nil
}

func cutOff(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }
