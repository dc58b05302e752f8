package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cosim/internal/experiment"
	cosync "cosim/sync"
)

// sink is where runs are shown while they go on, besides their own folder: a
// database, a page, alerts. A sink is off unless its flags say otherwise.
type sink interface {
	register(*pflag.FlagSet)
	// open checks the flags and makes ready; it says whether the sink is on.
	open(cmd *cobra.Command) (on bool, err error)
	// watch gives a run its observer before it starts.
	watch(d *experiment.Definition) (cosync.Observer, error)
	// close comes after the last run: it waits for what is still under way.
	close(cmd *cobra.Command) error
}

// lingerer is a sink that may stay after the results were printed, of which err
// says what went wrong.
type lingerer interface {
	linger(cmd *cobra.Command, err error) error
}

// sinks are those of a command.
type sinks struct{ all, on []sink }

func newSinks(all ...sink) sinks { return sinks{all: all} }

func (s *sinks) register(flags *pflag.FlagSet) {
	for _, k := range s.all {
		k.register(flags)
	}
}

func (s *sinks) open(cmd *cobra.Command) error {
	for _, k := range s.all {
		on, err := k.open(cmd)
		if err != nil {
			return err
		}
		if on {
			s.on = append(s.on, k)
		}
	}
	return nil
}

// watch gives a run its observers.
func (s *sinks) watch(d *experiment.Definition) ([]cosync.Observer, error) {
	var observers []cosync.Observer
	for _, k := range s.on {
		o, err := k.watch(d)
		if err != nil {
			return nil, err
		}
		observers = append(observers, o)
	}
	return observers, nil
}

func (s *sinks) close(cmd *cobra.Command) error {
	var errs []error
	for _, k := range s.on {
		errs = append(errs, k.close(cmd))
	}
	return errors.Join(errs...)
}

func (s *sinks) linger(cmd *cobra.Command, err error) error {
	var errs []error
	for _, k := range s.on {
		if l, ok := k.(lingerer); ok {
			errs = append(errs, l.linger(cmd, err))
		}
	}
	return errors.Join(errs...)
}
