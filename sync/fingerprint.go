package sync

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"slices"
	"strings"
)

// Fingerprint is an Observer that chains a hash over all that federates
// exchange: h(n) = SHA-256(h(n-1) | frame n), where the first frame also
// describes the ports. Runs with equal chains exchanged the same data at the
// same times; the first step at which chains differ is the first that
// differed. Outputs count in order of name, so that the order in which
// federates are listed leaves no trace. The zero value is ready.
type Fingerprint struct {
	// Each, if set, receives the chain after every frame; -1 is the first.
	Each func(seq int64, chain [sha256.Size]byte)
	// Signal, if set, receives what each output that is fresh in a frame adds
	// to the chain, before Each: its place in Frame.Outputs and its content,
	// which holds only during the call.
	Signal func(output int, content []byte)

	chain  [sha256.Size]byte
	hash   hash.Hash
	order  []int // of outputs by name
	buffer []byte
}

// Sum returns the chain so far.
func (p *Fingerprint) Sum() [sha256.Size]byte { return p.chain }

// String returns the chain so far in hexadecimal.
func (p *Fingerprint) String() string { return hex.EncodeToString(p.chain[:]) }

// Begin starts the chain with the ports and their values at time zero.
func (p *Fingerprint) Begin(f *Frame) error {
	p.chain, p.hash, p.order = [sha256.Size]byte{}, sha256.New(), nil
	for i := range f.Outputs {
		p.order = append(p.order, i)
	}
	slices.SortFunc(p.order, func(a, b int) int { return strings.Compare(f.Outputs[a].Name, f.Outputs[b].Name) })
	b := p.buffer[:0]
	for _, i := range p.order {
		o := &f.Outputs[i]
		b = appendString(b, o.Name)
		b = append(b, byte(o.Port.Kind))
		b = appendString(b, o.Port.Unit)
		b = appendInt(b, int64(o.Step))
		b = appendInt(b, int64(len(o.Port.Elements)))
		for _, e := range o.Port.Elements {
			b = appendString(b, e)
		}
	}
	p.add(f, b)
	return nil
}

// Observe adds a step to the chain.
func (p *Fingerprint) Observe(f *Frame) error {
	p.add(f, p.buffer[:0])
	return nil
}

// End leaves the chain as it is.
func (p *Fingerprint) End(error) error { return nil }

func (p *Fingerprint) add(f *Frame, b []byte) {
	b = appendInt(b, f.Seq)
	b = appendInt(b, int64(f.From))
	b = appendInt(b, int64(f.To))
	for place, i := range p.order {
		if o := &f.Outputs[i]; o.Fresh {
			start := len(b)
			b = appendInt(b, int64(place))
			b = append(b, flag(o.Faulted), flag(o.Stale))
			b = appendSignal(b, &o.Signal)
			if p.Signal != nil {
				p.Signal(i, b[start:])
			}
		}
	}
	p.buffer = b
	p.hash.Reset()
	p.hash.Write(p.chain[:])
	p.hash.Write(b)
	p.hash.Sum(p.chain[:0])
	if p.Each != nil {
		p.Each(f.Seq, p.chain)
	}
}

// appendSignal appends the canonical bytes of a signal: little-endian
// integers, IEEE 754 bits, lengths before strings and lists.
func appendSignal(b []byte, s *Signal) []byte {
	b = appendInt(b, int64(len(s.Values)))
	for _, x := range s.Values {
		b = appendInt(b, int64(math.Float64bits(x)))
	}
	b = appendInt(b, int64(len(s.Messages)))
	for i := range s.Messages {
		m := &s.Messages[i]
		b = appendInt(b, int64(m.At))
		b = appendInt(b, int64(m.ID))
		b = appendString(b, m.From)
		b = appendString(b, m.To)
		b = appendString(b, m.Class)
		b = appendInt(b, int64(len(m.Payload)))
		b = append(b, m.Payload...)
	}
	b = appendInt(b, int64(len(s.Events)))
	for i := range s.Events {
		e := &s.Events[i]
		b = appendInt(b, int64(e.At))
		b = appendString(b, e.Type)
		b = appendString(b, e.Element)
		b = appendInt(b, int64(math.Float64bits(e.Value)))
		b = appendString(b, e.Detail)
	}
	return b
}

func appendInt(b []byte, x int64) []byte { return binary.LittleEndian.AppendUint64(b, uint64(x)) }

func appendString(b []byte, s string) []byte {
	return append(appendInt(b, int64(len(s))), s...)
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}
