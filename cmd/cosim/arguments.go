package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"
)

// expect refuses a number of arguments outside least to most, says what was
// expected, and in brackets how to come by it.
func expect(least, most int, what, hint string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if n := len(args); n < least || n > most {
			return fmt.Errorf("expected %s, found %d argument%s (%s)", what, n, plural(n), hint)
		}
		return nil
	}
}

// What commands expect.
var (
	expectExperiment   = expect(1, 1, "one experiment", "cosim list says what ships inside")
	expectNoMore       = expect(0, 1, "one experiment or none", "cosim list says what ships inside")
	expectFiles        = expect(1, math.MaxInt, "files of experiments or sweeps", "such as mine.yaml, which cosim show S-3 > mine.yaml makes")
	expectRun          = expect(1, 1, "one run's folder", "such as runs/S-3-1, which cosim run S-3 makes")
	expectTwoRuns      = expect(2, 2, "two runs' folders", "such as runs/S-3-1 elsewhere/S-3-1")
	expectRuns         = expect(1, math.MaxInt, "runs' folders, or folders of runs", "such as runs/S-3-1, which cosim run S-3 makes, or runs")
	expectRunsOrSweeps = expect(1, math.MaxInt, "runs' folders, folders of runs, or a sweep's folder", "such as runs/S-3-1, which cosim run S-3 makes, runs, or sweeps/breaks")
	expectRunAndTask   = expect(1, 2, "one run's folder, and no more than a task of it", "such as runs/S-3-1 pmu-36@313.11s; cosim trace RUN --failed lists tasks")
	expectDecisions    = expect(1, math.MaxInt, "recorded decisions, or folders of them", "such as runs/S-3-1/decisions/290.1s.json, which cosim run S-3 --decisions 290s makes, or runs/S-3-1")
	expectCase         = expect(1, 1, "one case", "such as ieee39 or a MATPOWER file; cosim list says what ships inside")
	expectNothing      = expect(0, 0, "no arguments", "cosim help says what each command takes")
)

// expectSweep takes a sweep's file, and folders behind it where those are
// collected.
func expectSweep(collect *bool) cobra.PositionalArgs {
	one := expect(1, 1, "one sweep's file", "such as breaks.yaml; cosim help sweep has more")
	more := expect(1, math.MaxInt, "one sweep's file and folders of its shards", "such as breaks.yaml sweeps/breaks")
	return func(cmd *cobra.Command, args []string) error {
		if *collect {
			return more(cmd, args)
		}
		return one(cmd, args)
	}
}

// expectFederate takes a federate's name or address, and behind -- its program.
func expectFederate(cmd *cobra.Command, args []string) error {
	dash := cmd.ArgsLenAtDash()
	if dash < 0 {
		dash = len(args)
	} else if dash == len(args) {
		return errors.New("-- expects a command after it")
	}
	return expect(1, 1, "one federate's name, or where it connects", "cosim help check-federate has examples")(cmd, args[:dash])
}
