package q3p

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// openFails opens a frame that must be refused, and shows that it cost
// nothing: no output, no key, and the true frame still opens.
func openFails(t rapid.TB, r *Receiver, pool *testPool, frame []byte) error {
	t.Helper()
	before := len(pool.released)
	_, out, err := r.Open([]byte("dst"), frame, pool)
	if err == nil {
		t.Fatalf("accepted: %x", frame)
	}
	if string(out) != "dst" {
		t.Fatalf("refused, yet output %q", out)
	}
	if len(pool.released) != before {
		t.Fatalf("refused (%v), yet key is gone: %v", err, pool.released[before:])
	}
	return err
}

// Every single bit of every frame is flipped: header, its length field, the
// ciphertext and the tag.
func TestEveryTamperedBitIsRefusedAndBurnsNoKey(t *testing.T) {
	for _, m := range Modes() {
		pool, s, r := newTestPool(), newTestSender(t), newTestReceiver(t)
		pool.forget = true
		pool.draw(800)
		frame := pool.seal(t, s, m, []byte("an APDU of some forty octets, or nearly so"))
		pool.draw(8000) // key that a forged key id would hit
		for i := range 8 * len(frame) {
			frame[i/8] ^= 1 << (i % 8)
			err := openFails(t, r, pool, frame)
			var malformed *MalformedError
			if !errors.Is(err, ErrBadTag) && !errors.Is(err, ErrUnknownKey) && !errors.As(err, &malformed) {
				t.Errorf("%v, bit %d: %v", m, i, err)
			}
			if octet := i / 8; octet >= HeaderSize && !errors.Is(err, ErrBadTag) {
				t.Errorf("%v, bit %d of ciphertext or tag: %v, want a bad tag", m, i, err)
			}
			frame[i/8] ^= 1 << (i % 8)
		}
		if _, _, err := r.Open(nil, frame, pool); err != nil {
			t.Errorf("%v: the true frame after the forged: %v", m, err)
		}
	}
}

// The hash alone does not see zeros added at the end; the header does, even if
// the forger adjusts its length.
func TestLengthIsAuthenticated(t *testing.T) {
	for _, m := range Modes() {
		pool, s, r := newTestPool(), newTestSender(t), newTestReceiver(t)
		frame := pool.seal(t, s, m, []byte("ends in zeros"))
		pool.draw(8000)
		tag := len(frame) - TagSize
		longer := slices.Concat(frame[:tag], []byte{0}, frame[tag:])
		longer[3]++
		if err := openFails(t, r, pool, longer); !errors.Is(err, ErrBadTag) {
			t.Errorf("%v: %v", m, err)
		}
	}
}

func TestTamperedFramesAreRefused(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pool, s, r := newTestPool(), newTestSender(rt), newTestReceiver(rt)
		pool.forget = true
		m := rapid.SampledFrom(Modes()).Draw(rt, "mode")
		frame := pool.seal(rt, s, m, rapid.SliceOfN(rapid.Byte(), 1, 80).Draw(rt, "payload"))
		pool.draw(8000)
		forged := bytes.Clone(frame)
		for range rapid.IntRange(1, 4).Draw(rt, "changes") {
			forged[rapid.IntRange(0, len(forged)-1).Draw(rt, "at")] = rapid.Byte().Draw(rt, "octet")
		}
		if !bytes.Equal(forged, frame) {
			openFails(rt, r, pool, forged)
		}
		if _, _, err := r.Open(nil, frame, pool); err != nil {
			rt.Fatalf("the true frame: %v", err)
		}
	})
}

