package experiment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosim/federates"
	"cosim/federates/ws"
	"cosim/federates/ws/client"
	"cosim/internal/record"
	"cosim/scada"
	cosync "cosim/sync"
)

// kept are the files of a run that depend on no clock.
var kept = []string{"manifest.yaml", "run.log", "chain.log", "boundary.log", "series.parquet", "events.parquet", "summary.json"}

// filesOfRun reads them; one that is not there is nil.
func filesOfRun(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range kept {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		files[name] = data
	}
	return files
}

func sameFiles(t *testing.T, what string, got, want map[string][]byte) {
	t.Helper()
	for _, name := range kept {
		if !bytes.Equal(got[name], want[name]) {
			t.Errorf("%s: %s of %d bytes is not that of %d bytes", what, name, len(got[name]), len(want[name]))
		}
	}
}

// brief has one load step, and ends soon.
func brief(t *testing.T, set ...string) *Definition {
	t.Helper()
	d := load(t, "S-2", append([]string{"disturbances.contingencies.count=0", "disturbances.surges.count=0", "duration=6s"}, set...)...)
	d.Disturb.Scheduled = []Scheduled{{At: 2 * time.Second, Kind: kindLoadStep, Bus: 15, SizeMW: 200, Duration: 3 * time.Second}}
	return d
}

