package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cosim/internal/metrics"
	"cosim/internal/record"
)

// shelf is a folder of runs.
type shelf struct {
	t   *testing.T
	dir string
}

func (s shelf) create(name string, seed int, hash string) *record.Writer {
	s.t.Helper()
	manifest := map[string]any{"definition_sha256": hash, "experiment": map[string]any{"name": name, "seed": seed, "duration": hash}}
	w, err := record.Create(filepath.Join(s.dir, fmt.Sprintf("%s-%d", name, seed)), manifest, []record.Column{{Name: "x"}})
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

// put leaves a run with the given P_succ there; with an error an incomplete one.
func (s shelf) put(name string, seed int, hash string, pSucc float64, runErr error) {
	s.t.Helper()
	sum := metrics.NewSummary(name, "ieee39", uint64(seed))
	sum.DefinitionSHA256, sum.Complete, sum.SimulatedS = hash, runErr == nil, 5
	sum.Tasks.PSucc = metrics.Number(pSucc)
	if err := s.create(name, seed, hash).Close(sum, nil, runErr); err != nil {
		s.t.Fatal(err)
	}
}

func (s shelf) compare(places ...string) (groups []string, c Comparison) {
	s.t.Helper()
	if len(places) == 0 {
		places = []string{s.dir}
	}
	c, err := CompareRuns(places)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, g := range c.Groups {
		groups = append(groups, fmt.Sprintf("%s: %d", g.Label, g.Runs))
	}
	for i := range c.Notes {
		c.Notes[i] = strings.ReplaceAll(c.Notes[i], s.dir, "runs")
	}
	return groups, c
}

func TestCompareLeavesOutWhatIsNotWhole(t *testing.T) {
	s := shelf{t, t.TempDir()}
	s.put("A", 1, "aaaa", 0.5, nil)
	s.put("A", 2, "aaaa", 0.9, errors.New("interrupted"))
	s.put("A", 4, "", 0.5, nil)
	s.create("A", 3, "aaaa") // and killed
	groups, c := s.compare()
	if diff := cmp.Diff([]string{"A: 1"}, groups); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"left out: runs/A-3 has no summary.json: it was killed or goes on (cosim export runs/A-3 gives its series so far)",
		"left out: runs/A-2 ended at 5 s, before its time",
		"left out: runs/A-4 was made by an earlier version, which did not say with what settings",
	}
	if diff := cmp.Diff(want, c.Notes); diff != "" {
		t.Error(diff)
	}
	if _, err := CompareRuns([]string{filepath.Join(s.dir, "A-2")}); err == nil {
		t.Error("an incomplete run alone was compared")
	}
}

func TestCompareTellsDefinitionsOfOneNameApart(t *testing.T) {
	shipped := hashOf(t, "S-2")
	s := shelf{t, t.TempDir()}
	s.put("A", 1, "aaaaaa", 0.5, nil)
	s.put("A", 2, "aaaaaa", 0.5, nil)
	s.put("A", 3, "bbbbbb", 0.5, nil)
	s.put("B", 1, "cccccc", 0.5, nil)
	s.put("S-2", 1, "dddddd", 0.5, nil)
	s.put("S-2", 2, shipped, 0.5, nil)
	groups, c := s.compare()
	if diff := cmp.Diff([]string{"A aaaa: 2", "A bbbb: 1", "B: 1", "S-2: 1", "S-2 dddd: 1"}, groups); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"A bbbb has other settings than A aaaa: duration bbbbbb instead of aaaaaa",
		"S-2 dddd has other settings than S-2: duration dddddd instead of " + shipped,
	}
	if diff := cmp.Diff(want, c.Notes); diff != "" {
		t.Error(diff)
	}
}

func TestCompareCountsARunOnce(t *testing.T) {
	s, copies := shelf{t, t.TempDir()}, shelf{t, t.TempDir()}
	s.put("A", 1, "aaaa", 0.5, nil)
	copies.put("A", 1, "aaaa", 0.5, nil)
	groups, c := s.compare(s.dir, filepath.Join(s.dir, "A-1"), s.dir+"/A-*", copies.dir)
	if diff := cmp.Diff([]string{"A: 1"}, groups); diff != "" {
		t.Error(diff)
	}
	if len(c.Notes) != 1 || !strings.HasSuffix(c.Notes[0], "has the settings and the seed of runs/A-1") {
		t.Errorf("notes %q", c.Notes)
	}
}

func TestPairedDifferencesAreOverCommonSeeds(t *testing.T) {
	s := shelf{t, t.TempDir()}
	for seed, p := range []float64{0.1, 0.2, 0.3} {
		s.put("A", seed, "aaaa", p, nil)
		s.put("B", seed+2, "bbbb", 0.7, nil)
	}
	s.put("C", 9, "cccc", 0.7, nil)
	_, c := s.compare()
	for i, want := range []int{0, 1, 0} {
		if got := c.Groups[i].CommonSeeds; got != want {
			t.Errorf("group %d: %d common seeds, want %d", i, got, want)
		}
	}
	p := c.Rows[0].Paired
	if p[1].N != 1 || math.Abs(float64(p[1].Mean)-0.4) > 1e-12 {
		t.Errorf("B − A is %+v, want 0.4 over 1 seed", p[1])
	}
	text, err := json.Marshal(c.Rows[0])
	if err != nil || !strings.Contains(string(text), `"paired":[null,{"n":1,`) {
		t.Errorf("a group's difference to itself is not null: %s, %v", text, err)
	}
}

func TestCompareSaysWhereThereIsNoRun(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for place, want := range map[string]string{"nowhere": "does not exist", "empty": "holds no run", "[": "does not exist"} {
		if _, err := CompareRuns([]string{filepath.Join(dir, place)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", place, err, want)
		}
	}
}

func TestExportOfAFolderIsOfEachRunInIt(t *testing.T) {
	s := shelf{t, t.TempDir()}
	s.put("A", 1, "aaaa", 0.5, nil)
	s.put("A", 2, "aaaa", 0.5, nil)
	lines, err := Export([]string{s.dir}, true)
	if err != nil || len(lines) != 2 {
		t.Fatalf("%q, %v", lines, err)
	}
	for _, run := range []string{"A-1", "A-2"} {
		if _, err := os.Stat(filepath.Join(s.dir, run, record.SeriesCSVName)); err != nil {
			t.Error(err)
		}
	}
}
