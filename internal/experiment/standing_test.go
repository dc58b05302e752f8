package experiment

import (
	"slices"
	"testing"

	"cosim/scada/reconfig"
)

func TestAKilobitIsDividedAmongAccounts(t *testing.T) {
	o := &reconfig.Operators{Names: []string{"TSO", "DSO1"}}
	for range o.Names {
		o.Pools = append(o.Pools, []reconfig.Pool{{StockBits: []float64{10, 20}}, {StockBits: []float64{30, 40}}})
	}
	more := credited(o, 1)
	for a := range o.Names {
		if got := more.Pools[a][1].StockBits; !slices.Equal(got, []float64{530, 540}) {
			t.Errorf("operator %d has %v", a, got)
		}
		if !slices.Equal(more.Pools[a][0].StockBits, []float64{10, 20}) || !slices.Equal(o.Pools[a][1].StockBits, []float64{30, 40}) {
			t.Errorf("operator %d: another pool, or what was recorded, has changed", a)
		}
	}
}
