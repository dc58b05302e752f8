package quantum

import "math"

// PairsConfig is what a link with a source of entangled pairs has of its own.
// The source makes pulse_rate_hz pairs a second, beside one of the ends.
type PairsConfig struct {
	// DarkCountRateHz is d, the dark counts of each side a second.
	DarkCountRateHz float64 `yaml:"dark_count_rate_hz"`
	// CoincidenceWindowS is τ_c, within which two clicks count as a pair.
	CoincidenceWindowS float64 `yaml:"coincidence_window_s"`
	// LocalLossDB is the loss of the arm from the source to its own end.
	LocalLossDB float64 `yaml:"local_loss_db"`
}

var defaultPairs = PairsConfig{DarkCountRateHz: 500, CoincidenceWindowS: 1e-9, LocalLossDB: 1}

func (c PairsConfig) validate(m *mistakes) {
	m.want("pairs.dark_count_rate_hz", c.DarkCountRateHz, atLeast(0))
	m.want("pairs.coincidence_window_s", c.CoincidenceWindowS, above(0))
	m.want("pairs.local_loss_db", c.LocalLossDB, atLeast(0))
}

// pairs is BBM92 (Bennett, Brassard and Mermin, Phys. Rev. Lett. 68, 557,
// 1992) with a source beside one end. With transmittances η_I of that end's
// arm and η_R of the fibre, detectors included, and μ pairs a second
//
//	R_c   = μ·η_I·η_R
//	R_acc = (μ·η_I + d)·(μ·η_R + d)·τ_c
//	QBER  = (e_d·R_c + R_acc/2) / (R_c + R_acc)
//	G     = q·(R_c + R_acc)·max(0, 1 − h(QBER) − f_EC·h(QBER))
//
// e_d = (1 − V)/2 for pairs of visibility V. Dead time is that of the side
// that clicks more.
type pairs struct {
	PairsConfig
	pairRateHz, efficiency, misaligned, sifting, leakage float64
	detector                                             detector
}

func newPairs(c LinkConfig) pairs {
	return pairs{c.Pairs, c.PulseRateHz, c.DetectorEfficiency, c.Misalignment, c.Sifting, c.ErrorCorrectionEfficiency, c.detector()}
}

func (m pairs) Rate(lossDB, qberAdd float64) (qber, rateBPS float64) {
	coincidences, accidental, clicksHz := m.coincidences(lossDB)
	all := coincidences + accidental
	if all == 0 {
		return 0.5, 0
	}
	qber = math.Min(0.5, (m.misaligned*coincidences+accidental/2)/all+qberAdd+m.detector.errorAdded())
	return qber, m.sifting * all * secretFraction(qber, m.leakage) * m.detector.live(clicksHz)
}

// coincidences a second, those of pairs and those by accident, and the clicks
// of the busier side.
func (m pairs) coincidences(lossDB float64) (ofPairs, accidental, clicksHz float64) {
	near := m.efficiency * math.Pow(10, -m.LocalLossDB/10)
	far := m.efficiency * math.Pow(10, -lossDB/10)
	a, b := m.pairRateHz*near+m.DarkCountRateHz, m.pairRateHz*far+m.DarkCountRateHz
	return m.pairRateHz * near * far, a * b * m.CoincidenceWindowS, math.Max(a, b)
}
