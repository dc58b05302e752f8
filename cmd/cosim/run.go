package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/terminal"
	cosync "cosim/sync"
)

// overrides are the flags that change an experiment.
type overrides struct {
	caseName string
	seed     uint64
	set      []string
}

func (o *overrides) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.caseName, "case", "", "power system: ieee39, ieee118, a folder or a MATPOWER file")
	cmd.Flags().Uint64Var(&o.seed, "seed", 1, "seed of the (first) run")
	cmd.Flags().StringArrayVar(&o.set, "set", nil, "change a value: --set disturbances.contingencies.size_mw=300 (repeatable)")
}

func (o *overrides) load(cmd *cobra.Command, nameOrPath string) (*experiment.Definition, error) {
	changes := experiment.Overrides{Case: o.caseName, Set: o.set}
	if cmd.Flags().Changed("seed") {
		changes.Seed = &o.seed
	}
	return experiment.Load(nameOrPath, changes)
}

type runFlags struct {
	overrides
	out      string
	runs     int
	parallel int
	json     bool
	quiet    bool
	realtime float64
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run EXPERIMENT",
		Short: "run an experiment: one that ships inside (see cosim list), or a file",
		Example: `  cosim run S-2
  cosim run S-1 --runs 30 --seed 1
  cosim run mine.yaml --out results --set duration=120s`,
		Args:              cobra.ExactArgs(1),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
		ValidArgsFunction: completeExperiments,
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "runs", "folder for the results; a run's own folder is made in it")
	flags.IntVar(&f.runs, "runs", 1, "number of runs, with seeds one after another")
	flags.IntVar(&f.parallel, "parallel", runtime.NumCPU(), "runs at a time")
	flags.BoolVar(&f.json, "json", false, "print the figures as JSON")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	flags.Float64Var(&f.realtime, "realtime", 0, "simulated seconds a second of wall time; without a value 1")
	flags.Lookup("realtime").NoOptDefVal = "1"
	return cmd
}

func (f *runFlags) run(cmd *cobra.Command, nameOrPath string) error {
	if f.runs < 1 {
		return fmt.Errorf("--runs is %d, expected at least 1", f.runs)
	}
	if f.realtime < 0 {
		return fmt.Errorf("--realtime is %v, expected a factor above 0", f.realtime)
	}
	d, err := f.load(cmd, nameOrPath)
	if err != nil {
		return err
	}
	results, err := f.batch(cmd.Context(), cmd, d)
	if showErr := f.show(cmd, results); err == nil {
		err = showErr
	}
	if err != nil {
		return failure{err}
	}
	return nil
}

func (f *runFlags) batch(ctx context.Context, cmd *cobra.Command, d *experiment.Definition) ([]*experiment.Result, error) {
	o := experiment.BatchOptions{
		RunOptions: experiment.RunOptions{Out: f.out, RealTime: f.realtime, OnStall: func(s cosync.Stall) {
			fmt.Fprintln(cmd.ErrOrStderr(), s)
		}},
		Parallel: f.parallel,
	}
	if !f.quiet {
		p := terminal.NewProgress(cmd.ErrOrStderr(), f.runs, cosync.Time(d.Duration))
		defer p.Stop()
		o.Watch = func(d *experiment.Definition) cosync.Observer { return p.Watch(d.RunName()) }
	}
	return experiment.Batch(ctx, d, f.runs, o)
}

// show prints one run's figures, or the table of several.
func (f *runFlags) show(cmd *cobra.Command, results []*experiment.Result) error {
	var done []*experiment.Result
	for _, r := range results {
		if r != nil {
			done = append(done, r)
		}
	}
	out := cmd.OutOrStdout()
	switch {
	case len(done) == 0:
		return nil
	case f.json && f.runs == 1:
		return printJSON(cmd, done[0].Summary)
	case f.json:
		return printJSON(cmd, experiment.CompareResults(done))
	case f.runs == 1:
		terminal.Summary(out, done[0])
	default:
		terminal.Comparison(out, experiment.CompareResults(done), terminal.TableOptions{})
		fmt.Fprintf(out, "%d runs in %s/, seeds %d to %d\n", len(done), f.out, done[0].Summary.Seed, done[len(done)-1].Summary.Seed)
	}
	return nil
}

func printJSON(cmd *cobra.Command, v any) error {
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// validateAll reports the mistakes of all files.
func validateAll(cmd *cobra.Command, files []string, o overrides) error {
	var all experiment.Mistakes
	for _, file := range files {
		_, err := o.load(cmd, file)
		var mistakes experiment.Mistakes
		switch {
		case errors.As(err, &mistakes):
			all = append(all, mistakes...)
		case err != nil:
			return err
		default:
			fmt.Fprintf(cmd.OutOrStdout(), "%s is valid\n", file)
		}
	}
	if len(all) > 0 {
		return all
	}
	return nil
}
