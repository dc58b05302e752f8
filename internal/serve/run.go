package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"cosim/federates"
	"cosim/internal/experiment"
	"cosim/internal/record/web"
	"cosim/internal/serve/outstation"
	"cosim/scada"
	cosync "cosim/sync"
)

// Run is one experiment that is, or was, carried out.
type Run struct {
	id         string
	definition *experiment.Definition
	realTime   float64
	log        *slog.Logger
	listener   net.Listener // of the outstation; nil without one
	commonAddr uint16

	control cosync.Controller
	desk    *desk
	vault   *vault
	cancel  context.CancelFunc
	ended   chan struct{}

	guest bool // somebody else carries it out

	gauges *gauges

	// Set before the first step; the federates are for jobs of the desk only.
	grid    *federates.Grid
	scada   *federates.Scada
	network *federates.Network
	quantum *federates.Quantum

	mu      sync.Mutex
	master  *cosync.Master
	process *process
	station *outstation.Server
	feed    *web.Feed // nil before the federates stand
	begun   bool      // the first frame was seen
	at      cosync.Time
	options []scada.Option // of the chains
	result  *experiment.Result
	err     error
}

// start carries a run out in goroutines of its own, until it ends or ctx does.
func (r *Run) start(ctx context.Context, out string, watchers []cosync.Observer, onEnd func(*experiment.Result, error)) {
	ctx, r.cancel = context.WithCancel(ctx)
	show := &showing{run: r, ctx: ctx}
	go func() {
		defer close(r.ended)
		defer r.cancel()
		res, err := experiment.Run(ctx, r.definition, experiment.RunOptions{
			Out: out, RealTime: r.realTime, Controller: &r.control, OnStart: r.begin,
			Observers: append([]cosync.Observer{show}, watchers...),
			OnStall:   func(s cosync.Stall) { r.log.Warn(s.String()) },
			OnLost:    func(l cosync.Loss) { r.log.Warn("federate lost", "federate", l.Federate, "why", l.Err) },
			OnWait: func(names, urls []string) {
				for i, name := range names {
					r.log.Info("waiting for a federate", "federate", name, "at", urls[i])
				}
			},
		})
		r.cancel()
		show.served.Wait()
		if r.listener != nil {
			_ = r.listener.Close()
		}
		r.mu.Lock()
		r.result, r.err = res, err
		r.mu.Unlock()
		onEnd(res, err)
	}()
}

// begin hears of the federates.
func (r *Run) begin(m *cosync.Master, all []cosync.Federate) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.master = m
	for _, f := range all {
		switch f := f.(type) {
		case *federates.Grid:
			r.grid = f
		case *federates.Scada:
			r.scada = f
		case *federates.Network:
			r.network = f
		case *federates.Quantum:
			r.quantum = f
		}
	}
	r.gauges.meet(r.scada)
	r.feed = web.NewFeed(scene(r.definition, r.supplies(), r.buses()))
	r.feed.Meet(all)
}

// supplies are the key pools; none where another program simulates the
// stations.
func (r *Run) supplies() []*federates.KeySupply {
	if r.scada == nil {
		return nil
	}
	return r.scada.Supplies()
}

// showing is the observer by which others see the run and take part in it.
type showing struct {
	run    *Run
	ctx    context.Context
	served sync.WaitGroup
}

// Begin implements sync.Observer: it opens the outstation.
func (s *showing) Begin(f *cosync.Frame) error {
	r := s.run
	if err := r.gauges.Begin(f); err != nil {
		return err
	}
	if err := r.feed.Begin(f); err != nil {
		return err
	}
	if r.listener == nil {
		return s.show(f)
	}
	d := r.definition
	p, err := newProcess(f, r.supplies(), r.grid, commandConfig{d.NominalHz(), d.Generators, d.Blocks, d.Grid.AVR}, time.Now())
	if err != nil {
		return err
	}
	image, err := outstation.NewImage(p.points)
	if err != nil {
		return err
	}
	if p.station, err = outstation.New(outstation.Config{
		CommonAddr: r.commonAddr, Image: image, Commands: p.commands, Operate: r.operate, SetClock: p.setClock,
	}); err != nil {
		return err
	}
	sv := &outstation.Server{Station: p.station, Log: r.log}
	r.mu.Lock()
	r.process, r.station = p, sv
	r.mu.Unlock()
	s.served.Go(func() {
		if err := sv.Serve(s.ctx, r.listener); err != nil {
			r.log.Error("IEC 104", "error", err)
		}
	})
	return s.show(f)
}

