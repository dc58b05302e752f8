package reconfig

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// divided draws a problem, some of its chains, and a plan that keeps the rows
// for all others.
func divided(r *rand.Rand, limit float64) (p *Problem, inside, outside []int, plan Plan) {
	p = randomProblem(r, limit)
	for {
		plan = randomPlan(r, p)
		inside, outside = nil, nil
		for l := range p.Chains {
			if r.IntN(2) == 0 {
				inside = append(inside, l)
				clear(plan[l])
			} else {
				outside = append(outside, l)
			}
		}
		if e, err := p.Evaluate(plan); err == nil && e.Feasible {
			return p, inside, outside, plan
		}
	}
}

// What a part costs with others held, and what these cost, is what all cost
// together, and its rows are those of the whole.
func TestPartsAddUpToTheWhole(t *testing.T) {
	r := stream("parts")
	feasible := 0
	for i := range 2000 {
		p, inside, outside, plan := divided(r, 1e5)
		part := p.Part(inside, plan.Pure())
		if err := part.Validate(); err != nil {
			t.Fatal(err)
		}
		for k, l := range inside {
			for s := range plan[l] {
				plan[l][s] = r.IntN(len(part.Chains[k].Options))
			}
		}
		mine := make(Plan, 0, len(inside))
		for _, l := range inside {
			mine = append(mine, plan[l])
		}
		whole, err := p.Evaluate(plan)
		if err != nil {
			t.Fatal(err)
		}
		e, err := part.Evaluate(mine)
		if err != nil {
			t.Fatal(err)
		}
		rest := 0.0
		for _, l := range outside {
			rest += p.Chains[l].Cost(plan[l])
		}
		if d := e.Objective + rest - whole.Objective; math.Abs(d) > 1e-9*math.Max(1, whole.Objective) {
			t.Fatalf("instance %d: a part of %g and a rest of %g for %g", i, e.Objective, rest, whole.Objective)
		}
		if e.Feasible != whole.Feasible && math.Abs(whole.ExcessBits) > 1e-6 {
			t.Fatalf("instance %d: feasible %v in the part, %v as a whole (excess %g)", i, e.Feasible, whole.Feasible, whole.ExcessBits)
		}
		if whole.Feasible {
			feasible++
		}
		if x := p.SharedCost(plan.Pure()) - whole.Terminal - whole.Grid; math.Abs(x) > 1e-9*math.Max(1, whole.Objective) {
			t.Fatalf("instance %d: shared costs differ by %g", i, x)
		}
	}
	if feasible < 300 {
		t.Errorf("only %d plans kept the rows", feasible)
	}
}

func TestPartEqualsBruteForce(t *testing.T) {
	r := stream("part brute force")
	for i := range 500 {
		p, inside, _, plan := divided(r, 2e4)
		part := p.Part(inside, plan.Pure())
		want := solve(t, Enumerator{}, part, nil, Budget{})
		got := solve(t, Engine{}, part, nil, Budget{})
		if math.Abs(got.Evaluation.Objective-want.Evaluation.Objective) > 1e-9 || !got.Evaluation.Feasible || got.Gap > 1e-9 {
			t.Fatalf("instance %d: engine %.12g (bound %.12g), brute force %.12g", i, got.Evaluation.Objective, got.Bound, want.Evaluation.Objective)
		}
	}
}

