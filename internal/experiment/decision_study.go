package experiment

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"cosim/scada/reconfig"
)

// DecisionStudyOptions say how often each of several recorded decisions is made,
// and how.
type DecisionStudyOptions struct {
	DecideOptions // in common
	// Solvers, weights ρ_F and limits of rounds to be compared. None is as it
	// was in the run, or as DecideOptions say. Weights and limits are of games
	// and pass by other solvers; a limit of 0 is none.
	Solvers  []string
	Fairness []float64
	Rounds   []int
	Parallel int                 // decisions at a time; less than 1 means 1
	Done     func(done, all int) // if any, hears of each decision that is through
}

// DecisionStudy is what became of recorded decisions, made in several ways.
type DecisionStudy struct {
	Experiments []string          `json:"experiments"` // with their seeds
	Decisions   int               `json:"decisions"`
	FromS       float64           `json:"from_s"`
	ToS         float64           `json:"to_s"`
	Warm        int               `json:"warm"` // decisions that start from the one before
	Ways        []WayFigures      `json:"ways"`
	Outcomes    []DecisionOutcome `json:"outcomes"` // by decision, then way
}

// DecisionOutcome is one decision made in one way.
type DecisionOutcome struct {
	File       string  `json:"file"`
	Experiment string  `json:"experiment"`
	Seed       uint64  `json:"seed"`
	AtS        float64 `json:"at_s"`
	Way        Way     `json:"way"`
	Warm       bool    `json:"warm"`
	Outcome    Outcome `json:"outcome"`
	// BoundOf says of what bound and gap are.
	BoundOf  Whose            `json:"bound_of"`
	Standing *StandingFigures `json:"standing,omitempty"`
	// Changed decisions are made otherwise than in the run; of the others,
	// Difference says in what they differ from it.
	Changed    bool   `json:"changed"`
	Difference string `json:"difference,omitempty"`
}

// Way is how a decision is made; what is not asked for is as in the run.
type Way struct {
	Solver   string   `json:"solver"`
	Fairness *float64 `json:"fairness,omitempty"` // ρ_F
	Rounds   *int     `json:"rounds,omitempty"`   // at most
}

// ways are the combinations that are asked for. Those of a game with several
// limits follow each other, the limits rising.
func (o *DecisionStudyOptions) ways() []Way {
	solvers := o.Solvers
	if len(solvers) == 0 {
		solvers = []string{o.Solver}
	}
	limits := make([]int, len(o.Rounds))
	for i, limit := range o.Rounds {
		limits[i] = limitOfRounds(limit)
	}
	slices.Sort(limits)
	limits = slices.Compact(limits)
	var list []Way
	for _, solver := range solvers {
		if solver != "" && !PlaysRounds(solver) {
			list = append(list, Way{Solver: solver})
			continue
		}
		for _, weight := range pointers(o.Fairness) {
			for _, limit := range pointers(limits) {
				list = append(list, Way{solver, weight, limit})
			}
		}
	}
	return list
}

// pointers to each of some values, or to none.
func pointers[T any](values []T) []*T {
	if len(values) == 0 {
		return []*T{nil}
	}
	var list []*T
	for i := range values {
		list = append(list, &values[i])
	}
	return list
}

// StudyDecisions makes the decisions recorded in files again, each in every way
// that is asked for. Outcomes do not depend on how many are made at a time.
func StudyDecisions(ctx context.Context, files []string, o DecisionStudyOptions) (*DecisionStudy, error) {
	ways := o.ways()
	outcomes := make([][]DecisionOutcome, len(files))
	done := 0
	var mu sync.Mutex
	err := each(ctx, len(files), o.Parallel, func(i int) (err error) {
		outcomes[i], err = o.study(ctx, files[i], ways)
		mu.Lock()
		defer mu.Unlock()
		if done++; o.Done != nil {
			o.Done(done, len(files))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s := &DecisionStudy{Decisions: len(files), Outcomes: slices.Concat(outcomes...)}
	return s, s.summarise(ways)
}

// study makes one decision in every way. Limits of rounds that follow each other
// are one game, played on.
func (o *DecisionStudyOptions) study(ctx context.Context, file string, ways []Way) ([]DecisionOutcome, error) {
	var list []DecisionOutcome
	for from := 0; from < len(ways) && ctx.Err() == nil; {
		to := from + 1
		for to < len(ways) && ways[to].sameGame(ways[from]) {
			to++
		}
		found, err := o.play(file, ways[from:to])
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
		from = to
	}
	return list, ctx.Err()
}

// sameGame says whether two ways differ in their limits of rounds alone.
func (w Way) sameGame(x Way) bool {
	return w.Solver == x.Solver && w.Fairness == x.Fairness && w.Rounds != nil && x.Rounds != nil
}

func (o *DecisionStudyOptions) play(file string, ways []Way) ([]DecisionOutcome, error) {
	common := o.DecideOptions
	last := ways[len(ways)-1]
	common.Solver, common.Fairness, common.Rounds = last.Solver, last.Fairness, last.Rounds
	d, err := newRemade(file, common)
	if err != nil {
		return nil, err
	}
	var results []*reconfig.Result
	if len(ways) == 1 {
		results = make([]*reconfig.Result, 1)
		results[0], err = d.solve()
	} else {
		limits := make([]int, len(ways))
		for i, w := range ways {
			limits[i] = *w.Rounds
		}
		d.changed = true // the work of one limit is not told from that of the next
		results, err = d.curve(limits)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	list := make([]DecisionOutcome, len(ways))
	for i, r := range results {
		if list[i], err = d.outcome(file, r, ways[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return list, nil
}

func (d *remade) outcome(file string, r *reconfig.Result, w Way) (DecisionOutcome, error) {
	rec := d.recording
	w.Solver = d.solver
	x := DecisionOutcome{
		File: file, Experiment: rec.Experiment, Seed: rec.Seed, AtS: float64(rec.AtNS) / 1e9, Way: w, Warm: d.warm != nil,
		Outcome: outcomeOf(r), BoundOf: d.boundOf(), Changed: d.changed,
	}
	if !d.changed {
		x.Difference = rec.Difference(r)
	}
	var err error
	x.Standing, err = d.standing(r)
	if s := x.Standing; s != nil && w.Rounds != nil {
		s.RoundsLimit = *w.Rounds
	}
	return x, err
}
