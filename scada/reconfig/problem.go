package reconfig

import (
	"errors"
	"fmt"
	"math"
)

// MaxOptions is the largest number of options of a chain, off included.
const MaxOptions = 64

// Problem is one decision: which option every chain has in each of Steps
// steps. Pools and chains are known by their index; IDs serve messages only.
type Problem struct {
	Steps  int
	Kappa  float64 // κ_ε of the chance constraints, see Gaussian and Cantelli
	Chains []Chain
	Pools  []Pool
	Grid   *Grid // nil where no pending command could move the grid
	// Operators are whose chains they are where several operators share the
	// pools; nil where one plans for all.
	Operators *Operators
}

// Chain is one control chain. Options[0] is off: it draws nothing and is
// available at every step.
type Chain struct {
	ID         string
	Highest    bool // of the highest class, which may draw below the reserve
	Options    []Option
	SwitchCost float64 // γ of a change between one step and the next
	Before     int     // option before step 0, or NoOption
	Pending    *Pending
	// Messages is the expected number of messages by step. It serves people
	// only, as costs and draws say all that a plan needs.
	Messages []float64
}

// NoOption is Chain.Before of a chain without a past, whose first option costs
// no change.
const NoOption = -1

// Option is one way to serve a chain: a route and a mode, or off. Where it
// cannot be had (a link is down, the predicted latency exceeds τ) its cost is
// +Inf.
type Option struct {
	Route, Mode int       // of the caller, not read here
	Label       string    // route and mode as a person names them
	Cost        []float64 // by step
	Draws       []Draw    // on distinct pools
}

// Draw is the random consumption of key from one pool, independent from step
// to step and from chain to chain.
type Draw struct {
	Pool     int
	MeanBits []float64 // μ by step
	VarBits2 []float64 // σ² by step
}

// Pool is the supply of one key pool. Cumulative consumption C up to the end
// of step t must hold
//
//	Pr(C_t ≤ K_t) ≥ 1 − ε                    all chains
//	Pr(C_t ≤ K_t − ReserveBits) ≥ 1 − ε      all but the highest class
type Pool struct {
	ID           string
	NowBits      float64   // stock at the decision; serves people only
	StockBits    []float64 // by step: mean of stock now and supply up to its end
	StockVarBits []float64 // by step: P_{e,t}, variance of the same in bit²
	ReserveBits  float64   // η_buf = K_safe
	Terminal     Terminal
	Others       *Others // nil: nobody else draws
}

// SetSupply sets the stock by step from the stock now and the cumulative supply
// with its variance. Supply is never negative: where the chance constraint would
// count less than none of it, none is counted.
func (e *Pool) SetSupply(nowBits float64, supplyBits, supplyVarBits2 []float64, kappa float64) {
	e.NowBits = nowBits
	e.StockBits, e.StockVarBits = e.StockBits[:0], e.StockVarBits[:0]
	for t, mean := range supplyBits {
		variance := supplyVarBits2[t]
		if mean <= kappa*math.Sqrt(variance) {
			mean, variance = 0, 0
		}
		e.StockBits = append(e.StockBits, nowBits+mean)
		e.StockVarBits = append(e.StockVarBits, variance)
	}
}

// Terminal is the soft row at the end of the horizon: the expected stock there
// should be at least ThresholdBits and LookaheadFactor times what the plan
// draws over the horizon. What is missing beyond what is missing with all
// chains off costs the more a bit the more is missing: the price of the next
// bit rises in proportion up to PricePerBit, which it reaches at RampBits.
type Terminal struct {
	ThresholdBits   float64 // K_th
	LookaheadFactor float64 // 5 s over the length of the horizon
	PricePerBit     float64 // 0: no such row
	RampBits        float64 // 0: PricePerBit from the first bit on
}

// Cost of missing bits, φ(s) = ρs²/2S up to S and ρ(s − S/2) from there on.
func (w Terminal) Cost(bits float64) float64 {
	switch {
	case bits <= 0:
		return 0
	case bits < w.RampBits:
		return w.PricePerBit * bits * bits / (2 * w.RampBits)
	}
	return w.PricePerBit * (bits - w.RampBits/2)
}

// priceAt is φ'(s), the price of the next bit.
func (w Terminal) priceAt(bits float64) float64 {
	if bits < w.RampBits {
		return w.PricePerBit * math.Max(0, bits) / w.RampBits
	}
	return w.PricePerBit
}

// conjugate is φ*(π) = max_s πs − φ(s) = Sπ²/2ρ for a price π ≤ ρ.
func (w Terminal) conjugate(price float64) float64 {
	if w.PricePerBit == 0 {
		return 0
	}
	return w.RampBits * price * price / (2 * w.PricePerBit)
}

// Plan is an option a chain and step.
type Plan [][]int

