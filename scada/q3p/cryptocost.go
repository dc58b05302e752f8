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
// with AES instructions, mean of Seal and Open: BenchmarkSeal and BenchmarkOpen
// on one core of an AMD EPYC, Go 1.26, medians of four runs. The processor of a
// gateway is slower, so an experiment may state its own table.
func DefaultCryptoCosts() CryptoCosts {
	return CryptoCosts{
		OTP:   CryptoCost{PerMessageNS: 85, PerBitNS: 0.29},
		AESWC: CryptoCost{PerMessageNS: 250, PerBitNS: 0.29},
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
