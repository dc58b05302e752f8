package experiment

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"cosim/internal/metrics"
	"cosim/scada/reconfig"
)

// DecideOptions change how a recorded decision is made again; what is nil or
// empty is as it was in the run.
type DecideOptions struct {
	Solver                     string
	Evaluations, Nodes, Pivots *int
	Rounds                     *int // of a game
	Gap                        *float64
	Cold                       bool // without what the decision before left
}

// changed says whether a decision is made otherwise than in the run.
func (o *DecideOptions) changed(r *reconfig.Recording) bool {
	return o.Solver != "" && o.Solver != r.Solver || o.budget(r.Budget) != r.Budget || o.Cold && r.Warm != nil ||
		o.Rounds != nil && r.Problem.Operators != nil && *o.Rounds != r.Problem.Operators.Rounds
}

func (o *DecideOptions) budget(b reconfig.Budget) reconfig.Budget {
	set := func(to *int, from *int) {
		if from != nil {
			*to = *from
		}
	}
	set(&b.Evaluations, o.Evaluations)
	set(&b.Nodes, o.Nodes)
	set(&b.Pivots, o.Pivots)
	if o.Gap != nil {
		b.Gap = *o.Gap
	}
	return b
}

// Decide makes the decision recorded in a file again and explains it.
func Decide(file string, o DecideOptions) (*Explanation, error) {
	r, err := reconfig.ReadRecording(file)
	if err != nil {
		return nil, err
	}
	if err := CheckSolver(r.Solver); err != nil {
		return nil, fmt.Errorf("%s: solver: %w", file, err)
	}
	d := &decider{recording: r, budget: o.budget(r.Budget), warm: r.Warm.Warm(), solver: solverOf(r.Solver, nil)}
	name := r.Solver
	if o.Solver != "" {
		d.solver, name = solverOf(o.Solver, nil), o.Solver
	}
	if o.Cold {
		d.warm = nil
	}
	changed := o.changed(r)
	if x := r.Problem.Operators; x != nil && o.Rounds != nil {
		x.Rounds = *o.Rounds
	}
	start := time.Now()
	if d.result, err = d.solve(&r.Problem); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	p := &r.Problem
	e := &Explanation{
		File: file, Program: r.Program, Experiment: r.Experiment, Seed: r.Seed, AtS: float64(r.AtNS) / 1e9,
		HorizonS: float64(p.Steps) * float64(r.PeriodNS) / 1e9, Steps: p.Steps, Solver: name, Warm: d.warm != nil,
		Budget:  BudgetLimits{d.budget.Evaluations, d.budget.Nodes, d.budget.Pivots, d.budget.Gap},
		Outcome: outcomeOf(d.result), WallS: time.Since(start).Seconds(), Recorded: outcomeOf(&r.Result), Changed: changed,
		Relaxed: []RelaxedRow{},
	}
	if !e.Changed {
		e.Difference = r.Difference(d.result)
	}
	for pool := range p.Pools {
		figures, err := d.pool(pool)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
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

// CheckSolver says what name is not that of a solver.
func CheckSolver(name string) error {
	if !slices.Contains(solvers, name) {
		last := len(solvers) - 1
		return fmt.Errorf("found %q, expected %s or %s", name, strings.Join(solvers[:last], ", "), solvers[last])
	}
	return nil
}

// decider makes and explains one decision.
type decider struct {
	recording *reconfig.Recording
	solver    reconfig.Solver
	warm      *reconfig.Warm
	budget    reconfig.Budget
	result    *reconfig.Result
}

func (d *decider) solve(p *reconfig.Problem) (*reconfig.Result, error) {
	return d.solver.Solve(p, d.warm, d.budget)
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
	p := &d.recording.Problem
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
	if d.priced() {
		x := &d.result.Prices[i]
		f.StockPrice, f.AboveSafePrice, f.TerminalPrice = total(x.Everyone), total(x.Lower), metrics.Number(x.Terminal)
	}
	var err error
	f.More, err = d.oneMore(i)
	return f, err
}

// priced says whether the solver has prices of key.
func (d *decider) priced() bool {
	return len(d.result.Prices) > 0 && len(d.result.Prices[0].Everyone) > 0
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

// oneMore solves with a kilobit more in a pool. The plan found without it
// remains where the search finds none that is better.
func (d *decider) oneMore(pool int) (MoreKey, error) {
	p := d.recording.Problem
	p.Pools = slices.Clone(p.Pools)
	e := &p.Pools[pool]
	e.StockBits = slices.Clone(e.StockBits)
	for t := range e.StockBits {
		e.StockBits[t] += kilobit
	}
	more, err := d.solve(&p)
	if err != nil {
		return MoreKey{}, err
	}
	kept, err := p.Evaluate(d.result.Plan)
	if err != nil {
		return MoreKey{}, err
	}
	m := MoreKey{
		Objective: metrics.Number(kept.Objective - d.result.Evaluation.Objective),
		Bound:     metrics.Number(more.Bound - d.result.Bound),
		Chains:    []OptionChange{},
	}
	if !(more.Evaluation.Objective < kept.Objective) {
		return m, nil
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
	p := &d.recording.Problem
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
	if !d.priced() {
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
