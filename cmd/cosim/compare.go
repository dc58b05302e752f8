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
		Args: expectRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := experiment.CompareRuns(args)
			for _, note := range c.Notes {
				fmt.Fprintln(cmd.ErrOrStderr(), note)
			}
			if err != nil {
				return err
			}
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
	var database influxSink
	cmd := &cobra.Command{
		Use:   "export RUN...",
		Short: "build Parquet or CSV from a run's log, or send it to InfluxDB, also of a killed run",
		Example: `  cosim export runs/S-2-1 --csv
  cosim export runs                      every run in a folder
  cosim export runs/S-3-1 --influx http://127.0.0.1:8086`,
		Args: expectRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if on, err := database.open(cmd); on || err != nil {
				if err != nil {
					return err
				}
				return database.send(cmd, args)
			}
			reports, err := experiment.Export(args, csv)
			for _, line := range reports {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			return failed(err)
		},
	}
	cmd.Flags().BoolVar(&csv, "csv", false, "series.csv and events.csv instead of Parquet")
	database.register(cmd.Flags())
	return cmd
}
