package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/terminal"
)

func newFork() *cobra.Command {
	var f repeatFlags
	var at time.Duration
	var set []string
	cmd := &cobra.Command{
		Use:   "fork RUN --at TIME --set KEY=VALUE...",
		Short: "make a run again up to a time and let it go another way from there",
		Long: `fork makes a run again up to a time, with settings changed that act from then on
only, and sets the figures of both beside each other. Attacks that the run did
not have begin at that time at the earliest. A change of any kind that shows
earlier is refused, with the step and the output where it does.`,
		Example: `  cosim fork runs/S-2-1 --at 120s --set 'attacks=[{kind: drop, link: CC-GW2, probability: 0.5}]'`,
		Args:    expectRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("at") {
				return errors.New("--at is missing: from when on is the run to go another way?")
			}
			if f.Out == "" {
				return errors.New("--out is empty, expected a folder")
			}
			res, err := f.repeat(cmd, func(ctx context.Context) (*experiment.Result, error) {
				return experiment.Fork(ctx, args[0], at, set, f.RepeatOptions)
			})
			if err != nil {
				return failed(err)
			}
			c, err := experiment.CompareRuns([]string{args[0], res.Dir})
			for _, note := range c.Notes {
				fmt.Fprintln(cmd.ErrOrStderr(), note)
			}
			if err != nil {
				return failed(err)
			}
			terminal.Comparison(cmd.OutOrStdout(), c, terminal.TableOptions{All: true})
			return nil
		},
	}
	f.registerLive(cmd)
	cmd.Flags().DurationVar(&at, "at", 0, "simulated time from which on the run goes another way")
	cmd.Flags().StringArrayVar(&set, "set", nil, "change a value, as in cosim run (repeatable)")
	cmd.Flags().StringVar(&f.Out, "out", "forks", "folder for the results; the fork's own folder is made in it")
	return cmd
}
