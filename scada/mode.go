package scada

// Mode is how a message is protected on its Q3P legs.
type Mode string

// The modes, strongest first. Key bits a message of n octets and a hop:
//
//	otp     8n + 128   one-time pad, Wegman-Carter tag
//	aes-wc  128        AES-128-CTR, Wegman-Carter tag
//	aes     0          AES-128-GCM
//
// and besides, for the AES modes, 128 for a new session key every
// rekey_messages messages.
const (
	OTP   Mode = "otp"
	AESWC Mode = "aes-wc"
	AES   Mode = "aes"
)

// Modes lists all modes, strongest first.
var Modes = []Mode{OTP, AESWC, AES}

// strength orders the modes: larger is stronger, 0 is unknown.
func (m Mode) strength() int {
	switch m {
	case OTP:
		return 3
	case AESWC:
		return 2
	case AES:
		return 1
	}
	return 0
}

// Known reports whether m is one of Modes.
func (m Mode) Known() bool { return m.strength() > 0 }

// WeakerThan reports whether m protects less than o.
func (m Mode) WeakerThan(o Mode) bool { return m.strength() < o.strength() }

// tagBits is the length of a Wegman-Carter pad and of an AES-128 key.
const tagBits = 128

// MessageBits is the key that one message of n octets takes on one hop, the
// share of session keys left out.
func (m Mode) MessageBits(n int) int {
	switch m {
	case OTP:
		return 8*n + tagBits
	case AESWC:
		return tagBits
	}
	return 0
}
