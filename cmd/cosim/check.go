package main

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
)

type checkFlags struct {
	experiment.CheckOptions
}

func newCheckFederate() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check-federate NAME|URL [-- COMMAND ARGS...]",
		Short: "play a scripted session against an external federate and say what it gets wrong",
		Long: `check-federate waits for an external federate, as a run would, plays a session
with it and says what it gets wrong: values at time zero, steps without inputs,
messages at the edges of a step, held inputs, pings, broken connections, lost
answers, the end.

The federate connects as to a run. With a command after -- it is started, with
the address in COSIM_URL and in place of {url}; it is started again where it
broke a rule, so that all parts are played.

With --token it must bring that token; a command has it in COSIM_TOKEN. With
--ca the connection is encrypted (wss), with a certificate made for this check
and good for a day: the file is written and holds the authority that the
federate has to trust. A command has its name in COSIM_CA, and in SSL_CERT_FILE
and NODE_EXTRA_CA_CERTS, so that Python, Go and Node trust it by themselves.`,
		Example: `  cosim check-federate battery
  cosim check-federate ws://127.0.0.1:9000/v1/federates/battery
  cosim check-federate battery --parameter droop=0.05 -- python3 battery.py
  cosim check-federate battery --token 0123456789abcdef --ca ca.pem -- python3 battery.py`,
		Args: expectFederate,
		RunE: func(cmd *cobra.Command, args []string) error { return f.check(cmd, args[0], args[1:]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Listen, "listen", "", "address where the federate connects (default that of runs, 127.0.0.1:8765)")
	flags.DurationVar(&f.Duration, "duration", time.Minute, "simulated length, a multiple of the federate's step")
	flags.DurationVar(&f.Patience, "patience", 10*time.Second, "wall time for an answer, for coming back and for ending")
	flags.StringToStringVar(&f.Parameters, "parameter", nil, "what the welcome says: --parameter droop=0.05 (repeatable)")
	flags.Lookup("parameter").DefValue = "" // none, which would be shown as []
	flags.StringVar(&f.Token, "token", "", "the bearer token that the federate must bring")
	flags.StringVar(&f.CA, "ca", "", "encrypt (wss) and write the authority that the federate has to trust to this file")
	flags.BoolVar(&f.StaysAway, "no-reconnect", false, "the federate need not come back when its connection breaks")
	return cmd
}

func (f *checkFlags) check(cmd *cobra.Command, federate string, program []string) error {
	f.Name = federate
	if strings.Contains(federate, "://") {
		at, err := url.Parse(federate)
		if err != nil || at.Scheme != "ws" && at.Scheme != "wss" || path.Dir(at.Path) != "/v1/federates" {
			return fmt.Errorf("expected ws://host:port/v1/federates/name (or wss), got %s", federate)
		}
		if (at.Scheme == "wss") != (f.CA != "") {
			return fmt.Errorf("%s: wss:// and --ca belong together: the file is where the authority of the certificate is written", federate)
		}
		f.Name = path.Base(at.Path)
		if f.Listen == "" {
			f.Listen = at.Host
		}
	}
	if f.Duration <= 0 || f.Patience <= 0 {
		return errors.New("--duration and --patience: expected more than 0")
	}
	f.Program, f.Output = program, cmd.ErrOrStderr()
	faults, err := experiment.CheckFederate(cmd.Context(), cmd.OutOrStdout(), f.CheckOptions)
	switch {
	case err != nil:
		return failure{err}
	case faults > 0:
		return failure{fmt.Errorf("%d fault%s", faults, plural(faults))}
	}
	fmt.Fprintln(cmd.OutOrStdout(), "no faults")
	return nil
}
