package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

const (
	magic         = "cosimlog"
	formatVersion = 1
	frameBytes    = 8       // length and checksum before each body
	maxBodyBytes  = 1 << 24 // a longer body is taken for damage
)

// Kind of a record.
type Kind uint8

// The kinds of record. A reader returns only rows and events.
const (
	kindHeader Kind = 1 + iota
	KindRow
	KindEvent
	kindEnd
)

// header is the content of the first record.
type header struct {
	Format  int      `json:"format"`
	Columns []Column `json:"columns"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// beginFrame returns an empty frame in buf's memory, ready for content.
func beginFrame(buf []byte, kind Kind) []byte {
	return append(buf[:0], 0, 0, 0, 0, 0, 0, 0, 0, byte(kind))
}

// endFrame fills in the length and checksum of a frame that has its content.
func endFrame(frame []byte) {
	body := frame[frameBytes:]
	binary.LittleEndian.PutUint32(frame, uint32(len(body)))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(body, castagnoli))
}

func encodeHeader(columns []Column) ([]byte, error) {
	if err := checkColumns(columns); err != nil {
		return nil, err
	}
	content, err := json.Marshal(header{formatVersion, columns})
	if err != nil {
		return nil, fmt.Errorf("record: header: %w", err)
	}
	frame := append(beginFrame(nil, kindHeader), content...)
	if len(frame) > frameBytes+maxBodyBytes {
		return nil, fmt.Errorf("record: header of %d columns is %d bytes long, limit %d", len(columns), len(content), maxBodyBytes)
	}
	endFrame(frame)
	return append([]byte(magic), frame...), nil
}

func decodeHeader(content []byte) ([]Column, error) {
	var h header
	if err := json.Unmarshal(content, &h); err != nil {
		return nil, fmt.Errorf("record: header: %w", err)
	}
	if h.Format != formatVersion {
		return nil, fmt.Errorf("record: log has format %d, this program reads format %d", h.Format, formatVersion)
	}
	return h.Columns, checkColumns(h.Columns)
}

func checkColumns(columns []Column) error {
	taken := map[string]bool{"t_s": true, "t_ns": true}
	var errs []error
	for i, c := range columns {
		switch {
		case c.Name == "":
			errs = append(errs, fmt.Errorf("record: column %d has no name", i))
		case taken[c.Name]:
			errs = append(errs, fmt.Errorf("record: column name %q is taken", c.Name))
		}
		taken[c.Name] = true
	}
	return errors.Join(errs...)
}

func appendRow(frame []byte, tNS int64, values []float64) []byte {
	frame = binary.LittleEndian.AppendUint64(frame, uint64(tNS))
	for _, v := range values {
		frame = binary.LittleEndian.AppendUint64(frame, math.Float64bits(v))
	}
	return frame
}

// decodeRow fills values, whose length is the number of columns.
func decodeRow(content []byte, values []float64) (tNS int64, err error) {
	if want := 8 * (1 + len(values)); len(content) != want {
		return 0, fmt.Errorf("row of %d bytes, want %d", len(content), want)
	}
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(content[8+8*i:]))
	}
	return int64(binary.LittleEndian.Uint64(content)), nil
}

func appendEvent(frame []byte, e *Event) []byte {
	frame = binary.LittleEndian.AppendUint64(frame, uint64(e.AtNS))
	frame = binary.LittleEndian.AppendUint64(frame, math.Float64bits(e.Value))
	for _, s := range [...]string{e.Type, e.Element, e.Class, e.Mode, e.Cause, e.Unit, e.Detail} {
		frame = binary.AppendUvarint(frame, uint64(len(s)))
		frame = append(frame, s...)
	}
	return frame
}

var errEventCut = errors.New("event's strings do not fit its length")

func decodeEvent(content []byte, e *Event, words interned) error {
	if len(content) < 16 {
		return errEventCut
	}
	e.AtNS = int64(binary.LittleEndian.Uint64(content))
	e.Value = math.Float64frombits(binary.LittleEndian.Uint64(content[8:]))
	content = content[16:]
	for _, s := range [...]*string{&e.Type, &e.Element, &e.Class, &e.Mode, &e.Cause, &e.Unit, &e.Detail} {
		n, width := binary.Uvarint(content)
		if width <= 0 || n > uint64(len(content)-width) {
			return errEventCut
		}
		*s = words.get(content[width : width+int(n)])
		content = content[width+int(n):]
	}
	if len(content) > 0 {
		return errEventCut
	}
	return nil
}

// interned keeps one string for each of the few words that events repeat.
type interned map[string]string

func (w interned) get(b []byte) string {
	if s, ok := w[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(w) < 4096 && len(s) < 64 { // free text must not make it grow without end
		w[s] = s
	}
	return s
}
