package q3p

import (
	"encoding"
	"strings"
	"testing"
)

var (
	_ encoding.TextUnmarshaler = (*Mode)(nil)
	_ encoding.TextMarshaler   = Mode(0)
)

func TestModeNamesReadBack(t *testing.T) {
	for _, m := range Modes() {
		text, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back Mode
		if err := back.UnmarshalText(text); err != nil || back != m {
			t.Errorf("%s reads back as %v, %v", text, back, err)
		}
	}
	for _, s := range []string{"", "OTP", "aes-gcm"} {
		if _, err := ParseMode(s); err == nil || !strings.Contains(err.Error(), "expected otp, aes-wc or aes") {
			t.Errorf("ParseMode(%q): %v", s, err)
		}
	}
	if _, err := Mode(0).MarshalText(); err == nil {
		t.Error("the zero mode has a name")
	}
}

func TestModesAreOrderedByStrength(t *testing.T) {
	if !(AES < AESWC && AESWC < OTP) {
		t.Error("order is not aes < aes-wc < otp")
	}
}

func TestModeBitsOnTheWire(t *testing.T) {
	for m, want := range map[Mode]byte{OTP: 0b00, AESWC: 0b01, AES: 0b10} {
		if m.bits() != want {
			t.Errorf("%v is %02b, want %02b", m, m.bits(), want)
		}
	}
}

func TestKeyCostOfAMessage(t *testing.T) {
	aes256 := KeyPolicy{RekeyMessages: 4096, SessionKeyBits: 256}
	for _, c := range []struct {
		policy      KeyPolicy
		mode        Mode
		payloadBits int
		mean        float64
		draw, renew int
	}{
		{DefaultKeyPolicy(), OTP, 288, 416, 416, 416},
		{DefaultKeyPolicy(), AESWC, 288, 128.03125, 128, 256},
		{DefaultKeyPolicy(), AES, 288, 0.03125, 0, 128},
		{aes256, OTP, 288, 416, 416, 416},
		{aes256, AESWC, 288, 128.0625, 128, 384},
		{aes256, AES, 2000, 0.0625, 0, 256},
	} {
		if got := c.policy.KeyBits(c.mode, c.payloadBits); got != c.mean {
			t.Errorf("%v: mean %v bits, want %v", c.mode, got, c.mean)
		}
		if got := c.policy.DrawBits(c.mode, c.payloadBits, false); got != c.draw {
			t.Errorf("%v: draws %d bits, want %d", c.mode, got, c.draw)
		}
		if got := c.policy.DrawBits(c.mode, c.payloadBits, true); got != c.renew {
			t.Errorf("%v: draws %d bits with a renewal, want %d", c.mode, got, c.renew)
		}
	}
	if got := OTP.KeyBits(8); got != 136 {
		t.Errorf("otp, 8 bits: %v, want 136", got)
	}
}

// The mean in the plan is what the messages of a long session really draw.
func TestDrawsAverageToTheMeanCost(t *testing.T) {
	policy := KeyPolicy{RekeyMessages: 16, SessionKeyBits: 128}
	payload := make([]byte, 42)
	for _, m := range Modes() {
		s, err := NewSender(testChannel, policy)
		if err != nil {
			t.Fatal(err)
		}
		pool := newTestPool()
		const messages = 16 * 20
		for range messages {
			pool.seal(t, s, m, payload)
		}
		if got, want := float64(pool.next)/messages, policy.KeyBits(m, 8*len(payload)); got != want {
			t.Errorf("%v: %v bits a message, planned %v", m, got, want)
		}
	}
}

func TestCryptoCostIsLinearInTheBits(t *testing.T) {
	c := CryptoCosts{OTP: CryptoCost{100, 0.5}, AESWC: CryptoCost{200, 1}, AES: CryptoCost{50, 0.25}}
	for m, want := range map[Mode]float64{OTP: 150, AESWC: 300, AES: 75, 0: 0} {
		if got := c.MessageNS(m, 100); got != want {
			t.Errorf("%v: %v ns, want %v", m, got, want)
		}
	}
}
