package experiment

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"cosim/internal/record"
	cosync "cosim/sync"
)

// chain records digests of all that federates exchange, a step at a time, and
// holds them against those of the run that is repeated, if any.
type chain struct {
	dir    string // of the run; empty records nothing
	resume bool   // its chain.log is written again
	step   cosync.Time
	levels [][]string // federates in the order in which they act
	past   *past

	print  cosync.Fingerprint
	writer *record.ChainWriter
	names  []string // of all outputs, causes before effects
	digest record.Digest
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (c *chain) Begin(f *cosync.Frame) error {
	c.names = c.outputNames(f)
	c.digest.Outputs = make([]uint16, len(c.names))
	place := make([]int, len(f.Outputs))
	for i := range f.Outputs {
		place[i] = slices.Index(c.names, f.Outputs[i].Name)
	}
	c.print.Signal = func(output int, content []byte) {
		sum := crc32.Checksum(content, castagnoli)
		c.digest.Outputs[place[output]] = max(1, uint16(sum^sum>>16)) // 0 is for outputs that are not fresh
	}
	c.print.Each = func(_ int64, sum [32]byte) { copy(c.digest.Chain[:], sum[:]) }
	if c.dir != "" {
		var err error
		if c.writer, err = record.CreateChain(c.dir, int64(c.step), c.names, c.resume); err != nil {
			return err
		}
	}
	if err := c.print.Begin(f); err != nil {
		return err
	}
	return c.note(f)
}

func (c *chain) Observe(f *cosync.Frame) error {
	clear(c.digest.Outputs)
	if err := c.print.Observe(f); err != nil {
		return err
	}
	return c.note(f)
}

func (c *chain) note(f *cosync.Frame) error {
	if err := c.past.check(f, c.names, &c.digest); err != nil || c.writer == nil {
		return err
	}
	return c.writer.Digest(&c.digest)
}

func (c *chain) End(cause error) error {
	if c.writer == nil {
		return nil
	}
	return c.writer.Close(record.ChainEnd{Failed: cause != nil, Sum: c.print.Sum()})
}

// outputNames lists the outputs in the order in which federates act, so that
// the first that differs is no consequence of another, and by name.
func (c *chain) outputNames(f *cosync.Frame) []string {
	level := map[string]int{}
	for i, names := range c.levels {
		for _, name := range names {
			level[name] = i
		}
	}
	names := make([]string, len(f.Outputs))
	for i := range f.Outputs {
		names[i] = f.Outputs[i].Name
	}
	slices.SortFunc(names, func(a, b string) int {
		x, _, _ := strings.Cut(a, ".")
		y, _, _ := strings.Cut(b, ".")
		return cmp.Or(cmp.Compare(level[x], level[y]), strings.Compare(a, b))
	})
	return names
}

// DivergenceError says that a repetition came to differ from the run that it
// repeats.
type DivergenceError struct {
	Dir     string // of the run
	Seq     int64  // of the step, -1 for the outputs at time zero
	At      cosync.Time
	Outputs []string // those that differ, causes before effects; empty if only the hash does
}

// Error returns "step 1234 at 12.34s differs from runs/S-2-1: grid.frequency".
func (e *DivergenceError) Error() string {
	return fmt.Sprintf("experiment: %s differs from that of %s: %s", stepName(e.Seq, e.At), e.Dir, someNames(e.Outputs))
}

// stepName is "step 1234 at 12.34s".
func stepName(seq int64, at cosync.Time) string {
	if seq < 0 {
		return "the start"
	}
	return fmt.Sprintf("step %d at %v", seq, at)
}

// someNames is "a, b, c and 4 more".
func someNames(names []string) string {
	const shown = 3
	switch n := len(names); {
	case n == 0:
		return "the order or the form of outputs"
	case n > shown:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), n-shown)
	}
	return strings.Join(names, ", ")
}

// check holds a step of a repetition against the run's own record of it.
func (p *past) check(f *cosync.Frame, names []string, d *record.Digest) error {
	if p == nil || p.over {
		return nil
	}
	if p.until > 0 && f.From >= p.until {
		p.over = true
		return nil
	}
	if f.Seq < 0 && !slices.Equal(names, p.chain.Outputs()) {
		return &DivergenceError{Dir: p.dir, Seq: -1, Outputs: onlyInOne(names, p.chain.Outputs())}
	}
	recorded, err := p.chain.Next()
	if err == io.EOF {
		p.over = true
		return nil
	}
	if err != nil {
		return err
	}
	p.checked++
	if differ := differingOutputs(names, recorded, d); differ != nil {
		return &DivergenceError{Dir: p.dir, Seq: f.Seq, At: f.From, Outputs: differ}
	}
	return nil
}

// differingOutputs names the outputs in which two digests differ: nil if the
// digests are equal.
func differingOutputs(names []string, a, b *record.Digest) []string {
	if a.Chain == b.Chain && slices.Equal(a.Outputs, b.Outputs) {
		return nil
	}
	differ := []string{}
	for i := range names {
		if a.Outputs[i] != b.Outputs[i] {
			differ = append(differ, names[i])
		}
	}
	return differ
}

func onlyInOne(a, b []string) []string {
	var names []string
	for _, pair := range [2][2][]string{{a, b}, {b, a}} {
		for _, n := range pair[0] {
			if !slices.Contains(pair[1], n) {
				names = append(names, n)
			}
		}
	}
	slices.Sort(names)
	return names
}
