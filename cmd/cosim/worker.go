package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"cosim/internal/sweep"
)

func newWorker() *cobra.Command {
	var o sweep.WorkerOptions
	cmd := &cobra.Command{
		Use:   "worker --nats URL",
		Short: "make runs of sweeps on other machines",
		Long: `worker makes runs of the sweeps at a queue, one a core at a time, until it is
interrupted. It may join and leave at any time: what it has not finished goes to
another worker. It needs the program of the sweep's own version and no files,
but for cases and programs of one's own.`,
		Example: `  cosim worker --nats nats://127.0.0.1:4222
  cosim worker --nats tls://queue.example:4222 --token-file token --ca ca.pem`,
		Args: expectNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.NATS == "":
				return errors.New("--nats is empty, expected the address that the sweep tells, such as nats://127.0.0.1:4222")
			case o.Parallel < 1:
				return fmt.Errorf("--parallel is %d, expected at least 1", o.Parallel)
			}
			o.Log = func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) }
			if err := sweep.Work(cmd.Context(), o); err != nil {
				return failure{err}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.NATS, "nats", "", "address of the sweep, or NATS servers with JetStream; several with commas")
	flags.IntVar(&o.Parallel, "parallel", sweep.Cores(), "runs at a time")
	flags.StringVar(&o.Out, "out", "runs", "folder for runs of sweeps with keep: all")
	registerAccess(flags, &o.Access)
	return cmd
}
