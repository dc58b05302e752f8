package experiment

import (
	"fmt"
	"math"
	"slices"
	"time"

	"cosim/internal/metrics"
	"cosim/scada/reconfig"
)

// Decide makes the decision recorded in a file again and explains it.
func Decide(file string, o DecideOptions) (*Explanation, error) {
	made, err := newRemade(file, o)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	result, err := made.solve()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	wall := time.Since(start)
	d := &decider{made, result}
	e, err := d.explain()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	e.File, e.WallS = file, wall.Seconds()
	return e, nil
}

// decider explains a decision that was made again.
type decider struct {
	*remade
	result *reconfig.Result
}

func (d *decider) explain() (*Explanation, error) {
	r, p := d.recording, d.problem
	e := &Explanation{
		Program: r.Program, Experiment: r.Experiment, Seed: r.Seed, AtS: float64(r.AtNS) / 1e9,
		HorizonS: float64(p.Steps) * float64(r.PeriodNS) / 1e9, Steps: p.Steps, Solver: d.solver, Warm: d.warm != nil,
		Budget:  BudgetLimits{d.budget.Evaluations, d.budget.Nodes, d.budget.Pivots, d.budget.Gap},
		Outcome: outcomeOf(d.result), Recorded: outcomeOf(&r.Result), RecordedSolver: r.Solver, Changed: d.changed,
		BoundOf: d.boundOf(), PricesOf: d.pricesOf(), Relaxed: []RelaxedRow{},
	}
	if !e.Changed {
		e.Difference = r.Difference(d.result)
	}
	var err error
	if e.Standing, err = d.standing(d.result); err != nil {
		return nil, err
	}
	for pool := range p.Pools {
		figures, err := d.pool(pool)
		if err != nil {
			return nil, err
		}
		e.Pools = append(e.Pools, figures)
	}
	for l := range p.Chains {
		e.Chains = append(e.Chains, d.chain(l))
	}
	for _, s := range d.result.Slacks {
		e.Relaxed = append(e.Relaxed, RelaxedRow{p.Pools[s.Pool].ID, s.Step, s.Lower, s.Bits})
	}
	return e, nil
}

func outcomeOf(r *reconfig.Result) Outcome {
	e, w := r.Evaluation, r.Work
	return Outcome{
		Objective: metrics.Number(e.Objective), Service: metrics.Number(e.Service), Switching: metrics.Number(e.Switching),
		Terminal: metrics.Number(e.Terminal), Pending: metrics.Number(e.Pending), Grid: metrics.Number(e.Grid),
		Bound: metrics.Number(r.Bound), Gap: metrics.Number(r.Gap), Feasible: e.Feasible,
		Evaluations: w.Evaluations, Nodes: w.Nodes, Pivots: w.Pivots, Columns: w.Columns, Rows: w.Rows,
	}
}

func (d *decider) pool(i int) (PoolFigures, error) {
	p := d.problem
	e := &p.Pools[i]
	end := p.Steps - 1
	f := PoolFigures{
		Pool: e.ID, StockBits: e.NowBits, ReserveBits: e.ReserveBits, ThresholdBits: e.Terminal.ThresholdBits,
		SupplyBits: e.StockBits[end] - e.NowBits, SupplySDBits: math.Sqrt(e.StockVarBits[end]),
		StockPrice: metrics.Undefined, AboveSafePrice: metrics.Undefined, TerminalPrice: metrics.Undefined,
	}
	mean, variance := e.Others.Row(end, false)
	f.UnplannedBits, f.UnplannedSD = mean, math.Sqrt(variance)
	for l := range p.Chains {
		f.DrawBits += draw(&p.Chains[l], d.result.Plan[l], i)
	}
	if d.pricesOf() != OfNothing {
		x := &d.result.Prices[i]
		f.StockPrice, f.AboveSafePrice, f.TerminalPrice = total(x.Everyone), total(x.Lower), metrics.Number(x.Terminal)
	}
	var err error
	f.More, err = d.oneMore(i)
	return f, err
}

func total(prices []float64) metrics.Number {
	sum := 0.0
	for _, x := range prices {
		sum += x
	}
	return metrics.Number(sum)
}

// draw is what a chain is expected to take from a pool, or from all of them if
// pool is negative.
func draw(c *reconfig.Chain, options []int, pool int) (bits float64) {
	for t, o := range options {
		for _, x := range c.Options[o].Draws {
			if pool < 0 || x.Pool == pool {
				bits += x.MeanBits[t]
			}
		}
	}
	return bits
}

// kilobit is how much more key is asked about.
const kilobit = 1000

// oneMore solves with a kilobit more in a pool. Where one plans for all, the
// plan found without it remains if the search finds none that is better; several
// operators' plan is what they come to.
func (d *decider) oneMore(pool int) (MoreKey, error) {
	p := *d.problem
	p.Pools = slices.Clone(p.Pools)
	e := &p.Pools[pool]
	e.StockBits = slices.Clone(e.StockBits)
	for t := range e.StockBits {
		e.StockBits[t] += kilobit
	}
	if o := p.Operators; o != nil && o.Pools != nil {
		p.Operators = credited(o, pool)
	}
	more, err := d.solveFor(&p)
	if err != nil {
		return MoreKey{}, err
	}
	m := MoreKey{Bound: metrics.Number(more.Bound - d.result.Bound), Chains: []OptionChange{}}
	if d.several() {
		m.Bound = metrics.Undefined
		if m.Operators, m.Shared, err = d.moved(&p, more); err != nil {
			return MoreKey{}, err
		}
	} else {
		kept, err := p.Evaluate(d.result.Plan)
		if err != nil {
			return MoreKey{}, err
		}
		if !(more.Evaluation.Objective < kept.Objective) {
			m.Objective = metrics.Number(kept.Objective - d.result.Evaluation.Objective)
			return m, nil
		}
	}
	m.Objective = metrics.Number(more.Evaluation.Objective - d.result.Evaluation.Objective)
	for l := range p.Chains {
		from, to := d.result.Plan[l][0], more.Plan[l][0]
		if from != to {
			names := optionNames(&p.Chains[l])
			m.Chains = append(m.Chains, OptionChange{p.Chains[l].ID, names[from], names[to]})
		}
	}
	return m, nil
}

func (d *decider) chain(l int) ChainFigures {
	p := d.problem
	c, options := &p.Chains[l], d.result.Plan[l]
	names := optionNames(c)
	now := options[0]
	f := ChainFigures{
		Chain: c.ID, Highest: c.Highest, Now: names[now], Off: now == 0, DrawBits: draw(c, options, -1),
		Messages: metrics.Undefined, Cost: metrics.Number(c.Cost(options)), CostsMore: metrics.Undefined,
	}
	if c.Before != reconfig.NoOption {
		f.Before = names[c.Before]
	}
	if c.Messages != nil {
		f.Messages = total(c.Messages)
	}
	for _, o := range options {
		f.Plan = append(f.Plan, names[o])
	}
	f.Operator = d.operatorName(l)
	if !d.pricedChain(l) {
		return f
	}
	alternatives := p.Alternatives(d.result, l)
	mine := slices.IndexFunc(alternatives, func(a reconfig.Alternative) bool { return a.Option == now })
	other := slices.IndexFunc(alternatives, func(a reconfig.Alternative) bool { return a.Option != now })
	if mine >= 0 && other >= 0 {
		f.RunnerUp = names[alternatives[other].Option]
		f.CostsMore = metrics.Number(alternatives[other].Cost - alternatives[mine].Cost)
	}
	return f
}