// Logs as a kill, or a power cut, may leave them: cut anywhere, each for
// itself, with or without zeroes behind.
func TestRunCutAnywhereIsResumed(t *testing.T) {
	res, err := Run(context.Background(), brief(t), RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	want := filesOfRun(t, res.Dir)
	head := bytes.Index(want["run.log"], []byte("}]}")) + 3
	rnd := rand.New(rand.NewPCG(7, 7))
	for i := range 12 {
		for _, name := range []string{"series.parquet", "events.parquet", "summary.json", "timing.json"} {
			if err := os.Remove(filepath.Join(res.Dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		for name, from := range map[string]int{"run.log": head, "chain.log": 0} {
			cut := bytes.Clone(want[name][:from+rnd.IntN(len(want[name])-from)])
			if i%3 == 0 {
				cut = append(cut, make([]byte, 100)...)
			}
			if err := os.WriteFile(filepath.Join(res.Dir, name), cut, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if i == 11 {
			os.Remove(filepath.Join(res.Dir, "chain.log"))
		}
		if _, err := Resume(context.Background(), res.Dir, RepeatOptions{}); err != nil {
			t.Fatal(err)
		}
		sameFiles(t, fmt.Sprint("cut ", i), filesOfRun(t, res.Dir), want)
	}
	if _, err := Resume(context.Background(), res.Dir, RepeatOptions{}); !errors.Is(err, ErrComplete) {
		t.Errorf("a complete run is resumed: %v", err)
	}
}

// until is an observer that cancels a run at a time.
func until(at cosync.Time, cancel func()) cosync.Observer {
	return watch(func(f *cosync.Frame) {
		if f.To >= at {
			cancel()
		}
	})
}

func TestInterruptedRunIsResumed(t *testing.T) {
	d := brief(t)
	whole, err := Run(context.Background(), d, RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	res, err := Run(ctx, d, RunOptions{Out: t.TempDir(), Observers: []cosync.Observer{until(3*cosync.Second, cancel)}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	before := filesOfRun(t, res.Dir)
	// A repetition that is interrupted before it has caught up changes nothing.
	ctx, cancel = context.WithCancel(context.Background())
	again := RepeatOptions{RunOptions: RunOptions{Observers: []cosync.Observer{until(cosync.Second, cancel)}}}
	if _, err := Resume(ctx, res.Dir, again); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for _, name := range []string{"run.log", "chain.log", "summary.json"} {
		if after := filesOfRun(t, res.Dir); !bytes.Equal(after[name], before[name]) {
			t.Errorf("%s was changed", name)
		}
	}
	if _, err := Resume(context.Background(), res.Dir, RepeatOptions{}); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, "resumed", filesOfRun(t, res.Dir), filesOfRun(t, whole.Dir))
}

func TestRunOfOtherSettingsIsNotResumed(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	res, err := Run(ctx, brief(t), RunOptions{Out: t.TempDir(), Observers: []cosync.Observer{until(3*cosync.Second, cancel)}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	file := filepath.Join(res.Dir, "manifest.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("size_mw: 200"), []byte("size_mw: 201"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	before := filesOfRun(t, res.Dir)
	_, err = Resume(context.Background(), res.Dir, RepeatOptions{})
	var differs *DivergenceError
	if !errors.As(err, &differs) || differs.Seq != 200 || differs.Outputs[0] != "grid.bus_frequency" {
		t.Errorf("error %v", err)
	}
	after := filesOfRun(t, res.Dir)
	for _, name := range []string{"run.log", "chain.log"} {
		if !bytes.Equal(after[name], before[name]) {
			t.Errorf("%s was changed", name)
		}
	}
}

// store is a battery with a memory: what it gives depends on all it has heard.
type store struct {
	charge float64
	off    int64 // step in which it gives a little more; 0: none
	dies   int64 // step in which it fails; 0: none
}

func (f *store) Describe() cosync.Description {
	return cosync.Description{
		Name: "b", Step: 20 * cosync.Millisecond,
		Inputs: []cosync.Port{{Name: "frequency", Unit: "mHz", Elements: []string{"coi"}, Subset: true}},
		Outputs: []cosync.Port{
			{Name: "power", Unit: "MW", Elements: []string{"bus/16"}}, {Name: "log", Kind: cosync.Events},
		},
	}
}
func (f *store) Init([]cosync.Signal) error { f.charge = 1; return nil }
func (f *store) Close() error               { return nil }
func (f *store) Step(s *cosync.Step) error {
	if f.dies > 0 && s.Seq >= f.dies {
		return errDies
	}
	f.charge -= s.In[0].Values[0] / 1000
	s.Out[0].Values[0] = 5 * f.charge
	if f.off > 0 && s.Seq == f.off {
		s.Out[0].Values[0] += 0.25
	}
	if s.Seq%50 == 0 {
		s.Out[1].Events = append(s.Out[1].Events, cosync.Event{At: s.From, Type: "charge", Value: f.charge})
	}
	return nil
}

func withStore(t *testing.T, onLost string) *Definition {
	return brief(t, "attach.listen=127.0.0.1:0",
		"federates=[{name: b, on_lost: "+onLost+", connect: [{from: grid.frequency, to: b.frequency}, {from: b.power, to: grid.injection}]}]")
}

// joined lets a federate of this process take part in a repetition.
func joined(t *testing.T, f cosync.Federate) RepeatOptions {
	started := false
	return RepeatOptions{RunOptions: RunOptions{OnWait: func(_, urls []string) {
		if started {
			return
		}
		started = true
		done := make(chan struct{})
		t.Cleanup(func() { <-done })
		go func() {
			defer close(done)
			_ = client.Run(context.Background(), urls[0], f, client.Options{Patience: -1}) // may be refused
		}()
	}}}
}

func TestRunWithAnExternalFederateIsResumedAndReplayed(t *testing.T) {
	d := withStore(t, lostAbort)
	whole, err := outside(t, d, ws.CBOR, RunOptions{Out: t.TempDir()}, map[string]cosync.Federate{"b": &store{}})
	if err != nil {
		t.Fatal(err)
	}
	want := filesOfRun(t, whole.Dir)

	replay, err := Replay(context.Background(), whole.Dir, RepeatOptions{RunOptions: RunOptions{Out: t.TempDir()}})
	if err != nil || replay.Checked != 601 {
		t.Fatalf("%d frames, %v", replay.Checked, err)
	}
	sameFiles(t, "replay", filesOfRun(t, replay.Dir), want)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := RunOptions{Out: t.TempDir(), Observers: []cosync.Observer{until(3*cosync.Second, cancel)}}
	started := false
	o.OnWait = func(_, urls []string) {
		if !started {
			started = true
			go func() { _ = client.Run(context.Background(), urls[0], &store{}, client.Options{Patience: -1}) }()
		}
	}
	cut, err := Run(ctx, d, o)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := Replay(context.Background(), cut.Dir, RepeatOptions{}); err == nil || !strings.Contains(err.Error(), "recorded up to here") {
		t.Errorf("replay of an interrupted run: %v", err)
	}
	if _, err = Resume(context.Background(), cut.Dir, joined(t, &store{off: 7})); err == nil || !strings.Contains(err.Error(), "b does not answer the step at 140ms as it did in the run: bus/16 of power is") {
		t.Errorf("resumed with another federate: %v", err)
	}
	if _, err = Resume(context.Background(), cut.Dir, joined(t, &store{})); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, "resumed", filesOfRun(t, cut.Dir), want)
}

func TestUnlikeAnswersAreTakenWhereThatIsAllowed(t *testing.T) {
	d := withStore(t, lostAbort)
	ctx, cancel := context.WithCancel(context.Background())
	o := joined(t, &store{}).RunOptions
	o.Out, o.Observers = t.TempDir(), []cosync.Observer{until(3*cosync.Second, cancel)}
	cut, err := Run(ctx, d, o)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	again := joined(t, &store{off: 7})
	again.Unlike = true
	if _, err := Resume(context.Background(), cut.Dir, again); err != nil {
		t.Fatal(err)
	}
	if !complete(cut.Dir) {
		t.Error("the run is not complete")
	}
}

func TestLossesAreReplayed(t *testing.T) {
	d := withStore(t, lostHold)
	res, err := outside(t, d, ws.JSON, RunOptions{Out: t.TempDir()}, map[string]cosync.Federate{"b": &store{dies: 120}})
	if err != nil {
		t.Fatal(err)
	}
	replay, err := Replay(context.Background(), res.Dir, RepeatOptions{RunOptions: RunOptions{Out: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	got, want := filesOfRun(t, replay.Dir), filesOfRun(t, res.Dir)
	sameFiles(t, "replay", got, want)
	// It was lost for good: nobody is waited for when the run is resumed.
	for name, data := range want {
		if strings.HasSuffix(name, ".log") {
			want := data[:len(data)*9/10]
			if name == "boundary.log" {
				want = data
			}
			if err := os.WriteFile(filepath.Join(res.Dir, name), want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	os.Remove(filepath.Join(res.Dir, "summary.json"))
	if _, err := Resume(context.Background(), res.Dir, RepeatOptions{RunOptions: RunOptions{OnWait: func([]string, []string) { t.Error("it waits") }}}); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, "resumed", filesOfRun(t, res.Dir), want)
}

// console is an observer that does what an operator does.
type console struct {
	grid  *federates.Grid
	scada *federates.Scada
}

func (c *console) Begin(f *cosync.Frame) error { return c.Observe(f) }
func (c *console) End(error) error             { return nil }
func (c *console) Observe(f *cosync.Frame) error {
	switch f.To {
	case 0:
		return c.grid.Operate(f.To, scada.Command{Kind: scada.TaskAGC, Element: "gen/30", Value: 3})
	case cosync.Second:
		_, err := c.scada.Deliver(f.To, "CC-GW1", "CC", make([]byte, 32))
		if _, refused := c.scada.Deliver(f.To, "CC-GW2", "CC", make([]byte, 1<<20)); !errors.Is(refused, scada.ErrNoKey) {
			return refused
		}
		option, off := c.scada.Options()[3], c.scada.Options()[4]
		option.Mode, off.Mode, off.Off = scada.AESWC, scada.AES, true
		return errors.Join(err,
			c.grid.Operate(f.To, scada.Command{Kind: scada.TaskBreaker, Element: "branch/1-2"}),
			c.scada.SetOption(f.To, 3, option), c.scada.SetOption(f.To, 4, off))
	case 2 * cosync.Second:
		on := c.scada.Options()[4]
		on.Off = false // in the mode that it was given before
		return c.scada.SetOption(f.To, 4, on)
	}
	return nil
}

func TestOperatorsAreReplayed(t *testing.T) {
	c := &console{}
	res, err := Run(context.Background(), brief(t), RunOptions{
		Out: t.TempDir(), Observers: []cosync.Observer{c},
		OnStart: func(_ *cosync.Master, all []cosync.Federate) {
			for _, f := range all {
				switch f := f.(type) {
				case *federates.Grid:
					c.grid = f
				case *federates.Scada:
					c.scada = f
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	replay, err := Replay(context.Background(), res.Dir, RepeatOptions{RunOptions: RunOptions{Out: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	want := filesOfRun(t, res.Dir)
	sameFiles(t, "replay", filesOfRun(t, replay.Dir), want)
	if want["boundary.log"] == nil {
		t.Error("nothing is recorded of the operator")
	}
}

func TestDecisionsThatTheClockEndedAreReplayed(t *testing.T) {
	d := load(t, "S-2", "disturbances.contingencies.count=0", "duration=3s", "keys.pool.enforce_safe=true", "reconfiguration.solver=misocp")
	res, err := Run(context.Background(), d, RunOptions{Out: t.TempDir(), RealTime: 1000}) // leaves 80 µs a decision
	if err != nil {
		t.Fatal(err)
	}
	tape, err := openTape(res.Dir, 0)
	if err != nil || tape == nil || len(tape.cuts) == 0 {
		t.Fatalf("no decision was ended by the clock (%v)", err)
	}
	tape.reader.Close()
	replay, err := Replay(context.Background(), res.Dir, RepeatOptions{RunOptions: RunOptions{Out: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, "replay", filesOfRun(t, replay.Dir), filesOfRun(t, res.Dir))
}

func TestFolderWithoutARunIsRefused(t *testing.T) {
	dir := t.TempDir()
	var none NoRunError
	if _, err := Resume(context.Background(), dir, RepeatOptions{}); !errors.As(err, &none) || !strings.Contains(err.Error(), record.LogName) {
		t.Errorf("error %v", err)
	}
}
