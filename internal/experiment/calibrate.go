package experiment

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"

	"cosim/internal/metrics"
	cosync "cosim/sync"
)

// The paper's S-1 row, to which three knobs are fitted.
const (
	paperPSucc   = 0.72
	paperKeyUse  = 0.30
	paperDeltaHz = 0.26
)

// Knobs are the three values that the paper does not give.
type Knobs struct {
	PulseRateHz float64 // nominal pulse rate of every QKD link
	StoreShare  float64 // static refill, share of a link's nominal yield
	SizeMW      float64 // of a contingency
}

// CalibrateOptions say how much work a calibration does.
type CalibrateOptions struct {
	Runs     int // seeds of a round; the first two use fewer unless they are the last
	Rounds   int // at the most
	Parallel int
	// Progress hears a line a round; Watch gives the observers of a round's
	// runs and a function to be called at its end.
	Progress func(text string)
	Watch    func(runs int) (func(*Definition) ([]cosync.Observer, error), func())
}

// Calibration is what a calibration found.
type Calibration struct {
	Knobs
	Case                      string
	FirstSeed                 uint64
	Runs, Rounds              int // as asked for
	PSucc, DeltaHz, KeyUse    metrics.Sample
	Converged                 bool
	toleranceRel, toleranceHz float64
}

// Calibrate fits the knobs of S-1 on the seeds from d.Seed on. It is a fixed
// point iteration, for each knob moves one figure: with stores that run empty,
// success is proportional to the key that a refill brings, so that
//
//	share' = share · η*/η        R_p' = R_p · (P*/P) · (η/η*)
//
// and the size of the disturbance follows the secant of Δf_max over it. All
// rounds use the same seeds, so that they differ by the knobs alone.
func Calibrate(ctx context.Context, d *Definition, o CalibrateOptions) (*Calibration, error) {
	if o.Runs < 2 || o.Rounds < 1 {
		return nil, fmt.Errorf("calibrate: %d runs and %d rounds, expected at least 2 and 1", o.Runs, o.Rounds)
	}
	c := &Calibration{
		Knobs: Knobs{d.Quantum.PulseRateHz, d.Keys.Store.Share, d.Disturb.Contingencies.SizeMW},
		Case:  d.Case, FirstSeed: d.Seed, Runs: o.Runs, Rounds: o.Rounds, toleranceRel: 0.005, toleranceHz: 0.002,
	}
	var last point
	for round := range o.Rounds {
		runs := o.Runs
		if round < 2 && round < o.Rounds-1 {
			runs = max(2, o.Runs/5) // the first steps are large
		}
		if err := c.measure(ctx, d, runs, o); err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(fmt.Sprintf("round %d, %d runs: %v → %v", round+1, runs, c.Knobs, c.figures()))
		}
		c.Converged = c.close()
		if c.Converged && runs == o.Runs {
			return c, nil
		}
		if round < o.Rounds-1 {
			last = c.move(last, runs)
		}
	}
	return c, nil
}

// point is a size and the deviation it gave, for the secant.
type point struct {
	size, hz float64
	runs     int
}

func (c *Calibration) measure(ctx context.Context, d *Definition, runs int, o CalibrateOptions) error {
	one := *d
	one.Quantum.PulseRateHz = c.PulseRateHz
	one.Keys.Store.Share = c.StoreShare
	one.Disturb.Contingencies.SizeMW = c.SizeMW
	one.Blocks = append(one.Blocks[:0:0], d.Blocks...)
	for i := range one.Blocks {
		one.Blocks[i].CapacityMW = 0
	}
	one.sizeBlocks()
	batch := BatchOptions{Parallel: o.Parallel}
	if o.Watch != nil {
		watch, stop := o.Watch(runs)
		defer stop()
		batch.Watch = watch
	}
	results, err := Batch(ctx, &one, runs, batch)
	if err != nil {
		return err
	}
	var p, f, k []float64
	for _, s := range summariesOf(results) {
		p = append(p, float64(s.Tasks.PSucc))
		f = append(f, float64(s.Grid.DeltaFMaxHz))
		k = append(k, float64(s.Keys.UseCentre))
	}
	c.PSucc, c.DeltaHz, c.KeyUse = metrics.Describe(p), metrics.Describe(f), metrics.Describe(k)
	return nil
}

func (c *Calibration) close() bool {
	return math.Abs(float64(c.PSucc.Mean)-paperPSucc) < c.toleranceRel*paperPSucc &&
		math.Abs(float64(c.KeyUse.Mean)-paperKeyUse) < c.toleranceRel*paperKeyUse &&
		math.Abs(float64(c.DeltaHz.Mean)-paperDeltaHz) < c.toleranceHz
}

// move sets the knobs of the next round. The secant needs two rounds of the
// same seeds; without them, or where it is steeper than thrice the
// proportion, the deviation is taken as proportional to the size.
func (c *Calibration) move(last point, runs int) point {
	p, k, f := float64(c.PSucc.Mean), float64(c.KeyUse.Mean), float64(c.DeltaHz.Mean)
	here := point{c.SizeMW, f, runs}
	slope := f / c.SizeMW
	if last.runs == runs && last.size != here.size {
		if s := (here.hz - last.hz) / (here.size - last.size); s > slope/3 && s < 3*slope {
			slope = s
		}
	}
	c.SizeMW += (paperDeltaHz - f) / slope
	c.StoreShare *= paperKeyUse / k
	c.PulseRateHz *= paperPSucc / p * k / paperKeyUse
	return here
}

func (k Knobs) String() string {
	return fmt.Sprintf("pulse rate %.0f Hz, refill %.4f, size %.1f MW", k.PulseRateHz, k.StoreShare, k.SizeMW)
}

func (c *Calibration) figures() string {
	return fmt.Sprintf("P_succ %s, Δf_max %s Hz, key use %s", sampleText(c.PSucc), sampleText(c.DeltaHz), sampleText(c.KeyUse))
}

func sampleText(s metrics.Sample) string {
	return fmt.Sprintf("%.4f ± %.4f", float64(s.Mean), float64(s.CI95High-s.Mean))
}

// String is the calibration file.
func (c *Calibration) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by `cosim calibrate --case %s --seed %d --runs %d --rounds %d`:\n", c.Case, c.FirstSeed, c.Runs, c.Rounds)
	fmt.Fprintf(&b, "# fitted on S-1 alone to the paper's S-1 row (P_succ %v, Δf_max %v Hz, key use %v).\n# Every other experiment is a prediction.\n", paperPSucc, paperDeltaHz, paperKeyUse)
	fmt.Fprintf(&b, "# Reached, mean ± 95 %% interval over the seeds: %s.\n", c.figures())
	if !c.Converged {
		fmt.Fprintf(&b, "# NOT converged: the rounds ended before every figure was met.\n")
	}
	fmt.Fprintf(&b, "quantum:\n  pulse_rate_hz: %.0f\nkeys:\n  store:\n    share: %.4f\ndisturbances:\n  contingencies:\n    size_mw: %.1f\n",
		c.PulseRateHz, c.StoreShare, c.SizeMW)
	return b.String()
}

// Write writes the calibration file.
func (c *Calibration) Write(file string) error {
	if err := os.WriteFile(file, []byte(c.String()), 0o644); err != nil {
		return fmt.Errorf("calibrate: %w", err)
	}
	return nil
}
