package quantum

import (
	"fmt"
	"math"
	"strings"
)

// The rate models that RateModel knows.
const (
	ModelBB84Paper = "bb84-paper" // equations [1-3], single photons
	ModelBB84Decoy = "bb84-decoy" // weak pulses, vacuum and weak decoy, or one decoy with a finite key
	ModelBBM92     = "bbm92"      // entangled pairs
)

// Models lists the rate models.
func Models() []string { return []string{ModelBB84Paper, ModelBB84Decoy, ModelBBM92} }

// Model is a rate model: what a link distils under given optical conditions.
// Implementations are immutable.
type Model interface {
	// Rate returns the quantum bit error rate and the rate of secret key in
	// bit/s at a fibre loss of lossDB, with qberAdd added to the error rate
	// by a disturbance. The rate is 0 where no secret key can be had.
	Rate(lossDB, qberAdd float64) (qber, rateBPS float64)
}

// RateModel returns the model that c names. What authenticates the protocol's
// own messages is taken off its rate.
func (c LinkConfig) RateModel() (Model, error) {
	var m Model
	switch {
	case c.Model == ModelBB84Paper:
		m = bb84Paper{
			pulseRateHz: c.PulseRateHz,
			efficiency:  c.DetectorEfficiency,
			darkCount:   c.DarkCountProb,
			misaligned:  c.Misalignment,
			sifting:     c.Sifting,
			leakage:     c.ErrorCorrectionEfficiency,
			detector:    c.detector(),
		}
	case c.Model == ModelBB84Decoy && c.FiniteKey:
		m = newOneDecoy(c)
	case c.Model == ModelBB84Decoy:
		m = newVacuumWeak(c)
	case c.Model == ModelBBM92:
		m = newPairs(c)
	default:
		return nil, &FieldError{"model", fmt.Sprintf("must be one of %s, is %q", strings.Join(Models(), ", "), c.Model)}
	}
	if c.AuthenticationBits > 0 {
		m = authenticated{m, float64(c.BlockBits) / float64(c.BlockBits+c.AuthenticationBits)}
	}
	return m, nil
}

// authenticated is a model of which each block pays for the tags of the
// messages that made it: of BlockBits + AuthenticationBits distilled,
// BlockBits are delivered.
type authenticated struct {
	Model
	share float64
}

func (m authenticated) Rate(lossDB, qberAdd float64) (qber, rateBPS float64) {
	qber, rateBPS = m.Model.Rate(lossDB, qberAdd)
	return qber, m.share * rateBPS
}

// NominalRateBPS is the key rate of an undisturbed link of configuration c at
// its nominal attenuation (Δα = 0), breaks not counted; 0 for an unknown
// model.
func NominalRateBPS(c LinkConfig) float64 {
	model, err := c.RateModel()
	if err != nil {
		return 0
	}
	_, rate := model.Rate(c.lossDB(0), 0)
	return rate
}

// attenuationDBPerKM is α0 + Δα, within the bounds and never below zero: a
// fibre does not amplify.
func (c *LinkConfig) attenuationDBPerKM(delta float64) float64 {
	a := math.Max(0, c.AttenuationDBPerKM+delta)
	if b := c.AttenuationBoundsDBPerKM; b != [2]float64{} {
		a = math.Min(math.Max(a, b[0]), b[1])
	}
	return a
}

func (c *LinkConfig) lossDB(delta float64) float64 {
	return c.attenuationDBPerKM(delta) * c.LengthKM
}

// bb84Paper is the rate model of equations [1-3] and [36]:
//
//	η    = η_d · 10^(−loss/10)
//	QBER = (e_d·η + p_dc/2) / (η + p_dc) + added
//	Ḡ    = R_p · (η + p_dc) · q · max(0, 1 − h(QBER) − f_EC·h(QBER))
//
// with h the binary entropy [3]. The paper's own (2) is f_EC = 1. Each pulse
// counts as a single photon; multi-photon pulses, which a real source of weak
// pulses has, are left out, so that the rate at great loss is optimistic.
type bb84Paper struct {
	pulseRateHz float64 // R_p
	efficiency  float64 // η_d
	darkCount   float64 // p_dc
	misaligned  float64 // e_d
	sifting     float64 // q
	leakage     float64 // f_EC
	detector    detector
}

func (m bb84Paper) Rate(lossDB, qberAdd float64) (qber, rateBPS float64) {
	eta := m.efficiency * math.Pow(10, -lossDB/10)
	clicks := eta + m.darkCount
	if clicks == 0 {
		return 0.5, 0
	}
	// A half is pure noise; entropy, symmetric about it, would reward more.
	qber = math.Min(0.5, (m.misaligned*eta+0.5*m.darkCount)/clicks+qberAdd+m.detector.errorAdded())
	return qber, m.pulseRateHz * clicks * m.sifting * secretFraction(qber, m.leakage) * m.detector.live(m.pulseRateHz*clicks)
}

// secretFraction is f_sec, the secret part of the sifted bits [2].
func secretFraction(qber, leakage float64) float64 {
	return math.Max(0, 1-(1+leakage)*binaryEntropy(qber))
}

// binaryEntropy is h(p) in bits [3].
func binaryEntropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log2(p) - (1-p)*math.Log2(1-p)
}
