package reconfig

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func TestRiskFactors(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{Gaussian(0.05), 1.6448536269514722}, // quantile of the normal distribution
		{Gaussian(0.01), 2.3263478740408408},
		{Gaussian(0.5), 0},
		{Cantelli(0.05), math.Sqrt(19)},
	} {
		if math.Abs(c.got-c.want) > 1e-9 {
			t.Errorf("κ = %.12g, expected %.12g", c.got, c.want)
		}
	}
}

// TestChanceConstraintsHoldByMonteCarlo draws consumption and supply for plans
// that fill their pools, from the normal distributions under which κ is exact.
func TestChanceConstraintsHoldByMonteCarlo(t *testing.T) {
	const risk, samples = 0.05, 20000
	r := stream("monte carlo")
	tight := 0.0
	for range 60 {
		p := randomProblem(r, 1e5)
		p.Kappa = Gaussian(risk)
		if len(p.Slacks()) > 0 {
			continue
		}
		plan := solve(t, Engine{}, p, nil, Budget{Nodes: 20}).Plan
		for e := range p.Pools {
			for step := range p.Steps {
				var mean, variance float64
				for l := range plan {
					for s, o := range plan[l][:step+1] {
						for _, d := range p.Chains[l].Options[o].Draws {
							if d.Pool == e {
								mean += d.MeanBits[s]
								variance += d.VarBits2[s]
							}
						}
					}
				}
				use := distuv.Normal{Mu: mean, Sigma: math.Sqrt(variance), Src: r}
				stock := distuv.Normal{Mu: p.Pools[e].StockBits[step], Sigma: math.Sqrt(p.Pools[e].StockVarBits[step]), Src: r}
				broken := 0
				for range samples {
					if use.Rand() > stock.Rand()*(1+1e-9) {
						broken++
					}
				}
				frequency := float64(broken) / samples
				if sigma := math.Sqrt(risk * (1 - risk) / samples); frequency > risk+3*sigma {
					t.Errorf("pool %d, step %d: broken in %.4f of %d samples", e, step, frequency, samples)
				}
				tight = max(tight, frequency)
			}
		}
	}
	if tight < risk/2 {
		t.Errorf("no plan came near the risk: %.4f at most", tight)
	}
}

func TestInfeasibilityIsNamed(t *testing.T) {
	p := &Problem{
		Steps: 2, Kappa: 2,
		Pools: []Pool{
			{ID: "rich", StockBits: []float64{1e4, 1e4}, StockVarBits: []float64{0, 0}},
			{ID: "poor", StockBits: []float64{300, 1000}, StockVarBits: []float64{0, 100 * 100}, ReserveBits: 500},
		},
	}
	draw := func(pool int) []Draw {
		return []Draw{{Pool: pool, MeanBits: []float64{100, 100}, VarBits2: []float64{0, 0}}}
	}
	for _, highest := range []bool{false, true} {
		p.Chains = append(p.Chains, Chain{Highest: highest, Before: NoOption, Options: []Option{
			{Cost: []float64{1, 1}},
			{Cost: []float64{0, 0}, Draws: draw(1)},
			{Cost: []float64{0.5, 0.5}, Draws: draw(0)},
		}})
	}
	want := []Slack{{Pool: 1, Step: 0, Lower: true, Bits: 200}}
	r := solve(t, Engine{}, p, nil, Budget{})
	if len(r.Slacks) != 1 || r.Slacks[0] != want[0] {
		t.Errorf("slacks %+v, expected %+v", r.Slacks, want)
	}
	// Below the reserve only the highest class may draw; afterwards all may.
	if r.Plan[0][0] != 2 || r.Plan[0][1] != 1 || r.Plan[1][0] != 1 || r.Plan[1][1] != 1 || !r.Evaluation.Feasible {
		t.Errorf("plan %v (%+v)", r.Plan, r.Evaluation)
	}
}

func TestSupplyIsNeverCountedAsLessThanNone(t *testing.T) {
	var e Pool
	e.SetSupply(1000, []float64{10, 500}, []float64{100 * 100, 100 * 100}, 2)
	if e.StockBits[0] != 1000 || e.StockVarBits[0] != 0 || e.StockBits[1] != 1500 || e.StockVarBits[1] != 1e4 {
		t.Errorf("stock %v, variance %v", e.StockBits, e.StockVarBits)
	}
}

// TestStocksNeverGoNegative plays plans against the mean supply and mean use.
func TestStocksNeverGoNegative(t *testing.T) {
	s := newShipped(stream("stocks"), 44, 8, 10)
	for range 50 {
		s.advance()
		p := s.problem(nil)
		plan := solve(t, Engine{}, p, nil, DefaultBudget()).Plan
		for e := range p.Pools {
			use := 0.0
			for step := range p.Steps {
				for l := range plan {
					for _, d := range p.Chains[l].Options[plan[l][step]].Draws {
						if d.Pool == e {
							use += d.MeanBits[step]
						}
					}
				}
				if use > p.Pools[e].StockBits[step]*(1+1e-9) {
					t.Fatalf("pool %d, step %d: %g bits of %g", e, step, use, p.Pools[e].StockBits[step])
				}
			}
		}
	}
}
