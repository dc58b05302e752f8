package reconfig

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

func solve(t testing.TB, s Solver, p *Problem, warm *Warm, b Budget) *Result {
	t.Helper()
	r, err := s.Solve(p, warm, b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEngineEqualsBruteForce(t *testing.T) {
	r := stream("brute force")
	var nodes, branched, plain int
	for i := range 1000 {
		limit := 2e4
		if i%20 == 0 {
			limit = 2e6
		}
		p := randomProblem(r, limit)
		want := solve(t, Enumerator{}, p, nil, Budget{})
		got := solve(t, Engine{}, p, nil, Budget{})
		if d := math.Abs(got.Evaluation.Objective - want.Evaluation.Objective); d > 1e-9 || !got.Evaluation.Feasible {
			t.Fatalf("instance %d (%d chains, %d steps): engine %.12g (bound %.12g, feasible %v), brute force %.12g", i, len(p.Chains), p.Steps,
				got.Evaluation.Objective, got.Bound, got.Evaluation.Feasible, want.Evaluation.Objective)
		}
		if got.Gap > 1e-9 {
			t.Fatalf("instance %d: solved to the end with a gap of %g", i, got.Gap)
		}
		nodes += got.Work.Nodes
		if got.Work.Nodes > 1 {
			branched++
		}
		if got.Work.Pivots == 0 {
			plain++
		}
	}
	t.Logf("%d nodes in all, %d problems branched, %d had room for everything", nodes, branched, plain)
}

// TestBoundIsNeverAboveTheOptimum looks at the relaxation alone, with rows that
// cut off plans if the derivation in row or envelope were wrong.
func TestBoundIsNeverAboveTheOptimum(t *testing.T) {
	r := stream("bound")
	for i := range 3000 {
		p := randomProblem(r, 3000)
		best := solve(t, Enumerator{}, p, nil, Budget{}).Evaluation.Objective
		for _, b := range []Budget{{Evaluations: 1}, {Nodes: 1}, {Nodes: 3}} {
			got := solve(t, Engine{}, p, nil, b)
			if got.Bound > best+1e-9 || got.Evaluation.Objective < best-1e-9 || !got.Evaluation.Feasible {
				t.Fatalf("instance %d, budget %+v: bound %.12g ≤ optimum %.12g ≤ plan %.12g does not hold (feasible %v)",
					i, b, got.Bound, best, got.Evaluation.Objective, got.Evaluation.Feasible)
			}
		}
	}
}

// TestRowsHoldAtEveryFeasiblePlan draws feasible plans at random.
func TestRowsHoldAtEveryFeasiblePlan(t *testing.T) {
	r := stream("rows")
	rows := 0
	for range 2000 {
		p := randomProblem(r, 1e5)
		x := relax(p, false)
		cone := newEnvelope(x)
		for l := range cone.share {
			for j := range cone.share[l] {
				cone.share[l][j] = r.Float64()
			}
		}
		all := append([]row(nil), x.rows...)
		for i := range x.rows {
			if w := &x.rows[i]; w.kind == chanceRow {
				if cut := cone.cut(w.pool, w.step, w.class, 1e12); cut != nil {
					all = append(all, *cut)
				}
			}
		}
		for range 20 {
			plan := randomPlan(r, p)
			if e, err := p.Evaluate(plan); err != nil || !e.Feasible {
				continue
			}
			for i := range all {
				w := &all[i]
				if w.kind != chanceRow {
					continue
				}
				rows++
				lhs := 0.0
				for l := range plan {
					lhs += x.coefficient(w, x.column(l, plan[l]))
				}
				if lhs > w.limit*w.scale+1e-8 {
					t.Fatalf("a feasible plan breaks a row of pool %d, step %d: %g > %g", w.pool, w.step, lhs, w.limit*w.scale)
				}
			}
		}
	}
	if rows < 1000 {
		t.Errorf("only %d rows met a feasible plan", rows)
	}
}

func randomPlan(r *rand.Rand, p *Problem) Plan {
	plan := p.AllOff()
	for l := range plan {
		on := r.Float64()
		for t := range plan[l] {
			if r.Float64() < on {
				plan[l][t] = r.IntN(len(p.Chains[l].Options))
			}
		}
	}
	return plan
}

func TestPermutationChangesNothing(t *testing.T) {
	r := stream("permutation")
	for i := range 300 {
		p := randomProblem(r, 1e5)
		want := solve(t, Engine{}, p, nil, Budget{})
		chains, pools := r.Perm(len(p.Chains)), r.Perm(len(p.Pools))
		got := solve(t, Engine{}, permuted(p, chains, pools), nil, Budget{})
		if math.Abs(got.Evaluation.Objective-want.Evaluation.Objective) > 1e-9 {
			t.Fatalf("instance %d: %.12g and, permuted, %.12g", i, want.Evaluation.Objective, got.Evaluation.Objective)
		}
		back := p.AllOff()
		for l, from := range chains {
			back[from] = got.Plan[l]
		}
		if e, err := p.Evaluate(back); err != nil || !e.Feasible || math.Abs(e.Objective-want.Evaluation.Objective) > 1e-9 {
			t.Fatalf("instance %d: the permuted plan means %+v, %v here", i, e, err)
		}
	}
}

func TestNamesChangeNothing(t *testing.T) {
	p := newShipped(stream("names"), 20, 4, 5).problem(nil)
	want := solve(t, Engine{}, p, nil, DefaultBudget())
	for l := range p.Chains {
		p.Chains[l].ID = "x" + p.Chains[len(p.Chains)-1-l].ID
	}
	for e := range p.Pools {
		p.Pools[e].ID = "a pool"
	}
	if got := solve(t, Engine{}, p, nil, DefaultBudget()); !reflect.DeepEqual(got, want) {
		t.Error("another result under other names")
	}
}

func permuted(p *Problem, chains, pools []int) *Problem {
	q := *p
	q.Chains, q.Pools = nil, make([]Pool, len(p.Pools))
	where := make([]int, len(pools))
	for to, from := range pools {
		where[from] = to
		q.Pools[to] = p.Pools[from]
	}
	for _, from := range chains {
		c := p.Chains[from]
		c.Options = append([]Option(nil), c.Options...)
		for o := range c.Options {
			draws := append([]Draw(nil), c.Options[o].Draws...)
			for i := range draws {
				draws[i].Pool = where[draws[i].Pool]
			}
			c.Options[o].Draws = draws
		}
		q.Chains = append(q.Chains, c)
	}
	return &q
}

func TestSameProblemSameResult(t *testing.T) {
	s := newShipped(stream("determinism"), 44, 8, 10)
	var warm *Warm
	for range 5 {
		s.advance()
		p := s.problem(nil)
		a, b := solve(t, Engine{}, p, warm, DefaultBudget()), solve(t, Engine{}, p, warm, DefaultBudget())
		if !reflect.DeepEqual(a, b) {
			t.Fatal("two results of one problem")
		}
		warm = a.Next()
	}
}

func TestAnyBudgetGivesAPlanAndABound(t *testing.T) {
	s := newShipped(stream("budget"), 44, 8, 10)
	var warm *Warm
	for range 20 {
		s.advance()
		p := s.problem(nil)
		best := math.Inf(1)
		for _, b := range []Budget{{Evaluations: 1, Nodes: 1, Pivots: 1}, {Nodes: 1, Pivots: 10}, {Evaluations: 3}, DefaultBudget()} {
			r := solve(t, Engine{}, p, warm, b)
			if !r.Evaluation.Feasible || !(r.Bound <= r.Evaluation.Objective) || math.IsInf(r.Bound, 0) || math.IsInf(r.Evaluation.Objective, 0) {
				t.Fatalf("budget %+v: feasible %v, bound %g, objective %g", b, r.Evaluation.Feasible, r.Bound, r.Evaluation.Objective)
			}
			if r.Bound > best+1e-9 {
				t.Fatalf("budget %+v: bound %g above a plan of %g", b, r.Bound, best)
			}
			best = min(best, r.Evaluation.Objective)
			if b == DefaultBudget() {
				warm = r.Next()
			}
		}
	}
}

// TestLargeCostsEnd: a fairness weight or a price a user sets may be as large
// as they like. Sums of such costs are rounded by more than the least saving
// that counts, and a change that saves nothing but rounding saves it every time.
func TestLargeCostsEnd(t *testing.T) {
	r := stream("large costs")
	for i := range 60 {
		p := midsize(r, 1+i%2)
		p.Grid = nil
		factor := math.Pow(10, 6+9*r.Float64())
		for l := range p.Chains {
			c := &p.Chains[l]
			c.SwitchCost *= factor
			for o := range c.Options {
				for step := range c.Options[o].Cost {
					c.Options[o].Cost[step] *= factor
				}
			}
		}
		for e := range p.Pools {
			p.Pools[e].Terminal.PricePerBit *= factor
		}
		ended := make(chan *Result, 1)
		go func() {
			got, err := Engine{}.Solve(p, nil, DefaultBudget())
			if err != nil {
				t.Errorf("instance %d: %v", i, err)
			}
			ended <- got
		}()
		select {
		case got := <-ended:
			if got != nil && (!got.Evaluation.Feasible || got.Bound > got.Evaluation.Objective) {
				t.Errorf("instance %d: feasible %v, bound %g, objective %g", i, got.Evaluation.Feasible, got.Bound, got.Evaluation.Objective)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("instance %d, costs times %.3g: no end", i, factor)
		}
	}
}

// TestWarmStartSurvivesAnotherProblem passes what is left of one problem to a
// problem of other chains, pools and steps.
func TestWarmStartSurvivesAnotherProblem(t *testing.T) {
	r := stream("warm")
	var warm *Warm
	for i := range 300 {
		p := randomProblem(r, 3000)
		got := solve(t, Engine{}, p, warm, Budget{})
		want := solve(t, Enumerator{}, p, nil, Budget{})
		if math.Abs(got.Evaluation.Objective-want.Evaluation.Objective) > 1e-9 {
			t.Fatalf("instance %d: %.12g, brute force %.12g", i, got.Evaluation.Objective, want.Evaluation.Objective)
		}
		warm = got.Next()
	}
}

// TestInterruptedSolveCanBeRepeated: the watchdog of real-time runs ends a solve
// at a moment that the clock chose; the number of that check repeats it.
func TestInterruptedSolveCanBeRepeated(t *testing.T) {
	s := newShipped(stream("interrupt"), 44, 8, 10)
	interrupted := 0
	for at := range 40 {
		s.advance()
		p := s.problem(nil)
		n := 0
		first := solve(t, Engine{Interrupt: func() bool { n++; return n > at%3 }}, p, nil, DefaultBudget())
		if !first.Evaluation.Feasible || first.Bound > first.Evaluation.Objective+1e-9 {
			t.Fatalf("interrupted at check %d: %+v, bound %g", at, first.Evaluation, first.Bound)
		}
		if !first.Work.Interrupted {
			continue
		}
		interrupted++
		b := DefaultBudget()
		b.Checks = first.Work.Checks
		again := solve(t, Engine{}, p, nil, b)
		if !slices.EqualFunc(first.Plan, again.Plan, slices.Equal[[]int]) || first.Bound != again.Bound {
			t.Errorf("check %d: objective %g and bound %g, repeated %g and %g", at,
				first.Evaluation.Objective, first.Bound, again.Evaluation.Objective, again.Bound)
		}
	}
	if interrupted < 5 {
		t.Errorf("only %d of 40 solves were interrupted", interrupted)
	}
}
