package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/terminal"
)

type decideFlags struct {
	solver                     string
	evaluations, nodes, pivots int
	rounds                     int
	gap                        float64
	cold, chains, json         bool
}

func newDecide() *cobra.Command {
	var f decideFlags
	cmd := &cobra.Command{
		Use:   "decide FILE",
		Short: "make a recorded decision again and explain it: prices of key, options, what more key would change",
		Long: `decide makes a decision again that a run recorded (cosim run --decisions),
says whether the outcome is the run's, and explains it. A limit of 0 is none.`,
		Example: `  cosim run S-3 --decisions widest:5
  cosim decide runs/S-3-1/decisions/290.1s.json
  cosim decide 290.1s.json --cold --nodes 0 --gap 0`,
		Args: expectDecision,
		RunE: func(cmd *cobra.Command, args []string) error { return f.decide(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.solver, "solver", "", "another solver than the run's: misocp or greedy, and of several operators shares or stackelberg")
	flags.IntVar(&f.evaluations, "evaluations", 0, "limit of evaluations of the dual function")
	flags.IntVar(&f.nodes, "nodes", 0, "limit of nodes of branch and bound")
	flags.IntVar(&f.pivots, "pivots", 0, "limit of pivots of the linear programmes")
	flags.IntVar(&f.rounds, "rounds", 0, "limit of rounds of a game between operators")
	flags.Float64Var(&f.gap, "gap", 0, "gap that is good enough, 0.01 for 1 %")
	flags.BoolVar(&f.cold, "cold", false, "without what the decision before left")
	flags.BoolVar(&f.chains, "chains", false, "all chains, not only those that matter")
	flags.BoolVar(&f.json, "json", false, "as JSON")
	return cmd
}

func (f *decideFlags) options(cmd *cobra.Command) (experiment.DecideOptions, error) {
	o := experiment.DecideOptions{Solver: f.solver, Cold: f.cold}
	for _, limit := range []struct {
		name  string
		value *int
		to    **int
	}{{"evaluations", &f.evaluations, &o.Evaluations}, {"nodes", &f.nodes, &o.Nodes}, {"pivots", &f.pivots, &o.Pivots}, {"rounds", &f.rounds, &o.Rounds}} {
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
	if f.solver != "" {
		if err := experiment.CheckSolver(f.solver); err != nil {
			return o, fmt.Errorf("--solver: %w", err)
		}
	}
	return o, nil
}

func (f *decideFlags) decide(cmd *cobra.Command, file string) error {
	o, err := f.options(cmd)
	if err != nil {
		return err
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
