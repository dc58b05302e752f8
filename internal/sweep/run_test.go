package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cosim/internal/experiment"
)

func mustRun(t *testing.T, s *Sweep, o Options) *Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := Run(ctx, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTablesDoNotDependOnHowManyWork(t *testing.T) {
	s := sweepOf(t, threeBreaks)
	one, many := options(t), options(t)
	one.Parallel, many.Parallel = 1, 5
	a, b := mustRun(t, s, one), mustRun(t, s, many)
	if !a.Complete() || a.Runs != 24 || b.Runs != 24 {
		t.Errorf("%d and %d runs, want 24", a.Runs, b.Runs)
	}
	if tables(t, one.Out) != tables(t, many.Out) {
		t.Error("the tables differ")
	}
	if d := a.Points[3].Difference; d == nil || d.To != "pair" || d.Runs != 4 || d.Figures["p_succ"].Mean != 0 {
		t.Errorf("common random numbers make no difference here, found %+v", d)
	}
	if _, err := os.Stat(filepath.Join(one.Out, ".queue")); err == nil {
		t.Error("the queue's folder is left")
	}
}

func TestInterruptedSweepGoesOn(t *testing.T) {
	s := sweepOf(t, threeBreaks)
	whole := options(t)
	mustRun(t, s, whole)
	o := options(t)
	ctx, cancel := context.WithCancel(t.Context())
	var begun atomic.Int64
	o.run = func(ctx context.Context, d *experiment.Definition, ro experiment.RunOptions) (*experiment.Result, error) {
		if begun.Add(1) == 10 {
			cancel()
		}
		return quick(ctx, d, ro)
	}
	out, err := Run(ctx, s, o)
	if !errors.Is(err, context.Canceled) || out.Runs == 0 || out.Runs >= 24 {
		t.Fatalf("%v with %d runs", err, out.Runs)
	}
	// The last line was cut off as well.
	path := filepath.Join(o.Out, JournalName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)-7], 0o644); err != nil {
		t.Fatal(err)
	}
	begun.Store(1000)
	mustRun(t, s, o)
	if made := begun.Load() - 1000; made != int64(24-out.Runs+1) {
		t.Errorf("%d runs made again, %d were missing", made, 24-out.Runs+1)
	}
	if tables(t, o.Out) != tables(t, whole.Out) {
		t.Error("the tables differ from the uninterrupted sweep's")
	}
	for id, n := range lines(t, o.Out) {
		if n != 1 {
			t.Errorf("%s stands %d times", id, n)
		}
	}
}

func TestSweepGrowsInItsFolder(t *testing.T) {
	o := options(t)
	mustRun(t, sweepOf(t, threeBreaks), o)
	var begun atomic.Int64
	o.run = func(ctx context.Context, d *experiment.Definition, ro experiment.RunOptions) (*experiment.Result, error) {
		begun.Add(1)
		return quick(ctx, d, ro)
	}
	larger := strings.NewReplacer("1..4", "1..5", "[0.001, 0.01, 0.1]", "[0.01, 0.1]").Replace(threeBreaks)
	out := mustRun(t, sweepOf(t, larger), o)
	if begun.Load() != 4 || out.Runs != 20 || out.Left != 8 {
		t.Errorf("%d runs made, %d in the table, %d left out; want 4, 20 and 8", begun.Load(), out.Runs, out.Left)
	}
}

func TestOtherProgramsRunsAreNotMixed(t *testing.T) {
	s, o := sweepOf(t, threeBreaks), options(t)
	mustRun(t, s, o)
	o.program.Version = "later"
	if _, err := Run(t.Context(), s, o); err == nil || !strings.Contains(err.Error(), "holds runs of cosim test on none, this is cosim later on none") {
		t.Error(err)
	}
}

