package quantum

import "math"

// DecoyConfig says how the sender of bb84-decoy chooses its weak pulses.
type DecoyConfig struct {
	// SignalIntensity is μ, the mean photon number of a signal pulse.
	SignalIntensity float64 `yaml:"signal_intensity"`
	// WeakIntensity is ν < μ, that of the weak decoy.
	WeakIntensity float64 `yaml:"weak_intensity"`

	// What follows is for a finite key only.

	// SignalShare is the share of signal pulses; the rest are decoys.
	SignalShare float64 `yaml:"signal_share"`
	// BasisShare is p_Z, how often each side takes the basis of the key.
	BasisShare float64 `yaml:"basis_share"`
	// BlockBits is n_Z, the sifted bits of the key's basis that are distilled
	// at once.
	BlockBits float64 `yaml:"block_bits"`
	// SecrecyEpsilon and CorrectnessEpsilon bound the probability that the key
	// is not secret, and that its ends differ.
	SecrecyEpsilon     float64 `yaml:"secrecy_epsilon"`
	CorrectnessEpsilon float64 `yaml:"correctness_epsilon"`
}

var defaultDecoy = DecoyConfig{
	SignalIntensity: 0.48, WeakIntensity: 0.1,
	SignalShare: 0.75, BasisShare: 0.9, BlockBits: 1e7, SecrecyEpsilon: 1e-9, CorrectnessEpsilon: 1e-15,
}

func (c DecoyConfig) validate(m *mistakes) {
	m.want("decoy.signal_intensity", c.SignalIntensity, above(0).upTo(1))
	m.want("decoy.weak_intensity", c.WeakIntensity, above(0))
	if c.WeakIntensity >= c.SignalIntensity {
		m.add("decoy.weak_intensity", "must be below signal_intensity (%v), is %v", c.SignalIntensity, c.WeakIntensity)
	}
	m.want("decoy.signal_share", c.SignalShare, above(0).below(1))
	m.want("decoy.basis_share", c.BasisShare, above(0).below(1))
	m.want("decoy.block_bits", c.BlockBits, above(0))
	m.want("decoy.secrecy_epsilon", c.SecrecyEpsilon, above(0).below(1))
	m.want("decoy.correctness_epsilon", c.CorrectnessEpsilon, above(0).below(1))
}

// gains are what a source of weak pulses shows: how often a pulse of each
// intensity clicks, and how often it does so wrongly.
//
//	Q_k    = Y_0 + 1 − e^(−ηk)
//	E_k·Q_k = Y_0/2 + e_d·(1 − e^(−ηk)), plus the errors added
//
// Y_0 is the probability that a gate clicks without light.
type gains struct {
	efficiency, darkCount, misaligned float64
	detector                          detector
}

func (c LinkConfig) gains() gains {
	return gains{c.DetectorEfficiency, c.DarkCountProb, c.Misalignment, c.detector()}
}

func (g gains) transmittance(lossDB float64) float64 {
	return g.efficiency * math.Pow(10, -lossDB/10)
}

// of intensity k at transmittance eta.
func (g gains) of(k, eta, qberAdd float64) (clicks, errors float64) {
	lit := -math.Expm1(-eta * k)
	clicks = g.darkCount + lit
	errors = 0.5*g.darkCount + g.misaligned*lit + (qberAdd+g.detector.errorAdded())*clicks
	return clicks, math.Min(errors, clicks/2)
}

// vacuumWeak is BB84 with vacuum and weak decoy states and an infinite key,
// after Ma, Qi, Zhao and Lo, Phys. Rev. A 72, 012326 (2005), equations (34),
// (37) and (42), and Lo, Ma and Chen, Phys. Rev. Lett. 94, 230504 (2005):
//
//	Y_1 ≥ μ/(μν − ν²)·(Q_ν·e^ν − Q_μ·e^μ·ν²/μ² − Y_0·(μ² − ν²)/μ²)
//	e_1 ≤ (E_ν·Q_ν·e^ν − Y_0/2) / (Y_1·ν)
//	G   = R_p·q·(Y_1·μ·e^(−μ)·(1 − h(e_1)) − f_EC·Q_μ·h(E_μ))
//
// Nearly all pulses are taken to be signals; the error rate is E_μ.
type vacuumWeak struct {
	gains
	pulseRateHz, sifting, leakage float64
	mu, nu                        float64
}

func newVacuumWeak(c LinkConfig) vacuumWeak {
	return vacuumWeak{c.gains(), c.PulseRateHz, c.Sifting, c.ErrorCorrectionEfficiency, c.Decoy.SignalIntensity, c.Decoy.WeakIntensity}
}

func (m vacuumWeak) Rate(lossDB, qberAdd float64) (qber, rateBPS float64) {
	eta := m.transmittance(lossDB)
	clicks, errors := m.of(m.mu, eta, qberAdd)
	if clicks == 0 {
		return 0.5, 0
	}
	qber = errors / clicks
	yield, single := m.single(eta, qberAdd)
	secret := yield*m.mu*math.Exp(-m.mu)*(1-binaryEntropy(single)) - m.leakage*clicks*binaryEntropy(qber)
	return qber, m.pulseRateHz * m.sifting * math.Max(0, secret) * m.detector.live(m.pulseRateHz*clicks)
}

// single bounds yield and error rate of the pulses with one photon.
func (m vacuumWeak) single(eta, qberAdd float64) (yield, errorRate float64) {
	signal, _ := m.of(m.mu, eta, qberAdd)
	weak, weakErrors := m.of(m.nu, eta, qberAdd)
	square := m.nu * m.nu / (m.mu * m.mu)
	yield = m.mu / (m.mu*m.nu - m.nu*m.nu) * (weak*math.Exp(m.nu) - signal*math.Exp(m.mu)*square - m.darkCount*(1-square))
	if yield <= 0 {
		return 0, 0.5
	}
	errorRate = (weakErrors*math.Exp(m.nu) - 0.5*m.darkCount) / (yield * m.nu)
	return yield, math.Min(0.5, math.Max(0, errorRate))
}
