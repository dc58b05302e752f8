package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
)

func newVerify() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify RUN RUN",
		Short: "whether federates exchanged the same in two runs, and what differs first",
		Long: `verify compares the hash-chained records of all that federates exchanged in two
runs. It names the first frame and output that differ, and makes both runs again
up to there to tell the values. The exit code is 1 unless the runs are equal.`,
		Example: `  cosim verify runs/S-2-1 elsewhere/S-2-1`,
		Args:    expectTwoRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := experiment.Verify(cmd.Context(), args[0], args[1])
			if err != nil {
				if cmd.Context().Err() != nil {
					err = failure{err}
				}
				return err
			}
			if asJSON {
				err = printJSON(cmd, v)
			} else {
				fmt.Fprintln(cmd.OutOrStdout(), v)
			}
			if err == nil && !v.Equal {
				err = errors.New("the runs are not equal")
			}
			return failed(err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}
