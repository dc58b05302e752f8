package scada

import "cosim/scada/q3p"

// Mode is how a message is protected on its Q3P legs; a smaller mode is a
// weaker one.
type Mode = q3p.Mode

// The modes, strongest first.
const (
	OTP   = q3p.OTP
	AESWC = q3p.AESWC
	AES   = q3p.AES
)