func TestReplayIsRefused(t *testing.T) {
	for _, m := range Modes() {
		// A real pool forgets released key, so that the tag of a replayed
		// frame cannot even be checked; a pool that keeps it shows that the
		// window alone refuses too.
		for _, forget := range []bool{true, false} {
			pool, s, r := newTestPool(), newTestSender(t), newTestReceiver(t)
			pool.forget = forget
			var frames [][]byte
			for range 3 {
				frames = append(frames, pool.seal(t, s, m, []byte("open the breaker")))
			}
			for _, f := range frames {
				if _, _, err := r.Open(nil, f, pool); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range frames {
				if err := openFails(t, r, pool, f); !errors.Is(err, ErrReplay) {
					t.Errorf("%v, forget %t: %v, want a replay", m, forget, err)
				}
			}
		}
	}
}

func TestFrameOfTheOtherDirectionIsRefused(t *testing.T) {
	back := testChannel
	back.Direction, back.HashKey = Downlink, [16]byte{1, 2, 3}
	r, err := NewReceiver(back, DefaultKeyPolicy())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Modes() {
		pool := newTestPool()
		frame := pool.seal(t, newTestSender(t), m, []byte("reflected"))
		if err := openFails(t, r, pool, frame); !errors.Is(err, ErrBadTag) {
			t.Errorf("%v: %v, want a bad tag", m, err)
		}
	}
	// Under one pre-shared key for both directions the nonce tells them apart.
	key := make([]byte, 16)
	s, _ := NewPresharedSender(testChannel, key)
	pr, _ := NewPresharedReceiver(back, key)
	frame, err := s.Seal(nil, Data, []byte("reflected"), AES, Key{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := pr.Open(nil, frame, nil); !errors.Is(err, ErrBadTag) {
		t.Errorf("pre-shared: %v, want a bad tag", err)
	}
}

func TestFrameOfAnotherChannelIsRefused(t *testing.T) {
	other := testChannel
	other.ID++
	r, err := NewReceiver(other, DefaultKeyPolicy())
	if err != nil {
		t.Fatal(err)
	}
	pool := newTestPool()
	var malformed *MalformedError
	if err := openFails(t, r, pool, pool.seal(t, newTestSender(t), AES, []byte("x"))); !errors.As(err, &malformed) || malformed.Field != "channel" {
		t.Errorf("%v, want a malformed channel", err)
	}
}

func TestOutOfOrderWithinTheWindowIsAccepted(t *testing.T) {
	for _, m := range Modes() {
		pool, s, r := newTestPool(), newTestSender(t), newTestReceiver(t)
		pool.forget = true
		var frames [][]byte
		for range windowSize + 1 {
			frames = append(frames, pool.seal(t, s, m, []byte("payload")))
		}
		// Newest first: all but the oldest still lie in the window.
		for i := windowSize; i >= 1; i-- {
			if _, _, err := r.Open(nil, frames[i], pool); err != nil {
				t.Fatalf("%v, message %d: %v", m, i+1, err)
			}
		}
		if err := openFails(t, r, pool, frames[0]); !errors.Is(err, ErrReplay) {
			t.Errorf("%v: beyond the window: %v, want a replay", m, err)
		}
	}
}

// The window agrees with a set of all ids ever accepted.
func TestWindowAcceptsEachIDOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		accepted := map[uint32]bool{}
		newest := uint32(0)
		base := rapid.SampledFrom([]uint32{1, 1000, math.MaxUint32 - 300}).Draw(t, "base")
		for _, step := range rapid.SliceOfN(rapid.Uint32Range(0, 300), 1, 200).Draw(t, "ids") {
			id := base + step
			tooOld := newest >= windowSize && id <= newest-windowSize
			if got, want := w.rejects(id), accepted[id] || tooOld; got != want {
				t.Fatalf("id %d (newest %d): rejects is %t, want %t", id, newest, got, want)
			}
			if !w.rejects(id) {
				w.accept(id)
				accepted[id], newest = true, max(newest, id)
			}
		}
	})
}

func TestFramesSurviveARenewalTheyAreOvertakenBy(t *testing.T) {
	policy := KeyPolicy{RekeyMessages: 2, SessionKeyBits: 128}
	for _, m := range []Mode{AES, AESWC} {
		s, _ := NewSender(testChannel, policy)
		r, _ := NewReceiver(testChannel, policy)
		pool := newTestPool()
		pool.forget = true
		var frames [][]byte
		for range 6 {
			frames = append(frames, pool.seal(t, s, m, []byte("payload")))
		}
		// Message 3, which brings the second session key, is lost; message 2
		// comes after the renewal.
		for _, i := range []int{0, 3, 1, 5, 4} {
			if _, _, err := r.Open(nil, frames[i], pool); err != nil {
				t.Errorf("%v, message %d: %v", m, i+1, err)
			}
		}
	}
}

// shortSource finds keys of one octet only.
type shortSource struct{}

func (shortSource) Key(int64, int) ([]byte, error) { return make([]byte, 1), nil }
func (shortSource) Release(int64, int)             {}

func TestFrameWhoseKeyIsMissingIsRefused(t *testing.T) {
	for _, m := range Modes() {
		pool, r, empty := newTestPool(), newTestReceiver(t), newTestPool()
		frame := pool.seal(t, newTestSender(t), m, []byte("payload"))
		if err := openFails(t, r, empty, frame); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("%v: %v, want an unknown key", m, err)
		}
		if _, _, err := r.Open(nil, frame, shortSource{}); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("%v, key cut short: %v, want an unknown key", m, err)
		}
		// Once the key has come, the same frame opens.
		if _, _, err := r.Open(nil, frame, pool); err != nil {
			t.Errorf("%v: %v", m, err)
		}
	}
}

func TestSessionKeyIsReleasedOnce(t *testing.T) {
	for _, m := range []Mode{AES, AESWC} {
		pool, s, r := newTestPool(), newTestSender(t), newTestReceiver(t)
		pool.forget = true
		for range 5 {
			if _, _, err := r.Open(nil, pool.seal(t, s, m, []byte("payload")), pool); err != nil {
				t.Fatal(err)
			}
		}
		assertDisjoint(t, pool.released)
		total := int64(0)
		for _, k := range pool.released {
			total += k.to - k.from
		}
		if total != pool.next {
			t.Errorf("%v: %d bits drawn, %d released", m, pool.next, total)
		}
	}
}

