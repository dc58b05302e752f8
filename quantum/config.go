package quantum

import (
	"errors"
	"fmt"
	"math"
)

// LinkConfig is one QKD link. The YAML keys are those of an experiment file.
type LinkConfig struct {
	// Model names the rate model; see LinkConfig.RateModel.
	Model string `yaml:"model"`
	// PulseRateHz is R_p, the pulses a second at the sender.
	PulseRateHz float64 `yaml:"pulse_rate_hz"`
	// LengthKM is L, the fibre's length.
	LengthKM float64 `yaml:"length_km"`
	// AttenuationDBPerKM is α0, the nominal attenuation.
	AttenuationDBPerKM float64 `yaml:"attenuation_db_per_km"`
	// AttenuationBoundsDBPerKM clamps α0 + Δα; both zero means no clamp
	// beyond zero.
	AttenuationBoundsDBPerKM [2]float64 `yaml:"attenuation_bounds_db_per_km,flow,omitempty"`
	// AttenuationSigmaDBPerKM is σ_α, the stationary deviation of Δα.
	AttenuationSigmaDBPerKM float64 `yaml:"attenuation_sigma_db_per_km"`
	// AttenuationTauS is τ_α, the correlation time of Δα in seconds.
	AttenuationTauS float64 `yaml:"attenuation_tau_s"`
	// DetectorEfficiency is η_d.
	DetectorEfficiency float64 `yaml:"detector_efficiency"`
	// DarkCountProb is p_dc, the probability of a dark count a gate.
	DarkCountProb float64 `yaml:"dark_count_prob"`
	// Misalignment is e_d, the optical error of a detected signal.
	Misalignment float64 `yaml:"misalignment"`
	// Sifting is q, the part retained after sifting.
	Sifting float64 `yaml:"sifting"`
	// ErrorCorrectionEfficiency is f_EC, the leakage over Shannon's limit.
	ErrorCorrectionEfficiency float64 `yaml:"error_correction_efficiency"`
	// DetectorDeadTimeS is how long a detector is blind after a click: of a
	// rate R of clicks, R/(1 + R·τ) are counted.
	DetectorDeadTimeS float64 `yaml:"detector_dead_time_s"`
	// AfterpulseProb is p_ap, the probability that a click brings another one,
	// at random: it adds p_ap/2 to the error rate.
	AfterpulseProb float64 `yaml:"afterpulse_prob"`
	// AuthenticationBits is the key that the protocol's own messages cost a
	// block.
	AuthenticationBits int `yaml:"authentication_bits"`
	// Decoy is for the model bb84-decoy.
	Decoy DecoyConfig `yaml:"decoy"`
	// FiniteKey counts, for bb84-decoy, only what a finite block proves.
	FiniteKey bool `yaml:"finite_key"`
	// Pairs is for the model bbm92.
	Pairs PairsConfig `yaml:"pairs"`
	// OURate is λ_G, the mean reversion of the key rate, a second.
	OURate float64 `yaml:"ou_rate"`
	// OUSigmaRel is σ_G, the stationary deviation of G relative to Ḡ.
	OUSigmaRel float64 `yaml:"ou_sigma_rel"`
	// BreakRateHz is λ_break, the Poisson rate of fibre breaks.
	BreakRateHz float64 `yaml:"break_rate_hz"`
	// BreakDurationS bounds the uniform duration of a break in seconds.
	BreakDurationS [2]float64 `yaml:"break_duration_s,flow"`
	// BreakCuts says what a break interrupts: CutsFibre or CutsQuantum.
	BreakCuts string `yaml:"break_cuts"`
	// BlockBits is the size of the blocks in which key is delivered.
	BlockBits int `yaml:"block_bits"`
}

// What a break interrupts.
const (
	CutsFibre   = "fibre"   // the classical traffic of the same cable too
	CutsQuantum = "quantum" // key only
)

// DefaultLinkConfig returns the link of the 39-bus case.
func DefaultLinkConfig() LinkConfig {
	return LinkConfig{
		Model:                     ModelBB84Paper,
		PulseRateHz:               1e6,
		LengthKM:                  20,
		AttenuationDBPerKM:        0.2,
		AttenuationSigmaDBPerKM:   0.04,
		AttenuationTauS:           30,
		DetectorEfficiency:        0.2,
		DarkCountProb:             1e-6,
		Misalignment:              0.015,
		Sifting:                   0.5,
		ErrorCorrectionEfficiency: 1.16,
		Decoy:                     defaultDecoy,
		Pairs:                     defaultPairs,
		OURate:                    0.5,
		OUSigmaRel:                0.05,
		BreakRateHz:               1.0 / 5000,
		BreakDurationS:            [2]float64{3, 5},
		BreakCuts:                 CutsFibre,
		BlockBits:                 4096,
	}
}

