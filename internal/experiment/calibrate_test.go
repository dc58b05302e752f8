package experiment

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"cosim/internal/metrics"
)

// plant answers to the knobs as S-1 roughly does: success and use grow with
// the key that refills bring, the deviation grows with the step, not quite in
// proportion.
func (c *Calibration) plant() {
	const askedBPS = 19_000.0
	yield := 3e-2 * c.PulseRateHz // bit/s
	served := math.Min(1, c.StoreShare*yield/askedBPS*4)
	mean := func(x float64) metrics.Sample { return metrics.Sample{N: 2, Mean: metrics.Number(x)} }
	c.PSucc, c.KeyUse, c.DeltaHz = mean(served), mean(math.Min(c.StoreShare, served*askedBPS/4/yield)), mean(0.00045*c.SizeMW+0.02)
}

// misses are the distances of the figures from the paper's, in tolerances.
func (c *Calibration) misses() (p, k, f float64) {
	return math.Abs(float64(c.PSucc.Mean)/paperPSucc - 1), math.Abs(float64(c.KeyUse.Mean)/paperKeyUse - 1), math.Abs(float64(c.DeltaHz.Mean) - paperDeltaHz)
}

func TestKnobsMoveToThePapersFigures(t *testing.T) {
	for _, start := range []Knobs{{3.5e5, 0.3, 550}, {1e6, 0.1, 100}, {1e5, 0.5, 2000}, {5e5, 0.05, 400}} {
		c := &Calibration{Knobs: start, toleranceRel: 0.005, toleranceHz: 0.002}
		var last point
		rounds := 0
		for c.plant(); !c.close() && rounds < 8; rounds++ {
			last = c.move(last, 2)
			c.plant()
		}
		if !c.close() {
			t.Errorf("from %v: %v after %d rounds, P_succ %.3f, η %.3f, Δf %.3f Hz", start, c.Knobs, rounds,
				float64(c.PSucc.Mean), float64(c.KeyUse.Mean), float64(c.DeltaHz.Mean))
		}
	}
}

// One that is met is met in all three figures.
func TestCloseIsCloseInEveryFigure(t *testing.T) {
	for _, c := range []struct {
		p, k, f float64
		want    bool
	}{
		{0.72, 0.30, 0.26, true},
		{0.7235, 0.3014, 0.2619, true},
		{0.725, 0.30, 0.26, false},
		{0.72, 0.302, 0.26, false},
		{0.72, 0.30, 0.2625, false},
		{0.72, 0.30, math.NaN(), false},
	} {
		var cal Calibration
		cal.toleranceRel, cal.toleranceHz = 0.005, 0.002
		cal.PSucc.Mean, cal.KeyUse.Mean, cal.DeltaHz.Mean = metrics.Number(c.p), metrics.Number(c.k), metrics.Number(c.f)
		if cal.close() != c.want {
			t.Errorf("%v: close is %v", c, cal.close())
		}
	}
}

// The secant is used between rounds of the same seeds, unless it makes no
// sense; else the deviation counts as proportional to the size.
func TestSizeFollowsTheSecant(t *testing.T) {
	for _, c := range []struct {
		name string
		last point
		want float64
	}{
		{"no round before", point{}, 520},
		{"other seeds", point{300, 0.16, 5}, 520},
		{"secant of 0.0004 Hz/MW", point{300, 0.16, 2}, 550},
		{"secant too steep", point{399, 0.05, 2}, 520},
		{"secant downwards", point{300, 0.2, 2}, 520},
		{"no difference", point{400, 0.13, 2}, 520},
	} {
		cal := &Calibration{Knobs: Knobs{1, 1, 400}}
		cal.PSucc.Mean, cal.KeyUse.Mean, cal.DeltaHz.Mean = paperPSucc, paperKeyUse, 0.20
		cal.move(c.last, 2)
		if math.Abs(cal.SizeMW-c.want) > 1e-6 || math.Abs(cal.PulseRateHz-1) > 1e-9 || math.Abs(cal.StoreShare-1) > 1e-9 {
			t.Errorf("%s: %v, want %v MW and the rest as it was", c.name, cal.Knobs, c.want)
		}
	}
}

// One round on the true experiment, shortened, brings each figure nearer.
func TestCalibrationMovesTheFiguresTheRightWay(t *testing.T) {
	d := load(t, "S-1", "duration=130s", "disturbances.contingencies.count=1", "disturbances.contingencies.earliest=30s",
		"keys.store.share=0.12", "disturbances.contingencies.size_mw=1500", "quantum.pulse_rate_hz=3e5")
	var figures [2][3]float64
	for i := range figures {
		c, err := Calibrate(context.Background(), d, CalibrateOptions{Runs: 2, Rounds: i + 1, Parallel: 2})
		if err != nil {
			t.Fatal(err)
		}
		figures[i][0], figures[i][1], figures[i][2] = c.misses()
		if text := c.String(); !strings.Contains(text, "size_mw: ") || !c.Converged && !strings.Contains(text, "NOT converged") {
			t.Errorf("the file says\n%s", text)
		}
	}
	for i, name := range []string{"P_succ", "key use", "Δf_max"} {
		if !(figures[1][i] < figures[0][i]) {
			t.Errorf("%s misses the paper by %.3f, before the round by %.3f", name, figures[1][i], figures[0][i])
		}
	}
}

// What is written is a layer of the case: it reads back as the knobs.
func TestCalibrationFileIsALayer(t *testing.T) {
	c := &Calibration{Knobs: Knobs{123456, 0.2345, 432.1}, Case: "ieee39", FirstSeed: 1, Runs: 200}
	d, err := Load(fileOf(t, goodHead+c.String()), Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Quantum.PulseRateHz != 123456 || d.Keys.Store.Share != 0.2345 || d.Disturb.Contingencies.SizeMW != 432.1 {
		t.Errorf("pulse rate %v, share %v, size %v", d.Quantum.PulseRateHz, d.Keys.Store.Share, d.Disturb.Contingencies.SizeMW)
	}
}

func TestCalibrationNeedsRunsAndRounds(t *testing.T) {
	for _, o := range []CalibrateOptions{{Runs: 1, Rounds: 3}, {Runs: 2}} {
		if _, err := Calibrate(context.Background(), load(t, "S-1"), o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestLastRoundOfACalibrationHasTheRunsAskedFor(t *testing.T) {
	for _, tc := range []struct {
		rounds int
		want   string // runs of each round
	}{{1, "[4]"}, {2, "[2 4]"}} {
		var runs []int
		var round, n int
		o := CalibrateOptions{Runs: 4, Rounds: tc.rounds, Parallel: 1, Progress: func(text string) {
			if _, err := fmt.Sscanf(text, "round %d, %d runs", &round, &n); err != nil {
				t.Errorf("%s: %v", text, err)
			}
			runs = append(runs, n)
		}}
		c, err := Calibrate(context.Background(), load(t, "S-1", short...), o)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(runs); got != tc.want {
			t.Errorf("rounds of %s runs, want %s", got, tc.want)
		}
		if want := fmt.Sprintf("--runs 4 --rounds %d`", tc.rounds); !strings.Contains(c.String(), want) || c.PSucc.N != 4 {
			t.Errorf("the file does not say %s, or its figures are of %d runs:\n%s", want, c.PSucc.N, c)
		}
	}
}
