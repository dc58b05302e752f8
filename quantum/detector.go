package quantum

// detector is what the models leave out of single-photon detectors.
type detector struct {
	deadTimeS  float64 // τ
	afterpulse float64 // p_ap
}

func (c LinkConfig) detector() detector { return detector{c.DetectorDeadTimeS, c.AfterpulseProb} }

// live is the part of the time in which the detector is not blind,
// 1/(1 + R·τ) at a rate of R clicks a second (non-paralysable dead time).
func (d detector) live(clicksHz float64) float64 { return 1 / (1 + clicksHz*d.deadTimeS) }

// errorAdded is the error rate of clicks that follow others at random.
func (d detector) errorAdded() float64 { return d.afterpulse / 2 }
