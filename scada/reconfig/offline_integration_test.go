//go:build integration

package reconfig

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// offline solves a problem by outer approximation: a mixed-integer linear
// programme with a binary for each option and step, in which convex cones and
// costs are approximated from outside, is solved by HiGHS; its plan is judged by
// the exact ones and what it breaks is added, until it breaks nothing. It shares
// no row, price or bound with Engine.
type offline struct{ highs *highs }

var _ Solver = offline{}

// closeness is the relative difference up to which the optimum is proven.
const closeness = 1e-7

// Solve returns an optimal plan; warm and budget are not read. Work.Nodes is
// the number of programmes solved, Work.Rows that of rows added.
func (s offline) Solve(p *Problem, _ *Warm, _ Budget) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	x, before := newApproximation(p), s.highs.solves
	for range 8 {
		if x.cut(s.highs.solve(x.text(true), 0).Values, 1e-4) == 0 {
			break
		}
	}
	r := &Result{Bound: math.Inf(-1)}
	upper := math.MaxFloat64
	for precision := 1e-2; upper-r.Bound > closeness*math.Max(1, math.Abs(upper)); {
		if precision < closeness/2000 {
			return nil, fmt.Errorf("no progress between %.12g and %.12g", r.Bound, upper)
		}
		a := s.highs.solve(x.text(false), precision)
		r.Bound = math.Max(r.Bound, a.Bound)
		plan, err := x.plan(a.Values)
		if err != nil {
			return nil, err
		}
		e, err := p.Evaluate(plan)
		if err != nil {
			return nil, err
		}
		if err := x.cutPlan(plan, e.Feasible); err != nil {
			return nil, err
		}
		if e.Feasible && e.Objective < upper {
			r.Plan, r.Evaluation, upper = plan, e, e.Objective
		}
		if x.cut(a.Values, 1e-9) == 0 && e.Feasible {
			precision = math.Min(precision, closeness) / 10
		}
	}
	r.Gap, r.Slacks = gap(upper, r.Bound), p.Slacks()
	r.Work = Work{Nodes: s.highs.solves - before, Rows: x.cuts}
	return r, nil
}

func TestIntegrationHighsEqualsBruteForce(t *testing.T) {
	s := offline{startHighs(t)}
	r := stream("highs against brute force")
	for i := range 60 {
		p := randomProblem(r, 2e4)
		want := solve(t, Enumerator{}, p, nil, Budget{}).Evaluation.Objective
		got := solve(t, s, p, nil, Budget{})
		if o := got.Evaluation.Objective; !got.Evaluation.Feasible || !near(o, want) || got.Bound > want+slight(want) {
			t.Errorf("instance %d: bound %.12g, plan %.12g (feasible %v), brute force %.12g", i, got.Bound, o, got.Evaluation.Feasible, want)
		}
	}
}

// TestIntegrationEngineEqualsHighs: problems too large for brute force.
func TestIntegrationEngineEqualsHighs(t *testing.T) {
	s := offline{startHighs(t)}
	r := stream("engine against highs")
	const instances = 36
	closed, reached, binding, above := 0, 0, 0, 0.0
	var times [2]time.Duration
	for i := range instances {
		p := midsize(r, i)
		start := time.Now()
		want := solve(t, s, p, nil, Budget{})
		times[0] += time.Since(start)
		start = time.Now()
		large := solve(t, Engine{}, p, nil, Budget{Nodes: 1000})
		times[1] += time.Since(start)
		little := solve(t, Engine{}, p, nil, DefaultBudget())
		if certain := solve(t, Engine{}, withoutRisk(p), nil, DefaultBudget()); certain.Evaluation.Objective < want.Bound-slight(want.Bound) {
			binding++
		}
		warm := solve(t, Engine{}, p, little.Next(), DefaultBudget())
		for _, got := range []*Result{large, little, warm, solve(t, Greedy{}, p, nil, Budget{})} {
			checkBrackets(t, i, got, want)
		}
		above = math.Max(above, gap(little.Evaluation.Objective, want.Evaluation.Objective))
		if near(large.Evaluation.Objective, want.Evaluation.Objective) {
			reached++
		}
		if large.Gap <= closeness {
			closed++
			if !near(large.Evaluation.Objective, want.Evaluation.Objective) {
				t.Errorf("instance %d: engine %.12g, HiGHS %.12g", i, large.Evaluation.Objective, want.Evaluation.Objective)
			}
		}
		t.Logf("%2d: %2d chains, %d pools, %d steps, grid %-5v κ %.2f: optimum %.6f (%d programmes, %d rows); engine %.6f, gap %.4f %% (%d nodes)", i, len(p.Chains), len(p.Pools), p.Steps, p.Grid != nil,
			p.Kappa, want.Evaluation.Objective, want.Work.Nodes, want.Work.Rows, large.Evaluation.Objective, 100*large.Gap, large.Work.Nodes)
	}
	t.Logf("%d of %d closed and %d at the optimum within 1000 nodes; chance constraints bind in %d; the default budget is %.3f %% above the optimum at most; HiGHS %v, engine %v",
		closed, instances, reached, binding, 100*above, times[0].Round(time.Millisecond), times[1].Round(time.Millisecond))
	if binding < instances/2 {
		t.Errorf("chance constraints bind in %d of %d problems only", binding, instances)
	}
}

// withoutRisk asks for enough key on average only.
func withoutRisk(p *Problem) *Problem {
	q := *p
	q.Kappa = 0
	return &q
}

// checkBrackets: bound ≤ optimum ≤ objective.
func checkBrackets(t *testing.T, i int, got, optimum *Result) {
	t.Helper()
	best := optimum.Evaluation.Objective
	if !got.Evaluation.Feasible || got.Bound > best+slight(best) || got.Evaluation.Objective < optimum.Bound-slight(best) {
		t.Errorf("instance %d: bound %.12g ≤ optimum %.12g ≤ plan %.12g does not hold (feasible %v)", i, got.Bound, best, got.Evaluation.Objective, got.Evaluation.Feasible)
	}
}

// slight is the difference to HiGHS that counts as none.
func slight(objective float64) float64 { return 1e-6 * math.Max(1, math.Abs(objective)) }

func near(a, b float64) bool { return math.Abs(a-b) <= slight(b) }
