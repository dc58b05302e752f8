package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
	"cosim/internal/record/alert"
	cosync "cosim/sync"
)

// alertSink says when runs need a look.
type alertSink struct {
	to     []string
	safeHz float64

	dispatcher *alert.Dispatcher
}

// lastAlerts is how long undelivered alerts are waited for at the end.
const lastAlerts = 20 * time.Second

// calm is how long no decision may be late before late ones are over; so does
// the frequency return.
const calm = metrics.CalmNS * time.Nanosecond

func (k *alertSink) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&k.to, "alert", nil, "who hears of K < K_safe, |Δf| outside its band, late decisions, lost federates: log, https://… (webhook), slack+https://…, smtp://user:password@host/?from=…&to=… (repeatable)")
	flags.Float64Var(&k.safeHz, "alert-hz", metrics.SafeHz, "the band of |Δf|")
}

func (k *alertSink) open(cmd *cobra.Command) (bool, error) {
	if len(k.to) == 0 {
		if cmd.Flags().Changed("alert-hz") {
			return false, errors.New("--alert-hz needs --alert")
		}
		return false, nil
	}
	if !(k.safeHz > 0) {
		return false, fmt.Errorf("--alert-hz is %g, expected more than 0", k.safeHz)
	}
	tell := func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) }
	var receivers []alert.Receiver
	for _, text := range k.to {
		r, err := alert.Parse(text, tell)
		if err != nil {
			return false, fmt.Errorf("--alert: %w", err)
		}
		receivers = append(receivers, r)
	}
	k.dispatcher = alert.NewDispatcher(tell, receivers...)
	return true, nil
}

func (k *alertSink) watch(d *experiment.Definition) (cosync.Observer, error) {
	return alertWatch{alert.NewWatch(d.RunName(), alert.Limits{
		SafeHz: k.safeHz, Period: d.Reconfigure.Period, Calm: calm,
		Stores: alert.Stores{Links: d.StoreLinks(), SafeBits: d.Keys.Pool.SafeBits, Period: d.Keys.Store.Period},
	}, k.dispatcher.Hear)}, nil
}

// alertWatch looks at the federates too.
type alertWatch struct{ *alert.Watch }

// Join implements experiment.Participant.
func (w alertWatch) Join(o *experiment.RunOptions) {
	begin := o.OnStart
	o.OnStart = func(m *cosync.Master, feds []cosync.Federate) {
		w.Meet(feds)
		if begin != nil {
			begin(m, feds)
		}
	}
}

// close waits less for receivers that are away when the run was interrupted.
func (k *alertSink) close(cmd *cobra.Command) error {
	limit := lastAlerts
	if cmd.Context().Err() != nil {
		limit = 2 * time.Second
	}
	k.dispatcher.Close(limit)
	return nil
}
