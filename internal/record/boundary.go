package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"cosim/sync"
)

// BoundaryName is the log of what came into a run from outside, in its folder:
// all that a repetition needs besides the manifest. Runs into which nothing
// comes have none.
const BoundaryName = "boundary.log"

const boundaryMagic = "cosimbnd"

// The kinds of crossing.
const (
	KindAnswer       Kind = 6 + iota // what an external federate made in a step
	KindLoss                         // an external federate was lost in a step
	KindOrder                        // what an operator did between two steps
	KindInterruption                 // a decision that the wall clock ended
)

// Outsider is an external federate.
type Outsider struct {
	Name  string           `json:"name"` // under which it connected
	About sync.Description `json:"about"`
}

// Crossing is one thing that came into a run from outside. Its kind says which
// fields it uses.
type Crossing struct {
	Kind Kind
	// AtNS is when: of an answer and a loss the start of the step, -1 for the
	// outputs at time zero.
	AtNS     int64
	Federate int // place in Outsiders; of answers and losses
	// Outputs of an answer: a vector whose Values are nil is as it was before.
	Outputs      []sync.Signal
	NextNS       int64  // of an answer: when an event-stepped federate wants to act next
	Reason, Text string // of a loss: a word for the record, and for a person
	Order        Event
	Decision     int // of an interruption: number of the decision, from 0
	Checks       int // after which its search ended
}

type boundaryHeader struct {
	Format    int        `json:"format"`
	Outsiders []Outsider `json:"outsiders"`
}

// BoundaryWriter writes a boundary.log. Every crossing goes to the operating
// system at once, before anything that follows from it is recorded.
type BoundaryWriter struct {
	frameWriter
	file      *os.File
	outsiders []Outsider
}

// CreateBoundary makes the boundary.log of a run's folder; with resume, it
// writes the one that is there again, which must come to the same.
func CreateBoundary(runDir string, outsiders []Outsider, resume bool) (*BoundaryWriter, error) {
	out, file, err := openLog(filepath.Join(runDir, BoundaryName), boundaryMagic, resume)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	w := &BoundaryWriter{newFrameWriter(out, time.Now), file, outsiders}
	if err := w.header(boundaryMagic, boundaryHeader{formatVersion, outsiders}); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return w, nil
}

// Write appends a crossing.
func (w *BoundaryWriter) Write(c *Crossing) error {
	b := beginFrame(w.frame, c.Kind)
	switch c.Kind {
	case KindAnswer:
		b = binary.AppendVarint(b, c.AtNS)
		b = binary.AppendUvarint(b, uint64(c.Federate))
		ports := w.outsiders[c.Federate].About.Outputs
		for i := range ports {
			b = appendContent(b, &ports[i], &c.Outputs[i])
		}
		if w.outsiders[c.Federate].About.ByEvent {
			b = binary.AppendVarint(b, c.NextNS)
		}
	case KindLoss:
		b = binary.AppendVarint(b, c.AtNS)
		b = binary.AppendUvarint(b, uint64(c.Federate))
		b = appendText(appendText(b, c.Reason), c.Text)
	case KindOrder:
		b = appendEvent(b, &c.Order)
	case KindInterruption:
		b = binary.AppendUvarint(b, uint64(c.Decision))
		b = binary.AppendUvarint(b, uint64(c.Checks))
	default:
		return fmt.Errorf("record: a crossing of kind %d", c.Kind)
	}
	w.frame = b
	return errors.Join(w.write(), w.flush())
}

// Close closes the file. A boundary.log needs no end: the run's other logs have
// one.
func (w *BoundaryWriter) Close() error { return w.file.Close() }

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendContent appends what an output made: of a vector 0 where nothing
// changed, else 1 and the values; of messages and events their number and they.
func appendContent(b []byte, port *sync.Port, s *sync.Signal) []byte {
	switch port.Kind {
	case sync.Vector:
		if s.Values == nil {
			return append(b, 0)
		}
		b = append(b, 1)
		for _, x := range s.Values {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
		}
	case sync.Messages:
		b = binary.AppendUvarint(b, uint64(len(s.Messages)))
		for i := range s.Messages {
			m := &s.Messages[i]
			b = binary.AppendVarint(b, int64(m.At))
			b = binary.AppendUvarint(b, m.ID)
			b = appendText(appendText(appendText(b, m.From), m.To), m.Class)
			b = appendText(b, string(m.Payload))
		}
	case sync.Events:
		b = binary.AppendUvarint(b, uint64(len(s.Events)))
		for i := range s.Events {
			e := &s.Events[i]
			b = binary.AppendVarint(b, int64(e.At))
			b = appendText(appendText(b, e.Type), e.Element)
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.Value))
			b = appendText(b, e.Detail)
		}
	}
	return b
}

// BoundaryReader reads a boundary.log from its start.
type BoundaryReader struct {
	frames frameReader
	file   *os.File
	head   boundaryHeader
}

