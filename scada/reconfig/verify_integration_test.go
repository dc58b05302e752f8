//go:build integration

package reconfig

import (
	"math"
	"testing"
	"time"
)

func TestIntegrationHighsEqualsBruteForce(t *testing.T) {
	h := startHighs(t)
	r := stream("highs against brute force")
	for i := range 60 {
		p := randomProblem(r, 2e4)
		want := solve(t, Enumerator{}, p, nil, Budget{}).Evaluation.Objective
		start := time.Now()
		got := solve(t, offline{h}, p, nil, Budget{})
		t.Logf("%d: %d chains %d steps grid %v %v %+v", i, len(p.Chains), p.Steps, p.Grid != nil, time.Since(start), got.Work)
		if o := got.Evaluation.Objective; !got.Evaluation.Feasible || math.Abs(o-want) > 1e-6*math.Max(1, math.Abs(want)) || got.Bound > want+1e-6 {
			t.Errorf("instance %d: bound %.12g, plan %.12g (feasible %v), brute force %.12g", i, got.Bound, o, got.Evaluation.Feasible, want)
		}
	}
}
