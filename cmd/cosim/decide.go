package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/terminal"
)

type decideFlags struct {
	solvers                    []string
	evaluations, nodes, pivots int
	rounds                     []int
	fairness                   []float64
	gap                        float64
	cold, chains               bool
	parallel                   int
	pictures                   pictures
	json, csv                  bool
}

func newDecide() *cobra.Command {
	var f decideFlags
	cmd := &cobra.Command{
		Use:   "decide FILE|FOLDER...",
		Short: "make recorded decisions again: one explained (prices of key, options, operators), many compared",
		Long: `decide makes a decision again that a run recorded (cosim run --decisions),
says whether the outcome is the run's, and explains it: what proved bounds are
of, what key is worth, what each operator is granted and pays.

Of several files or folders, or in several ways (--solver, --fairness and
--rounds take lists), it prints the figures of each way over all decisions, and
of a game under several limits of rounds fairness over rounds.

A limit of 0 is none; a game then ends where no change makes the leader better
off, at the latest after 1000 rounds.`,
		Example: `  cosim run S-3 --decisions widest:5
  cosim decide runs/S-3-1/decisions/290.1s.json
  cosim decide 290.1s.json --cold --nodes 0 --gap 0
  cosim decide runs/S-5-1 --solver misocp,shares,stackelberg --fairness 100,0
  cosim decide runs/S-5-1 --cold --rounds 2,5,10,20,40 --png rounds.png`,
		Args: expectDecisions,
		RunE: func(cmd *cobra.Command, args []string) error { return f.decide(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.solvers, "solver", nil, "other `SOLVERS` than the run's: misocp or greedy, and of several operators shares or stackelberg")
	flags.IntVar(&f.evaluations, "evaluations", 0, "limit of evaluations of the dual function")
	flags.IntVar(&f.nodes, "nodes", 0, "limit of nodes of branch and bound")
	flags.IntVar(&f.pivots, "pivots", 0, "limit of pivots of the linear programmes")
	flags.IntSliceVar(&f.rounds, "rounds", nil, "other `LIMITS` of the rounds of a game between operators (2,5,10)")
	flags.Float64SliceVar(&f.fairness, "fairness", nil, "other `WEIGHTS` ρ_F of fairness in a game (100,0); costs are judged by the recorded one")
	flags.Lookup("fairness").DefValue = "" // none, which would be shown as []
	flags.Float64Var(&f.gap, "gap", 0, "gap that is good enough, 0.01 for 1 %")
	flags.BoolVar(&f.cold, "cold", false, "without what the decision before left")
	flags.BoolVar(&f.chains, "chains", false, "all chains of a decision, not only those that matter")
	flags.IntVar(&f.parallel, "parallel", runtime.NumCPU(), "decisions at a time")
	f.pictures.register(flags, "fairness over rounds")
	flags.BoolVar(&f.json, "json", false, "as JSON")
	flags.BoolVar(&f.csv, "csv", false, "as CSV, a row a decision and way")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	return cmd
}

func (f *decideFlags) options(cmd *cobra.Command) (experiment.DecideOptions, error) {
	o := experiment.DecideOptions{Cold: f.cold}
	for _, limit := range []struct {
		name  string
		value *int
		to    **int
	}{{"evaluations", &f.evaluations, &o.Evaluations}, {"nodes", &f.nodes, &o.Nodes}, {"pivots", &f.pivots, &o.Pivots}} {
		if !cmd.Flags().Changed(limit.name) {
			continue
		}
		if *limit.value < 0 {
			return o, fmt.Errorf("--%s is %d, expected a number from 0 on", limit.name, *limit.value)
		}
		*limit.to = limit.value
	}
	if cmd.Flags().Changed("gap") {
		if !(f.gap >= 0) {
			return o, fmt.Errorf("--gap is %v, expected a number from 0 on", f.gap)
		}
		o.Gap = &f.gap
	}
	return o, f.checkLists()
}

// checkLists refuses ways that nothing can be decided in.
func (f *decideFlags) checkLists() error {
	for _, solver := range f.solvers {
		if err := experiment.CheckSolver(solver); err != nil {
			return fmt.Errorf("--solver: %w", err)
		}
	}
	for _, limit := range f.rounds {
		if limit < 0 || limit > experiment.MostRounds {
			return fmt.Errorf("--rounds has %d, expected whole numbers from 0 to %d", limit, experiment.MostRounds)
		}
	}
	for _, weight := range f.fairness {
		if !(weight >= 0) || math.IsInf(weight, 1) {
			return fmt.Errorf("--fairness has %v, expected numbers from 0 on", weight)
		}
	}
	games := len(f.solvers) == 0
	for _, solver := range f.solvers {
		games = games || experiment.PlaysRounds(solver)
	}
	if (f.rounds != nil || f.fairness != nil) && !games {
		return fmt.Errorf("--rounds and --fairness are of a game, and --solver %s plays none: expected stackelberg among them", strings.Join(f.solvers, ","))
	}
	if f.parallel < 1 {
		return fmt.Errorf("--parallel is %d, expected at least 1", f.parallel)
	}
	return f.pictures.check()
}

// drawn says whether a picture is asked for.
func (f *decideFlags) drawn() bool { return f.pictures.png != "" || f.pictures.svg != "" }

func (f *decideFlags) decide(cmd *cobra.Command, places []string) error {
	o, err := f.options(cmd)
	if err != nil {
		return err
	}
	if f.drawn() && len(f.rounds) < 2 {
		return errors.New("--png and --svg draw fairness over rounds: expected several limits, such as --rounds 2,5,10,20,40")
	}
	if len(places) == 1 && !f.csv && len(f.solvers) < 2 && len(f.rounds) < 2 && len(f.fairness) < 2 && !isFolder(places[0]) {
		return f.explain(cmd, places[0], o)
	}
	return f.study(cmd, places, o)
}

func isFolder(place string) bool {
	info, err := os.Stat(place)
	return err == nil && info.IsDir()
}

// explain makes one decision in one way.
func (f *decideFlags) explain(cmd *cobra.Command, file string, o experiment.DecideOptions) error {
	if len(f.solvers) > 0 {
		o.Solver = f.solvers[0]
	}
	if len(f.rounds) > 0 {
		o.Rounds = &f.rounds[0]
	}
	if len(f.fairness) > 0 {
		o.Fairness = &f.fairness[0]
	}
	e, err := experiment.Decide(file, o)
	if err != nil {
		return err
	}
	if f.json {
		err = printJSON(cmd, e)
	} else {
		terminal.Decision(cmd.OutOrStdout(), e, f.chains)
	}
	if err == nil && e.Difference != "" {
		err = errors.New("the outcome is not the recorded one: " + e.Difference)
	}
	if err != nil {
		return failure{err}
	}
	return nil
}

// study makes decisions in several ways.
func (f *decideFlags) study(cmd *cobra.Command, places []string, o experiment.DecideOptions) error {
	if f.chains {
		return errors.New("--chains is of one decision, made in one way")
	}
	files, err := experiment.DecisionFiles(places)
	if err != nil {
		return err
	}
	progress := terminal.NewDecisionProgress(cmd.ErrOrStderr())
	s, err := experiment.StudyDecisions(cmd.Context(), files, experiment.DecisionStudyOptions{
		DecideOptions: o, Solvers: f.solvers, Fairness: f.fairness, Rounds: f.rounds, Parallel: f.parallel, Done: progress.Done,
	})
	progress.Stop()
	if err != nil {
		return stopped(cmd.Context(), err)
	}
	return f.show(cmd, s)
}

// stopped is an interruption without the decisions that it left unmade.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (f *decideFlags) show(cmd *cobra.Command, s *experiment.DecisionStudy) error {
	if f.drawn() {
		if err := f.pictures.draw(cmd.ErrOrStderr(), terminal.DecisionsFigure(s)); err != nil {
			return failure{err}
		}
	}
	if err := terminal.Decisions(cmd.OutOrStdout(), s, formatOf(f.json, f.csv)); err != nil {
		return failure{err}
	}
	for _, x := range s.Outcomes {
		if x.Difference != "" {
			return failure{fmt.Errorf("%s: the outcome is not the recorded one: %s", x.File, x.Difference)}
		}
	}
	return nil
}
