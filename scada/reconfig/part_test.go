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
	errors := rateErrors(t, stream("rates"), 2000, 1e-9, func(p *Problem) {
		hardRowsOnly(p)
		p.Kappa = 0
	})
	t.Logf("%d rates compared", len(errors))
	if len(errors) < 200 {
		t.Errorf("only %d rates could be compared", len(errors))
	}
	if most := errors[len(errors)-1]; most > 1e-3 {
		t.Errorf("a rate is %.2g %% from what was measured", 100*most)
	}
}

// Rows of cones are cut anew when limits move, which rates do not know.
func TestRatesAreNearDerivativesWhereConesAreCutAnew(t *testing.T) {
	errors := rateErrors(t, stream("rates of cones cut anew"), 1500, 0.01, func(p *Problem) {
		hardRowsOnly(p)
		if p.Kappa == 0 {
			p.Kappa = Gaussian(0.05)
		}
	})
	n := len(errors)
	p50, p75, p90 := errors[n/2], errors[n*3/4], errors[n*9/10]
	t.Logf("%d rates: off by p50 %.2g %%, p75 %.2g %%, p90 %.2g %%", n, 100*p50, 100*p75, 100*p90)
	if n < 1000 || p50 > 0.001 || p75 > 0.02 || p90 > 0.15 {
		t.Errorf("%d rates are off by %.2g %%, %.2g %% and %.2g %%", n, 100*p50, 100*p75, 100*p90)
	}
}

// rateErrors compares the rates of n problems with differences of relaxations
// solved again, where the same rows keep their prices to a relative tolerance,
// and returns relative errors in rising order.
func rateErrors(t *testing.T, r *rand.Rand, n int, tolerance float64, prepare func(*Problem)) []float64 {
	t.Helper()
	var errors []float64
	for range n {
		p := randomProblem(r, 2e4)
		prepare(p)
		other := randomOther(r, p)
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
				at, value := relaxedAt(t, taking(p, row, taken), other)
				g[i], clean = value, clean && samePrices(rows, at, tolerance)
			}
			if clean { // no kink in between
				slope := (g[1] - g[0]) / (2 * bits)
				errors = append(errors, math.Abs(slope-row.Rate)/math.Max(0.01, math.Abs(row.Rate)))
			}
		}
	}
	slices.Sort(errors)
	return errors
}

// taking is a problem with a bit more in a step of a pool, and others that take
// about one of that row.
func taking(p *Problem, row RelaxedRow, taken float64) *Problem {
	q := *p
	q.Pools = append([]Pool(nil), p.Pools...)
	e := &q.Pools[row.Pool]
	e.StockBits = append([]float64(nil), e.StockBits...)
	e.StockBits[row.Step]++
	e.Others = &Others{MeanBits: make([]float64, p.Steps), VarBits2: make([]float64, p.Steps), LowerVarBits2: make([]float64, p.Steps)}
	e.Others.LowerMeanBits = append([]float64(nil), e.Others.MeanBits...)
	e.Others.MeanBits[row.Step], e.Others.LowerMeanBits[row.Step] = 1, 1
	if row.Lower {
		e.Others.LowerMeanBits[row.Step] = taken
	} else {
		e.Others.MeanBits[row.Step] = taken
	}
	return &q
}

// The same with cones, terminal costs and the grid, as a game has them. Their rows
// are cut where the programme's optimum is, and cut anew when limits move; what a
// rate is a derivative of is the programme with the rows that it has.
func TestRatesAreDerivativesWithTheRowsOfConesAndTerminalCosts(t *testing.T) {
	r := stream("rates of cones")
	compared, early := map[string]int{}, 0
	for range 600 {
		p := randomProblem(r, 2e4)
		other := randomOther(r, p)
		x := relaxedSearch(p)
		middle := x.lowered(RelaxedRow{}, 0)
		if x.master.objective()-middle.objective() > 1e-9 {
			early++ // it ended at the limit of rows, before its optimum
			continue
		}
		for _, row := range x.relaxedRows(x.master, other) {
			if row.Price < 1e-9 {
				continue
			}
			const bits = 1e-3
			less, more := x.lowered(row, bits), x.lowered(row, -bits)
			up, down := (x.value(less, other)-x.value(middle, other))/bits, (x.value(middle, other)-x.value(more, other))/bits
			if math.Abs(up-down) > 1e-4*math.Max(0.01, math.Abs(up)) {
				continue // a kink
			}
			switch {
			case row.Terminal:
				compared["terminal row"]++
			case p.Kappa > 0:
				compared["cone"]++
			}
			if p.Grid != nil {
				compared["grid"]++
			}
			if math.Abs(up-row.Rate) > 1e-3*math.Max(0.01, math.Abs(row.Rate)) {
				t.Fatalf("κ %.2f, %+v: measured %g", p.Kappa, row, up)
			}
		}
		x.r.mem.release()
	}
	t.Logf("rates compared: %v; %d programmes ended early", compared, early)
	if early > 6 {
		t.Errorf("%d of 600 programmes ended early", early)
	}
	for _, kind := range []string{"terminal row", "cone", "grid"} {
		if compared[kind] < 100 {
			t.Errorf("%s: only %d rates could be compared", kind, compared[kind])
		}
	}
}

