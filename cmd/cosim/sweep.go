package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cosim/internal/experiment"
	"cosim/internal/sweep"
	"cosim/internal/terminal"
)

type sweepFlags struct {
	sweep.Options
	shard, until string
	collect      bool
	figures      []string
	json, quiet  bool
}

func newSweep() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep FILE",
		Short: "many runs: values of any keys, with many seeds, on this machine or several",
		Long: `sweep makes the runs that a sweep's file asks for and writes one table with a
row a run (results.parquet), and the means of every point with 95 % intervals.

What stands in the sweep's folder is not made again: the same command goes on
after an interruption, and makes what a changed file asks for in addition.
cosim validate FILE says what is wrong with a sweep's file, or how many runs it is.`,
		Example: `  cosim sweep breaks.yaml
  cosim sweep breaks.yaml --until "ci(p_succ) < 0.005" --max-seeds 200
  cosim sweep breaks.yaml --listen 127.0.0.1:4222      and elsewhere: cosim worker --nats …
  cosim sweep breaks.yaml --shard 3/16                 one of 16 parts
  cosim sweep breaks.yaml --collect sweeps/breaks      all parts together`,
		Args: expectSweep(&f.collect),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Out, "out", "", "folder for the results (default sweeps/NAME)")
	flags.IntVar(&f.Parallel, "parallel", sweep.Cores(), "runs at a time in this process; 0 leaves all to workers")
	flags.StringVar(&f.until, "until", "", `add seeds to each point until "ci(p_succ) < 0.01 and …": half widths of 95 % intervals`)
	flags.IntVar(&f.MaxSeeds, "max-seeds", 0, "seeds a point at most, with --until (default 10 times those of the file)")
	flags.StringVar(&f.shard, "shard", "", "make one part of the runs: 3/16 is the third of 16")
	flags.BoolVar(&f.collect, "collect", false, "make no runs; merge the folders that follow, of shards or holding shards")
	flags.StringVar(&f.Listen, "listen", "", "address at which workers may join")
	flags.StringVar(&f.NATS, "nats", "", "NATS servers with JetStream to use: nats://host:4222, several with commas")
	flags.DurationVar(&f.Lease, "lease", 0, "how long a worker may be silent before its run is given to another (default 10s)")
	registerAccess(flags, &f.Access)
	flags.BoolVar(&f.CSV, "csv", false, "write results.csv as well")
	flags.StringSliceVar(&f.figures, "figures", nil, "figures in the table: p_succ, latency_p99_s/agc (default the paper's)")
	flags.BoolVar(&f.json, "json", false, "print the means as JSON")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	return cmd
}

// registerAccess adds the flags that both ends of the queue have.
func registerAccess(flags *pflag.FlagSet, a *sweep.Access) {
	flags.StringVar(&a.TokenFile, "token-file", "", "file with a name and its token on each line: who may join, or this program's own")
	flags.StringVar(&a.Credentials, "creds", "", "NATS credentials file")
	flags.StringVar(&a.Certificate, "cert", "", "own certificate (PEM)")
	flags.StringVar(&a.Key, "key", "", "its private key (PEM)")
	flags.StringVar(&a.CA, "ca", "", "authorities (PEM) of the other side's certificates; with --listen they are then asked for")
}

// parse reads the flags that are texts.
func (f *sweepFlags) parse() error {
	var err error
	if f.until != "" {
		if f.Until, err = sweep.ParseRule(f.until); err != nil {
			return fmt.Errorf("--until: %w", err)
		}
	}
	for i, name := range f.figures {
		if f.figures[i], err = sweep.FindFigure(name); err != nil {
			return fmt.Errorf("--figures: %w", err)
		}
	}
	switch {
	case f.MaxSeeds != 0 && f.Until == nil:
		return errors.New("--max-seeds belongs to --until")
	case f.MaxSeeds < 0, f.Parallel < 0, f.Lease < 0:
		return errors.New("--max-seeds, --parallel and --lease: expected none below 0")
	case f.shard != "":
		return f.parseShard()
	}
	return nil
}

