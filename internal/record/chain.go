package record

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// ChainName is the log of what federates exchanged, in the run's folder: for
// each step the start of the hash chained over all frames up to it, and a
// checksum of each output.
const ChainName = "chain.log"

const (
	chainMagic = "cosimchn"
	kindDigest = kindEnd + 1
	chainBytes = 8 // of the chained hash, in each digest
	maxOutputs = 1 << 16
)

// Digest stands for what federates exchanged in a step.
type Digest struct {
	Chain   [chainBytes]byte // start of the hash over all frames up to this one
	Outputs []uint16         // a checksum of each output; 0 where it was not fresh
}

// ChainEnd is the last record of the log of a run that was not killed.
type ChainEnd struct {
	Failed bool
	Sum    [sha256.Size]byte // the hash over all frames
}

type chainHeader struct {
	Format  int      `json:"format"`
	StepNS  int64    `json:"step_ns"`
	Outputs []string `json:"outputs"`
}

// ChainWriter writes a chain.log. The first digest is that of the outputs at
// time zero, the next that of the first step.
type ChainWriter struct {
	frameWriter
	file    *os.File
	again   *continuation // nil for a new log
	outputs int
}

// CreateChain makes the chain.log of a run's folder; with resume, it writes the
// one that is there again, which must come to the same. outputs are the names
// of the outputs of which digests have checksums.
func CreateChain(runDir string, stepNS int64, outputs []string, resume bool) (*ChainWriter, error) {
	if len(outputs) > maxOutputs {
		return nil, fmt.Errorf("record: %d outputs, limit %d", len(outputs), maxOutputs)
	}
	w := &ChainWriter{outputs: len(outputs)}
	out, file, err := openLog(filepath.Join(runDir, ChainName), chainMagic, resume)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	w.file, w.frameWriter = file, newFrameWriter(out, time.Now)
	w.again, _ = out.(*continuation)
	if err := w.header(chainMagic, chainHeader{formatVersion, stepNS, outputs}); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return w, nil
}

// openLog opens a log to be written, from its start in any case.
func openLog(path, magic string, resume bool) (io.Writer, *os.File, error) {
	if resume {
		c, err := continueFile(path, magic)
		if err != nil {
			return nil, nil, err
		}
		return c, c.file, nil
	}
	file, err := createFile(path)
	return file, file, err
}

// header writes the first bytes and the header record.
func (w *frameWriter) header(magic string, content any) error {
	text, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("record: header: %w", err)
	}
	if _, err := w.out.WriteString(magic); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	w.frame = append(beginFrame(w.frame, kindHeader), text...)
	return errors.Join(w.write(), w.flush())
}

// Digest appends the digest of the next step.
func (w *ChainWriter) Digest(d *Digest) error {
	if len(d.Outputs) != w.outputs {
		return fmt.Errorf("record: digest of %d outputs, want %d", len(d.Outputs), w.outputs)
	}
	w.frame = append(beginFrame(w.frame, kindDigest), d.Chain[:]...)
	for _, x := range d.Outputs {
		w.frame = binary.LittleEndian.AppendUint16(w.frame, x)
	}
	return w.write()
}

// Close ends the log, unless one that was to be continued is longer already.
func (w *ChainWriter) Close(end ChainEnd) error {
	if err := w.flush(); err != nil || w.again.behind() {
		return errors.Join(err, w.file.Close())
	}
	w.frame = append(beginFrame(w.frame, kindEnd), 0)
	if end.Failed {
		w.frame[len(w.frame)-1] = 1
	}
	w.frame = append(w.frame, end.Sum[:]...)
	return errors.Join(w.write(), w.flush(), w.file.Close())
}

// ChainReader reads a chain.log from its start.
type ChainReader struct {
	frames frameReader
	file   *os.File
	head   chainHeader
	digest Digest
	end    *ChainEnd
}

// OpenChain opens the chain.log of a run's folder. The caller closes it.
func OpenChain(runDir string) (*ChainReader, error) {
	path := filepath.Join(runDir, ChainName)
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	r, err := newChainReader(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w (%s)", err, path), file.Close())
	}
	r.file = file
	return r, nil
}

func newChainReader(in io.Reader) (*ChainReader, error) {
	r := &ChainReader{}
	content, err := r.frames.open(in, ChainName, chainMagic)
	if err != nil {
		return nil, err
	}
	if err := decodeHead(content, &r.head, &r.head.Format); err != nil {
		return nil, err
	}
	if r.head.StepNS <= 0 || len(r.head.Outputs) > maxOutputs {
		return nil, fmt.Errorf("record: header: step of %d ns and %d outputs", r.head.StepNS, len(r.head.Outputs))
	}
	r.digest.Outputs = make([]uint16, len(r.head.Outputs))
	return r, nil
}

// decodeHead reads a header's content; format is one of its fields.
func decodeHead(content []byte, head any, format *int) error {
	if err := json.Unmarshal(content, head); err != nil {
		return fmt.Errorf("record: header: %w", err)
	}
	if *format != formatVersion {
		return fmt.Errorf("record: log has format %d, this program reads format %d", *format, formatVersion)
	}
	return nil
}

// StepNS is the master's step.
func (r *ChainReader) StepNS() int64 { return r.head.StepNS }

// Outputs are the names of the outputs of which digests have checksums.
func (r *ChainReader) Outputs() []string { return r.head.Outputs }

// Next returns the next digest, which holds until the following call. At the
// end of the log, and at the first record that is not whole, it returns io.EOF.
func (r *ChainReader) Next() (*Digest, error) {
	kind, content, err := r.frames.next()
	if err != nil {
		return nil, err
	}
	switch {
	case kind == kindDigest && len(content) == chainBytes+2*len(r.digest.Outputs):
		copy(r.digest.Chain[:], content)
		for i := range r.digest.Outputs {
			r.digest.Outputs[i] = binary.LittleEndian.Uint16(content[chainBytes+2*i:])
		}
		return &r.digest, nil
	case kind == kindEnd && len(content) == 1+sha256.Size && content[0] <= 1:
		r.end = &ChainEnd{Failed: content[0] == 1, Sum: [sha256.Size]byte(content[1:])}
		r.frames.end()
	default:
		r.frames.refuse(fmt.Sprintf("record of kind %d and %d bytes", kind, len(content)))
	}
	return nil, io.EOF
}

// End is the end record, once Next has returned io.EOF; nil if there is none,
// for the run was killed or goes on.
func (r *ChainReader) End() *ChainEnd { return r.end }

// Torn says why reading stopped before the end of the file; empty if it did not.
func (r *ChainReader) Torn() string { return r.frames.torn }

// Close closes the file.
func (r *ChainReader) Close() error { return r.file.Close() }