func TestFolderIsOfOneSweepAtATime(t *testing.T) {
	s, o := sweepOf(t, threeBreaks), options(t)
	j, err := openJournal(o.Out, s.Name, o.program)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), s, o); err == nil || !strings.Contains(err.Error(), "another sweep is writing") {
		t.Error(err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
}

func TestRunThatFailsIsReportedAndTheOthersMade(t *testing.T) {
	s, o := sweepOf(t, threeBreaks), options(t)
	var tries atomic.Int64
	o.run = func(ctx context.Context, d *experiment.Definition, ro experiment.RunOptions) (*experiment.Result, error) {
		if d.Seed == 3 && d.Name == "other" && d.Quantum.BreakRateHz == 0.1 {
			if tries.Add(1)%2 == 0 {
				panic("out of range")
			}
			return nil, errBad
		}
		return quick(ctx, d, ro)
	}
	out := mustRun(t, s, o)
	if tries.Load() != attempts || out.Runs != 23 || len(out.Failed) != 1 || out.Failed[0].Error != errBad.Error() {
		t.Errorf("%d tries, %d runs, failed: %v", tries.Load(), out.Runs, out.Failed)
	}
	o.run = quick // what failed is tried again
	if out = mustRun(t, s, o); !out.Complete() {
		t.Errorf("%d of %d runs", out.Runs, out.Asked)
	}
}

func TestBrokenInvariantIsFinal(t *testing.T) {
	s, o := sweepOf(t, "experiment: testdata/pair.yaml\nseeds: [1]\n"), options(t)
	var tries atomic.Int64
	o.run = func(context.Context, *experiment.Definition, experiment.RunOptions) (*experiment.Result, error) {
		tries.Add(1)
		return nil, experiment.ErrInvariant
	}
	out := mustRun(t, s, o)
	if tries.Load() != 1 || len(out.Failed) != 1 || !out.Failed[0].Invariant {
		t.Errorf("%d tries, %v", tries.Load(), out.Failed)
	}
}

func TestShardsMakeTheTablesOfTheWhole(t *testing.T) {
	s := sweepOf(t, threeBreaks)
	whole := options(t)
	mustRun(t, s, whole)
	parts := t.TempDir()
	for i, dir := range []string{"a", "b", "c"} {
		o := options(t)
		o.Out, o.Shard = filepath.Join(parts, dir), Shard{i + 1, 3}
		if out := mustRun(t, s, o); out.Asked != 8 {
			t.Errorf("shard %d has %d runs", i+1, out.Asked)
		}
	}
	o := options(t)
	some, err := Collect(s, []string{filepath.Join(parts, "a"), filepath.Join(parts, "c")}, o)
	if err != nil || some.Runs != 16 || some.Complete() {
		t.Errorf("two of three shards: %v with %d runs", err, some.Runs)
	}
	all, err := Collect(s, []string{parts}, o)
	if err != nil || !all.Complete() {
		t.Fatalf("%v with %d of %d runs", err, all.Runs, all.Asked)
	}
	if tables(t, o.Out) != tables(t, whole.Out) {
		t.Error("the tables differ from the whole's")
	}
	if _, err := Collect(s, []string{t.TempDir()}, o); err == nil || !strings.Contains(err.Error(), "expected a folder that a sweep made") {
		t.Error(err)
	}
}

func TestSeedsAreAddedUntilTheIntervalIsNarrow(t *testing.T) {
	s := sweepOf(t, threeBreaks)
	rule, err := ParseRule("ci(P_succ) < 0.05")
	if err != nil {
		t.Fatal(err)
	}
	one, many := options(t), options(t)
	one.Until, many.Until, one.MaxSeeds, many.MaxSeeds, one.Parallel = rule, rule, 60, 60, 1
	a := mustRun(t, s, one)
	mustRun(t, s, many)
	if tables(t, one.Out) != tables(t, many.Out) {
		t.Error("the tables differ")
	}
	fewest, most := 1000, 0
	for _, p := range a.Points {
		sample := p.Figures["p_succ"]
		if half := float64(sample.CI95High - sample.Mean); *p.Met != (half < 0.05) {
			t.Errorf("%s %v: half width %v, met: %v", p.Experiment, p.Shown, half, *p.Met)
		}
		fewest, most = min(fewest, p.Runs), max(most, p.Runs)
		if p.Runs%4 != 0 {
			t.Errorf("%d runs, expected batches of 4", p.Runs)
		}
	}
	if fewest == most {
		t.Errorf("all points have %d runs", most)
	}
}

func TestRealRunsAreThoseOfCosimRun(t *testing.T) {
	s, o := sweepOf(t, "experiment: S-2\nseeds: [5]\nset: {duration: 2s, disturbances.contingencies.count: 0, disturbances.surges.count: 0}\nkeep: all\n"), options(t)
	o.run = nil
	out := mustRun(t, s, o)
	d, err := experiment.Load("S-2", experiment.Overrides{Set: []string{"duration=2s", "disturbances.contingencies.count=0", "disturbances.surges.count=0", "seed=5"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := experiment.Run(t.Context(), d, experiment.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Points[0].Figures["delta_f_max_hz"].Mean; got != r.Summary.Grid.DeltaFMaxHz {
		t.Errorf("Δf_max %v, want %v", got, r.Summary.Grid.DeltaFMaxHz)
	}
	if out.Points[0].ID != r.Summary.DefinitionSHA256[:idLength] {
		t.Errorf("point %s is of another definition than %s", out.Points[0].ID, r.Summary.DefinitionSHA256)
	}
	if c, err := experiment.CompareRuns([]string{filepath.Join(o.Out, "runs", out.Points[0].ID)}); err != nil || c.Groups[0].Runs != 1 {
		t.Errorf("the run's folder: %v", err)
	}
}

// listening starts a sweep that waits for workers, and returns its address.
func listening(t *testing.T, s *Sweep, o Options) (address string, ended chan error) {
	t.Helper()
	said := make(chan string, 100)
	o.Parallel, o.Listen = 0, "127.0.0.1:0"
	log := o.Log
	o.Log = func(line string) {
		if log != nil {
			log(line)
		}
		said <- line
	}
	ended = make(chan error, 1)
	go func() {
		_, err := Run(t.Context(), s, o)
		ended <- err
	}()
	select {
	case line := <-said:
		_, address, _ = strings.Cut(line, "--nats ")
	case err := <-ended:
		t.Fatal(err)
	}
	return address, ended
}

// join starts a worker; leave ends it.
func join(t *testing.T, o WorkerOptions) (leave func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Work(ctx, o) }()
	return sync.OnceValue(func() error { cancel(); return <-ended })
}

func worker1(address string) WorkerOptions {
	return WorkerOptions{NATS: address, Parallel: 1, program: program{"test", "none"}, run: quick}
}

func wait(t *testing.T, ended chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the sweep does not end")
		return nil
	}
}

func TestWorkersComeAndGo(t *testing.T) {
	s, whole, o := sweepOf(t, threeBreaks), options(t), options(t)
	mustRun(t, s, whole)
	address, ended := listening(t, s, o)
	held := make(chan bool)
	holds := worker1(address)
	holds.run = func(ctx context.Context, _ *experiment.Definition, _ experiment.RunOptions) (*experiment.Result, error) {
		held <- true
		<-ctx.Done()
		return nil, ctx.Err()
	}
	leave := join(t, holds)
	<-held
	if err := leave(); err != nil { // it gives back what it has
		t.Fatal(err)
	}
	leave = join(t, worker1(address))
	if err := wait(t, ended); err != nil {
		t.Fatal(err)
	}
	if err := leave(); err != nil {
		t.Fatal(err)
	}
	if tables(t, o.Out) != tables(t, whole.Out) {
		t.Error("the tables differ")
	}
}

func TestRunOfASilentWorkerGoesToAnother(t *testing.T) {
	s, o := sweepOf(t, onePoint), options(t)
	o.Lease = 300 * time.Millisecond
	address, ended := listening(t, s, o)
	// A worker that takes a run and dies: it takes it without a word.
	nc, err := dial(t.Context(), address, Access{}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	w, err := newWorker(nc, worker1(address))
	if err != nil {
		t.Fatal(err)
	}
	for {
		queue, err := w.js.Consumer(t.Context(), workStream, w.program.tag())
		if err == nil {
			if _, err = fetch(t.Context(), queue); err == nil {
				break
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	leave := join(t, worker1(address))
	if err := wait(t, ended); err != nil {
		t.Fatal(err)
	}
	if err := leave(); err != nil {
		t.Error(err)
	}
	if got := lines(t, o.Out); len(got) != 3 {
		t.Errorf("runs %v", got)
	}
}

// A run that ends every program that takes it blocks nobody.
func TestRunThatKillsItsWorkersIsGivenUp(t *testing.T) {
	s, o := sweepOf(t, onePoint), options(t)
	o.Lease = 50 * time.Millisecond
	address, ended := listening(t, s, o)
	nc, err := dial(t.Context(), address, Access{}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	w, err := newWorker(nc, worker1(address))
	if err != nil {
		t.Fatal(err)
	}
	for deaths := 0; deaths < attempts; {
		queue, err := w.js.Consumer(t.Context(), workStream, w.program.tag())
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		m, err := fetch(t.Context(), queue)
		if err != nil {
			t.Fatal(err)
		}
		var j job
		if err := json.Unmarshal(m.Data(), &j); err != nil || j.Seed != 2 {
			w.handle(t.Context(), m)
			continue
		}
		deaths++
	}
	leave := join(t, worker1(address))
	if err := wait(t, ended); err != nil {
		t.Fatal(err)
	}
	if err := leave(); err != nil {
		t.Error(err)
	}
	j, err := readJournal(filepath.Join(o.Out, JournalName))
	if err != nil {
		t.Fatal(err)
	}
	for id, r := range j.records {
		if (r.Error != "") != strings.HasSuffix(id, "-2") || r.Error != "" && !strings.Contains(r.Error, "given up after 5 attempts") {
			t.Errorf("%s: %q", id, r.Error)
		}
	}
}

func TestWorkerOfAnotherProgramIsRefused(t *testing.T) {
	s, o := sweepOf(t, onePoint), options(t)
	address, ended := listening(t, s, o)
	other := worker1(address)
	other.program.Version = "other"
	err := Work(t.Context(), other)
	if err == nil || !strings.Contains(err.Error(), "sweep sweep is of cosim test on none, this worker is cosim other on none: their runs would differ") {
		t.Error(err)
	}
	leave := join(t, worker1(address))
	if err := errors.Join(wait(t, ended), leave()); err != nil {
		t.Error(err)
	}
}

func TestWorkerWithOtherDataIsFoundOut(t *testing.T) {
	d, err := experiment.Load("S-2", experiment.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sameDefinition(d, "0123"); err == nil || !strings.Contains(err.Error(), "the files of case ieee39 differ") {
		t.Error(err)
	}
}

func TestTwoSweepsShareWorkers(t *testing.T) {
	// A server of its own stands for a cluster.
	dir := t.TempDir()
	server, _, err := Access{}.serve("127.0.0.1:0", dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { server.Shutdown(); server.WaitForShutdown() }()
	leave := join(t, worker1(server.ClientURL()))
	a, b := sweepOf(t, threeBreaks), sweepOf(t, strings.Replace(threeBreaks, "1..4", "3..8", 1))
	first, second := options(t), options(t)
	for _, o := range []*Options{&first, &second} {
		o.NATS, o.Parallel = server.ClientURL(), 1
	}
	var both sync.WaitGroup
	both.Go(func() { mustRun(t, a, first) })
	both.Go(func() { mustRun(t, b, second) })
	both.Wait()
	if err := leave(); err != nil {
		t.Error(err)
	}
	for s, o := range map[*Sweep]Options{a: first, b: second} {
		alone := options(t)
		mustRun(t, s, alone)
		if tables(t, o.Out) != tables(t, alone.Out) {
			t.Error("the tables differ from those of a sweep alone")
		}
	}
}

// What workers found while the sweep was away is not lost. Only what they were
// at may be made again.
func TestClusterKeepsResultsForASweepThatComesBack(t *testing.T) {
	server, _, err := Access{}.serve("127.0.0.1:0", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { server.Shutdown(); server.WaitForShutdown() }()
	s, o := sweepOf(t, threeBreaks), options(t)
	o.NATS, o.Parallel = server.ClientURL(), 0
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan bool)
	var begun atomic.Int64
	slow := worker1(server.ClientURL())
	slow.run = func(ctx context.Context, d *experiment.Definition, ro experiment.RunOptions) (*experiment.Result, error) {
		if begun.Add(1) == 5 {
			cancel()
			<-release
		}
		return quick(ctx, d, ro)
	}
	leave := join(t, slow)
	if _, err := Run(ctx, s, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(release)
	out := mustRun(t, s, o)
	if err := leave(); err != nil {
		t.Error(err)
	}
	if !out.Complete() || begun.Load() > 25 {
		t.Errorf("%d runs of %d, %d were begun", out.Runs, out.Asked, begun.Load())
	}
}