// Observe implements sync.Observer.
func (s *showing) Observe(f *cosync.Frame) error {
	if err := errors.Join(s.run.feed.Observe(f), s.run.gauges.Observe(f)); err != nil {
		return err
	}
	return s.show(f)
}

// show lets others see the frame, and does their jobs.
func (s *showing) show(f *cosync.Frame) error {
	r := s.run
	r.mu.Lock()
	r.at, r.begun = f.To, true
	if r.scada != nil {
		if now := r.scada.Options(); !slices.Equal(now, r.options) {
			r.options = slices.Clone(now)
		}
	}
	r.mu.Unlock()
	if r.process != nil {
		r.process.observe(f)
	}
	return r.desk.Observe(f)
}

// End implements sync.Observer.
func (s *showing) End(cause error) error {
	return errors.Join(s.run.feed.End(cause), s.run.desk.End(cause))
}

// operate hands an order of a master to the grid, for its next step.
func (r *Run) operate(o outstation.Order, done func()) error {
	x := r.process.orders[o.IOA]
	return r.desk.post(func(now cosync.Time) {
		if err := r.grid.Operate(now, scada.Command{Kind: x.kind, Element: x.element, Value: o.Value}); err != nil {
			r.log.Error("IEC 104: order", "from", o.Master, "error", err) // its points are made from the grid's own elements
			return
		}
		r.log.Info("order", "from", o.Master, "kind", x.kind, "element", x.element, "value", o.Value, "acts at", now)
		_ = r.desk.post(func(cosync.Time) { done() }) // a run that ends now confirms nothing
	})
}

// States of a run.
const (
	running  = "running"
	paused   = "paused"
	done     = "done"
	stopped  = "stopped"
	failed   = "failed"
	starting = "starting"
)

// RunView is a run as REST shows it.
type RunView struct {
	ID         string  `json:"id"`
	Experiment string  `json:"experiment"`
	Title      string  `json:"title"`
	Case       string  `json:"case"`
	Seed       uint64  `json:"seed"`
	State      string  `json:"state"`
	AtS        float64 `json:"at_s"`
	StopS      float64 `json:"stop_s"`
	RealTime   float64 `json:"real_time"` // simulated seconds a second; 0: as fast as possible
	LagMS      float64 `json:"lag_ms"`
	WorstLagMS float64 `json:"worst_lag_ms"`
	IEC104     string  `json:"iec104,omitempty"`
	Masters    int     `json:"masters"`
	Dir        string  `json:"dir,omitempty"`
	Error      string  `json:"error,omitempty"`
	Summary    any     `json:"summary,omitempty"`
}

// view shows the run as it is now.
func (r *Run) view() RunView {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.definition
	v := RunView{
		ID: r.id, Experiment: d.Name, Title: d.Title, Case: d.Case, Seed: d.Seed, State: starting,
		AtS: r.at.Seconds(), StopS: d.Duration.Seconds(), RealTime: r.realTime,
	}
	if r.listener != nil {
		v.IEC104 = r.listener.Addr().String()
	}
	if r.station != nil {
		v.Masters = r.station.Masters()
	}
	if r.master != nil {
		now, worst := r.master.Lag()
		v.LagMS, v.WorstLagMS = float64(now.Microseconds())/1000, float64(worst.Microseconds())/1000
	}
	switch {
	case r.begun && r.control.Paused():
		v.State = paused
	case r.begun:
		v.State = running
	}
	if r.hasEnded() {
		v.State = done
		if r.err != nil {
			v.State, v.Error = failed, r.err.Error()
		}
		if r.result != nil {
			v.Dir, v.Summary = r.result.Dir, r.result.Summary
			if errors.Is(r.err, context.Canceled) {
				v.State, v.Error = stopped, ""
			}
		}
	}
	return v
}
