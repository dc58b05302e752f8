package reconfig

import "math"

// Weights price what a plan does to tasks and grid. They are fixed.
type Weights struct {
	Drop          float64 // ξ_drop, times priority and expected messages
	DegradeAESWC  float64 // ξ_deg of aes-wc where otp is wished
	DegradeAES    float64 // ξ_deg of aes where otp is wished
	Switch        float64 // γ
	FreqPerHz     float64 // w_f
	FreqPerHz2    float64 // λ
	VoltagePerPU  float64 // w_v
	TerminalPrice float64 // of a bit missing at the end of the horizon
}

// DefaultWeights are those of the experiments. The terminal price is
// ours: with a lookahead of 5 s on a horizon of 1 s a bit drawn
// costs six times it, 1.2e-3, so that below the threshold a measurement of
// priority 3 falls back from the one-time pad (some 9e-4 a bit saved) while
// commands of priority 10 do not (3e-3).
func DefaultWeights() Weights {
	return Weights{
		Drop: 1, DegradeAESWC: 0.1, DegradeAES: 0.25, Switch: 0.02,
		FreqPerHz: 10, FreqPerHz2: 10, VoltagePerPU: 1, TerminalPrice: 2e-4,
	}
}

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

// SetSupply sets the stock by step from the stock now and the cumulative supply
// with its variance. Supply is never negative: where the chance constraint would
// count less than none of it, none is counted.
func (e *Pool) SetSupply(stockBits float64, supplyBits, supplyVarBits2 []float64, kappa float64) {
	e.NowBits = stockBits
	e.StockBits = make([]float64, len(supplyBits))
	e.StockVarBits = make([]float64, len(supplyBits))
	for t, mean := range supplyBits {
		e.StockBits[t] = stockBits
		if mean > kappa*math.Sqrt(supplyVarBits2[t]) {
			e.StockBits[t] += mean
			e.StockVarBits[t] = supplyVarBits2[t]
		}
	}
}
