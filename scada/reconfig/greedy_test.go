package reconfig

import "testing"

// The greedy plan is feasible, never better than the optimum, and its bound
// never above it.
func TestGreedyIsFeasibleAndBoundsTheOptimum(t *testing.T) {
	worse, random := 0, stream("greedy")
	for seed := range 300 {
		p := randomProblem(random, 2000)
		best, err := Enumerator{}.Solve(p, nil, Budget{})
		if err != nil {
			t.Fatal(err)
		}
		g, err := Greedy{}.Solve(p, nil, Budget{})
		if err != nil {
			t.Fatal(err)
		}
		optimum := best.Evaluation.Objective
		if !g.Evaluation.Feasible {
			t.Errorf("seed %d: the plan breaks a row by %v bits", seed, g.Evaluation.ExcessBits)
		}
		if g.Evaluation.Objective < optimum-1e-9 || g.Bound > optimum+1e-9 {
			t.Errorf("seed %d: bound %v, optimum %v, greedy %v", seed, g.Bound, optimum, g.Evaluation.Objective)
		}
		if g.Evaluation.Objective > optimum+1e-6 {
			worse++
		}
	}
	if worse == 0 {
		t.Error("greedy was optimal on every instance: they are too easy to tell")
	}
	t.Logf("worse than the optimum in %d of 300", worse)
}
