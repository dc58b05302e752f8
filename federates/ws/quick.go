package ws

import (
	"encoding/binary"
	"math"
)

// The frames of every step, step and done with plain vectors, are written and
// read here without reflection: with many federates on few cores it is the
// caches that such code costs. What is not of the usual form is left to the
// library, which knows the rules; nothing is accepted here that it refuses.

// appendCBOR writes a step.
func (s *Step) appendCBOR(b []byte) []byte {
	fields := uint64(4)
	if len(s.Inputs) > 0 {
		fields++
	}
	if len(s.Stale) > 0 {
		fields++
	}
	if s.Woken {
		fields++
	}
	b = appendHead(b, majorMap, fields)
	b = appendText(appendText(b, "type"), TypeStep)
	b = appendInt(appendText(b, "seq"), s.Seq)
	b = appendInt(appendText(b, "from_ns"), s.FromNS)
	b = appendInt(appendText(b, "to_ns"), s.ToNS)
	if len(s.Inputs) > 0 {
		b = appendContents(appendText(b, "inputs"), s.Inputs)
	}
	if len(s.Stale) > 0 {
		b = appendHead(appendText(b, "stale"), majorArray, uint64(len(s.Stale)))
		for _, name := range s.Stale {
			b = appendText(b, name)
		}
	}
	if s.Woken {
		b = append(appendText(b, "woken"), cborTrue)
	}
	return b
}

// appendCBOR writes a done.
func (d *Done) appendCBOR(b []byte) []byte {
	fields := uint64(2)
	if len(d.Outputs) > 0 {
		fields++
	}
	if d.NextNS != nil {
		fields++
	}
	b = appendHead(b, majorMap, fields)
	b = appendText(appendText(b, "type"), TypeDone)
	b = appendInt(appendText(b, "seq"), d.Seq)
	if len(d.Outputs) > 0 {
		b = appendContents(appendText(b, "outputs"), d.Outputs)
	}
	if d.NextNS != nil {
		b = appendInt(appendText(b, "next_ns"), *d.NextNS)
	}
	return b
}

func appendContents(b []byte, contents map[string]Content) []byte {
	b = appendHead(b, majorMap, uint64(len(contents)))
	for name, c := range contents {
		b = appendText(b, name)
		if c.values == nil {
			list, err := cborEncoding.Marshal(c.list())
			if err != nil {
				panic(err) // of integers, strings and bytes
			}
			b = append(b, list...)
			continue
		}
		b = appendHead(b, majorArray, uint64(len(c.values)))
		for _, x := range c.values {
			b = binary.BigEndian.AppendUint64(append(b, cborFloat64), math.Float64bits(x))
		}
	}
	return b
}

// Major types of CBOR (RFC 8949, section 3.1), and the initial bytes of a
// double and of true.
const (
	majorUint   = 0
	majorNegint = 1
	majorText   = 3
	majorArray  = 4
	majorMap    = 5
	cborFloat64 = 0xfb
	cborTrue    = 0xf5
)