// The rate of a row is how the other objective moves when others take a bit
// more of the row.
func TestRatesAreDerivatives(t *testing.T) {
	r := stream("rates")
	compared := 0
	for range 2000 {
		p := randomProblem(r, 2e4)
		hardRowsOnly(p)
		other := make(Other, len(p.Chains))
		for l := range other {
			other[l] = make([]float64, len(p.Chains[l].Options)*p.Steps)
			for i := range other[l] {
				other[l][i] = r.NormFloat64()
			}
		}
		rows, _ := relaxedAt(t, p, other)
		for _, row := range rows {
			k := everyone
			if row.Lower {
				k = lower
			}
			if limit, _ := p.elasticLimit(row.Pool, row.Step, k); row.SlackBits > 1e-6 || row.Price < 1e-9 || limit < 1 {
				continue // slack, or empty
			}
			const bits = 1e-4
			var g [2]float64
			clean := true
			for i, taken := range []float64{1 - bits, 1 + bits} {
				q := *p
				q.Pools = append([]Pool(nil), p.Pools...)
				e := &q.Pools[row.Pool]
				e.StockBits = append([]float64(nil), e.StockBits...)
				e.StockBits[row.Step]++ // of which others take about one
				e.Others = &Others{MeanBits: make([]float64, p.Steps), VarBits2: make([]float64, p.Steps), LowerVarBits2: make([]float64, p.Steps)}
				e.Others.LowerMeanBits = append([]float64(nil), e.Others.MeanBits...)
				e.Others.MeanBits[row.Step], e.Others.LowerMeanBits[row.Step] = 1, 1
				if row.Lower {
					e.Others.LowerMeanBits[row.Step] = taken
				} else {
					e.Others.MeanBits[row.Step] = taken
				}
				at, value := relaxedAt(t, &q, other)
				g[i], clean = value, clean && samePrices(rows, at)
			}
			if !clean {
				continue // a kink in between
			}
			compared++
			if slope := (g[1] - g[0]) / (2 * bits); math.Abs(slope-row.Rate) > 1e-3*math.Max(0.01, math.Abs(row.Rate)) {
				t.Fatalf("pool %d, step %d: a rate of %g, measured %g", row.Pool, row.Step, row.Rate, slope)
			}
		}
	}
	t.Logf("%d rates compared", compared)
	if compared < 200 {
		t.Errorf("only %d rates could be compared", compared)
	}
}

// hardRowsOnly leaves of a problem what is linear in its rows: rows of cones are
// cut anew when limits move, and so are terminal costs.
func hardRowsOnly(p *Problem) {
	p.Kappa, p.Grid = 0, nil
	for e := range p.Pools {
		p.Pools[e].Terminal = Terminal{}
	}
	for l := range p.Chains {
		p.Chains[l].Pending = nil
	}
}

// relaxedAt solves a relaxation and says what its mix has of the other
// objective.
func relaxedAt(t *testing.T, p *Problem, other Other) (rows []RelaxedRow, value float64) {
	t.Helper()
	r, err := Engine{}.Relax(p, nil, Budget{}, func(Mix) Other { return other })
	if err != nil {
		t.Fatal(err)
	}
	for l := range r.Mix {
		for _, part := range r.Mix[l] {
			for s, o := range part.Options {
				value += part.Weight * other[l][o*p.Steps+s]
			}
		}
	}
	return r.Rows, value
}

// samePrices says whether the same rows have the same prices.
func samePrices(a, b []RelaxedRow) bool {
	priced := func(rows []RelaxedRow) (list []RelaxedRow) {
		for _, x := range rows {
			if x.Price > 1e-12 {
				list = append(list, RelaxedRow{Pool: x.Pool, Step: x.Step, Lower: x.Lower, Price: x.Price})
			}
		}
		return list
	}
	return slices.EqualFunc(priced(a), priced(b), func(x, y RelaxedRow) bool {
		return x.Pool == y.Pool && x.Step == y.Step && x.Lower == y.Lower && math.Abs(x.Price-y.Price) <= 1e-9*math.Max(1, x.Price)
	})
}

// No plan costs less than the relaxation.
func TestRelaxationIsABound(t *testing.T) {
	r := stream("relax")
	for i := range 500 {
		p, inside, _, plan := divided(r, 3000)
		part := p.Part(inside, plan.Pure())
		best := solve(t, Enumerator{}, part, nil, Budget{}).Evaluation.Objective
		x, err := Engine{}.Relax(part, nil, Budget{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if x.Bound > best+1e-9 {
			t.Fatalf("instance %d: bound %.12g ≤ optimum %.12g does not hold", i, x.Bound, best)
		}
		for l, parts := range x.Mix {
			sum := 0.0
			for _, w := range parts {
				sum += w.Weight
			}
			if math.Abs(sum-1) > 1e-7 {
				t.Fatalf("instance %d: chain %d is mixed to %g", i, l, sum)
			}
		}
	}
}
