package experiment

import (
	"context"
	"math"
	"testing"

	"cosim/scada/reconfig"
)

// The accounts of S-4 are those of the pools: as long as none is full they hold
// together what the pool does, to the bit, whatever was drawn, for whom and by
// which way.
func TestAccountsOfOperatorsAddUpToThePools(t *testing.T) {
	r, err := Run(context.Background(), load(t, "S-4", append(few, "quantum.pulse_rate_hz=1.2e6")...),
		RunOptions{Out: t.TempDir(), Decisions: selections(t, "0s", "1s", "3s", "5900ms")})
	if err != nil {
		t.Fatal(err)
	}
	unequal := 0
	for _, file := range r.Recorded {
		decision, err := reconfig.ReadRecording(file)
		if err != nil {
			t.Fatal(err)
		}
		p := decision.Problem
		for e := range p.Pools {
			sum, first := 0.0, p.Operators.Pools[0][e].NowBits
			for a := range p.Operators.Pools {
				own := &p.Operators.Pools[a][e]
				sum += own.NowBits
				if math.Abs(own.NowBits-first) > 1000 {
					unequal++
				}
				if a > 0 && (own.StockVarBits[9] != p.Operators.Pools[0][e].StockVarBits[9] || own.ReserveBits != p.Pools[e].ReserveBits/4) {
					t.Errorf("%s, %s: parts of forecast and reserve differ", file, own.ID)
				}
			}
			if math.Abs(sum-p.Pools[e].NowBits) > 1e-6 {
				t.Errorf("%s, %s: accounts of %g bits, a pool of %g", file, p.Pools[e].ID, sum, p.Pools[e].NowBits)
			}
		}
	}
	if unequal < 10 {
		t.Errorf("%d accounts differ from the first operator's: nobody drew", unequal)
	}
}
