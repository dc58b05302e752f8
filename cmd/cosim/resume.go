package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/terminal"
	cosync "cosim/sync"
)

// repeatFlags are those of commands that make a recorded run again.
type repeatFlags struct {
	experiment.RepeatOptions
	json, quiet bool
}

func (f *repeatFlags) registerJSON(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "json", false, "print the figures as JSON")
}

func (f *repeatFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
}

// registerLive adds the flags of commands in which external federates take part.
func (f *repeatFlags) registerLive(cmd *cobra.Command) {
	f.register(cmd)
	cmd.Flags().StringVar(&f.Listen, "listen", "", "address where external federates connect, in place of the run's attach.listen")
	cmd.Flags().BoolVar(&f.Unlike, "unlike", false, "go on although an external federate answers otherwise than it did")
}

// repeat carries a repetition out and shows what came of it.
func (f *repeatFlags) repeat(cmd *cobra.Command, carryOut func(context.Context) (*experiment.Result, error)) (*experiment.Result, error) {
	log := cmd.ErrOrStderr()
	f.OnStall = func(s cosync.Stall) { fmt.Fprintln(log, s) }
	f.OnLost = func(l cosync.Loss) { fmt.Fprintln(log, l) }
	f.OnWait = func(names, urls []string) {
		for i, name := range names {
			fmt.Fprintf(log, "waiting for %s: connect to %s\n", name, urls[i])
		}
	}
	stop := func() {}
	if !f.quiet {
		f.Watch = func(d *experiment.Definition) cosync.Observer {
			p := terminal.NewProgress(log, 1, cosync.Time(d.Duration))
			stop = p.Stop
			return p.Watch(d.RunName())
		}
	}
	res, err := carryOut(cmd.Context())
	stop()
	if res == nil || res.Summary == nil || res.Summary.SimulatedS == 0 {
		return res, err
	}
	if f.json {
		return res, errors.Join(err, printJSON(cmd, res.Summary))
	}
	terminal.Summary(cmd.OutOrStdout(), res)
	if err != nil && res.Dir != "" {
		err = unfinished{err, res.Dir}
	}
	return res, err
}

func newResume() *cobra.Command {
	var f repeatFlags
	cmd := &cobra.Command{
		Use:   "resume RUN",
		Short: "continue a run that was killed, interrupted or lost a federate",
		Long: `resume continues a run in its folder and ends with what the uninterrupted run
would have left, byte for byte. It simulates from the start, holds every step
against the record, and adds what is missing. Programs of external federates
are started anew, or come back if they outlived the run, and are taken along
from the start: they must answer as they did.`,
		Example: `  cosim resume runs/S-2-1`,
		Args:    expectRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkRealTime(cmd, f.RealTime); err != nil {
				return err
			}
			_, err := f.repeat(cmd, func(ctx context.Context) (*experiment.Result, error) {
				return experiment.Resume(ctx, args[0], f.RepeatOptions)
			})
			if errors.Is(err, experiment.ErrComplete) {
				fmt.Fprintf(cmd.OutOrStdout(), "%s is complete\n", args[0])
				return nil
			}
			return failed(err)
		},
	}
	f.registerLive(cmd)
	f.registerJSON(cmd)
	cmd.Flags().Float64Var(&f.RealTime, "realtime", 0, "simulated seconds a second of wall time, from the start on; without a value 1")
	cmd.Flags().Lookup("realtime").NoOptDefVal = "1"
	return cmd
}

// failed marks an error of a run that was begun; mistakes keep their own code.
func failed(err error) error {
	var usage experiment.NoRunError
	if err == nil || errors.As(err, &usage) {
		return err
	}
	return failure{err}
}
