package q3p

// CryptoCost is the processor time that sealing or opening one message takes:
// PerMessageNS + PerBitNS · payload bits.
type CryptoCost struct {
	PerMessageNS float64 `yaml:"per_message_ns"`
	PerBitNS     float64 `yaml:"per_bit_ns"`
}

// CryptoCosts is the table of crypto costs by mode.
type CryptoCosts struct {
	OTP   CryptoCost `yaml:"otp"`
	AESWC CryptoCost `yaml:"aes-wc"`
	AES   CryptoCost `yaml:"aes"`
}

// DefaultCryptoCosts is what this package itself takes on a server processor
// with AES instructions, mean of Seal and Open, measured by BenchmarkSeal and
// BenchmarkOpen (AMD EPYC, one core, Go 1.26). A gateway's embedded processor
// is some ten to a hundred times slower: an experiment states its own.
func DefaultCryptoCosts() CryptoCosts {
	return CryptoCosts{
		OTP:   CryptoCost{PerMessageNS: 85, PerBitNS: 0.28},
		AESWC: CryptoCost{PerMessageNS: 215, PerBitNS: 0.28},
		AES:   CryptoCost{PerMessageNS: 85, PerBitNS: 0.05},
	}
}

// MessageNS is the time to seal or to open a message of payloadBits; 0 for no
// mode.
func (c CryptoCosts) MessageNS(m Mode, payloadBits int) float64 {
	var cost CryptoCost
	switch m {
	case OTP:
		cost = c.OTP
	case AESWC:
		cost = c.AESWC
	case AES:
		cost = c.AES
	}
	return cost.PerMessageNS + cost.PerBitNS*float64(payloadBits)
}
