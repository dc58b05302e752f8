package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cosim/internal/plot"
	"cosim/internal/record"
	"cosim/internal/record/parquet"
)

// sweepFolder is a folder with the results of a sweep over keys, three seeds a
// point: P_succ is 0.5, 0.6 and 0.7, less the place of the experiment tenths.
func sweepFolder(t *testing.T, name string, experiments []string, keys []string, points [][]any) string {
	t.Helper()
	rows := &parquet.Rows{Name: "results", Columns: []parquet.Column{{Name: "run"}, {Name: "experiment"}, {Name: "seed"}}}
	for _, key := range keys {
		rows.Columns = append(rows.Columns, parquet.Column{Name: key, Description: "swept key"})
	}
	rows.Columns = append(rows.Columns, parquet.Column{Name: "tasks.p_succ"}, parquet.Column{Name: "fairness.key_fairness_mean"})
	for e, experiment := range experiments {
		for _, point := range points {
			for seed := range int64(3) {
				row := append([]any{fmt.Sprint(experiment, point, seed), experiment, seed}, point...)
				rows.Rows = append(rows.Rows, append(row, 0.5+0.1*float64(seed)-0.1*float64(e), nil))
			}
		}
	}
	dir := filepath.Join(t.TempDir(), name)
	var b bytes.Buffer
	if err := errors.Join(os.Mkdir(dir, 0o755), rows.Write(&b), os.WriteFile(filepath.Join(dir, record.SweepTableName), b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return dir
}

var lengths = [][]any{{10.0}, {20.0}, {40.0}}

func TestSweepOverOneKeyBecomesCurves(t *testing.T) {
	dir := sweepFolder(t, "lengths", []string{"S-1", "S-2"}, []string{"links.length_km"}, lengths)
	w := write(t, Options{Runs: []string{dir}, Formats: Formats})
	if d := cmp.Diff([]string{"curves"}, names(w)); d != "" {
		t.Error(d)
	}
	checkPage(t, w.HTML, 1)
	checkPictures(t, w)

	table, err := readTable(filepath.Join(dir, record.SweepTableName))
	if err != nil {
		t.Fatal(err)
	}
	pictures, err := table.pictures()
	if err != nil {
		t.Fatal(err)
	}
	p := pictures[0].figure.Panels
	if len(p) != 1 || len(p[0].Lines) != 2 {
		t.Fatalf("%d panels; want P_succ alone, with a line an experiment", len(p))
	}
	half := 4.302652729911275 * 10 / math.Sqrt(3) // Student's t of 2 degrees of freedom; deviation 10 %
	for i, label := range []string{"S-1", "S-2"} {
		line, bars := p[0].Lines[i], p[0].Shapes[i].(plot.Estimates)
		mean := 60 - 10*float64(i)
		if line.Label != label || line.Role != plot.Dashed || !slices.Equal(line.X, []float64{10, 20, 40}) {
			t.Errorf("line %+v, want %s over 10, 20, 40", line, label)
		}
		for k := range line.X {
			if math.Abs(line.Y[k]-mean) > 1e-9 || math.Abs(bars.Low[k]-(mean-half)) > 1e-6 || math.Abs(bars.High[k]-(mean+half)) > 1e-6 {
				t.Errorf("%s: %g, %g to %g; want %g ± %g", label, line.Y[k], bars.Low[k], bars.High[k], mean, half)
			}
		}
	}
}

func TestFiguresOfASweepFitItsKeys(t *testing.T) {
	for _, c := range []struct {
		what        string
		experiments []string
		keys        []string
		points      [][]any
		want        []string // pictures
		labels      []string // of the first picture's first panel
		err         string
	}{
		{"words are rows", []string{"S-1", "S-2"}, []string{"keys.supply"}, [][]any{{"pool"}, {"store"}}, []string{"curves"}, []string{"S-1, pool", "S-2, pool", "S-1, store", "S-2, store"}, ""},
		{"words beside numbers are lines", []string{"S-1"}, []string{"keys.supply", "a_km"}, [][]any{{"pool", 1.0}, {"pool", 2.0}, {"store", 1.0}, {"store", 2.0}}, []string{"curves"}, []string{"pool", "store"}, ""},
		{"one experiment is a line", []string{"S-3"}, []string{"a_km"}, lengths, []string{"curves"}, []string{"S-3"}, ""},
		{"a key of one value is none", []string{"S-3"}, []string{"a_km", "b_km"}, [][]any{{1.0, 7.0}, {2.0, 7.0}}, []string{"curves"}, []string{"S-3"}, ""},
		{"experiments have maps of their own", []string{"S-1", "S-2"}, []string{"a_km", "b_km"}, [][]any{{1.0, 1.0}, {1.0, 2.0}, {2.0, 1.0}, {2.0, 2.0}}, []string{"heat-success-S-1", "heat-success-S-2"}, nil, ""},
		{"three keys", []string{"S-1"}, []string{"a", "b", "c"}, [][]any{{1.0, 1.0, 1.0}, {2.0, 2.0, 2.0}}, nil, nil, "the sweep varies a, b, c: figures are drawn over"},
		{"no key", []string{"S-1"}, nil, [][]any{{}}, nil, nil, "no key has several values"},
	} {
		table, err := readTable(filepath.Join(sweepFolder(t, "s", c.experiments, c.keys, c.points), record.SweepTableName))
		if err != nil {
			t.Fatal(err)
		}
		pictures, err := table.pictures()
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", c.what, err, c.err)
			}
			continue
		}
		var got, labels []string
		for _, p := range pictures {
			got = append(got, p.name)
		}
		for _, l := range pictures[0].figure.Panels[0].Lines {
			labels = append(labels, l.Label)
		}
		if labels == nil && c.labels != nil {
			for _, n := range pictures[0].figure.Panels[0].Y.Names {
				labels = append(labels, n.Text)
			}
		}
		if d := cmp.Diff(c.want, got) + cmp.Diff(c.labels, labels); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.what, err, d)
		}
	}
}

func TestSeveralSweepsAreToldApart(t *testing.T) {
	a := sweepFolder(t, "short", []string{"S-1"}, []string{"a_km"}, lengths)
	b := sweepFolder(t, "long", []string{"S-1"}, []string{"a_km"}, lengths)
	w := write(t, Options{Runs: []string{a, b}, Formats: Formats})
	if d := cmp.Diff([]string{"curves-short", "curves-long"}, names(w)); d != "" {
		t.Error(d)
	}
}

func TestSweepBesideRunsIsNotedAndFolderOfSweepsNamesThem(t *testing.T) {
	dir := sweepFolder(t, "lengths", []string{"S-1"}, []string{"a_km"}, lengths)
	_, err := Write(context.Background(), Options{Runs: []string{filepath.Dir(dir)}, Out: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "holds no run but a sweep: type\n  cosim report "+dir) {
		t.Errorf("%v", err)
	}
	if err := os.CopyFS(filepath.Join(filepath.Dir(dir), "S-2-1"), os.DirFS(place("S-2-1"))); err != nil {
		t.Fatal(err)
	}
	w := write(t, Options{Runs: []string{filepath.Dir(dir)}})
	if want := "left out: " + dir + " is a sweep's folder (cosim report " + dir + " draws it)"; !slices.Contains(w.Notes, want) {
		t.Errorf("notes %q, want %q", w.Notes, want)
	}
}
