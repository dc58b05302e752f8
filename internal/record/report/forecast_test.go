package report

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cosim/internal/experiment"
	"cosim/internal/plot"
	"cosim/internal/record"
)

// brokenRun is S-3 for 20 s; CC-GW2 breaks from 8 s to 12.5 s.
func brokenRun(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	d, err := experiment.Load("S-3", experiment.Overrides{Set: []string{
		"duration=20s", "disturbances.contingencies.count=0", "disturbances.surges.count=0",
		"disturbances.scheduled=[{at: 8s, kind: link-break, link: CC-GW2, duration: 4500ms}]",
	}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := experiment.Run(context.Background(), d, experiment.RunOptions{Out: dir})
	if err != nil {
		t.Fatal(err)
	}
	return r.Dir
}

func TestForecastsFailForAHorizonAfterABreak(t *testing.T) {
	dir := brokenRun(t)
	a, err := readAbout(dir)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := readTrace(dir, a, true)
	if err != nil {
		t.Fatal(err)
	}
	f, err := readForecast(dir, tr)
	if err != nil {
		t.Fatal(err)
	}
	z := f.zoom
	if len(f.links) != 8 || f.horizonS != 1 || z == nil || z.link != "CC-GW2" || z.from != 5 || z.to != 17.5 {
		t.Fatalf("%d links, horizon %g s, zoom %+v", len(f.links), f.horizonS, z)
	}
	if len(z.key.t) != 125 && len(z.key.t) != 126 {
		t.Fatalf("%d forecasts in 12.5 s", len(z.key.t))
	}
	for i, at := range z.key.t {
		inside := z.key.came[i] >= z.key.low[i] && z.key.came[i] <= z.key.high[i]
		switch {
		case at > 8.3 && at < 8.95 && inside: // made before the break
			t.Errorf("the break was foreseen: %g of %g to %g bit at %g s", z.key.came[i], z.key.low[i], z.key.high[i], at)
		case at > 9.05 && at < 12.45 && (!inside || z.key.came[i] > 0 || z.level.came[i] != z.level.came[i-1]):
			t.Errorf("in the break, at %g s: %g of %g to %g bit, stock %g", at, z.key.came[i], z.key.low[i], z.key.high[i], z.level.came[i])
		}
		// What the stock is held against stands in the series.
		if math.Abs(z.level.mean[i]-z.level.came[i]) > 20_000 {
			t.Errorf("at %g s the stock was forecast to be %g bit and was %g", at, z.level.mean[i], z.level.came[i])
		}
	}
	if all := sum(f.links); all.n != 8*190 || all.less < 9 || all.less > 60 || all.missed > all.n/20 {
		t.Errorf("%d forecasts, %d too high, %d too low, %d of blocks missed", all.n, all.less, all.more, all.missed)
	}
}

func TestRunsThatForecastNothingHaveNoFigureOfIt(t *testing.T) {
	for _, run := range []string{"S-1-1", "S-2-1"} {
		if slices.Contains(names(write(t, Options{Runs: []string{place(run)}, Formats: []string{"svg"}})), "forecast") {
			t.Errorf("%s has one", run)
		}
	}
}

// A manifest of another version leaves the rest of the report as it is.
func TestManifestOfAnotherVersionCostsTheForecastsOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-3-1")
	if err := os.CopyFS(dir, os.DirFS(place("S-3-1"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, record.ManifestName)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), "reconfiguration:\n", "reconfiguration:\n    unheard_of: 1\n", 1)
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	w := write(t, Options{Runs: []string{dir}, Formats: []string{"svg"}})
	if list := names(w); slices.Contains(list, "forecast") || !slices.Contains(list, "decisions") {
		t.Errorf("figures %q", list)
	}
	if len(w.Notes) != 1 || !strings.Contains(w.Notes[0], "forecasts of key are not shown") {
		t.Errorf("notes %q", w.Notes)
	}
}

func TestDecisionTimesAddUpOverRuns(t *testing.T) {
	timed := func(end []float64, count ...int64) *run {
		r := &run{about: &about{}}
		r.timing.Measured.Decisions = &experiment.DecisionTimes{P50S: 0.001, P99S: 0.002, MaxS: 0.2, Missed: 1, Bins: &experiment.TimeBins{UpToS: end, Count: count}}
		r.about.Experiment.Reconfiguration.Period = 1e8
		return r
	}
	g := &group{label: "S-3", runs: []*run{timed([]float64{0.001, 0.01, 0.1}, 0, 3, 1), timed([]float64{0.01, 0.1, 1}, 0, 2, 2)}}
	line := g.timesLine()
	if !slices.Equal(line.X, []float64{1, 10, 100, 1000}) || !slices.Equal(line.Y, []float64{0, 37.5, 75, 100}) {
		t.Errorf("%v %v", line.X, line.Y)
	}
	// Of runs of older programs there are three quantiles.
	old := &group{label: "old", runs: []*run{timed(nil)}}
	old.runs[0].timing.Measured.Decisions.Bins = nil
	p := timesPanel([]*group{g, old})
	points, ok := p.Shapes[0].(plot.Points)
	if !ok || len(p.Shapes) != 1 || !slices.Equal(points.X, []float64{1, 2, 200}) || !slices.Equal(points.Y, []float64{50, 99, 100}) {
		t.Errorf("shapes %+v", p.Shapes)
	}
	if len(p.Lines) != 2 || p.X.From != 0.8 || p.X.To != 1250 {
		t.Errorf("%d lines between %g and %g ms", len(p.Lines), p.X.From, p.X.To)
	}
	if text := lateText([]*group{g, old}); text != "2 of S-3, 1 of old" {
		t.Error(text)
	}
}