// AllOff is the plan that is always feasible.
func (p *Problem) AllOff() Plan {
	plan := make(Plan, len(p.Chains))
	for i := range plan {
		plan[i] = make([]int, p.Steps)
	}
	return plan
}

// Clone copies a plan.
func (plan Plan) Clone() Plan {
	c := make(Plan, len(plan))
	for i := range plan {
		c[i] = append([]int(nil), plan[i]...)
	}
	return c
}

// Validate reports every mistake of the problem.
func (p *Problem) Validate() error {
	var errs []error
	report := func(format string, args ...any) { errs = append(errs, fmt.Errorf("reconfig: "+format, args...)) }
	if p.Steps < 1 {
		report("a horizon of %d steps, expected at least 1", p.Steps)
	}
	if !(p.Kappa >= 0) || math.IsInf(p.Kappa, 1) {
		report("κ must be a number that is not negative, is %g", p.Kappa)
	}
	for e := range p.Pools {
		p.Pools[e].validate(p.Steps, report)
	}
	for l := range p.Chains {
		p.Chains[l].validate(p, report)
	}
	if p.Grid != nil {
		p.Grid.validate(report)
	}
	p.Operators.validate(p, report)
	return errors.Join(errs...)
}

func (e *Pool) validate(steps int, report func(string, ...any)) {
	if len(e.StockBits) != steps || len(e.StockVarBits) != steps {
		report("pool %s: %d stocks and %d variances for %d steps", e.ID, len(e.StockBits), len(e.StockVarBits), steps)
		return
	}
	for t := range steps {
		if !finite(e.StockBits[t]) || !finite(e.StockVarBits[t]) || e.StockVarBits[t] < 0 {
			report("pool %s, step %d: stock %g with variance %g", e.ID, t, e.StockBits[t], e.StockVarBits[t])
		}
	}
	if !finite(e.ReserveBits) || e.ReserveBits < 0 {
		report("pool %s: reserve of %g bits", e.ID, e.ReserveBits)
	}
	e.Others.validate(e.ID, steps, report)
	if s := e.Terminal; !finite(s.ThresholdBits) || !(s.LookaheadFactor >= 0) || !(s.PricePerBit >= 0) || !(s.RampBits >= 0) || !finite(s.RampBits) {
		report("pool %s: terminal row %+v", e.ID, s)
	}
}

func (c *Chain) validate(p *Problem, report func(string, ...any)) {
	if len(c.Options) < 1 || len(c.Options) > MaxOptions {
		report("chain %s: %d options, expected 1 to %d", c.ID, len(c.Options), MaxOptions)
		return
	}
	if c.Before < NoOption || c.Before >= len(c.Options) {
		report("chain %s: option %d before the first step, has %d", c.ID, c.Before, len(c.Options))
	}
	if !finite(c.SwitchCost) || c.SwitchCost < 0 {
		report("chain %s: switching cost %g", c.ID, c.SwitchCost)
	}
	if len(c.Options[0].Draws) > 0 {
		report("chain %s: option 0 must be off and draw nothing", c.ID)
	}
	for o := range c.Options {
		c.validateOption(o, p, report)
	}
	if c.Pending != nil {
		c.Pending.validate(c, p, report)
	}
}

func (c *Chain) validateOption(o int, p *Problem, report func(string, ...any)) {
	opt := &c.Options[o]
	if len(opt.Cost) != p.Steps {
		report("chain %s, option %d: %d costs for %d steps", c.ID, o, len(opt.Cost), p.Steps)
	}
	for t, cost := range opt.Cost {
		if math.IsNaN(cost) || math.IsInf(cost, -1) || o == 0 && math.IsInf(cost, 1) {
			report("chain %s, option %d, step %d: cost %g", c.ID, o, t, cost)
		}
	}
	for i, d := range opt.Draws {
		if d.Pool < 0 || d.Pool >= len(p.Pools) {
			report("chain %s, option %d draws from pool %d of %d", c.ID, o, d.Pool, len(p.Pools))
		}
		for _, other := range opt.Draws[:i] {
			if other.Pool == d.Pool {
				report("chain %s, option %d draws from pool %d twice", c.ID, o, d.Pool)
			}
		}
		if len(d.MeanBits) != p.Steps || len(d.VarBits2) != p.Steps {
			report("chain %s, option %d: %d means and %d variances for %d steps", c.ID, o, len(d.MeanBits), len(d.VarBits2), p.Steps)
			continue
		}
		for t := range d.MeanBits {
			if !finite(d.MeanBits[t]) || !finite(d.VarBits2[t]) || d.MeanBits[t] < 0 || d.VarBits2[t] < 0 {
				report("chain %s, option %d, step %d: draw of %g bits with variance %g", c.ID, o, t, d.MeanBits[t], d.VarBits2[t])
			}
		}
	}
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
