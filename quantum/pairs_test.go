package quantum

import (
	"math"
	"testing"
)

func TestWernerTable(t *testing.T) {
	rows, _ := table(t, "bbm92_werner.csv")
	for _, r := range rows {
		cfg := DefaultLinkConfig()
		cfg.Model, cfg.Misalignment = ModelBBM92, (1-r[0])/2
		cfg.Pairs.DarkCountRateHz, cfg.Pairs.CoincidenceWindowS = 0, 1e-30
		for column, leakage := range map[int]float64{4: 1, 5: 1.1, 6: 1.22} {
			cfg.ErrorCorrectionEfficiency = leakage
			m := newPairs(cfg)
			qber, rate := m.Rate(4, 0)
			coincidences, _, _ := m.coincidences(4)
			if math.Abs(qber-r[1]) > 5e-6 {
				t.Errorf("V = %v: QBER %.6f, want %.5f", r[0], qber, r[1])
			}
			if got := rate / coincidences / cfg.Sifting; math.Abs(got-r[column]) > 5.1e-6 { // V = 0.7071 is rounded
				t.Errorf("V = %v, f_EC = %v: %.6f secret bits a sifted one, want %.6f", r[0], leakage, got, r[column])
			}
		}
	}
}

// The three links of smart metering: arms of 5.5, 4.25 and 11.75 dB.
func TestCoincidencesOfTheMeteringLinks(t *testing.T) {
	cfg := DefaultLinkConfig()
	cfg.Model, cfg.PulseRateHz = ModelBBM92, 2e6
	m := newPairs(cfg)
	for loss, want := range map[float64]float64{5.5: 17946, 4.25: 23931, 11.75: 4256} {
		pairs, accidental, _ := m.coincidences(loss)
		qber, _ := m.Rate(loss, 0)
		if got := pairs + accidental; math.Abs(got-want) > 1 || math.Abs(qber-0.0160) > 1e-4 {
			t.Errorf("%v dB: %.0f coincidences a second at a QBER of %.4f, want %.0f at 0.0160", loss, got, qber, want)
		}
	}
}
