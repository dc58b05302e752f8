package q3p

import (
	"bytes"
	"testing"
)

// Whatever arrives, nothing but a true frame opens, and nothing panics.
func FuzzOpen(f *testing.F) {
	pool := newTestPool()
	s, err := NewSender(testChannel, DefaultKeyPolicy())
	if err != nil {
		f.Fatal(err)
	}
	var genuine [][]byte
	for _, m := range Modes() {
		genuine = append(genuine, pool.seal(f, s, m, []byte("a set point")))
		f.Add(genuine[len(genuine)-1])
	}
	for _, g := range goldenFrames(f) {
		f.Add(g.frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		r := newTestReceiver(t)
		_, payload, err := r.Open(nil, frame, pool)
		if err != nil {
			return
		}
		for _, g := range genuine {
			if bytes.Equal(frame, g) && string(payload) == "a set point" {
				return
			}
		}
		t.Fatalf("forged frame opened to %x", payload)
	})
}

// A header that decodes is the only encoding of what it says.
func FuzzDecodeHeader(f *testing.F) {
	for _, g := range goldenFrames(f) {
		f.Add(g.frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, err := DecodeHeader(frame)
		if err != nil {
			return
		}
		if got := h.appendTo(nil, len(frame)-Overhead); !bytes.Equal(got, frame[:HeaderSize]) {
			t.Fatalf("%+v encodes to %x, was %x", h, got, frame[:HeaderSize])
		}
	})
}