// OpenBoundary opens the boundary.log of a run's folder; nil if there is none.
// The caller closes it.
func OpenBoundary(runDir string) (*BoundaryReader, error) {
	path := filepath.Join(runDir, BoundaryName)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	r, err := newBoundaryReader(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w (%s)", err, path), file.Close())
	}
	r.file = file
	return r, nil
}

func newBoundaryReader(in io.Reader) (*BoundaryReader, error) {
	r := &BoundaryReader{}
	content, err := r.frames.open(in, BoundaryName, boundaryMagic)
	if err != nil {
		return nil, err
	}
	return r, decodeHead(content, &r.head, &r.head.Format)
}

// Outsiders are the external federates of the run.
func (r *BoundaryReader) Outsiders() []Outsider { return r.head.Outsiders }

// Next returns the next crossing. At the end of the log, and at the first
// record that is not whole, it returns io.EOF.
func (r *BoundaryReader) Next() (*Crossing, error) {
	kind, content, err := r.frames.next()
	if err != nil {
		return nil, err
	}
	c := &Crossing{Kind: kind}
	if err := r.decode(content, c); err != nil {
		r.frames.refuse(err.Error())
		return nil, io.EOF
	}
	return c, nil
}

// Torn says why reading stopped before the end of the file; empty if it did not.
func (r *BoundaryReader) Torn() string { return r.frames.torn }

// Close closes the file.
func (r *BoundaryReader) Close() error { return r.file.Close() }

func (r *BoundaryReader) decode(content []byte, c *Crossing) error {
	d := &decoder{b: content}
	switch c.Kind {
	case KindAnswer, KindLoss:
		c.AtNS = d.varint()
		c.Federate = int(min(d.uvarint(), math.MaxInt32))
		if d.cut || c.Federate >= len(r.head.Outsiders) {
			return fmt.Errorf("crossing of federate %d of %d", c.Federate, len(r.head.Outsiders))
		}
		if c.Kind == KindLoss {
			c.Reason, c.Text = d.text(), d.text()
			break
		}
		ports := r.head.Outsiders[c.Federate].About.Outputs
		c.Outputs = make([]sync.Signal, len(ports))
		for i := range ports {
			d.content(&ports[i], &c.Outputs[i])
		}
		if r.head.Outsiders[c.Federate].About.ByEvent {
			c.NextNS = d.varint()
		}
	case KindOrder:
		err := decodeEvent(content, &c.Order, interned{})
		c.AtNS = c.Order.AtNS
		return err
	case KindInterruption:
		c.Decision, c.Checks = int(d.uvarint()), int(d.uvarint())
		if c.Decision < 0 || c.Checks < 1 {
			return fmt.Errorf("decision %d ended after %d checks", c.Decision, c.Checks)
		}
	default:
		return fmt.Errorf("crossing of unknown kind %d", c.Kind)
	}
	if d.cut || len(d.b) > 0 {
		return fmt.Errorf("crossing of kind %d does not fit its length", c.Kind)
	}
	return nil
}

// decoder takes values off the front of a record; once one does not fit, all
// that follow are zero.
type decoder struct {
	b   []byte
	cut bool
}

func (d *decoder) take(n uint64) []byte {
	if d.cut || n > uint64(len(d.b)) {
		d.cut = true
		return nil
	}
	taken := d.b[:n]
	d.b = d.b[n:]
	return taken
}

func (d *decoder) uvarint() uint64 {
	x, n := binary.Uvarint(d.b)
	d.take(uint64(max(n, 0)))
	if n <= 0 || d.cut {
		d.cut = true
		return 0
	}
	return x
}

func (d *decoder) varint() int64 {
	x := d.uvarint()
	return int64(x>>1) ^ -int64(x&1)
}

func (d *decoder) text() string { return string(d.take(d.uvarint())) }

func (d *decoder) float() float64 {
	if b := d.take(8); b != nil {
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (d *decoder) content(port *sync.Port, s *sync.Signal) {
	switch n := d.uvarint(); port.Kind {
	case sync.Vector:
		if n == 0 {
			return
		}
		if n > 1 || len(d.b) < 8*len(port.Elements) {
			d.cut = true
			return
		}
		s.Values = make([]float64, len(port.Elements))
		for i := range s.Values {
			s.Values[i] = d.float()
		}
	case sync.Messages:
		for ; n > 0 && !d.cut; n-- {
			m := sync.Message{At: sync.Time(d.varint()), ID: d.uvarint(), From: d.text(), To: d.text(), Class: d.text()}
			m.Payload = append([]byte{}, d.take(d.uvarint())...)
			s.Messages = append(s.Messages, m)
		}
	case sync.Events:
		for ; n > 0 && !d.cut; n-- {
			s.Events = append(s.Events, sync.Event{At: sync.Time(d.varint()), Type: d.text(), Element: d.text(), Value: d.float(), Detail: d.text()})
		}
	default:
		d.cut = true
	}
}
