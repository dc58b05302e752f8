package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cosim/internal/record/report"
)

type reportFlags struct {
	report.Options
	seed uint64
}

func newReport() *cobra.Command {
	f := reportFlags{}
	cmd := &cobra.Command{
		Use:   "report RUN...",
		Short: "one HTML file with figures and tables, and the figures as PNG and SVG",
		Long: `report tells what runs found: one HTML file that needs nothing beside it, and
its figures as picture files. Of one run (also of a killed one) it shows the run,
of several the experiments side by side, with 95 % intervals and the differences
over common seeds; of a sweep's folder, curves over the key that was swept, or
maps over two.`,
		Example: `  cosim report runs/S-3-1                in runs/S-3-1/report/
  cosim report runs --paper              every run in a folder, in report/
  cosim report runs --out s123.html      pictures in s123-figures/
  cosim report runs --figures-only --format svg --out figures
  cosim report sweeps/breaks             what a sweep found, in report/`,
		Args: expectRunsOrSweeps,
		RunE: func(cmd *cobra.Command, args []string) error { return f.report(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Out, "out", "", "`FOLDER` or HTML file to write (default RUN/report; of several runs, or a sweep, ./report)")
	flags.BoolVar(&f.Paper, "paper", false, "the paper's figures beside")
	flags.BoolVar(&f.FiguresOnly, "figures-only", false, "the picture files alone, no HTML")
	flags.StringSliceVar(&f.Formats, "format", report.Formats, "of the picture files: "+strings.Join(report.Formats, ", ")+"; empty for none")
	flags.Uint64Var(&f.seed, "seed", 0, "seed of the runs whose course is drawn (default: the least that all experiments have)")
	return cmd
}

func (f *reportFlags) report(cmd *cobra.Command, args []string) error {
	f.Runs = args
	if cmd.Flags().Changed("seed") {
		f.Seed = &f.seed
	}
	w, err := report.Write(cmd.Context(), f.Options)
	var usage report.UsageError
	switch {
	case errors.As(err, &usage):
		return err
	case err != nil:
		return failed(err)
	}
	for _, note := range w.Notes {
		fmt.Fprintln(cmd.ErrOrStderr(), note)
	}
	out := cmd.OutOrStdout()
	if w.HTML != "" {
		fmt.Fprintln(out, w.HTML)
	}
	for _, file := range w.Figures {
		fmt.Fprintln(out, file)
	}
	return nil
}
