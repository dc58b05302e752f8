package reconfig

import (
	"math"
	"testing"
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
	nodes := 0
	for i := range 1000 {
		limit := 2e4
		if i%50 == 0 {
			limit = 2e6
		}
		p := randomProblem(r, limit)
		want := solve(t, Enumerator{}, p, nil, Budget{})
		got := solve(t, Engine{}, p, nil, Budget{})
		if d := math.Abs(got.Evaluation.Objective - want.Evaluation.Objective); d > 1e-9 || !got.Evaluation.Feasible {
			t.Fatalf("instance %d (%d chains, %d steps): engine %.12g (bound %.12g, feasible %v), brute force %.12g", i, len(p.Chains), p.Steps,
				got.Evaluation.Objective, got.Bound, got.Evaluation.Feasible, want.Evaluation.Objective)
		}
		if got.Bound > want.Evaluation.Objective+1e-9 {
			t.Fatalf("instance %d: bound %.12g above the optimum %.12g", i, got.Bound, want.Evaluation.Objective)
		}
		nodes += got.Work.Nodes
	}
	t.Logf("%d nodes in all", nodes)
}
