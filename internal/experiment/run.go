package experiment

import (
	"context"
	"errors"
	"fmt"
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
	// Observers see the run besides the built-in ones.
	Observers []cosync.Observer
}

// Result is what a run found and where it is.
type Result struct {
	Definition *Definition
	Summary    *metrics.Summary
	Dir        string // of its files, or empty
	WallS      float64
	Speed      float64 // simulated seconds a wall second
}

// Name is that of the run's folder: "S-2-1".
func (d *Definition) RunName() string { return fmt.Sprintf("%s-%d", d.Name, d.Seed) }

// Manifest is the content of manifest.yaml.
type Manifest struct {
	Program    string      `yaml:"program"`
	Version    string      `yaml:"version"`
	CaseHash   string      `yaml:"case_sha256"`
	Definition *Definition `yaml:"experiment"`
}

// Run carries out one run. What was found until an error, or until ctx ended,
// is in the result and on disk.
func Run(ctx context.Context, d *Definition, o RunOptions) (*Result, error) {
	fed, err := build(d)
	if err != nil {
		return nil, err
	}
	m, err := newMeter(d, fed.timeline)
	if err != nil {
		return nil, err
	}
	// The laws are checked at every row, where the balances are published.
	observers := append([]cosync.Observer{m, newInvariants(simTime(d.Steps.Record))}, o.Observers...)
	res := &Result{Definition: d}
	var writer *record.Writer
	if o.Out != "" {
		res.Dir = filepath.Join(o.Out, d.RunName())
		if writer, err = d.createRecord(res.Dir, fed); err != nil {
			return nil, err
		}
		observers = append(observers, &recorder{writer: writer, every: simTime(d.Steps.Record)})
	}
	start := time.Now()
	err = simulate(ctx, d, fed, observers, o)
	res.WallS = time.Since(start).Seconds()
	res.Summary = m.summary()
	res.Speed = m.last.Seconds() / res.WallS
	if err == nil {
		err = res.Summary.Check()
	}
	if writer != nil {
		timing := map[string]float64{"simulation_s": res.WallS, "real_time_factor": res.Speed}
		err = errors.Join(err, writer.Close(res.Summary, timing, err))
		_, exportErr := parquet.Export(res.Dir)
		err = errors.Join(err, exportErr)
	}
	return res, err
}

func simulate(ctx context.Context, d *Definition, fed *federation, observers []cosync.Observer, o RunOptions) error {
	master, err := cosync.New(fed.federates, fed.connections, cosync.Options{
		Stop: simTime(d.Duration), RealTime: o.RealTime, OnStall: o.OnStall, Observers: observers,
	})
	if err != nil {
		return err
	}
	return master.Run(ctx)
}

func (d *Definition) createRecord(dir string, fed *federation) (*record.Writer, error) {
	hash, err := d.caseHash()
	if err != nil {
		return nil, err
	}
	return record.Create(dir, Manifest{"cosim", Version(), hash, d}, columnsOf(fed.federates))
}

// Version is the program's, from the build.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
