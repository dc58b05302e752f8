package federates

import (
	"errors"
	"fmt"

	"cosim/quantum"
	"cosim/scada"
	"cosim/scada/q3p"
)

// KeySupply is the key of one link, as the SCADA federate keeps it.
type KeySupply struct {
	Link  string
	A     string // the node at quantum.EndA; the other one is at EndB
	Pool  *quantum.Pool
	Store *quantum.Store // nil where chains draw from the pool itself

	drawn, fetched []byte
}

// drawer is what a pool and a store have in common.
type drawer interface {
	Draw(atNS int64, end int, highest bool, dst []byte) (offsetBits, waitNS int64, err error)
}

// supplyFor lets chains draw from a supply, in scada's words.
type supplyFor struct{ *KeySupply }

// Available implements scada.KeyPool.
func (s supplyFor) Available(r scada.DrawRequest) int64 {
	if s.Store != nil {
		s.Store.Advance(r.AtNS)
	}
	s.Pool.Expire(r.AtNS)
	bits := s.Pool.LevelBits()
	if c := s.Pool.Config(); c.EnforceSafe && !r.Highest {
		bits -= c.SafeBits
	}
	if s.Store != nil {
		bits = min(bits, s.Store.LevelBits())
	}
	return max(0, bits)
}

// Draw implements scada.KeyPool.
func (s supplyFor) Draw(r scada.DrawRequest, bits int) (q3p.Key, int64, error) {
	end := quantum.EndB
	if r.By == s.A {
		end = quantum.EndA
	}
	var from drawer = s.Pool
	if s.Store != nil {
		from = s.Store
	}
	s.drawn = grow(s.drawn, bits/8)
	offset, waitNS, err := from.Draw(r.AtNS, end, r.Highest, s.drawn)
	var short *quantum.ShortfallError
	if errors.As(err, &short) {
		return q3p.Key{}, 0, fmt.Errorf("%w: %w", scada.ErrNoKey, err)
	}
	return q3p.Key{Offset: offset, Bytes: s.drawn}, waitNS, err
}

// Key implements q3p.KeySource: the receiving end's copy of a drawn range.
func (s supplyFor) Key(offset int64, bits int) ([]byte, error) {
	s.fetched = grow(s.fetched, bits/8)
	return s.fetched, s.Pool.Fetch(uint32(offset), s.fetched)
}

// Release implements q3p.KeySource. A range that is gone already is no error,
// and a receiver releases only what it fetched.
func (s supplyFor) Release(offset int64, bits int) { _ = s.Pool.Release(uint32(offset), bits/8) }

func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}