func (f *sweepFlags) parseShard() error {
	index, of, ok := strings.Cut(f.shard, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if !ok || err != nil || err2 != nil || i < 1 || i > n {
		return fmt.Errorf("--shard is %q, expected a part of the whole, 1/16 to 16/16 for example", f.shard)
	}
	f.Shard = sweep.Shard{Index: i, Of: n}
	return nil
}

// folder is where the results go: a shard's own below the sweep's.
func (f *sweepFlags) folder(s *sweep.Sweep) string {
	dir := cmp.Or(f.Out, filepath.Join("sweeps", s.Name))
	if f.Shard.Of > 1 && f.Out == "" {
		return filepath.Join(dir, fmt.Sprintf("shard-%d-of-%d", f.Shard.Index, f.Shard.Of))
	}
	return dir
}

func (f *sweepFlags) run(cmd *cobra.Command, args []string) error {
	if err := f.parse(); err != nil {
		return err
	}
	s, err := sweep.Load(args[0])
	if err != nil {
		return err
	}
	f.Out = f.folder(s)
	if err := f.Check(s); err != nil {
		return err
	}
	log := cmd.ErrOrStderr()
	f.Log = func(line string) { fmt.Fprintln(log, line) }
	var out *sweep.Outcome
	if f.collect {
		out, err = sweep.Collect(s, args[1:], f.Options)
	} else {
		stop := func() {}
		if !f.quiet {
			p := terminal.NewSweepProgress(log)
			f.OnStatus, f.Log, stop = p.Show, p.Log, p.Stop
		}
		out, err = sweep.Run(cmd.Context(), s, f.Options)
		stop()
	}
	if out == nil {
		return failure{err}
	}
	if err := f.show(cmd, out); err != nil {
		return failure{err}
	}
	return f.verdict(out, err)
}

// show prints what was found.
func (f *sweepFlags) show(cmd *cobra.Command, o *sweep.Outcome) error {
	if f.json {
		return printJSON(cmd, o)
	}
	out := cmd.OutOrStdout()
	if o.Runs > 0 {
		terminal.Sweep(out, o, f.figures)
	}
	if o.Unmet > 0 {
		fmt.Fprintf(out, "* %s with %d point%s\n", "not met: "+o.Until, o.Unmet, plural(o.Unmet))
	}
	if o.Left > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "left out: %d run%s in %s/ that the file does not ask for\n", o.Left, plural(o.Left), o.Dir)
	}
	if o.Runs > 0 {
		fmt.Fprintf(out, "%d of %d run%s in %s/%s\n", o.Runs, o.Asked, plural(o.Asked), o.Dir, sweep.ResultsName)
	}
	return nil
}

// shownFailures are told at the end; all stand in summary.json.
const shownFailures = 5

// verdict is the error of a sweep that is not whole.
func (f *sweepFlags) verdict(o *sweep.Outcome, err error) error {
	if err != nil {
		if o.Runs > 0 {
			err = unfinished{err, o.Dir}
		}
		return failure{err}
	}
	var errs []error
	for i, x := range o.Failed {
		text := fmt.Errorf("%s: %s", x.Run, x.Error)
		if x.Invariant {
			text = fmt.Errorf("%w: %s: %s", experiment.ErrInvariant, x.Run, x.Error)
		}
		if i < shownFailures || x.Invariant && !errors.Is(errors.Join(errs...), experiment.ErrInvariant) {
			errs = append(errs, text)
		}
	}
	missing := o.Asked - o.Runs - len(o.Failed)
	switch {
	case len(errs) > 0:
		return failure{fmt.Errorf("%d of %d runs failed (the same command tries them again): %w", len(o.Failed), o.Asked, errors.Join(errs...))}
	case missing > 0:
		return failure{fmt.Errorf("%d of %d runs are missing: cosim sweep without --collect makes them", missing, o.Asked)}
	}
	return nil
}

// validateSweep says what a sweep's file asks for; ok says whether it is one.
func validateSweep(cmd *cobra.Command, file string) (ok bool, err error) {
	text, err := os.ReadFile(file)
	if err != nil || !sweep.IsSweep(text) {
		return false, nil // an experiment, or not there
	}
	s, err := sweep.Load(file)
	if err != nil {
		return true, err
	}
	points, seeds := len(s.Points), len(s.Seeds)
	fmt.Fprintf(cmd.OutOrStdout(), "%s is valid: %d point%s, %d seed%s, %d run%s\n", file, points, plural(points), seeds, plural(seeds), points*seeds, plural(points*seeds))
	return true, nil
}
