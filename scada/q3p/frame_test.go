package q3p

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// goldenFrame is a row of testdata/frames.csv.
type goldenFrame struct {
	mode           Mode
	command        Command
	channel        Channel
	policy         KeyPolicy
	key            Key
	payload, frame []byte
}

func goldenFrames(t rapid.TB) []goldenFrame {
	t.Helper()
	f, err := os.Open("testdata/frames.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var list []goldenFrame
	for _, r := range rows[1:] {
		g := goldenFrame{
			command: Command(number(r[3])),
			channel: Channel{uint16(number(r[2])), Direction(number(r[1])), [16]byte(unhex(r[4]))},
			policy:  DefaultKeyPolicy(),
			key:     Key{int64(number(r[5])), unhex(r[6])},
			payload: unhex(r[7]), frame: unhex(r[8]),
		}
		if err := g.mode.UnmarshalText([]byte(r[0])); err != nil {
			t.Fatal(err)
		}
		switch {
		case g.mode == AES:
			g.policy.SessionKeyBits = 8 * len(g.key.Bytes)
		case g.mode == AESWC:
			g.policy.SessionKeyBits = 8*len(g.key.Bytes) - TagBits
		}
		list = append(list, g)
	}
	return list
}

// Key and Release let a golden frame's range stand for a pool.
func (g *goldenFrame) Key(offset int64, n int) ([]byte, error) {
	from := (offset - g.key.Offset) / 8
	if from < 0 || from+int64(n/8) > int64(len(g.key.Bytes)) {
		return nil, errors.New("outside the range")
	}
	return g.key.Bytes[from:][:n/8], nil
}

func (g *goldenFrame) Release(int64, int) {}

func TestFramesMatchAnIndependentImplementation(t *testing.T) {
	list := goldenFrames(t)
	if len(list) != 20 {
		t.Fatalf("%d frames, want 20", len(list))
	}
	for i := range list {
		g := &list[i]
		s, err := NewSender(g.channel, g.policy)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Seal(nil, g.command, g.payload, g.mode, g.key)
		if err != nil || !bytes.Equal(got, g.frame) {
			t.Errorf("%v, %d octets: sealed to\n%x, %v, want\n%x", g.mode, len(g.payload), got, err, g.frame)
		}
		r, err := NewReceiver(g.channel, g.policy)
		if err != nil {
			t.Fatal(err)
		}
		h, payload, err := r.Open(nil, g.frame, g)
		if err != nil || !bytes.Equal(payload, g.payload) || h.Command != g.command || h.Mode != g.mode {
			t.Errorf("%v, %d octets: opened to %+v %x, %v", g.mode, len(g.payload), h, payload, err)
		}
	}
}

// Under a pre-shared key the frame is that of mode aes with key id 0.
func TestPresharedFrameRoundTrip(t *testing.T) {
	key := []byte("0123456789abcdef")
	s, err := NewPresharedSender(testChannel, key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewPresharedReceiver(testChannel, key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if n := s.DrawBits(AES, 42); n != 0 {
			t.Fatalf("draws %d bits", n)
		}
		frame, err := s.Seal(nil, Data, []byte("payload"), AES, Key{})
		if err != nil {
			t.Fatal(err)
		}
		h, payload, err := r.Open(nil, frame, nil)
		if err != nil || string(payload) != "payload" {
			t.Fatalf("opened to %q, %v", payload, err)
		}
		if want := (Header{uint32(i + 1), AES, Data, testChannel.ID, 0, 0}); h != want {
			t.Errorf("header %+v, want %+v", h, want)
		}
	}
	if _, err := s.Seal(nil, Data, []byte("x"), OTP, Key{}); err == nil {
		t.Error("a pre-shared channel seals under a one-time pad")
	}
	var malformed *MalformedError
	otp := newTestPool().seal(t, newTestSender(t), OTP, []byte("x"))
	if _, _, err := r.Open(nil, otp, nil); !errors.As(err, &malformed) {
		t.Errorf("a pre-shared channel opens mode otp: %v", err)
	}
	aes := newTestPool()
	aes.next = 800
	if _, _, err := r.Open(nil, aes.seal(t, newTestSender(t), AES, []byte("x")), nil); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("a pre-shared channel takes a pool's key: %v", err)
	}
}

func TestEveryModeRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := KeyPolicy{
			RekeyMessages:  rapid.IntRange(1, 5).Draw(t, "rekey"),
			SessionKeyBits: rapid.SampledFrom([]int{128, 256}).Draw(t, "bits"),
		}
		s, err := NewSender(testChannel, policy)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReceiver(testChannel, policy)
		if err != nil {
			t.Fatal(err)
		}
		pool := newTestPool()
		pool.forget = true
		for i := range rapid.IntRange(1, 20).Draw(t, "messages") {
			m := rapid.SampledFrom(Modes()).Draw(t, "mode")
			payload := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "payload")
			pool.draw(8 * rapid.IntRange(0, 10).Draw(t, "drawn by others"))
			frame, err := s.Seal([]byte("before"), Data, payload, m, pool.draw(s.DrawBits(m, len(payload))))
			if err != nil {
				t.Fatal(err)
			}
			frame = frame[len("before"):]
			if len(frame) != len(payload)+Overhead {
				t.Fatalf("%d octets for a payload of %d", len(frame), len(payload))
			}
			h, got, err := r.Open([]byte("before"), frame, pool)
			if err != nil || string(got) != "before"+string(payload) {
				t.Fatalf("message %d in %v: %q, %v", i, m, got, err)
			}
			if h.MessageID != uint32(i+1) || h.Mode != m || h.Command != Data || h.Channel != testChannel.ID {
				t.Fatalf("header %+v", h)
			}
		}
	})
}

func TestCiphertextHidesThePayload(t *testing.T) {
	payload := []byte(strings.Repeat("a set point of 50 MW", 3))
	for _, m := range Modes() {
		frame := newTestPool().seal(t, newTestSender(t), m, payload)
		if bytes.Contains(frame, payload[:8]) {
			t.Errorf("%v: payload in the clear", m)
		}
	}
}

func TestDecodeHeaderSaysWhatIsWrong(t *testing.T) {
	good := newTestPool().seal(t, newTestSender(t), OTP, []byte("x"))
	for _, c := range []struct {
		at     int
		octet  byte
		want   string
		resize int
	}{
		{0, 0, "frame at octet 0: found 36 octets, expected 37 to 65507", -1},
		{0, 0, "length at octet 0: found 37, expected 38, the octets of the frame", 1},
		{7, 0, "message id at octet 4: found 0, expected at least 1", 0},
		{8, 0x47, "flags at octet 8: found 0x47, expected 0x43 and a mode", 0},
		{8, 0x23, "flags at octet 8: found 0x23, expected 0x43 and a mode", 0},
		{8, 0x5b, "mode bits at octet 8: found 11, expected 00, 01 or 10", 0},
		{11, 0, "channel at octet 10: found 0, expected 1 to 65535", 0},
	} {
		b := append(bytes.Clone(good), 0)[:len(good)+c.resize]
		b[c.at] = c.octet
		if _, err := DecodeHeader(b); err == nil || err.Error() != "q3p: "+c.want {
			t.Errorf("octet %d = %#02x: %v, want %s", c.at, c.octet, err, c.want)
		}
	}
}
