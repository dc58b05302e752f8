package experiment

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosim/federates/ws"
	"cosim/internal/record"
	cosync "cosim/sync"
)

func verified(t *testing.T, a, b string) *Verification {
	t.Helper()
	v, err := Verify(context.Background(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerifyNamesTheFirstValueThatDiffers(t *testing.T) {
	d := withStore(t, lostAbort)
	var dirs []string
	for _, off := range []int64{0, 0, 73} {
		res, err := outside(t, d, ws.CBOR, RunOptions{Out: t.TempDir()}, map[string]cosync.Federate{"b": &store{off: off}})
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, res.Dir)
	}
	if v := verified(t, dirs[0], dirs[1]); !v.Equal || v.Frames != 601 || v.UntilS != 6 || len(v.Sum) != 64 {
		t.Errorf("equal runs: %v", v)
	}
	v := verified(t, dirs[0], dirs[2])
	x := v.Difference
	if v.Equal || x == nil || x.Seq != 146 || x.AtS != 1.46 || x.Outputs[0] != "b.power" || !strings.HasPrefix(x.What, "bus/16 of power is 4.86") || x.Unknown != "" {
		t.Errorf("%+v\n%+v", v, x)
	}
	if text := v.String(); !strings.Contains(text, "differ first in step 146 at 1.46s: b.power") || !strings.Contains(text, " MW instead of ") {
		t.Error(text)
	}
}

func TestVerifyOfAKilledRunSaysHowFarItGoes(t *testing.T) {
	res, err := Run(context.Background(), brief(t), RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(t.TempDir(), "S-2-1")
	if err := os.CopyFS(short, os.DirFS(res.Dir)); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(res.Dir, record.ChainName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(short, record.ChainName), log[:len(log)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if v := verified(t, res.Dir, short); v.Equal || v.Difference != nil || v.Ended != short || v.Frames < 250 || v.Frames > 320 {
		t.Errorf("%+v", v)
	}
}

func TestVerifyOfAnotherCaseNamesItsOutputs(t *testing.T) {
	res, err := Run(context.Background(), brief(t), RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	with, err := outside(t, withStore(t, lostAbort), ws.CBOR, RunOptions{Out: t.TempDir()}, map[string]cosync.Federate{"b": &store{}})
	if err != nil {
		t.Fatal(err)
	}
	v := verified(t, res.Dir, with.Dir)
	if v.Equal || v.Difference == nil || strings.Join(v.Difference.Outputs, " ") != "b.log b.power" {
		t.Errorf("%+v", v.Difference)
	}
}

func TestForkPartsFromItsRunWhereItSays(t *testing.T) {
	base, err := Run(context.Background(), brief(t), RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	fork := func(at time.Duration, set ...string) (*Result, error) {
		return Fork(context.Background(), base.Dir, at, set, RepeatOptions{RunOptions: RunOptions{Out: t.TempDir()}})
	}
	const attack = "attacks=[{kind: drop, link: CC-GW2, probability: 1}]"
	res, err := fork(4*time.Second, attack)
	if err != nil {
		t.Fatal(err)
	}
	if res.Checked != 401 {
		t.Errorf("%d frames were held against the run's, want 401", res.Checked)
	}
	v := verified(t, base.Dir, res.Dir)
	if v.Difference == nil || v.Difference.AtS < 4 || v.Difference.AtS > 4.2 || v.Difference.What == "" {
		t.Errorf("%v", v)
	}
	c, err := CompareRuns([]string{base.Dir, res.Dir})
	if err != nil || len(c.Groups) != 2 || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "other attacks") {
		t.Errorf("%d groups, notes %q, %v", len(c.Groups), c.Notes, err)
	}
	for _, test := range []struct {
		at   time.Duration
		set  string
		says string
	}{
		{3 * time.Second, "controller.agc_bias_mw_per_hz=1", "shows in step 2"},
		{time.Second, "grid.avr=false", "shows in step 0 at 0s already"},
		{time.Second, "seed=2", "a fork has the seed of its run"},
		{time.Second, "duration=6s", "changes nothing"},
		{6 * time.Second, attack, "expected a time between 0 and 6s, a multiple of 10ms"},
		{3 * time.Second, "attacks=[{kind: drop, link: CC-GW2, probability: 1, end_s: 2}]", "ends at 2 s, before the fork at 3s"},
	} {
		if _, err := fork(test.at, test.set); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("fork at %v with %s: %v", test.at, test.set, err)
		}
	}
	if _, err := Fork(context.Background(), base.Dir, time.Second, []string{attack}, RepeatOptions{RunOptions: RunOptions{Out: filepath.Dir(base.Dir)}}); err == nil || !strings.Contains(err.Error(), "would replace") {
		t.Errorf("fork in place of its run: %v", err)
	}
}

func TestDigestsOfStepsAllocateNothing(t *testing.T) {
	d := brief(t)
	allocations := func(observers ...cosync.Observer) float64 {
		return testing.AllocsPerRun(1, func() {
			if _, err := Run(context.Background(), d, RunOptions{Observers: observers}); err != nil {
				t.Fatal(err)
			}
		})
	}
	more := allocations(&chain{dir: t.TempDir(), step: 10 * cosync.Millisecond}) - allocations()
	if more > 300 { // of the start; a run varies by some
		t.Errorf("%v allocations more for 600 steps", more)
	}
}