func appendHead(b []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

func appendText(b []byte, s string) []byte {
	return append(appendHead(b, majorText, uint64(len(s))), s...)
}

func appendInt(b []byte, x int64) []byte {
	if x < 0 {
		return appendHead(b, majorNegint, uint64(-(x + 1)))
	}
	return appendHead(b, majorUint, uint64(x))
}

// quickReader reads CBOR of the usual form. After anything else it is odd.
type quickReader struct {
	b   []byte
	odd bool
}

// head reads an initial byte and its argument. Lengths beyond what is left of
// the frame are odd, which bounds all that is made of them.
func (r *quickReader) head(major byte) uint64 {
	if len(r.b) == 0 || r.b[0]>>5 != major {
		r.odd = true
		return 0
	}
	info := r.b[0] & 31
	r.b = r.b[1:]
	if info < 24 {
		return uint64(info)
	}
	size := 1 << (info - 24)
	if info > 27 || len(r.b) < size {
		r.odd = true
		return 0
	}
	var n uint64
	for _, x := range r.b[:size] {
		n = n<<8 | uint64(x)
	}
	r.b = r.b[size:]
	return n
}

func (r *quickReader) text() []byte {
	n := r.head(majorText)
	if n > uint64(len(r.b)) {
		r.odd = true
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	for _, c := range s {
		if c < ' ' || c > '~' { // the library knows UTF-8
			r.odd = true
		}
	}
	return s
}

func (r *quickReader) int() int64 {
	major := byte(majorUint)
	if len(r.b) > 0 && r.b[0]>>5 == majorNegint {
		major = majorNegint
	}
	n := r.head(major)
	if n > math.MaxInt64 {
		r.odd = true
		return 0
	}
	if major == majorNegint {
		return -1 - int64(n)
	}
	return int64(n)
}

// contents reads a map of names to arrays of doubles, which stay in their
// encoding.
func (r *quickReader) contents() map[string]Content {
	n := r.head(majorMap)
	if n > uint64(len(r.b)) {
		r.odd = true
	}
	if r.odd {
		return nil
	}
	made := make(map[string]Content, n)
	for range n {
		name := string(r.text())
		start := r.b
		r.doubles(nil)
		if r.odd {
			return nil
		}
		made[name] = Content{raw: start[:len(start)-len(r.b)]}
	}
	r.odd = r.odd || len(made) != int(n)
	return made
}

// doubles reads an array of doubles and appends them to to, if that is not nil.
func (r *quickReader) doubles(to []float64) []float64 {
	n := r.head(majorArray)
	if r.odd || n > uint64(len(r.b))/9 {
		r.odd = true
		return to
	}
	for range n {
		if r.b[0] != cborFloat64 {
			r.odd = true
			return to
		}
		if to != nil {
			to = append(to, math.Float64frombits(binary.BigEndian.Uint64(r.b[1:])))
		}
		r.b = r.b[9:]
	}
	return to
}

// fields reads a map whose keys are among names, each once, and lets read have
// the value of each.
func (r *quickReader) fields(names []string, read func(i int)) {
	var seen uint
	for range r.head(majorMap) {
		key := r.text()
		i := 0
		for i < len(names) && names[i] != string(key) {
			i++
		}
		if r.odd || i == len(names) || seen&(1<<i) != 0 {
			r.odd = true
			return
		}
		seen |= 1 << i
		read(i)
	}
}

var (
	stepFields = []string{"type", "seq", "from_ns", "to_ns", "inputs", "woken"}
	doneFields = []string{"type", "seq", "outputs", "next_ns"}
)

// quickCBOR reads a step or done of the usual form; false leaves it to the
// library. Contents refer to data.
func quickCBOR(data []byte, message any) bool {
	r := quickReader{b: data}
	switch m := message.(type) {
	case *Step:
		s := Step{Seq: missing}
		r.fields(stepFields, func(i int) {
			switch i {
			case 0:
				s.Type = r.typ(TypeStep)
			case 1:
				s.Seq = r.int()
			case 2:
				s.FromNS = r.int()
			case 3:
				s.ToNS = r.int()
			case 4:
				s.Inputs = r.contents()
			case 5:
				s.Woken = r.isTrue()
			}
		})
		if r.complete(s.Type, s.Seq) {
			*m = s
			return true
		}
	case *Done:
		d := Done{Seq: missing}
		r.fields(doneFields, func(i int) {
			switch i {
			case 0:
				d.Type = r.typ(TypeDone)
			case 1:
				d.Seq = r.int()
			case 2:
				d.Outputs = r.contents()
			case 3:
				next := r.int()
				d.NextNS = &next
			}
		})
		if r.complete(d.Type, d.Seq) {
			*m = d
			return true
		}
	}
	return false
}

// isTrue reads true; what is false is left out.
func (r *quickReader) isTrue() bool {
	if len(r.b) == 0 || r.b[0] != cborTrue {
		r.odd = true
		return false
	}
	r.b = r.b[1:]
	return true
}

// typ returns the type that is expected, if it is there.
func (r *quickReader) typ(expected string) string {
	if string(r.text()) != expected {
		r.odd = true
	}
	return expected
}

// complete is true if all was read, nothing was odd and nothing is missing.
func (r *quickReader) complete(typ string, seq int64) bool {
	return !r.odd && len(r.b) == 0 && typ != "" && seq != missing
}
