package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/terminal"
	cosync "cosim/sync"
)

func newCalibrate() *cobra.Command {
	var o overrides
	var opt experiment.CalibrateOptions
	var out string
	cmd := &cobra.Command{
		Use:   "calibrate",
		Short: "fit disturbance size, static refill and pulse rate to the paper's S-1 row",
		Long: `The paper does not give disturbance size, static refill or pulse rate. They
are fitted to its S-1 row (P_succ 0.72, Δf_max 0.26 Hz, key use 0.30), on S-1
alone: every other experiment is then a prediction. The result is a
calibration.yaml for the case's folder.`,
		Args: expectNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opt.Parallel < 1 {
				return fmt.Errorf("--parallel is %d, expected at least 1", opt.Parallel)
			}
			if opt.Runs < 2 {
				return fmt.Errorf("--runs is %d, expected at least 2 for an interval", opt.Runs)
			}
			if opt.Rounds < 1 {
				return fmt.Errorf("--rounds is %d, expected at least 1", opt.Rounds)
			}
			d, err := o.load(cmd, "S-1")
			if err != nil {
				return err
			}
			log := cmd.ErrOrStderr()
			opt.Progress = func(text string) { fmt.Fprintln(log, text) }
			opt.Watch = func(runs int) (func(*experiment.Definition) ([]cosync.Observer, error), func()) {
				p := terminal.NewProgress(log, runs, cosync.Time(d.Duration))
				return func(d *experiment.Definition) ([]cosync.Observer, error) {
					return []cosync.Observer{p.Watch(d.RunName())}, nil
				}, p.Stop
			}
			c, err := experiment.Calibrate(cmd.Context(), d, opt)
			if err != nil {
				return failure{err}
			}
			if err := c.Write(out); err != nil {
				return failure{err}
			}
			fmt.Fprint(cmd.OutOrStdout(), c)
			fmt.Fprintf(cmd.OutOrStdout(), "written to %s\n", out)
			return nil
		},
	}
	o.register(cmd)
	cmd.Flags().IntVar(&opt.Runs, "runs", 200, "seeds of a round; the first two use a fifth of them")
	cmd.Flags().IntVar(&opt.Rounds, "rounds", 8, "rounds at the most")
	cmd.Flags().IntVar(&opt.Parallel, "parallel", runtime.NumCPU(), "runs at a time")
	cmd.Flags().StringVar(&out, "out", "calibration.yaml", "file to write; it belongs beside the case's federation.yaml")
	return cmd
}
