package q3p

import (
	"fmt"
	"testing"
)

// BenchmarkSeal and BenchmarkOpen are what DefaultCryptoCosts was measured
// with: the line through 42 and 250 octets gives cost a message and a bit.
func BenchmarkSeal(b *testing.B) {
	for _, m := range Modes() {
		for _, n := range []int{42, 250} {
			b.Run(fmt.Sprintf("%v/%d", m, n), func(b *testing.B) {
				s, payload := newTestSender(b), make([]byte, n)
				pool := make([]byte, 1024)
				dst := make([]byte, 0, 512)
				b.ReportAllocs()
				for b.Loop() {
					// Offsets are 32 bits; a long run must start over.
					s.keyEnd, s.lastID = 0, 0
					var err error
					dst, err = s.Seal(dst[:0], Data, payload, m, Key{0, pool[:s.DrawBits(m, n)/8]})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, m := range Modes() {
		for _, n := range []int{42, 250} {
			b.Run(fmt.Sprintf("%v/%d", m, n), func(b *testing.B) {
				s, r, pool := newTestSender(b), newTestReceiver(b), newTestPool()
				frame := pool.seal(b, s, m, make([]byte, n))
				dst := make([]byte, 0, 512)
				b.ReportAllocs()
				for b.Loop() {
					r.window = window{}
					var err error
					if _, dst, err = r.Open(dst[:0], frame, pool); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func TestHotPathAllocatesAtMostACounter(t *testing.T) {
	for _, m := range Modes() {
		s, r, pool := newTestSender(t), newTestReceiver(t), newTestPool()
		payload, frame, out := make([]byte, 42), make([]byte, 0, 128), make([]byte, 0, 128)
		allocs := testing.AllocsPerRun(100, func() {
			var err error
			frame, err = s.Seal(frame[:0], Data, payload, m, pool.draw(s.DrawBits(m, len(payload))))
			if err != nil {
				t.Fatal(err)
			}
			if _, out, err = r.Open(out[:0], frame, pool); err != nil {
				t.Fatal(err)
			}
		})
		// The standard library allocates one CTR stream a message.
		want := 0.0
		if m == AESWC {
			want = 2
		}
		if allocs > want {
			t.Errorf("%v: %v allocations to seal and open, want %v", m, allocs, want)
		}
	}
}