// A relaxation is solved to its end, where solving it again with the rows that it
// has finds nothing better: tangents of a terminal cost that are cut twice at one
// plan would use up the rows that there may be.
func TestRelaxationEndsAtItsOptimum(t *testing.T) {
	r := stream("ends")
	ramps := 0
	for i := range 3000 {
		p := randomProblem(r, 2e4)
		p.Kappa = 0
		for e := range p.Pools {
			if p.Pools[e].Terminal.RampBits > 0 {
				ramps++
			}
		}
		x := relaxedSearch(p)
		if found, least := x.master.objective(), x.lowered(RelaxedRow{}, 0).objective(); found-least > 1e-6*math.Max(1, found) {
			t.Errorf("problem %d: ended at %.9g, its rows allow %.9g", i, found, least)
		}
		x.r.mem.release()
	}
	if ramps < 1000 {
		t.Errorf("%d pools with a rising price are too few to tell", ramps)
	}
}

// solvedRelaxation is the programme at the root, solved.
type solvedRelaxation struct {
	*search
	root   *node
	master *master
}

func relaxedSearch(p *Problem) solvedRelaxation {
	x := solvedRelaxation{search: newSearch(p, Budget{}, true)}
	x.start(nil)
	x.root = x.rootNode()
	x.master = x.search.master(x.root)
	x.generate(x.root, x.master)
	return x
}

// lowered solves the programme again, with the rows it has and with so many bits
// less in those of a pool, a kind and a step.
func (x solvedRelaxation) lowered(at RelaxedRow, bits float64) *master {
	bare := *x.root
	bare.rows, bare.prices = nil, nil
	m := x.search.master(&bare)
	copies := map[*row]*row{}
	for _, w := range x.master.rows {
		c := *w
		c.parent = copies[w.parent]
		if terminal := w.kind == terminalRow; w.kind != gridRow && w.pool == at.Pool && terminal == at.Terminal &&
			(terminal || w.step == at.Step && (w.class == lower) == at.Lower) {
			c.limit -= bits
		}
		copies[w] = &c
		m.activate(&c)
	}
	for added := true; added; {
		x.optimise(m)
		_, added = x.addColumns(&bare, m)
	}
	return m
}

// value is what a programme's solution has of the other objective, shared costs
// among it.
func (x solvedRelaxation) value(m *master, other Other) float64 {
	sum := 0.0
	m.weights(func(k *column, weight float64) {
		sum += weight * x.ledger.sendCost(&x.r.chains[k.chain], k)
		for t, o := range k.options {
			sum += weight * other[k.chain][o*x.r.steps+t]
		}
	})
	for i, b := range m.basis {
		if b < 0 && b&1 == 0 { // an excess
			sum += m.capOf(-b/2-1) * m.x[i]
		}
	}
	return sum
}

func randomOther(r *rand.Rand, p *Problem) Other {
	other := make(Other, len(p.Chains))
	for l := range other {
		other[l] = make([]float64, len(p.Chains[l].Options)*p.Steps)
		for i := range other[l] {
			other[l][i] = r.NormFloat64()
		}
	}
	return other
}

// hardRowsOnly leaves of a problem the rows that others' draws move.
func hardRowsOnly(p *Problem) {
	p.Grid = nil
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

// samePrices says whether the same rows have the same prices, to a relative
// tolerance.
func samePrices(a, b []RelaxedRow, tolerance float64) bool {
	priced := func(rows []RelaxedRow) (list []RelaxedRow) {
		for _, x := range rows {
			if x.Price > 1e-12 {
				list = append(list, RelaxedRow{Pool: x.Pool, Step: x.Step, Lower: x.Lower, Price: x.Price})
			}
		}
		return list
	}
	return slices.EqualFunc(priced(a), priced(b), func(x, y RelaxedRow) bool {
		return x.Pool == y.Pool && x.Step == y.Step && x.Lower == y.Lower && math.Abs(x.Price-y.Price) <= math.Max(1e-9, tolerance*x.Price)
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
