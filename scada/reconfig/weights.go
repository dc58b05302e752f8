package reconfig

// Weights price what a plan does to tasks and grid. They are fixed.
type Weights struct {
	Drop          float64 // ξ_drop, times priority and expected messages
	DegradeAESWC  float64 // ξ_deg of aes-wc where otp is wished
	DegradeAES    float64 // ξ_deg of aes where otp is wished
	Switch        float64 // γ
	FreqPerHz     float64 // w_f
	FreqPerHz2    float64 // λ
	VoltagePerPU  float64 // w_v
	TerminalPrice float64 // of a bit missing at the end of the horizon, where much is missing
}

// DefaultWeights are those of the experiments. The terminal price is
// ours: with a lookahead of 5 s on a horizon of 1 s a bit drawn
// costs six times it, 1.2e-3, so that below the threshold a measurement of
// priority 3 falls back from the one-time pad (some 9e-4 a bit saved) while
// commands of priority 10 do not (3e-3).
func DefaultWeights() Weights {
	return Weights{
		Drop: 1, DegradeAESWC: 0.1, DegradeAES: 0.25, Switch: 0.02,
		FreqPerHz: 10, FreqPerHz2: 10, VoltagePerPU: 1, TerminalPrice: 2e-4,
	}
}
