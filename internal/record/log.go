package record

import (
	"fmt"
	"io"
	"time"
)

const (
	flushEvery  = time.Second // of wall time
	bufferBytes = 256 << 10
)

// logWriter appends records to a log whose header is written.
type logWriter struct {
	frameWriter
	columns int
	lastRow int64
	rows    int64
}

func newLogWriter(w io.Writer, columns int, now func() time.Time) *logWriter {
	return &logWriter{frameWriter: newFrameWriter(w, now), columns: columns}
}

func (l *logWriter) row(tNS int64, values []float64) error {
	if len(values) != l.columns {
		return fmt.Errorf("record: row at %v has %d values, want %d", time.Duration(tNS), len(values), l.columns)
	}
	if l.rows > 0 && tNS <= l.lastRow {
		return fmt.Errorf("record: row at %v does not follow the row at %v", time.Duration(tNS), time.Duration(l.lastRow))
	}
	l.frame = appendRow(beginFrame(l.frame, KindRow), tNS, values)
	l.lastRow = tNS
	l.rows++
	return l.write()
}

func (l *logWriter) event(e *Event) error {
	l.frame = appendEvent(beginFrame(l.frame, KindEvent), e)
	return l.write()
}

func (l *logWriter) end(failed bool) error {
	l.frame = append(beginFrame(l.frame, kindEnd), 0)
	if failed {
		l.frame[len(l.frame)-1] = 1
	}
	return l.write()
}
