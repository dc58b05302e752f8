package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime/debug"
	"time"

	"cosim/internal/metrics"
	"cosim/internal/record"
	"cosim/internal/record/parquet"
	cosync "cosim/sync"
)

// RunOptions say how a run is carried out; nothing in them changes a result.
type RunOptions struct {
	// Out is the folder in which the run's own folder is made; empty writes
	// no files.
	Out string
	// RealTime is the simulated seconds a wall second; 0 as fast as possible.
	RealTime float64
	// OnStall hears for whom the federation waits.
	OnStall func(cosync.Stall)
	// OnWait hears, whenever it changes, which external federates have not
	// connected yet, and where each is to connect.
	OnWait func(names, urls []string)
	// OnLost hears of federates that are lost and without which the run goes on.
	OnLost func(cosync.Loss)
	// Observers see the run besides the built-in ones. A Participant joins it.
	Observers []cosync.Observer
	// Controller, if any, can hold the run between steps.
	Controller *cosync.Controller
	// OnStart hears of the master and its federates before the first step.
	// Observers may work with the federates between steps.
	OnStart func(*cosync.Master, []cosync.Federate)
	// Decisions are those that are recorded in the run's folder.
	Decisions []Selection
	// Frames are the parts of the run whose frames are recorded in its folder. A
	// run that is resumed goes on with those that it had.
	Frames []FrameSpan

	past *past // the run that is repeated, if any
}

// Participant is an observer that also takes part in its run: Join sets the
// options by which it holds the run between steps and reaches its federates.
type Participant interface {
	cosync.Observer
	Join(o *RunOptions)
}

// Result is what a run found and where it is.
type Result struct {
	Definition *Definition
	Summary    *metrics.Summary
	Dir        string // of its files, or empty
	WallS      float64
	Speed      float64 // simulated seconds a wall second
	Decisions  *DecisionTimes
	Recorded   []string      // files with decisions, see RunOptions.Decisions
	Frames     *FrameCount   // what was recorded of frames; nil: nothing
	Stalls     []string      // for whom the federation waited long
	WorstLag   time.Duration // of a run in real time, behind its pace
	Checked    int64         // steps that were held against those of a repeated run, the start included
}

// Name is that of the run's folder: "S-2-1".
func (d *Definition) RunName() string { return fmt.Sprintf("%s-%d", d.Name, d.Seed) }

// Run carries out one run. What was found until an error, or until ctx ended,
// is in the result and on disk.
func Run(ctx context.Context, d *Definition, o RunOptions) (*Result, error) {
	for _, x := range o.Observers {
		if p, ok := x.(Participant); ok {
			p.Join(&o)
		}
	}
	manifest, err := d.manifest()
	if err != nil {
		return nil, err
	}
	res := &Result{Definition: d}
	if o.Out != "" {
		res.Dir = filepath.Join(o.Out, d.RunName())
	}
	if o.past != nil && o.past.resume {
		res.Dir = o.past.dir
	}
	decisions := newDecisionRecorder(d, res.Dir, o.Decisions)
	clock := &cuts{past: o.past.cuts(), behind: o.past.behind}
	fed, err := buildRun(d, decisions, clock, o.RealTime)
	if err != nil {
		return nil, err
	}
	outside, err := fed.attach(ctx, d, o)
	if err != nil {
		return nil, err
	}
	defer outside.close()
	frames, err := newFrameRecorder(d, res.Dir, fed.federates, o)
	if err != nil {
		return nil, err
	}
	m, err := newMeter(d, fed.timeline)
	if err != nil {
		return nil, err
	}
	observers, last := o.past.observers(d, fed)
	observers = append(observers, stopped{ctx})
	links := &chain{past: o.past}
	if o.Out != "" {
		links.dir, links.resume = res.Dir, o.past != nil && o.past.resume
		observers = append(observers, newBoundary(links.dir, links.resume, fed, clock))
	}
	if o.Out != "" || o.past != nil {
		observers = append(observers, links)
	}
	// The laws are checked at every row, where the balances are published.
	observers = append(observers, m, newInvariants(simTime(d.Steps.Record)))
	if frames != nil {
		observers = append(observers, frames)
	}
	observers = append(observers, o.Observers...)
	if o.OnLost != nil {
		observers = append(observers, lossWatch{o.OnLost})
	}
	var writer *record.Writer
	if o.Out != "" {
		if writer, err = o.past.record(res.Dir, manifest, columnsOf(fed.federates)); err != nil {
			return nil, err
		}
		if err = outside.remember(res.Dir); err != nil {
			return nil, errors.Join(err, writer.Close(nil, nil, err))
		}
		observers = append(observers, &recorder{writer: writer, every: simTime(d.Steps.Record)})
	}
	observers = append(observers, last...)
	begin := o.OnStart
	o.OnStart = func(m *cosync.Master, feds []cosync.Federate) {
		links.step, links.levels = m.Step(), m.Levels()
		if begin != nil {
			begin(m, feds)
		}
	}
	tell := o.OnStall
	o.OnStall = func(s cosync.Stall) {
		res.Stalls = append(res.Stalls, s.String())
		if tell != nil {
			tell(s)
		}
	}
	start := time.Now()
	res.WorstLag, err = simulate(ctx, d, fed, observers, o)
	res.WallS = time.Since(start).Seconds()
	res.Decisions = decisionTimes(fed.federates, d.Reconfigure.Period)
	res.Frames = frames.count()
	res.Summary = m.summary()
	res.Summary.DefinitionSHA256 = manifest.DefinitionHash
	res.Speed = m.last.Seconds() / res.WallS
	if err == nil {
		err = res.Summary.Check()
	}
	res.Summary.Complete = err == nil
	if writer != nil {
		err = errors.Join(err, decisions.close())
		res.Recorded = decisions.written()
		err = errors.Join(err, res.close(writer, err))
	}
	return res, err
}

// createError tells what it means that something just made is gone.
func createError(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("another run is being written to %s at the same time; give one of them another --out (%w)", dir, err)
	}
	return err
}

// close ends the run's files. A folder that was not closed well, because
// another run took it for example, is not this run's to export.
func (r *Result) close(w *record.Writer, runErr error) error {
	timing := map[string]any{"simulation_s": r.WallS, "real_time_factor": r.Speed}
	if r.Decisions != nil {
		timing["decisions"] = r.Decisions
	}
	if r.Stalls != nil {
		timing["stalls"] = r.Stalls
	}
	if r.WorstLag > 0 {
		timing["worst_lag_s"] = r.WorstLag.Seconds()
	}
	if err := w.Close(r.Summary, timing, runErr); err != nil {
		return err
	}
	_, err := parquet.Export(r.Dir)
	if runErr == nil {
		err = errors.Join(err, forgetDoor(r.Dir))
	}
	return err
}

func simulate(ctx context.Context, d *Definition, fed *federation, observers []cosync.Observer, o RunOptions) (worstLag time.Duration, err error) {
	master, err := cosync.New(fed.federates, fed.connections, cosync.Options{
		Stop: simTime(d.Duration), RealTime: o.RealTime, OnStall: o.OnStall, Observers: observers, Tolerated: fed.tolerated, Controller: o.Controller,
	})
	if err != nil {
		return 0, err
	}
	if o.OnStart != nil {
		o.OnStart(master, fed.federates)
	}
	err = master.Run(ctx)
	return master.Timing().WorstLag, err
}

// Version is the program's, from the build.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
