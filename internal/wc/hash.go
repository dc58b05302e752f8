package wc

import (
	"crypto/subtle"
	"encoding/binary"
)

// Size of a key, a block, a pad and a tag in bytes.
const Size = 16

// Hash evaluates messages at one key. It is immutable once made, so that
// several goroutines may share it.
type Hash struct {
	key multiplier
}

// New prepares the evaluation at key. The key should be uniformly random; it
// serves a whole session.
func New(key [Size]byte) *Hash {
	return &Hash{key: newMultiplier(load(key[:]))}
}

// Sum writes the hash of the concatenation of parts to dst: cutting a message
// into parts differently does not change its hash, and only the end of the
// last part is padded. It does not allocate. The bare hash is not a tag and
// must not be sent without its pad.
func (h *Hash) Sum(dst *[Size]byte, parts ...[]byte) {
	var (
		t       element
		partial [Size]byte // a block that straddles parts
		filled  int
	)
	for _, p := range parts {
		if filled > 0 {
			n := copy(partial[filled:], p)
			filled, p = filled+n, p[n:]
			if filled < Size {
				continue
			}
			t, filled = h.key.times(t.plus(load(partial[:]))), 0
		}
		for len(p) >= Size {
			t = h.key.times(t.plus(load(p)))
			p = p[Size:]
		}
		filled = copy(partial[:], p)
	}
	if filled > 0 {
		clear(partial[filled:])
		t = h.key.times(t.plus(load(partial[:])))
	}
	binary.BigEndian.PutUint64(dst[:8], t.hi)
	binary.BigEndian.PutUint64(dst[8:], t.lo)
}

// Tag writes the tag of the concatenation of parts, masked by pad, to dst,
// which may be pad itself. A pad serves one message only.
func (h *Hash) Tag(dst, pad *[Size]byte, parts ...[]byte) {
	var sum [Size]byte
	h.Sum(&sum, parts...)
	subtle.XORBytes(dst[:], sum[:], pad[:])
}

// Verify says whether tag is that of the concatenation of parts under pad.
// The comparison takes the same time wherever the two differ; a tag of
// another length than Size is never valid.
func (h *Hash) Verify(tag []byte, pad *[Size]byte, parts ...[]byte) bool {
	var want [Size]byte
	h.Tag(&want, pad, parts...)
	return subtle.ConstantTimeCompare(tag, want[:]) == 1
}
