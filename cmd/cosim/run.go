package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"

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
	listen   string

	sinks sinks

	decisions  []string
	selections []experiment.Selection // parsed
	frames     []string
	spans      []experiment.FrameSpan // parsed
}

func newRun() *cobra.Command {
	f := runFlags{sinks: newSinks(&influxSink{}, &webSink{}, &alertSink{})}
	cmd := &cobra.Command{
		Use:   "run EXPERIMENT",
		Short: "run an experiment: one that ships inside (see cosim list), or a file",
		Example: `  cosim run S-2
  cosim run S-1 --runs 30 --seed 1
  cosim run mine.yaml --out results --set duration=120s`,
		Args:              oneExperiment,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
		ValidArgsFunction: completeExperiments,
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "runs", "folder for the results; a run's own folder is made in it")
	flags.IntVar(&f.runs, "runs", 1, "number of runs, with seeds one after another")
	flags.IntVar(&f.parallel, "parallel", runtime.NumCPU(), "runs at a time")
	flags.StringVar(&f.listen, "listen", "", "address where external federates connect, in place of the experiment's attach.listen")
	flags.BoolVar(&f.json, "json", false, "print the figures as JSON")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	flags.StringSliceVar(&f.decisions, "decisions", nil, "record decisions for cosim decide: 290s, 290s..300s, every:3s, widest:10, slowest:10 (repeatable)")
	flags.StringSliceVar(&f.frames, "record-frames", nil, "record the network's frames for Wireshark, of the whole run or of a `SPAN`: =290s (a second), =290s..300s (repeatable)")
	flags.Lookup("record-frames").NoOptDefVal = experiment.AllFrames
	flags.Float64Var(&f.realtime, "realtime", 0, "simulated seconds a second of wall time; without a value 1")
	flags.Lookup("realtime").NoOptDefVal = "1"
	f.sinks.register(flags)
	return cmd
}

// oneExperiment also finds the value that stands apart from its flag.
func oneExperiment(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	if cmd.Flags().Changed("realtime") {
		for _, a := range args {
			if _, err := strconv.ParseFloat(a, 64); err == nil {
				return fmt.Errorf("the value of --realtime follows an equals sign: --realtime=%s", a)
			}
		}
	}
	if cmd.Flags().Changed("record-frames") {
		for _, a := range args {
			if _, err := experiment.ParseFrameSpan(a); err == nil {
				return fmt.Errorf("the value of --record-frames follows an equals sign: --record-frames=%s", a)
			}
		}
	}
	return expectExperiment(cmd, args)
}

// Bounds of --realtime: a thousand times slower, and what the master takes.
const (
	slowest = 1e-3
	fastest = 1e9
)

// checkRealTime says what is wrong with the value of --realtime.
func checkRealTime(cmd *cobra.Command, factor float64) error {
	if cmd.Flags().Changed("realtime") && !(factor >= slowest && factor < fastest) {
		return fmt.Errorf("--realtime is %v, expected a factor from %v to below 1e9; without --realtime a run is as fast as it can", factor, slowest)
	}
	return nil
}

func (f *runFlags) check(cmd *cobra.Command) error {
	switch {
	case f.runs < 1:
		return fmt.Errorf("--runs is %d, expected at least 1", f.runs)
	case f.parallel < 1:
		return fmt.Errorf("--parallel is %d, expected at least 1", f.parallel)
	case len(f.decisions) > 0 && f.out == "":
		return errors.New("--decisions needs a folder, --out is empty")
	case len(f.frames) > 0 && f.out == "":
		return errors.New("--record-frames needs a folder, --out is empty")
	}
	if err := checkRealTime(cmd, f.realtime); err != nil {
		return err
	}
	for _, text := range f.decisions {
		s, err := experiment.ParseSelection(text)
		if err != nil {
			return fmt.Errorf("--decisions: %w", err)
		}
		f.selections = append(f.selections, s)
	}
	for _, text := range f.frames {
		s, err := experiment.ParseFrameSpan(text)
		if err != nil {
			return fmt.Errorf("--record-frames: %w", err)
		}
		f.spans = append(f.spans, s)
	}
	return nil
}

