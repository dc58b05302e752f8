package metrics_test

import (
	"fmt"

	"cosim/internal/metrics"
)

func Example() {
	// A fault at 60 s takes the frequency out of its band for 2.5 s.
	const step = 100e6 // ns
	recovery := metrics.NewRecovery(metrics.SafeHz, metrics.CalmNS, step)
	var peak metrics.Peak
	for t := int64(0); t < 90e9; t += step {
		if t == 60e9 {
			recovery.Fault(t, "+552 MW at bus 16")
		}
		deltaF := 0.0
		if t >= 60.5e9 && t < 63e9 {
			deltaF = -0.074
		}
		recovery.Add(t, deltaF)
		peak.Add(t, deltaF)
	}
	f := recovery.Faults()[0]
	fmt.Printf("TRR %.1f s after %s, lasting return at %.1f s\n", float64(f.TRRNS)/1e9, f.What, float64(f.ReturnNS)/1e9)
	fmt.Printf("Δf_max %v Hz at %.1f s\n", peak.Magnitude(), float64(peak.AtNS())/1e9)
	// Output:
	// TRR 2.5 s after +552 MW at bus 16, lasting return at 63.0 s
	// Δf_max 0.074 Hz at 60.5 s
}
