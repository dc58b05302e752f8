package q3p

import "fmt"

// TagBits is ℓ_mac, the length of every tag and of the pool bits that mask a
// Wegman-Carter tag.
const TagBits = 128

// HashKeyBits is the length of the Wegman-Carter hash's own key, drawn once a
// direction when a channel opens and kept while it lives: its secrecy does not
// wear off, as each tag is masked by fresh bits.
const HashKeyBits = 128

// KeyPolicy is how session keys are made. For a message of n payload bits the
// key cost in pool bits is
//
//	otp     n + 128
//	aes-wc  128 + SessionKeyBits / RekeyMessages
//	aes     SessionKeyBits / RekeyMessages
//
// which corrects equations [5], [6] and [40] of the SCADA paper, where the
// costs of AES and of the one-time pad are interchanged.
type KeyPolicy struct {
	RekeyMessages  int // messages under one session key
	SessionKeyBits int // 128 (AES-128) or 256 (AES-256)
}

// DefaultKeyPolicy renews an AES-128 key every 4096 messages.
func DefaultKeyPolicy() KeyPolicy { return KeyPolicy{RekeyMessages: 4096, SessionKeyBits: 128} }

func (p KeyPolicy) validate() error {
	if p.RekeyMessages < 1 {
		return fmt.Errorf("q3p: session key renewed every %d messages, expected at least 1", p.RekeyMessages)
	}
	if p.SessionKeyBits != 128 && p.SessionKeyBits != 256 {
		return fmt.Errorf("q3p: session key of %d bits, expected 128 or 256", p.SessionKeyBits)
	}
	return nil
}

// KeyBits is the mean key cost of a message, for planning: a renewal of the
// session key is spread over the messages under it.
func (p KeyPolicy) KeyBits(m Mode, payloadBits int) float64 {
	bits := float64(p.DrawBits(m, payloadBits, false))
	if m.usesSession() {
		bits += float64(p.SessionKeyBits) / float64(p.RekeyMessages)
	}
	return bits
}

// DrawBits is what one message really takes from the pool; renew says that it
// is the first under a new session key (no effect in otp).
func (p KeyPolicy) DrawBits(m Mode, payloadBits int, renew bool) int {
	bits := 0
	if m == OTP {
		bits += payloadBits
	}
	if m.usesPad() {
		bits += TagBits
	}
	if m.usesSession() && renew {
		bits += p.SessionKeyBits
	}
	return bits
}

// KeyBits is the mean key cost of a message under the default policy.
func (m Mode) KeyBits(payloadBits int) float64 { return DefaultKeyPolicy().KeyBits(m, payloadBits) }