// FieldError is one mistake in a configuration. Field is the YAML key within
// the configuration's own mapping, so that a reader of files can add the path
// to it and the line.
type FieldError struct {
	Field   string
	Problem string
}

func (e *FieldError) Error() string { return "quantum: " + e.Field + " " + e.Problem }

// Validate returns all mistakes of c at once, joined, each a *FieldError.
func (c LinkConfig) Validate() error {
	var m mistakes
	if _, err := c.RateModel(); err != nil {
		m = append(m, err)
	}
	m.want("pulse_rate_hz", c.PulseRateHz, above(0))
	m.want("length_km", c.LengthKM, atLeast(0))
	m.want("attenuation_db_per_km", c.AttenuationDBPerKM, atLeast(0))
	if b := c.AttenuationBoundsDBPerKM; b != [2]float64{} {
		m.want("attenuation_bounds_db_per_km[0]", b[0], atLeast(0))
		m.want("attenuation_bounds_db_per_km[1]", b[1], atLeast(b[0]))
	}
	m.want("attenuation_sigma_db_per_km", c.AttenuationSigmaDBPerKM, atLeast(0))
	m.want("attenuation_tau_s", c.AttenuationTauS, above(0))
	m.want("detector_efficiency", c.DetectorEfficiency, above(0).upTo(1))
	m.want("dark_count_prob", c.DarkCountProb, atLeast(0).upTo(1))
	m.want("misalignment", c.Misalignment, atLeast(0).upTo(0.5))
	m.want("sifting", c.Sifting, above(0).upTo(1))
	m.want("error_correction_efficiency", c.ErrorCorrectionEfficiency, atLeast(1))
	m.want("detector_dead_time_s", c.DetectorDeadTimeS, atLeast(0))
	m.want("afterpulse_prob", c.AfterpulseProb, atLeast(0).upTo(1))
	if c.AuthenticationBits < 0 {
		m.add("authentication_bits", "must be at least 0, is %d", c.AuthenticationBits)
	}
	c.Decoy.validate(&m)
	c.Pairs.validate(&m)
	m.want("ou_rate", c.OURate, above(0))
	m.want("ou_sigma_rel", c.OUSigmaRel, atLeast(0))
	m.want("break_rate_hz", c.BreakRateHz, atLeast(0))
	m.want("break_duration_s[0]", c.BreakDurationS[0], above(0))
	m.want("break_duration_s[1]", c.BreakDurationS[1], atLeast(c.BreakDurationS[0]))
	if c.BreakCuts != CutsFibre && c.BreakCuts != CutsQuantum {
		m.add("break_cuts", "must be %q or %q, is %q", CutsFibre, CutsQuantum, c.BreakCuts)
	}
	if c.BlockBits <= 0 || c.BlockBits%8 != 0 {
		m.add("block_bits", "must be a positive multiple of 8, is %d", c.BlockBits)
	}
	return errors.Join(m...)
}

// mistakes collects FieldErrors.
type mistakes []error

func (m *mistakes) add(field, format string, args ...any) {
	*m = append(*m, &FieldError{field, fmt.Sprintf(format, args...)})
}

func (m *mistakes) want(field string, value float64, r interval) {
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		m.add(field, "must be a finite number, is %v", value)
	case value < r.low, r.open && value == r.low, value > r.high, r.openHigh && value == r.high:
		m.add(field, "must be %s, is %v", r, value)
	}
}

// interval of allowed values; open and openHigh exclude an end.
type interval struct {
	low, high      float64
	open, openHigh bool
}

func above(low float64) interval   { return interval{low: low, high: math.Inf(1), open: true} }
func atLeast(low float64) interval { return interval{low: low, high: math.Inf(1)} }

func (r interval) upTo(high float64) interval {
	r.high = high
	return r
}

func (r interval) below(high float64) interval {
	r.high, r.openHigh = high, true
	return r
}

func (r interval) String() string {
	s := fmt.Sprintf("at least %v", r.low)
	if r.open {
		s = fmt.Sprintf("above %v", r.low)
	}
	switch {
	case r.openHigh:
		s += fmt.Sprintf(" and below %v", r.high)
	case !math.IsInf(r.high, 1):
		s += fmt.Sprintf(" and at most %v", r.high)
	}
	return s
}
