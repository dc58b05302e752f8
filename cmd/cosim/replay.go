package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
)

func newReplay() *cobra.Command {
	var f repeatFlags
	cmd := &cobra.Command{
		Use:   "replay RUN",
		Short: "make a run again without its external federates and operators, and hold it against its record",
		Example: `  cosim replay runs/battery-1
  cosim replay runs/battery-1 --out again`,
		Args: expectRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			res, err := f.repeat(cmd, func(ctx context.Context) (*experiment.Result, error) {
				return experiment.Replay(ctx, args[0], f.RepeatOptions)
			})
			if err != nil {
				return failed(err)
			}
			if !f.json {
				fmt.Fprintf(cmd.OutOrStdout(), "%d frames are those of %s\n", res.Checked, args[0])
			}
			return nil
		},
	}
	f.register(cmd)
	f.registerJSON(cmd)
	cmd.Flags().StringVar(&f.Out, "out", "", "folder for a recording of the replay; empty for none")
	return cmd
}
