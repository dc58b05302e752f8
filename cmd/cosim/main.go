// Command cosim runs co-simulations of power grids whose control traffic is
// secured by quantum keys.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cosim/internal/experiment"
)

// Exit codes.
const (
	exitFailed      = 1   // a run failed
	exitUsage       = 2   // wrong usage or a wrong file
	exitInvariant   = 3   // a conservation law was broken
	exitInterrupted = 130 // interrupted; what was found is kept
)

func main() {
	// What lives is small (some 30 MB a run) and garbage is made slowly, so
	// that collecting twice as often costs nothing and halves the memory.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program apart from the process: tests call it.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	code := exitCode(ctx, err)
	var mistakes experiment.Mistakes
	switch {
	case errors.As(err, &mistakes):
		fmt.Fprintln(stderr, err)
		fmt.Fprintf(stderr, "%d mistake%s\n", len(mistakes), plural(len(mistakes)))
	case code == exitInterrupted:
		fmt.Fprintln(stderr, interrupted(err))
	default:
		fmt.Fprintln(stderr, "cosim:", err)
	}
	return code
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// failure marks what went wrong after the arguments were understood.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// unfinished is the error of runs that left something in a folder.
type unfinished struct {
	error
	where string
}

func (u unfinished) Unwrap() error { return u.error }

func interrupted(err error) string {
	var u unfinished
	if errors.As(err, &u) {
		return "interrupted; what was found until then is in " + u.where + "/"
	}
	return "interrupted"
}

// flagError says in the words of the other messages what a flag expects.
func flagError(_ *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	expected, known := map[string]string{
		"int": "a whole number", "uint64": "a whole number from 0 on", "float64": "a number", "bool": "true or false",
		"intSlice": "whole numbers, with commas between several", "float64Slice": "numbers, with commas between several",
	}[invalid.GetFlag().Value.Type()]
	if !known {
		return err
	}
	return fmt.Errorf("--%s is %q, expected %s", invalid.GetFlag().Name, invalid.GetValue(), expected)
}

func exitCode(ctx context.Context, err error) int {
	var f failure
	var mistakes experiment.Mistakes
	switch {
	case errors.Is(err, experiment.ErrInvariant):
		return exitInvariant
	case errors.As(err, &mistakes):
		return exitUsage
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &f):
		return exitFailed
	}
	return exitUsage
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "cosim",
		Short: "co-simulator of quantum-secured power grids",
		Long: `cosim runs power grid, packet network, quantum links and SCADA as one
simulation: what happens to the frequency when the key runs out?

  cosim run S-3                  one run, files in runs/S-3-1
  cosim run S-1 --runs 30        thirty seeds, a table with 95 % intervals
  cosim show S-3 > mine.yaml     an experiment to edit
  cosim validate mine.yaml       every mistake in it at once`,
		Version:       experiment.Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate("cosim {{.Version}}\n")
	root.AddCommand(newRun(), newServe(), newResume(), newReplay(), newVerify(), newFork(), newList(), newShow(), newValidate(), newCompare(), newReport(), newSweep(), newWorker(), newExport(), newDecide(), newTrace(), newCalibrate(), newGrid(), newLink(), newTrainForecast(), newCheckFederate())
	return root
}
