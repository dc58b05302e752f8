package experiment

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	cosync "cosim/sync"
)

func load(t testing.TB, name string, set ...string) *Definition {
	t.Helper()
	d, err := Load(name, Overrides{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// short is a run with one contingency that ends soon after it.
var short = []string{
	"duration=40s", "disturbances.contingencies.count=1", "disturbances.contingencies.earliest=5s",
	"disturbances.contingencies.duration=15s", "disturbances.surges.duration=10s",
}

func recording(t *testing.T, d *Definition) map[string]string {
	t.Helper()
	r, err := Run(context.Background(), d, RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[string]string{}
	for _, file := range []string{"run.log", "series.parquet", "events.parquet", "summary.json", "manifest.yaml"} {
		data, err := os.ReadFile(filepath.Join(r.Dir, file))
		if err != nil {
			t.Fatal(err)
		}
		hashes[file] = fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return hashes
}

func TestSameSeedSameRecording(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			want := recording(t, load(t, name, short...))
			for _, procs := range []int{2, 8} {
				runtime.GOMAXPROCS(procs)
				for file, hash := range recording(t, load(t, name, short...)) {
					if hash != want[file] {
						t.Errorf("%s differs between GOMAXPROCS 1 and %d", file, procs)
					}
				}
			}
		})
	}
}

func TestAnotherSeedAnotherRecording(t *testing.T) {
	a := recording(t, load(t, "S-2", short...))
	b := recording(t, load(t, "S-2", append(short, "seed=2")...))
	if a["run.log"] == b["run.log"] {
		t.Error("two seeds gave the same recording")
	}
}

// A full run, of several operators a shorter one, with the conservation laws of
// messages, key, tasks and power checked after every single step.
func TestConservationHoldsAtEveryStep(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The balances of messages and power are published with the rows.
			everyStep := "steps.record=10ms"
			d := load(t, name, everyStep)
			switch {
			case testing.Short():
				d = load(t, name, append(short, everyStep)...)
			case len(d.Operators) > 1: // five times the traffic; one contingency will do
				d = load(t, name, everyStep, "duration=120s", "disturbances.contingencies.count=1")
			}
			r, err := Run(context.Background(), d, RunOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := float64(r.Summary.SimulatedS), d.Duration.Seconds(); got != want {
				t.Errorf("simulated %v s of %v", got, want)
			}
			if r.Summary.Tasks.Triggers == 0 || r.Summary.Keys.All.ConsumedBits == 0 {
				t.Errorf("nothing happened: %+v", r.Summary)
			}
		})
	}
}

// breaker leaks one message from the network's books at a time.
type breaker struct {
	*invariants
	at cosync.Time
}

func (b *breaker) Observe(f *cosync.Frame) error {
	if f.To >= b.at {
		i, _ := f.Index("network.balance")
		f.Outputs[i].Values[2]--
	}
	return b.invariants.Observe(f)
}

func TestBrokenInvariantEndsTheRun(t *testing.T) {
	d := load(t, "S-2", short...)
	_, err := Run(context.Background(), d, RunOptions{Observers: []cosync.Observer{&breaker{newInvariants(10 * cosync.Millisecond), cosync.Second}}})
	if !errors.Is(err, ErrInvariant) {
		t.Errorf("a lost message went unnoticed: %v", err)
	}
}

