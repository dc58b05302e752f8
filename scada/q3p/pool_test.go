package q3p

import (
	"fmt"
	"math/rand/v2"

	"pgregory.net/rapid"
)

// testPool is a pool of pseudo-random key that never ends: both ends see the
// same stream. It records what is drawn and released.
type testPool struct {
	stream   []byte
	next     int64 // bits drawn so far
	released []span
	forget   bool // released key is gone, as in a real pool
	buffer   []byte
}

// span is a range of pool bits.
type span struct{ from, to int64 }

func (a span) overlaps(b span) bool { return a.from < b.to && b.from < a.to }

func newTestPool() *testPool {
	p := &testPool{stream: make([]byte, 1<<16)}
	rand.NewChaCha8([32]byte{1}).Read(p.stream)
	return p
}

func (p *testPool) bytes(offset int64, n int) []byte {
	from := int(offset / 8 % int64(len(p.stream)))
	if from+n/8 <= len(p.stream) {
		return p.stream[from : from+n/8]
	}
	p.buffer = append(p.buffer[:0], p.stream[from:]...)
	return append(p.buffer, p.stream[:n/8-len(p.buffer)]...)
}

// draw takes n fresh bits.
func (p *testPool) draw(n int) Key {
	k := Key{Offset: p.next, Bytes: p.bytes(p.next, n)}
	p.next += int64(n)
	return k
}

func (p *testPool) Key(offset int64, n int) ([]byte, error) {
	want := span{offset, offset + int64(n)}
	if want.to > p.next {
		return nil, fmt.Errorf("pool ends at %d", p.next)
	}
	if p.forget {
		for _, r := range p.released {
			if r.overlaps(want) {
				return nil, fmt.Errorf("released")
			}
		}
	}
	return p.bytes(offset, n), nil
}

func (p *testPool) Release(offset int64, n int) {
	if p.forget {
		p.released = append(p.released, span{offset, offset + int64(n)})
	}
}

// seal draws what the message needs and seals it.
func (p *testPool) seal(t rapid.TB, s *Sender, m Mode, payload []byte) []byte {
	t.Helper()
	frame, err := s.Seal(nil, Data, payload, m, p.draw(s.DrawBits(m, len(payload))))
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

var testChannel = Channel{ID: 7, Direction: Uplink, HashKey: [16]byte{0x96, 0x68, 0xce, 0xf8, 15: 0x0f}}

func newTestSender(t rapid.TB) *Sender {
	t.Helper()
	s, err := NewSender(testChannel, DefaultKeyPolicy())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newTestReceiver(t rapid.TB) *Receiver {
	t.Helper()
	r, err := NewReceiver(testChannel, DefaultKeyPolicy())
	if err != nil {
		t.Fatal(err)
	}
	return r
}
