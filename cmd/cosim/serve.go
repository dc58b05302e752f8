package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/serve"
	"cosim/internal/terminal"
)

type serveFlags struct {
	overrides
	serve.Config
	realtime float64
	sinks    sinks

	last    *experiment.Result // of the run that ended last
	lastErr error
}

func newServe() *cobra.Command {
	f := serveFlags{sinks: newSinks(&influxSink{}, &alertSink{})}
	cmd := &cobra.Command{
		Use:   "serve [EXPERIMENT]",
		Short: "run an experiment behind sockets: IEC 104 outstation, key delivery, REST",
		Long: `serve runs an experiment and lets others take part: control centres over
IEC 60870-5-104, applications that fetch key after ETSI GS QKD 014, programs
that pause runs and change chains over REST. It goes on until it is interrupted;
without EXPERIMENT it waits for POST /v1/runs.`,
		Example: `  cosim serve S-2 --realtime --iec104
  cosim serve S-2 --realtime=10 --http 127.0.0.1:8080 --token-file tokens
  curl -s http://127.0.0.1:8080/v1/runs`,
		Args:              atMostOneExperiment,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.serve(cmd, args) },
		ValidArgsFunction: completeExperiments,
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.HTTP, "http", "127.0.0.1:8080", "address of REST and key delivery; empty for none")
	flags.StringVar(&f.IEC104, "iec104", "", "address of the IEC 104 outstation; without a value 127.0.0.1:2404")
	flags.Lookup("iec104").NoOptDefVal = "127.0.0.1:2404"
	flags.Uint16Var(&f.CommonAddr, "common-address", 1, "the outstation's common address")
	flags.StringVar(&f.Out, "out", "runs", "folder for the results; a run's own folder is made in it")
	flags.Float64Var(&f.realtime, "realtime", 0, "simulated seconds a second of wall time; without a value 1")
	flags.Lookup("realtime").NoOptDefVal = "1"
	flags.BoolVar(&f.Once, "once", false, "end with the run")
	flags.StringVar(&f.Security.Certificate, "cert", "", "certificate (PEM) with which all sockets are encrypted")
	flags.StringVar(&f.Security.Key, "key", "", "its private key (PEM)")
	flags.StringVar(&f.Security.ClientCA, "client-ca", "", "authorities (PEM) whose client certificates are asked for")
	flags.StringVar(&f.Security.TokenFile, "token-file", "", "file with a name and its bearer token on each line: operator, or a station")
	f.sinks.register(flags)
	return cmd
}

// atMostOneExperiment also finds the value that stands apart from its flag.
func atMostOneExperiment(cmd *cobra.Command, args []string) error {
	for _, a := range args {
		if _, _, err := net.SplitHostPort(a); err == nil && cmd.Flags().Changed("iec104") {
			return fmt.Errorf("the value of --iec104 follows an equals sign: --iec104=%s", a)
		}
	}
	if len(args) == 0 {
		return nil
	}
	return oneExperiment(cmd, args)
}

func (f *serveFlags) serve(cmd *cobra.Command, args []string) error {
	if cmd.Flags().Changed("realtime") && !(f.realtime >= slowest && f.realtime < fastest) {
		return fmt.Errorf("--realtime is %v, expected a factor from %v to below 1e9; without --realtime a run is as fast as it can", f.realtime, slowest)
	}
	if f.HTTP == "" && f.IEC104 == "" {
		return errors.New("--http and --iec104 are empty: expected an address to serve")
	}
	if f.Once && len(args) == 0 {
		return errors.New("--once needs an experiment")
	}
	f.RealTime = f.realtime
	f.Overrides = experiment.Overrides{Case: f.caseName, Set: f.set}
	if cmd.Flags().Changed("seed") {
		f.Overrides.Seed = &f.seed
	}
	var first *experiment.Definition
	if len(args) == 1 {
		f.Experiment = args[0]
		var err error
		if first, err = f.load(cmd, f.Experiment); err != nil {
			return err
		}
	}
	f.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	f.OnEnd = func(res *experiment.Result, err error) {
		if errors.Is(err, context.Canceled) && cmd.Context().Err() == nil {
			err = nil // stopped by a request
		}
		f.last, f.lastErr = res, err
		if res != nil && res.Summary != nil && res.Summary.SimulatedS > 0 {
			terminal.Summary(cmd.OutOrStdout(), res)
		}
		if err != nil && cmd.Context().Err() == nil {
			fmt.Fprintln(cmd.ErrOrStderr(), "cosim:", err)
		}
	}
	if err := f.sinks.open(cmd); err != nil {
		return err
	}
	f.Watch = f.sinks.watch
	s, err := serve.New(f.Config)
	if err != nil {
		return err
	}
	if addr := s.Addr(); addr != "" {
		f.Log.Info("REST and key delivery", "address", addr)
	}
	err = s.Serve(cmd.Context(), first)
	if err := errors.Join(err, f.sinks.close(cmd)); err != nil {
		return failure{err}
	}
	switch {
	case f.lastErr == nil:
		return nil
	case f.last != nil && f.last.Dir != "":
		return failure{unfinished{f.lastErr, f.last.Dir}}
	}
	return failure{f.lastErr}
}