func (f *runFlags) run(cmd *cobra.Command, nameOrPath string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	if f.listen != "" {
		f.set = append(f.set, "attach.listen="+strconv.Quote(f.listen))
	}
	d, err := f.load(cmd, nameOrPath)
	if err != nil {
		return err
	}
	if err := experiment.CheckSelections(d, f.selections); err != nil {
		return fmt.Errorf("--decisions: %w", err)
	}
	if err := experiment.CheckFrameSpans(d, f.spans); err != nil {
		return fmt.Errorf("--record-frames: %w", err)
	}
	if err := f.warn(cmd, d); err != nil {
		return failure{err}
	}
	if err := f.sinks.open(cmd); err != nil {
		return err
	}
	results, err := f.batch(cmd.Context(), cmd, d)
	results = begun(results)
	if showErr := f.show(cmd, results); err == nil {
		err = showErr
	}
	if stayErr := f.sinks.linger(cmd, err); err == nil {
		err = stayErr
	}
	if err != nil && len(results) > 0 && f.out != "" {
		err = unfinished{err, f.where(results)}
	}
	if err != nil {
		return failure{err}
	}
	return nil
}

// begun are the results of runs that simulated anything.
func begun(results []*experiment.Result) []*experiment.Result {
	return slices.DeleteFunc(results, func(r *experiment.Result) bool { return r == nil || r.Summary.SimulatedS == 0 })
}

func (f *runFlags) where(results []*experiment.Result) string {
	if f.runs == 1 {
		return results[0].Dir
	}
	return f.out
}

// warn says which runs of other settings are about to be replaced.
func (f *runFlags) warn(cmd *cobra.Command, d *experiment.Definition) error {
	if f.out == "" {
		return nil
	}
	dirs, err := experiment.Replaced(d, f.runs, f.out)
	switch {
	case len(dirs) == 1:
		fmt.Fprintf(cmd.ErrOrStderr(), "replaces %s, which was made with other settings\n", dirs[0])
	case len(dirs) > 1:
		fmt.Fprintf(cmd.ErrOrStderr(), "replaces %s and %d more, which were made with other settings\n", dirs[0], len(dirs)-1)
	}
	return err
}

func (f *runFlags) batch(ctx context.Context, cmd *cobra.Command, d *experiment.Definition) ([]*experiment.Result, error) {
	o := experiment.BatchOptions{
		RunOptions: experiment.RunOptions{
			Out: f.out, RealTime: f.realtime, Decisions: f.selections, Frames: f.spans,
			OnStall: func(s cosync.Stall) { fmt.Fprintln(cmd.ErrOrStderr(), s) },
			OnLost:  func(l cosync.Loss) { fmt.Fprintln(cmd.ErrOrStderr(), l) },
			OnWait: func(names, urls []string) {
				for i, name := range names {
					fmt.Fprintf(cmd.ErrOrStderr(), "waiting for %s: connect to %s\n", name, urls[i])
				}
			},
		},
		Parallel: f.parallel,
	}
	o.Watch = f.sinks.watch
	if !f.quiet {
		p := terminal.NewProgress(cmd.ErrOrStderr(), f.runs, cosync.Time(d.Duration))
		defer p.Stop()
		o.Watch = func(d *experiment.Definition) ([]cosync.Observer, error) {
			observers, err := f.sinks.watch(d)
			return append(observers, p.Watch(d.RunName())), err
		}
	}
	results, err := experiment.Batch(ctx, d, f.runs, o)
	return results, errors.Join(err, f.sinks.close(cmd))
}

// show prints one run's figures, or the table of several.
func (f *runFlags) show(cmd *cobra.Command, results []*experiment.Result) error {
	out := cmd.OutOrStdout()
	switch {
	case len(results) == 0:
		return nil
	case f.json && f.runs == 1:
		return printJSON(cmd, results[0].Summary)
	case f.runs == 1:
		terminal.Summary(out, results[0])
		return nil
	}
	c := experiment.CompareResults(results)
	for _, note := range c.Notes {
		fmt.Fprintln(cmd.ErrOrStderr(), note)
	}
	if f.json {
		return printJSON(cmd, c)
	}
	if len(c.Groups) == 0 {
		return nil // none is complete
	}
	terminal.Comparison(out, c, terminal.TableOptions{})
	seeds := c.Groups[0].Summaries
	if f.out != "" {
		fmt.Fprintf(out, "%d run%s in %s/, seeds %d to %d\n", len(seeds), plural(len(seeds)), f.out, seeds[0].Seed, seeds[len(seeds)-1].Seed)
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
		isSweep, err := validateSweep(cmd, file)
		if !isSweep {
			_, err = o.load(cmd, file)
		}
		var mistakes experiment.Mistakes
		switch {
		case errors.As(err, &mistakes):
			all = append(all, mistakes...)
		case err != nil:
			return err
		case !isSweep:
			fmt.Fprintf(cmd.OutOrStdout(), "%s is valid\n", file)
		}
	}
	if len(all) > 0 {
		return all
	}
	return nil
}
