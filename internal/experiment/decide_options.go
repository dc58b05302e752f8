package experiment

import (
	"fmt"
	"slices"
	"strings"

	"cosim/scada/reconfig"
	"cosim/scada/stackelberg"
)

// MostRounds are those of a game without a limit. Its end may be ten thousand
// rounds away, and the last hundreds change next to nothing.
const MostRounds = 1000

// DecideOptions change how a recorded decision is made again; what is nil or
// empty is as it was in the run.
type DecideOptions struct {
	Solver                     string
	Evaluations, Nodes, Pivots *int     // limits; 0 is none
	Gap                        *float64 // that is good enough
	Cold                       bool     // without what the decision before left
	Rounds                     *int     // limit of a game; 0 is none, and means MostRounds
	Fairness                   *float64 // ρ_F of a game
}

// CheckSolver says what name is not that of a solver.
func CheckSolver(name string) error {
	if !slices.Contains(solvers, name) {
		last := len(solvers) - 1
		return fmt.Errorf("found %q, expected %s or %s", name, strings.Join(solvers[:last], ", "), solvers[last])
	}
	return nil
}

// PlaysRounds says whether a solver plays a game of rounds.
func PlaysRounds(solver string) bool { return solver == SolverStackelberg }

// remade is a recorded decision as it is made again.
type remade struct {
	recording *reconfig.Recording
	problem   *reconfig.Problem // may differ in its Operators
	solver    string
	warm      *reconfig.Warm
	budget    reconfig.Budget
	changed   bool // made otherwise than in the run
}

// newRemade reads a recording and applies the options to it.
func newRemade(file string, o DecideOptions) (*remade, error) {
	r, err := reconfig.ReadRecording(file)
	if err != nil {
		return nil, err
	}
	if err := CheckSolver(r.Solver); err != nil {
		return nil, fmt.Errorf("%s: solver: %w", file, err)
	}
	d, err := o.apply(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

func (o *DecideOptions) apply(r *reconfig.Recording) (*remade, error) {
	d := &remade{recording: r, problem: &r.Problem, solver: r.Solver, warm: r.Warm.Warm(), budget: o.budget(r.Budget)}
	if o.Solver != "" {
		d.solver = o.Solver
	}
	if o.Cold {
		d.warm = nil
	}
	operators := r.Problem.Operators
	switch {
	case operators == nil && (d.solver == SolverShares || d.solver == SolverStackelberg):
		return nil, fmt.Errorf("a decision without operators, which %s needs: expected one of S-4 or S-5", d.solver)
	case (o.Rounds != nil || o.Fairness != nil) && !PlaysRounds(d.solver):
		return nil, fmt.Errorf("rounds and fairness are of a game, and %s plays none: expected solver %s", d.solver, SolverStackelberg)
	}
	d.changed = d.solver != r.Solver || d.budget != r.Budget || o.Cold && r.Warm != nil
	if operators != nil {
		own := *operators
		if o.Rounds != nil {
			own.Rounds = limitOfRounds(*o.Rounds)
		}
		if o.Fairness != nil {
			own.FairnessWeight = *o.Fairness
		}
		d.changed = d.changed || own.Rounds != operators.Rounds || own.FairnessWeight != operators.FairnessWeight
		p := r.Problem
		p.Operators, d.problem = &own, &p
	}
	if d.changed {
		d.budget.Checks = 0 // the clock's, which ended the run's own way
	}
	return d, nil
}

func limitOfRounds(limit int) int {
	if limit == 0 {
		return MostRounds
	}
	return limit
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

func (d *remade) solve() (*reconfig.Result, error) { return d.solveFor(d.problem) }

func (d *remade) solveFor(p *reconfig.Problem) (*reconfig.Result, error) {
	return solverOf(d.solver, nil).Solve(p, d.warm, d.budget)
}

// curve plays the game under each of rising limits.
func (d *remade) curve(limits []int) ([]*reconfig.Result, error) {
	return stackelberg.Curve(d.problem, d.warm, limits, d.budget)
}