func assertDisjoint(t rapid.TB, spans []span) {
	t.Helper()
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return int(a.from - b.from) })
	for i := 1; i < len(spans); i++ {
		if spans[i].overlaps(spans[i-1]) {
			t.Fatalf("bits %v and %v are used twice", spans[i-1], spans[i])
		}
	}
}

// Whatever ranges a caller offers, also used, overlapping or short ones, no pool
// bit serves two messages of one Sender.
func TestNoPoolBitIsUsedTwice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		policy := KeyPolicy{RekeyMessages: 3, SessionKeyBits: 128}
		s, err := NewSender(testChannel, policy)
		if err != nil {
			rt.Fatal(err)
		}
		pool := newTestPool()
		var used []span
		sessions := map[uint32]bool{}
		for range rapid.IntRange(1, 40).Draw(rt, "messages") {
			m := rapid.SampledFrom(Modes()).Draw(rt, "mode")
			payload := make([]byte, rapid.IntRange(1, 60).Draw(rt, "octets"))
			draw := s.DrawBits(m, len(payload))
			offset := 8 * rapid.Int64Range(-1, 2000).Draw(rt, "offset")
			n := draw + 8*rapid.SampledFrom([]int{0, 0, 0, 0, -1, 1}).Draw(rt, "excess")
			if n < 0 {
				n = 0
			}
			key := Key{offset, pool.stream[:n/8]}
			frame, err := s.Seal(nil, Data, payload, m, key)
			if err != nil {
				if !errors.Is(err, ErrKeyReused) && !errors.Is(err, ErrKeyLength) {
					rt.Fatal(err)
				}
				if frame != nil {
					rt.Fatal("an error, and a frame")
				}
				continue
			}
			h, err := DecodeHeader(frame)
			if err != nil {
				rt.Fatal(err)
			}
			enc, auth := int64(h.EncryptionKeyID), int64(h.AuthKeyID)
			if m.usesPad() {
				used = append(used, span{auth, auth + TagBits})
			}
			if m == OTP {
				used = append(used, span{enc, enc + int64(8*len(payload))})
			} else if !sessions[h.EncryptionKeyID] {
				sessions[h.EncryptionKeyID] = true
				used = append(used, span{enc, enc + int64(policy.SessionKeyBits)})
			}
		}
		assertDisjoint(rt, used)
	})
}

func TestSealRefusesWhatItMustNotSend(t *testing.T) {
	key := func(n int) Key { return Key{800, make([]byte, n/8)} }
	for _, c := range []struct {
		name    string
		change  func(*Sender)
		mode    Mode
		payload int
		key     Key
		want    error
	}{
		{"no mode", nil, 0, 1, Key{}, nil},
		{"empty payload", nil, OTP, 0, key(128), nil},
		{"payload beyond a datagram", nil, AES, MaxPayload + 1, key(128), nil},
		{"short key", nil, OTP, 1, key(128), ErrKeyLength},
		{"key used before", func(s *Sender) { s.keyEnd = 801 }, OTP, 1, key(136), ErrKeyReused},
		{"key beyond 32 bits", nil, OTP, 1, Key{1 << 32, make([]byte, 17)}, ErrExhausted},
		{"last message id gone", func(s *Sender) { s.lastID = math.MaxUint32 }, OTP, 1, key(136), ErrExhausted},
	} {
		s := newTestSender(t)
		if c.change != nil {
			c.change(s)
		}
		before := *s
		frame, err := s.Seal([]byte("dst"), Data, make([]byte, c.payload), c.mode, c.key)
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) || string(frame) != "dst" {
			t.Errorf("%s: %x, %v", c.name, frame, err)
		}
		if *s != before {
			t.Errorf("%s: the sender changed", c.name)
		}
	}
}

func TestChannelAndPolicyAreChecked(t *testing.T) {
	good, key := DefaultKeyPolicy(), make([]byte, 16)
	for _, c := range []struct {
		channel Channel
		policy  KeyPolicy
	}{
		{Channel{}, good},
		{testChannel, KeyPolicy{0, 128}},
		{testChannel, KeyPolicy{4096, 192}},
	} {
		if _, err := NewSender(c.channel, c.policy); err == nil {
			t.Errorf("sender of %+v", c)
		}
		if _, err := NewReceiver(c.channel, c.policy); err == nil {
			t.Errorf("receiver of %+v", c)
		}
	}
	if _, err := NewPresharedSender(Channel{}, key); err == nil {
		t.Error("pre-shared sender on channel 0")
	}
	if _, err := NewPresharedReceiver(Channel{}, key); err == nil {
		t.Error("pre-shared receiver on channel 0")
	}
	if _, err := NewPresharedSender(testChannel, key[:5]); err == nil {
		t.Error("pre-shared sender with a key of 5 octets")
	}
	if _, err := NewPresharedReceiver(testChannel, key[:5]); err == nil {
		t.Error("pre-shared receiver with a key of 5 octets")
	}
}
