package record

import (
	"fmt"
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
	frames  frameReader
	closer  io.Closer
	columns []Column
	record  Record
	values  []float64
	words   interned
	ending  Ending
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
	r := &Reader{words: interned{}}
	content, err := r.frames.open(in, LogName, magic)
	if err != nil {
		return nil, err
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
	kind, content, err := r.frames.next()
	if err != nil {
		return nil, err
	}
	if reason := r.decode(kind, content); reason != "" {
		r.frames.refuse(reason)
	}
	if r.frames.done {
		return nil, io.EOF
	}
	return &r.record, nil
}

// Ending tells how the log ended; it is final once Next has returned io.EOF.
func (r *Reader) Ending() Ending {
	e := r.ending
	e.Torn, e.Bytes = r.frames.torn, r.frames.offset
	return e
}

// Close closes the file that Open opened.
func (r *Reader) Close() error {
	if r.closer == nil {
		return nil
	}
	return r.closer.Close()
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
		r.frames.end()
		return ""
	default:
		return fmt.Sprintf("record of unknown kind %d", kind)
	}
	r.ending.LastNS = max(r.ending.LastNS, r.record.TimeNS)
	return ""
}
