package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/terminal"
)

func newCompare() *cobra.Command {
	var paper, all, asJSON bool
	cmd := &cobra.Command{
		Use:   "compare RUN...",
		Short: "experiments side by side: means with 95 % intervals, paired differences over common seeds",
		Example: `  cosim compare runs                     every run in a folder
  cosim compare runs/S-1-* runs/S-2-* --paper`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			summaries, err := experiment.ReadSummaries(args)
			if err != nil {
				return err
			}
			c := experiment.Compare(experiment.GroupRuns(summaries))
			if asJSON {
				return printJSON(cmd, c)
			}
			terminal.Comparison(cmd.OutOrStdout(), c, terminal.TableOptions{Paper: paper, All: all})
			return nil
		},
	}
	cmd.Flags().BoolVar(&paper, "paper", false, "print the paper's figures beside")
	cmd.Flags().BoolVar(&all, "all", false, "all figures, not only the paper's")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func newExport() *cobra.Command {
	var csv bool
	cmd := &cobra.Command{
		Use:   "export RUN...",
		Short: "build Parquet (or CSV) from a run's log, also of a killed run",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, dir := range args {
				report, err := experiment.Export(dir, csv)
				if err != nil {
					return failure{err}
				}
				fmt.Fprintln(cmd.OutOrStdout(), report)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&csv, "csv", false, "series.csv and events.csv instead of Parquet")
	return cmd
}
