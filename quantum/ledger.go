package quantum

import (
	"errors"
	"fmt"
	"io"
)

// Errors of a fetch or a release.
var (
	// ErrNotDrawn says that the range reaches beyond what was drawn.
	ErrNotDrawn = errors.New("quantum: key was not drawn")
	// ErrSpent says that the range, or part of it, is deleted.
	ErrSpent = errors.New("quantum: key is spent")
)

// maxKeptBytes limits what the far end keeps unreleased, against a flood of
// messages that never arrive; the oldest goes first. It also keeps a 32-bit
// index unambiguous.
const maxKeptBytes = 1 << 24

// ledger is a stream of key bytes addressed by absolute byte offset:
//
//	[tail, next)  drawn or dropped; kept for the far end unless gone
//	[next, head)  in the pool
//
// It lies in a ring that grows when it must.
type ledger struct {
	source io.Reader
	ring   []byte // of a power of two
	gone   []bool // of the same size: the byte is deleted
	births []birth
	oldest int // index of the first birth with bytes left

	tail, next, head int64
}

// birth of the bytes up to offset to, from the end of the birth before.
type birth struct{ to, atNS int64 }

func newLedger(source io.Reader) ledger {
	const size = 1 << 12
	return ledger{source: source, ring: make([]byte, size), gone: make([]bool, size)}
}

func (l *ledger) at(offset int64) int64 { return offset & int64(len(l.ring)-1) }

// available is the number of bytes in the pool.
func (l *ledger) available() int64 { return l.head - l.next }

// append reads n fresh bytes, born at atNS.
func (l *ledger) append(atNS, n int64) error {
	if n <= 0 {
		return nil
	}
	l.grow(n)
	to := l.head + n
	for o := l.head; o < to; {
		i := l.at(o)
		part := min(to-o, int64(len(l.ring))-i)
		if _, err := io.ReadFull(l.source, l.ring[i:i+part]); err != nil {
			return fmt.Errorf("quantum: source of key bytes: %w", err)
		}
		clear(l.gone[i : i+part])
		o += part
	}
	l.head = to
	l.births = append(l.births, birth{l.head, atNS})
	return nil
}

// grow makes room for n more bytes.
func (l *ledger) grow(n int64) {
	if l.next-l.tail > maxKeptBytes {
		l.delete(l.tail, l.next-maxKeptBytes)
		l.trim()
	}
	size := int64(len(l.ring))
	for size < l.head-l.tail+n {
		size *= 2
	}
	if size == int64(len(l.ring)) {
		return
	}
	old := *l
	l.ring, l.gone = make([]byte, size), make([]bool, size)
	for o := l.tail; o < l.head; o++ {
		l.ring[l.at(o)], l.gone[l.at(o)] = old.ring[old.at(o)], old.gone[old.at(o)]
	}
}

// draw hands out the oldest len(dst) bytes, which must be available, and
// returns their offset.
func (l *ledger) draw(dst []byte) int64 {
	from := l.next
	l.next += int64(len(dst))
	l.copyOut(from, dst)
	return from
}

func (l *ledger) copyOut(from int64, dst []byte) {
	n := copy(dst, l.ring[l.at(from):])
	copy(dst[n:], l.ring)
}

// drop deletes the oldest n bytes of the pool.
func (l *ledger) drop(n int64) {
	l.delete(l.next, l.next+n)
	l.next += n
	l.trim()
}

// locate returns the byte offset that a frame's 32-bit index of bits means:
// the one nearest to the last draw.
func (l *ledger) locate(index uint32) (int64, error) {
	bits := l.next*8 + int64(int32(index-uint32(l.next*8)))
	if bits < 0 || bits%8 != 0 {
		return 0, ErrNotDrawn
	}
	return bits / 8, nil
}

// read fills dst with the drawn bytes at from.
func (l *ledger) read(from int64, dst []byte) error {
	to := from + int64(len(dst))
	switch {
	case to > l.next:
		return ErrNotDrawn
	case from < l.tail:
		return ErrSpent
	}
	for o := from; o < to; o++ {
		if l.gone[l.at(o)] {
			return ErrSpent
		}
	}
	l.copyOut(from, dst)
	return nil
}

// release deletes n drawn bytes at from.
func (l *ledger) release(from, n int64) error {
	if n < 0 || from+n > l.next {
		return ErrNotDrawn
	}
	l.delete(max(from, l.tail), from+n)
	l.trim()
	return nil
}

// expire deletes the bytes born at or before limitNS and returns how many of
// them were still in the pool.
func (l *ledger) expire(limitNS int64) (fromPool int64) {
	for ; l.oldest < len(l.births); l.oldest++ {
		b := l.births[l.oldest]
		if b.to <= l.tail { // all its bytes are gone already
			continue
		}
		if b.atNS > limitNS {
			break
		}
		fromPool += max(0, b.to-l.next)
		l.delete(l.tail, b.to)
		l.next = max(l.next, b.to)
		l.trim()
	}
	if 2*l.oldest > len(l.births) { // moving fewer than were removed
		l.births, l.oldest = l.births[:copy(l.births, l.births[l.oldest:])], 0
	}
	return fromPool
}

// delete overwrites [from, to), so that spent key is nowhere in memory.
func (l *ledger) delete(from, to int64) {
	for o := from; o < to; o++ {
		l.ring[l.at(o)], l.gone[l.at(o)] = 0, true
	}
}

// trim frees what is deleted at the ring's old end.
func (l *ledger) trim() {
	for l.tail < l.next && l.gone[l.at(l.tail)] {
		l.tail++
	}
}
