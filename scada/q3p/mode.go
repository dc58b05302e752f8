package q3p

import "fmt"

// Mode is how a message is protected. A greater mode is stronger, so that
// m < n reads "m is weaker than n"; the zero value is no mode.
type Mode uint8

// The modes, weakest first.
const (
	AES   Mode = iota + 1 // AES-GCM under a session key
	AESWC                 // AES-CTR under a session key, Wegman-Carter tag
	OTP                   // one-time pad, Wegman-Carter tag
)

// Modes lists all modes, weakest first.
func Modes() []Mode { return []Mode{AES, AESWC, OTP} }

// Valid reports whether m is one of the three modes.
func (m Mode) Valid() bool { return m >= AES && m <= OTP }

// String is the name used in files: aes, aes-wc or otp.
func (m Mode) String() string {
	switch m {
	case AES:
		return "aes"
	case AESWC:
		return "aes-wc"
	case OTP:
		return "otp"
	}
	return fmt.Sprintf("mode(%d)", uint8(m))
}

// ParseMode reads the name of a mode.
func ParseMode(s string) (Mode, error) {
	for _, m := range Modes() {
		if s == m.String() {
			return m, nil
		}
	}
	return 0, fmt.Errorf("q3p: mode %q, expected otp, aes-wc or aes", s)
}

// MarshalText writes the name of a mode.
func (m Mode) MarshalText() ([]byte, error) {
	if !m.Valid() {
		return nil, fmt.Errorf("q3p: %v has no name", m)
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads the name of a mode.
func (m *Mode) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMode(string(text))
	return err
}

// usesSession reports whether payloads are enciphered under a session key.
func (m Mode) usesSession() bool { return m == AES || m == AESWC }

// usesPad reports whether the tag is masked by fresh pool bits.
func (m Mode) usesPad() bool { return m == AESWC || m == OTP }

// bits is the mode in the header's two reserved bits.
func (m Mode) bits() byte { return byte(OTP - m) }
