package experiment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cosim/federates/ws"
	cosync "cosim/sync"
)

// shedder waits until the frequency falls below a level, then sheds load in
// stages, one every 300 ms.
type shedder struct {
	stages int
	acts   []cosync.Time
	slower cosync.Time // between stages, on top
	dies   cosync.Time // in the first step from then on
}

func (f *shedder) Describe() cosync.Description {
	return cosync.Description{
		Name: "r", ByEvent: true,
		Inputs: []cosync.Port{{Name: "frequency", Unit: "Hz", Elements: []string{"coi"}, Subset: true, Wake: &cosync.Wake{Levels: []float64{-0.02}}}},
		Outputs: []cosync.Port{
			{Name: "power", Unit: "MW", Elements: []string{"bus/16"}},
			{Name: "events", Kind: cosync.Events},
		},
	}
}

func (f *shedder) Init([]cosync.Signal) error { return nil }
func (f *shedder) Close() error               { return nil }

func (f *shedder) Step(s *cosync.Step) error {
	if f.acts = append(f.acts, s.From); f.dies > 0 && s.From >= f.dies {
		return errDies
	}
	if below := s.In[0].Values[0] < -0.02; !below && !s.Woken && s.From > 0 || f.stages == 4 {
		return nil
	} else if below {
		f.stages++
		s.Out[0].Values[0] = float64(20 * f.stages)
		s.Out[1].Events = append(s.Out[1].Events, cosync.Event{At: s.From, Type: "stage", Value: float64(f.stages)})
		s.Next = s.From + 300*cosync.Millisecond + f.slower
	}
	return nil
}

func withShedder(t *testing.T, onLost string) *Definition {
	return brief(t, "attach.listen=127.0.0.1:0",
		"federates=[{name: r, on_lost: "+onLost+", connect: [{from: grid.frequency, to: r.frequency}, {from: r.power, to: grid.injection}]}]")
}

func TestRunWithAnEventSteppedFederateIsResumedAndReplayed(t *testing.T) {
	d := withShedder(t, lostAbort)
	here := &shedder{}
	whole, err := outside(t, d, ws.CBOR, RunOptions{Out: t.TempDir()}, map[string]cosync.Federate{"r": here})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(here.acts); n < 4 || n > 12 || here.stages < 2 {
		t.Errorf("it acts %d times: %v, %d stages", n, here.acts, here.stages)
	}
	want := filesOfRun(t, whole.Dir)

	replay, err := Replay(context.Background(), whole.Dir, RepeatOptions{RunOptions: RunOptions{Out: t.TempDir()}})
	if err != nil || replay.Checked != 601 {
		t.Fatalf("%d frames, %v", replay.Checked, err)
	}
	sameFiles(t, "replay", filesOfRun(t, replay.Dir), want)

	ctx, cancel := context.WithCancel(context.Background())
	o := joined(t, &shedder{}).RunOptions
	o.Out, o.Observers = t.TempDir(), []cosync.Observer{until(2900*cosync.Millisecond, cancel)}
	cut, err := Run(ctx, d, o)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := Replay(context.Background(), cut.Dir, RepeatOptions{}); err == nil || !strings.Contains(err.Error(), "recorded up to here") {
		t.Errorf("replay of an interrupted run: %v", err)
	}
	_, err = Resume(context.Background(), cut.Dir, joined(t, &shedder{slower: cosync.Millisecond}))
	if err == nil || !strings.Contains(err.Error(), "it wants to act next at ") {
		t.Errorf("resumed with another federate: %v", err)
	}
	if _, err = Resume(context.Background(), cut.Dir, joined(t, &shedder{})); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, "resumed", filesOfRun(t, cut.Dir), want)
}

func TestLossOfAnEventSteppedFederateIsReplayed(t *testing.T) {
	res, err := outside(t, withShedder(t, lostHold), ws.JSON, RunOptions{Out: t.TempDir()}, map[string]cosync.Federate{"r": &shedder{dies: 2600 * cosync.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	events, err := os.ReadFile(filepath.Join(res.Dir, "run.log"))
	if err != nil || !strings.Contains(string(events), "federate-lost") {
		t.Errorf("it was not lost (%v)", err)
	}
	replay, err := Replay(context.Background(), res.Dir, RepeatOptions{RunOptions: RunOptions{Out: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, "replay", filesOfRun(t, replay.Dir), filesOfRun(t, res.Dir))
}

// itself names every step that it would make anyway.
type itself struct {
	disguised
	woken int
}

func (f *itself) Describe() cosync.Description {
	d := f.disguised.Describe()
	d.ByEvent = true
	for i := range d.Inputs {
		d.Inputs[i].Wake = &cosync.Wake{}
	}
	return d
}

func (f *itself) Step(s *cosync.Step) error {
	if s.Woken {
		f.woken++
	}
	s.Next = s.From + 1 // rounded up to its next step
	return f.disguised.Step(s)
}

// A grid that names each of its steps leaves what one leaves that makes them all.
func TestNamingEveryStepLeavesNoTrace(t *testing.T) {
	inside := brief(t)
	want, err := Run(context.Background(), inside, RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	d := brief(t, "attach.listen=127.0.0.1:0", "federates=[{name: my-grid, replaces: grid, deadline: 60s}]")
	grid := &itself{disguised: *anotherGrid(t, inside, 0).(*disguised)}
	res, err := outside(t, d, ws.CBOR, RunOptions{Out: t.TempDir()}, map[string]cosync.Federate{"my-grid": grid})
	if err != nil {
		t.Fatal(err)
	}
	got, expected := filesOfRun(t, res.Dir), filesOfRun(t, want.Dir)
	for _, name := range []string{"series.parquet", "events.parquet"} {
		if string(got[name]) != string(expected[name]) {
			t.Errorf("%s is another", name)
		}
	}
	if grid.woken == 0 || grid.woken > 500 {
		t.Errorf("orders wake it in %d of 600 steps", grid.woken)
	}
}

func TestStandbyOfAnEventSteppedFederateIsRefused(t *testing.T) {
	d := brief(t, "attach.listen=127.0.0.1:0", "federates=[{name: r, replaces: grid, on_lost: fallback}]")
	about := (&shedder{}).Describe()
	fed := &federation{}
	if err := fed.fits(d, d.Federates[0], about); err == nil || !strings.Contains(err.Error(), "on_lost: fallback") {
		t.Errorf("error %v", err)
	}
}
