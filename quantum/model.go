package quantum

import (
	"fmt"
	"math"
)

// ModelBB84Paper names the rate model of equations [1-3].
const ModelBB84Paper = "bb84-paper"

// Model is a rate model: what a link distils under given optical conditions.
// Implementations are immutable.
type Model interface {
	// Rate returns the quantum bit error rate and the rate of secret key in
	// bit/s at a fibre loss of lossDB, with qberAdd added to the error rate
	// by a disturbance. The rate is 0 where no secret key can be had.
	Rate(lossDB, qberAdd float64) (qber, rateBPS float64)
}

// RateModel returns the model that c names.
func (c LinkConfig) RateModel() (Model, error) {
	switch c.Model {
	case ModelBB84Paper:
		return bb84Paper{
			pulseRateHz: c.PulseRateHz,
			efficiency:  c.DetectorEfficiency,
			darkCount:   c.DarkCountProb,
			misaligned:  c.Misalignment,
			sifting:     c.Sifting,
			leakage:     c.ErrorCorrectionEfficiency,
		}, nil
	default:
		return nil, &FieldError{"model", fmt.Sprintf("must be %q, is %q", ModelBB84Paper, c.Model)}
	}
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
}

func (m bb84Paper) Rate(lossDB, qberAdd float64) (qber, rateBPS float64) {
	eta := m.efficiency * math.Pow(10, -lossDB/10)
	clicks := eta + m.darkCount
	if clicks == 0 {
		return 0.5, 0
	}
	// A half is pure noise; entropy, symmetric about it, would reward more.
	qber = math.Min(0.5, (m.misaligned*eta+0.5*m.darkCount)/clicks+qberAdd)
	return qber, m.pulseRateHz * clicks * m.sifting * secretFraction(qber, m.leakage)
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
