package reconfig

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestTerminalPriceIsTheSlopeOfItsCost also checks Fenchel's equality
// φ(s) + φ*(φ'(s)) = s·φ'(s), on which the bound rests.
func TestTerminalPriceIsTheSlopeOfItsCost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Terminal{PricePerBit: rapid.Float64Range(1e-6, 1e-2).Draw(t, "price"), RampBits: rapid.Float64Range(0, 1e5).Draw(t, "ramp")}
		s := rapid.Float64Range(1, 2e5).Draw(t, "missing")
		const step = 1e-3
		if slope := (w.Cost(s+step) - w.Cost(s-step)) / (2 * step); math.Abs(slope-w.priceAt(s)) > 1e-5*w.PricePerBit {
			t.Fatalf("slope %g, price %g", slope, w.priceAt(s))
		}
		price := w.priceAt(s)
		if sum := w.Cost(s) + w.conjugate(price); math.Abs(sum-s*price) > 1e-12*(1+s*price) {
			t.Fatalf("φ + φ* = %g, s·φ' = %g", sum, s*price)
		}
	})
}

func TestTerminalCostsNothingWhereNothingIsMissing(t *testing.T) {
	for _, w := range []Terminal{{PricePerBit: 1, RampBits: 10}, {PricePerBit: 1}, {}} {
		if w.Cost(0) != 0 || w.Cost(-5) != 0 {
			t.Errorf("%+v costs %g and %g", w, w.Cost(0), w.Cost(-5))
		}
	}
}

// TestResultsOutliveTheSolve: memory of a solve is used again by the next one.
func TestResultsOutliveTheSolve(t *testing.T) {
	r := stream("outlive")
	var results, copies []*Result
	var problems []*Problem
	for range 30 {
		p := randomProblem(r, 5000)
		problems = append(problems, p)
		results = append(results, solve(t, Engine{}, p, nil, DefaultBudget()))
		copies = append(copies, &Result{Plan: results[len(results)-1].Plan.Clone(), Evaluation: results[len(results)-1].Evaluation})
	}
	for i, p := range problems {
		e, err := p.Evaluate(results[i].Plan)
		if err != nil {
			t.Fatal(err)
		}
		if e != copies[i].Evaluation {
			t.Errorf("problem %d: %+v, was %+v", i, e, copies[i].Evaluation)
		}
		if warm := solve(t, Engine{}, p, results[i].Next(), DefaultBudget()); warm.Bound > e.Objective+1e-9 {
			t.Errorf("problem %d: a later solve proves %g, above %g", i, warm.Bound, e.Objective)
		}
	}
}
