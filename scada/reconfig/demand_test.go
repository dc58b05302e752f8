package reconfig

import (
	"math"
	"strings"
	"testing"
)

func TestDemandMakesAnOptionARouteAndMode(t *testing.T) {
	w := DefaultWeights()
	d := Demand{
		Priority: 3, Messages: []float64{2, 1}, Routes: [][]int{{0}, {1, 2}}, SwitchCost: w.Switch, Before: NoOption,
		Modes:     []Mode{{Number: 0, KeyBits: 464}, {Number: 1, KeyBits: 128, Degrade: w.DegradeAESWC}},
		Available: func(route, step int) bool { return route == 0 || step > 0 },
	}
	c := d.Chain(w)
	if len(c.Options) != 5 {
		t.Fatalf("%d options", len(c.Options))
	}
	if off := c.Options[0]; off.Cost[0] != 6 || off.Cost[1] != 3 || len(off.Draws) != 0 {
		t.Errorf("off: %+v", off)
	}
	o := c.Options[d.Option(1, 1)]
	if !math.IsInf(o.Cost[0], 1) || math.Abs(o.Cost[1]-0.3) > 1e-15 || len(o.Draws) != 2 || o.Draws[1].Pool != 2 {
		t.Errorf("second route: %+v", o)
	}
	if x := o.Draws[0]; x.MeanBits[0] != 256 || x.VarBits2[0] != 2*128*128 {
		t.Errorf("draw: %+v", x)
	}
	if o.Route != 1 || o.Mode != 1 {
		t.Errorf("option of route %d, mode %d", o.Route, o.Mode)
	}
}

func TestEveryMistakeIsReported(t *testing.T) {
	p := &Problem{
		Steps: 2, Kappa: -1,
		Pools: []Pool{{ID: "a", StockBits: []float64{1}, StockVarBits: []float64{1}}},
		Chains: []Chain{
			{ID: "b", Before: 7, Options: []Option{{Cost: []float64{0, math.Inf(1)}}}},
			{ID: "c", SwitchCost: -1, Options: []Option{{Cost: []float64{0, 0}}, {Cost: []float64{0, 0}, Draws: []Draw{{Pool: 3}}}}},
		},
	}
	_, err := Engine{}.Solve(p, nil, Budget{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"κ", "pool a", "option 7", "step 1: cost +Inf", "switching cost -1", "pool 3 of 1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
}

// TestGridCostIsThatOfTheSimulatedModel runs x⁺ = Ax + Bu step by step.
func TestGridCostIsThatOfTheSimulatedModel(t *testing.T) {
	r := stream("grid")
	for range 200 {
		p := randomProblem(r, 3000)
		addGrid(r, p)
		plan := randomPlan(r, p)
		got, err := p.Evaluate(plan)
		if err != nil {
			t.Fatal(err)
		}
		x, want := append([]float64(nil), p.Grid.State...), 0.0
		for step := range p.Steps {
			u := make([]float64, len(p.Grid.B[0]))
			for l := range p.Chains {
				c := p.Chains[l].Pending
				for s, o := range plan[l] {
					if c != nil && o != 0 {
						if s+c.DelaySteps[o] <= step {
							u[c.Input] += c.Amount
						}
						break
					}
				}
			}
			next := make([]float64, len(x))
			for i := range x {
				next[i] = dot(p.Grid.A[i], x) + dot(p.Grid.B[i], u)
			}
			x = next
			for _, o := range p.Grid.Outputs {
				y := dot(o.C, x)
				want += o.AbsWeight*math.Abs(y) + o.SquareWeight*y*y
			}
		}
		if math.Abs(got.Grid-want) > 1e-9*math.Max(1, want) {
			t.Fatalf("grid cost %.12g, simulated %.12g", got.Grid, want)
		}
	}
}

// TestPendingCommandGoesOutByTheQuickestRoute: shedding that pulls the
// frequency back is worth a second hop.
func TestPendingCommandGoesOutByTheQuickestRoute(t *testing.T) {
	p := &Problem{Steps: 5, Kappa: Gaussian(0.05), Pools: []Pool{{StockBits: []float64{1e4, 1e4, 1e4, 1e4, 1e4}, StockVarBits: make([]float64, 5)}}}
	few := []float64{0.002, 0.002, 0.002, 0.002, 0.002}
	d := Demand{Priority: 100, Highest: true, Messages: few, Routes: [][]int{{0}, {0}}, Modes: []Mode{{KeyBits: 400}}, SwitchCost: 0.02, Before: 1}
	p.Chains = []Chain{d.Chain(DefaultWeights())}
	p.Chains[0].Pending = &Pending{Amount: 1, DelaySteps: []int{0, 3, 1}}
	p.Grid = &Grid{
		A: [][]float64{{1}}, B: [][]float64{{0.05}}, State: []float64{-0.2},
		Outputs: []Output{{C: []float64{1}, AbsWeight: 10, SquareWeight: 10}},
	}
	r := solve(t, Engine{}, p, nil, Budget{})
	if r.Plan[0][0] != 2 {
		t.Errorf("plan %v, expected the quicker second route first", r.Plan)
	}
	if want := solve(t, Enumerator{}, p, nil, Budget{}); math.Abs(r.Evaluation.Objective-want.Evaluation.Objective) > 1e-9 {
		t.Errorf("objective %g, brute force %g", r.Evaluation.Objective, want.Evaluation.Objective)
	}
}
