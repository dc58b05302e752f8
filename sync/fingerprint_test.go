package sync_test

import (
	"context"
	"crypto/sha256"
	"math"
	"testing"

	"cosim/sync"
)

// chain runs a federate that steps ten times and returns the chain after
// every frame.
func chain(t *testing.T, onStep func(s *sync.Step) error) [][sha256.Size]byte {
	t.Helper()
	var all [][sha256.Size]byte
	print := &sync.Fingerprint{Each: func(seq int64, c [sha256.Size]byte) {
		if int(seq) != len(all)-1 {
			t.Errorf("frame %d came as number %d", seq, len(all)-1)
		}
		all = append(all, c)
	}}
	m := mustNew(t, sync.Options{Observers: []sync.Observer{print}}, newActor("a", onStep))
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if print.Sum() != all[len(all)-1] {
		t.Error("Sum is not the end of the chain")
	}
	return all
}

func TestFingerprintsPartAtTheFirstDifference(t *testing.T) {
	count := func(s *sync.Step) error {
		s.Out[0].Values[0] = float64(s.Seq)
		return nil
	}
	oneBitOff := func(s *sync.Step) error {
		s.Out[0].Values[0] = float64(s.Seq)
		if s.Seq == 4 {
			s.Out[0].Values[0] = math.Nextafter(4, 5)
		}
		return nil
	}
	a, again, b := chain(t, count), chain(t, count), chain(t, oneBitOff)
	for i := range a {
		if seq := i - 1; a[i] != again[i] || (a[i] == b[i]) != (seq < 4) {
			t.Errorf("step %d: %x %x %x", seq, a[i][:4], again[i][:4], b[i][:4])
		}
	}
}

func TestFingerprintShowsWhatEachFreshOutputAdds(t *testing.T) {
	shown := 0
	print := &sync.Fingerprint{Signal: func(output int, content []byte) {
		shown++
		if output != 0 || len(content) == 0 {
			t.Errorf("output %d adds %d bytes", output, len(content))
		}
	}}
	m := mustNew(t, sync.Options{Observers: []sync.Observer{print}}, newActor("a", func(*sync.Step) error { return nil }))
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if shown != 11 { // ten steps, and the start
		t.Errorf("%d outputs were fresh, want 11", shown)
	}
}
