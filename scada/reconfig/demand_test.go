package reconfig

import (
	"math"
	"strings"
	"testing"
)

// Priority is β of a task of the experiments, 1 for a task of another name.
func Priority(task string) float64 {
	switch task {
	case "shed", "breaker":
		return 100
	case "agc":
		return 10
	case "avr":
		return 5
	case "pmu":
		return 3
	}
	return 1
}

// Mode is a way to protect the messages of a Demand.
type Mode struct {
	Number  int     // of the caller
	KeyBits float64 // mean draw of a message and hop
	Degrade float64 // ξ_deg, 0 for the wished mode and stronger ones
}

// Demand describes a chain by its messages; Chain makes its options.
type Demand struct {
	ID       string
	Priority float64 // β
	Highest  bool
	// Messages is the expected number of messages by step; consumption is that
	// of a Poisson count, mean n·bits and variance n·bits², or of a fixed one
	// (variance 0) if Periodic.
	Messages   []float64
	Periodic   bool
	Routes     [][]int // pools on each route
	Modes      []Mode
	SwitchCost float64
	Before     int // see Option, or NoOption
	// Available says whether a route can be used in a step; nil if always.
	Available func(route, step int) bool
}

// Option is the index of a route and mode among the options of Chain; off is 0.
func (d *Demand) Option(route, mode int) int { return 1 + route*len(d.Modes) + mode }

// Chain makes the options of d: off, then every mode of every route, routes
// first.
func (d *Demand) Chain(w Weights) Chain {
	c := Chain{ID: d.ID, Highest: d.Highest, SwitchCost: d.SwitchCost, Before: d.Before, Messages: d.Messages}
	c.Options = append(c.Options, Option{Route: -1, Mode: -1, Cost: scaled(d.Messages, d.Priority*w.Drop)})
	draws := make([][2][]float64, len(d.Modes))
	for i, m := range d.Modes {
		draws[i] = [2][]float64{scaled(d.Messages, m.KeyBits), scaled(d.Messages, m.KeyBits*m.KeyBits)}
		if d.Periodic {
			clear(draws[i][1])
		}
	}
	for r, pools := range d.Routes {
		for i, m := range d.Modes {
			o := Option{Route: r, Mode: m.Number, Cost: scaled(d.Messages, d.Priority*m.Degrade)}
			for t := range o.Cost {
				if d.Available != nil && !d.Available(r, t) {
					o.Cost[t] = math.Inf(1)
				}
			}
			for _, e := range pools {
				o.Draws = append(o.Draws, Draw{Pool: e, MeanBits: draws[i][0], VarBits2: draws[i][1]})
			}
			c.Options = append(c.Options, o)
		}
	}
	return c
}

func scaled(x []float64, f float64) []float64 {
	y := make([]float64, len(x))
	for i := range x {
		y[i] = f * x[i]
	}
	return y
}

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
		Operators: &Operators{Of: []int{0, 0}, Names: []string{"A", "B"}, Pools: [][]Pool{{{ID: "a", StockBits: []float64{1, 2}}}, {}}},
	}
	_, err := Engine{}.Solve(p, nil, Budget{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"κ", "pool a", "option 7", "step 1: cost +Inf", "switching cost -1", "pool 3 of 1", "operator 0: pool a: 2 stocks and 0 variances", "operator 1: accounts with 0 pools for 1"} {
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