// Common random numbers: disturbances and links do not depend on the scheme.
func TestExperimentsShareTheirDisturbances(t *testing.T) {
	a, err := build(load(t, "S-1"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := build(load(t, "S-2"))
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(a.timeline) != fmt.Sprint(b.timeline) {
		t.Errorf("timelines differ:\n%v\n%v", a.timeline, b.timeline)
	}
	rates := func(name string) (sum float64) {
		observe := func(f *cosync.Frame) {
			i, _ := f.Index("quantum.rate")
			for _, v := range f.Outputs[i].Values {
				sum += v
			}
		}
		if _, err := Run(context.Background(), load(t, name, short...), RunOptions{Observers: []cosync.Observer{watch(observe)}}); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if x, y := rates("S-1"), rates("S-2"); x != y {
		t.Errorf("link rates differ: %v and %v", x, y)
	}
}

// watch is an observer that only looks.
type watch func(f *cosync.Frame)

func (w watch) Begin(f *cosync.Frame) error   { w(f); return nil }
func (w watch) Observe(f *cosync.Frame) error { w(f); return nil }
func (w watch) End(error) error               { return nil }

func TestFlatRunStaysFlat(t *testing.T) {
	d := load(t, "S-2", "duration=60s", "disturbances.contingencies.count=0",
		"disturbances.load_noise.sigma_rel=0", "controller.pmu_noise_hz=1e-12", "controller.pmu_noise_pu=1e-12")
	r, err := Run(context.Background(), d, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// What is left is the rounding of 60 Hz to the frames' 32-bit floats, which
	// the controller acts on.
	if f := float64(r.Summary.Grid.DeltaFMaxHz); f > 1e-5 {
		t.Errorf("Δf_max is %g Hz without any disturbance", f)
	}
}

func TestCancelledRunKeepsWhatItFound(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	out := t.TempDir()
	stop := watch(func(f *cosync.Frame) {
		if f.To == 10*cosync.Second {
			cancel()
		}
	})
	r, err := Run(ctx, load(t, "S-2", short...), RunOptions{Out: out, Observers: []cosync.Observer{stop}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled run", err)
	}
	if s := float64(r.Summary.SimulatedS); s < 10 || s > 11 {
		t.Errorf("the summary covers %v s, want the 10 s until the cancel", s)
	}
	if r.Summary.Complete {
		t.Error("the summary calls itself complete")
	}
	if _, err := os.Stat(filepath.Join(r.Dir, "series.parquet")); err != nil {
		t.Error(err)
	}
}

func TestRunThatEndsBeforeItsFirstFrameFailsWithoutPanic(t *testing.T) {
	d := load(t, "S-2", short...)
	r, err := Run(context.Background(), d, RunOptions{Out: t.TempDir(), RealTime: 1e9}) // more than the master takes
	if err == nil || !strings.Contains(err.Error(), "RealTime") {
		t.Errorf("got %v, want an error about RealTime", err)
	}
	if r == nil || r.Summary.Complete || r.Summary.SimulatedS != 0 {
		t.Errorf("got %+v, want a result of 0 s that is not complete", r)
	}
}

func TestBatchDoesNotDependOnParallelism(t *testing.T) {
	d := load(t, "S-1", short...)
	var tables []string
	for _, parallel := range []int{1, 3} {
		results, err := Batch(context.Background(), d, 3, BatchOptions{Parallel: parallel})
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, fmt.Sprint(CompareResults(results).Rows))
	}
	if tables[0] != tables[1] {
		t.Error("three runs at a time gave other figures than one by one")
	}
}

// Memory must not grow with simulated time. The heap in use is compared after
// the pools and buffers have their size: a pool keeps key for lost messages as
// long as its TTL, which is short here.
func TestMemoryDoesNotGrowWithTime(t *testing.T) {
	first, end := 300*cosync.Second, 1500*cosync.Second
	if testing.Short() {
		first, end = 300*cosync.Second, 600*cosync.Second
	}
	var early, late uint64
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	look := watch(func(f *cosync.Frame) {
		switch f.To {
		case first:
			early = heap()
		case end:
			late = heap()
		}
	})
	d := load(t, "S-2", fmt.Sprintf("duration=%v", end), "disturbances.contingencies.count=1", "keys.pool.ttl_s=60")
	if _, err := Run(context.Background(), d, RunOptions{Out: t.TempDir(), Observers: []cosync.Observer{look}}); err != nil {
		t.Fatal(err)
	}
	t.Logf("heap in use: %.1f MB after %v, %.1f MB after %v", float64(early)/1e6, first, float64(late)/1e6, end)
	if late > early+early/4+1e6 {
		t.Errorf("heap grew from %d to %d bytes", early, late)
	}
}

func BenchmarkRunS2(b *testing.B) {
	d := load(b, "S-2")
	var hops float64
	count := watch(func(f *cosync.Frame) {
		if f.To == f.Stop {
			i, _ := f.Index("network.balance")
			v := f.Outputs[i].Values
			hops = v[2] + v[7] // routed messages and background packets
		}
	})
	for b.Loop() {
		start := time.Now()
		r, err := Run(context.Background(), d, RunOptions{Out: b.TempDir(), Observers: []cosync.Observer{count}})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/run")
		b.ReportMetric(hops/r.WallS, "packets/s")
		b.ReportMetric(hops, "packets")
	}
}

func BenchmarkMasterStep(b *testing.B) {
	d := load(b, "S-2", "duration=60s", "disturbances.contingencies.count=0")
	steps := float64(d.Duration / d.Steps.Exchange)
	for b.Loop() {
		if _, err := Run(context.Background(), d, RunOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/steps, "ns/step")
}
