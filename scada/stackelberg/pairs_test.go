package stackelberg

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"cosim/scada/reconfig"
)

// Claim (c), signs at the relaxed response: prices and slacks are not negative
// and one of each pair is zero; a row with slack has no rate. That rates are the
// multipliers is tested in package reconfig, by differences.
func TestComplementarityPairsHaveTheirSigns(t *testing.T) {
	r := stream("pairs")
	active := 0
	for i := range 300 {
		p := randomGame(r, 128, 300)
		m := newMatch(p, account{}, nil)
		if err := m.play(); err != nil {
			t.Fatal(err)
		}
		for _, row := range m.best.relaxed.Rows {
			const zero = 1e-6
			if row.Terminal {
				continue // soft: its slack may be negative, at a price
			}
			if row.Price < -zero || row.SlackBits < -zero {
				t.Fatalf("instance %d: %+v", i, row)
			}
			if row.Price > zero && row.SlackBits > 1e-3 {
				t.Fatalf("instance %d: neither is zero: %+v", i, row)
			}
			switch {
			case row.Price > zero:
				active++
			case row.SlackBits > 1e-3:
				if math.Abs(row.Rate) > zero {
					t.Fatalf("instance %d: a row with slack has a rate: %+v", i, row)
				}
			}
		}
	}
	t.Logf("%d active pairs", active)
	if active < 50 {
		t.Error("too few pairs for a test")
	}
}

// roundGame is one in round numbers, so that rows are often just full and plans
// often cost followers the same: chains of 50 or 100 bits that are worth 1 to 3,
// pools of a few times 50 bits beside the 10 that others draw.
func roundGame(r *rand.Rand) *reconfig.Problem {
	p := &reconfig.Problem{Steps: 1, Operators: &reconfig.Operators{Names: []string{"TSO", "DSO1", "DSO2"}, FairnessWeight: float64(1 + r.IntN(4))}}
	pools := 1 + r.IntN(2)
	for l := range 2 + r.IntN(5) {
		c := oneShot(strconv.Itoa(l), float64(50*(1+r.IntN(2))), float64(1+r.IntN(3)))
		c.Highest = r.IntN(3) == 0
		c.Options[1].Draws[0].Pool = r.IntN(pools)
		p.Chains, p.Operators.Of = append(p.Chains, c), append(p.Operators.Of, min(l, 1)*(1+r.IntN(2)))
	}
	for e := range pools {
		ten := []float64{10}
		p.Pools = append(p.Pools, reconfig.Pool{
			ID: strconv.Itoa(e), StockBits: []float64{10 + float64(50*(1+r.IntN(5)))}, StockVarBits: []float64{0}, ReserveBits: float64(50 * r.IntN(2)),
			Others: &reconfig.Others{MeanBits: ten, VarBits2: []float64{0}, LowerMeanBits: ten, LowerVarBits2: []float64{0}},
		})
	}
	return p
}

// merit is the leader's objective at the followers' response when others draw so
// many bits more in a row.
func merit(t *testing.T, p *reconfig.Problem, plan reconfig.Plan, row reconfig.RelaxedRow, bits float64) float64 {
	t.Helper()
	q := *p
	q.Pools = slices.Clone(p.Pools)
	o := *p.Pools[row.Pool].Others
	q.Pools[row.Pool].Others = &o
	if row.Lower {
		o.LowerMeanBits = []float64{o.LowerMeanBits[0] + bits}
	} else {
		o.MeanBits = []float64{o.MeanBits[0] + bits}
	}
	r, err := newMatch(&q, account{}, nil).respond(plan)
	if err != nil {
		t.Fatal(err)
	}
	return r.merit
}

// Claim (c) where both of a pair are zero: the response has a kink there, and the
// rate is that of one side, zero where the row is slack on it, and no mixture of
// two (M-stationarity; of a mixture neither multiplier would be zero). Where it is
// not zero followers are at a tie, of which the leader has the side that it likes:
// the rate is positive.
func TestBiactivePairsHaveTheRateOfOneSide(t *testing.T) {
	r := stream("biactive")
	pairs, kinks, ties := 0, 0, 0
	for i := range 3000 {
		p := roundGame(r)
		m := newMatch(p, account{}, nil)
		for _, plan := range []reconfig.Plan{{{0}}, {{1}}} {
			if e, err := m.alone.Evaluate(plan); err != nil || !e.Feasible {
				continue
			}
			at, err := newMatch(p, account{}, nil).respond(plan)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range at.relaxed.Rows {
				if row.Price > 1e-6 || row.SlackBits > 1e-3 {
					continue
				}
				const bits = 0.01
				less, more := (at.merit-merit(t, p, plan, row, -bits))/bits, (merit(t, p, plan, row, bits)-at.merit)/bits
				near := func(x float64) bool { return math.Abs(row.Rate-x) < 1e-3*math.Max(0.01, math.Abs(x)) }
				if !near(less) && !near(more) || row.Rate < -1e-6 {
					t.Fatalf("instance %d, leader %v: %+v, measured %g with less drawn by others, %g with more", i, plan, row, less, more)
				}
				pairs++
				if near(less) != near(more) {
					kinks++
				}
				if row.Rate > 1e-6 {
					ties++
				}
			}
		}
	}
	t.Logf("%d biactive pairs, %d with a kink, %d with ties", pairs, kinks, ties)
	if pairs < 1000 || kinks < 500 || ties < 20 {
		t.Errorf("%d biactive pairs, %d with a kink, %d with ties: too few to tell", pairs, kinks, ties)
	}
}
