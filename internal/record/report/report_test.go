package report

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cosim/internal/experiment"
	"cosim/internal/record"
	"cosim/internal/record/parquet"
)

// runsDir has runs of 60 s: S-1 and S-2 with seeds 1 to 3, S-3 with seed 1.
var runsDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "report")
	if err == nil {
		runsDir = dir
		err = makeRuns(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func makeRuns(dir string) error {
	set := []string{
		"duration=60s", "disturbances.contingencies.count=1", "disturbances.contingencies.earliest=8s", "disturbances.contingencies.duration=20s",
		"disturbances.surges.duration=20s",
	}
	for name, seeds := range map[string]uint64{"S-1": 3, "S-2": 3, "S-3": 1} {
		for seed := uint64(1); seed <= seeds; seed++ {
			d, err := experiment.Load(name, experiment.Overrides{Seed: &seed, Set: set})
			if err != nil {
				return err
			}
			if _, err := experiment.Run(context.Background(), d, experiment.RunOptions{Out: dir}); err != nil {
				return err
			}
		}
	}
	return nil
}

func place(run string) string { return filepath.Join(runsDir, run) }

func write(t testing.TB, o Options) *Written {
	t.Helper()
	if o.Out == "" {
		o.Out = t.TempDir()
	}
	w, err := Write(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// names are those of the figures, in their order.
func names(w *Written) []string {
	var list []string
	for _, f := range w.Figures {
		name := strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func TestReportShowsWhatTheRunHas(t *testing.T) {
	for run, want := range map[string][]string{
		"S-2-1": {"contingencies", "frequency", "pools", "keys", "failures", "latency"},
		"S-3-1": {"contingencies", "frequency", "pools", "keys", "failures", "latency", "forecast", "decisions", "plans"},
	} {
		w := write(t, Options{Runs: []string{place(run)}, Formats: Formats, Paper: true})
		if d := cmp.Diff(want, names(w)); d != "" {
			t.Errorf("%s: %s", run, d)
		}
		checkPage(t, w.HTML, len(want))
		checkPictures(t, w)
	}
}

func TestExperimentsStandSideBySide(t *testing.T) {
	w := write(t, Options{Runs: []string{place("S-1-*"), place("S-2-*"), place("S-3-1")}, Formats: Formats, Paper: true})
	want := []string{"figures", "recovery", "contingencies", "frequency", "pools", "keys", "failures", "latency", "forecast", "decisions", "plans"}
	if d := cmp.Diff(want, names(w)); d != "" {
		t.Error(d)
	}
	page := checkPage(t, w.HTML, len(want))
	checkPictures(t, w)
	c, err := experiment.CompareRuns([]string{runsDir})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rows {
		_, scale := r.Heading()
		for i := range c.Groups {
			if text := minus(r.Samples[i].Text(scale, false)); !strings.Contains(page, text) {
				t.Errorf("%s of %s is %s in cosim compare, and not in the report", r.Key, c.Groups[i].Label, text)
			}
		}
	}
	if !strings.Contains(page, "paper 12–16") {
		t.Error("the paper's time to recovery is missing")
	}
}

// checkPage reads the page as a browser does, and refuses whatever it would
// have to fetch.
func checkPage(t *testing.T, file string, figures int) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	count := map[string]int{}
	var text strings.Builder
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			count[x.Name.Local]++
			for _, a := range x.Attr {
				if slices.Contains([]string{"src", "href", "srcset", "data"}, a.Name.Local) || strings.Contains(a.Value, "://") {
					t.Errorf("%s has %s=%q", x.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			text.Write(x)
		}
	}
	if count["figure"] != figures || count["svg"] != figures || count["figcaption"] != figures {
		t.Errorf("%d figures, %d pictures, %d captions, want %d", count["figure"], count["svg"], count["figcaption"], figures)
	}
	if count["script"]+count["link"]+count["img"] > 0 {
		t.Error("the page needs something beside it")
	}
	if m := regexp.MustCompile(`url\(|@import|https?:`).Find(data); m != nil {
		t.Errorf("the page has %s", m)
	}
	return text.String()
}

var place2D = regexp.MustCompile(`<text x="([^"]*)" y="([^"]*)"`)

// checkPictures reads every file: PNG at print size, SVG with letters of 9 pt
// or more whose beginnings are on the canvas.
func checkPictures(t *testing.T, w *Written) {
	t.Helper()
	for _, name := range w.Figures {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) == ".png" {
			img, err := png.DecodeConfig(bytes.NewReader(data))
			if err != nil || img.Width < 1330 {
				t.Errorf("%s: %d dots wide, %v", name, img.Width, err)
			}
			continue
		}
		if err := xml.Unmarshal(data, new(struct{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, m := range regexp.MustCompile(`font-size:([\d.]*)px`).FindAllSubmatch(data, -1) {
			if size, _ := strconv.ParseFloat(string(m[1]), 64); size < 9 {
				t.Errorf("%s has letters of %g pt", name, size)
			}
		}
		for _, m := range place2D.FindAllSubmatch(data, -1) {
			x, _ := strconv.ParseFloat(string(m[1]), 64)
			if x < -400 || x > 482 {
				t.Errorf("%s: a text begins at %g", name, x)
			}
		}
		for _, bad := range []string{"NaN", "Inf"} {
			if bytes.Contains(data, []byte(bad)) {
				t.Errorf("%s has %s", name, bad)
			}
		}
	}
}

func TestSameRunsSameBytes(t *testing.T) {
	o := Options{Runs: []string{runsDir}, Formats: Formats, Paper: true}
	a, b := write(t, o), write(t, o)
	for i, file := range append(a.Figures, a.HTML) {
		other := append(b.Figures, b.HTML)[i]
		x, err := os.ReadFile(file)
		y, err2 := os.ReadFile(other)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs", filepath.Base(file))
		}
	}
}

func TestFiguresFromTheLogAreThoseOfTheRun(t *testing.T) {
	for _, name := range []string{"S-1-1", "S-2-2", "S-3-1"} {
		r, err := openRun(place(name))
		if err != nil {
			t.Fatal(err)
		}
		tr, err := readTrace(r.dir, r.about, false)
		if err != nil {
			t.Fatal(err)
		}
		own, want := tr.summed, r.summary
		if d := cmp.Diff(want.Tasks.ByClass, own.Tasks.ByClass); d != "" {
			t.Errorf("%s, tasks: %s", name, d)
		}
		if d := cmp.Diff(want.Latency, own.Latency); d != "" {
			t.Errorf("%s, latency: %s", name, d)
		}
		if own.Keys.UseCentre != want.Keys.UseCentre || own.Keys.All != want.Keys.All {
			t.Errorf("%s: key use %v, want %v", name, own.Keys, want.Keys)
		}
		if own.Grid.DeltaFMaxHz > want.Grid.DeltaFMaxHz || own.Grid.DeltaFMaxHz < 0.9*want.Grid.DeltaFMaxHz {
			t.Errorf("%s: Δf_max %v Hz, the run's was %v Hz", name, own.Grid.DeltaFMaxHz, want.Grid.DeltaFMaxHz)
		}
		if len(own.Recovery.Faults) != len(want.Recovery.Faults) {
			t.Errorf("%s: %d faults, want %d", name, len(own.Recovery.Faults), len(want.Recovery.Faults))
		}
	}
}

func TestKilledRunHasAReport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-3-1")
	if err := os.CopyFS(dir, os.DirFS(place("S-3-1"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{record.SummaryName, record.TimingName, parquet.SeriesName, parquet.EventsName} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	log := filepath.Join(dir, record.LogName)
	info, err := os.Stat(log)
	if err == nil {
		err = os.Truncate(log, info.Size()*2/3)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := write(t, Options{Runs: []string{dir}})
	page := checkPage(t, w.HTML, 9)
	for _, want := range []string{"before its time", "It left no summary", "every 100 ms"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	// Among others a killed run is left out, as in cosim compare.
	w = write(t, Options{Runs: []string{dir, place("S-1-1"), place("S-2-1")}, FiguresOnly: true, Formats: []string{"svg"}})
	if w.HTML != "" || len(w.Notes) != 1 || !strings.Contains(w.Notes[0], "killed") {
		t.Errorf("page %q, notes %q", w.HTML, w.Notes)
	}
}

func TestRunWithoutStepsHasAReport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-2-1")
	if err := os.CopyFS(dir, os.DirFS(place("S-2-1"))); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, record.SummaryName))
	if err := os.Truncate(filepath.Join(dir, record.LogName), 60_000); err != nil { // the header alone
		t.Fatal(err)
	}
	w := write(t, Options{Runs: []string{dir}, Formats: Formats})
	checkPictures(t, w)
}

func TestOutIsAFolderOrAFile(t *testing.T) {
	dir := t.TempDir()
	w := write(t, Options{Runs: []string{place("S-2-1")}, Out: filepath.Join(dir, "a.html"), Formats: []string{"svg"}})
	if w.HTML != filepath.Join(dir, "a.html") || filepath.Dir(w.Figures[0]) != filepath.Join(dir, "a-figures") {
		t.Errorf("%s and %s", w.HTML, w.Figures[0])
	}
	w = write(t, Options{Runs: []string{place("S-2-1")}, Out: filepath.Join(dir, "b")})
	if w.HTML != filepath.Join(dir, "b", "report.html") || len(w.Figures) > 0 {
		t.Errorf("%s and %q", w.HTML, w.Figures)
	}
}

func TestMistakesAreTold(t *testing.T) {
	nine := uint64(9)
	for want, o := range map[string]Options{
		`"bmp", expected png or svg`: {Runs: []string{runsDir}, Formats: []string{"bmp"}},
		"nowhere does not exist":     {Runs: []string{"nowhere"}},
		"no run there has seed 9":    {Runs: []string{runsDir}, Seed: &nine},
		"no key has several values":  {Runs: []string{sweepTable(t, []float64{1}, []float64{1})}},
	} {
		o.Out = t.TempDir()
		if _, err := Write(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// sweepTable is a folder with a sweep's results: three seeds a point, F_K
// falls with the breaks and fluctuates less with the rounds.
func sweepTable(t *testing.T, breaks, rounds []float64) string {
	rows := &parquet.Rows{Name: "results", Columns: []parquet.Column{
		{Name: "run"},
		{Name: "seed"},
		{Name: "quantum.break_rate_hz", Unit: "Hz", Description: "swept key"},
		{Name: "reconfiguration.rounds", Description: "swept key"},
		{Name: "fairness.key_fairness_mean"},
		{Name: "tasks.p_succ"},
	}}
	for _, b := range breaks {
		for _, n := range rounds {
			for seed := range int64(3) {
				rows.Rows = append(rows.Rows, []any{fmt.Sprint(b, n, seed), seed, b, int64(n), 0.9 - b + float64(seed)*b/n, 0.99})
			}
		}
	}
	dir := t.TempDir()
	var b bytes.Buffer
	if err := errors.Join(rows.Write(&b), os.WriteFile(filepath.Join(dir, record.SweepTableName), b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSweepBecomesAHeatMap(t *testing.T) {
	breaks, rounds := []float64{0.001, 0.002, 0.004}, []float64{10, 20, 80}
	w := write(t, Options{Runs: []string{sweepTable(t, breaks, rounds)}, Formats: Formats})
	if d := cmp.Diff([]string{"heat-fairness"}, names(w)); d != "" {
		t.Error(d)
	}
	checkPage(t, w.HTML, 1)
	checkPictures(t, w)
	table, err := readTable(filepath.Join(sweepTable(t, breaks, rounds), record.SweepTableName))
	if err != nil {
		t.Fatal(err)
	}
	heat := table.heatTables("reconfiguration.rounds", "quantum.break_rate_hz")
	for i, b := range heat[0].y {
		for j, n := range heat[0].x {
			if want := b / n; math.Abs(heat[0].z[i][j]-want) > 1e-12 { // of 0, b/n, 2b/n
				t.Errorf("%g rounds, λ %g: %g, want %g", n, b, heat[0].z[i][j], want)
			}
		}
	}
}

func TestFairnessOperatorsAndRoundsAreDrawn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-5-1")
	gameLog(t, dir, 600)
	w := write(t, Options{Runs: []string{dir}, Formats: Formats})
	if d := cmp.Diff([]string{"frequency", "failures", "latency", "fairness", "operators", "rounds"}, names(w)); d != "" {
		t.Error(d)
	}
	checkPictures(t, w)
}

// Shares are of the last ten seconds: of a run that is not much longer there are
// too few to draw.
func TestFigureWithoutDataIsLeftOut(t *testing.T) {
	for seconds, want := range map[int64]struct {
		pictures []string
		panels   int
	}{
		3:  {[]string{"frequency", "failures", "latency", "rounds"}, 0},
		10: {[]string{"frequency", "failures", "latency", "operators", "rounds"}, 1},
		14: {[]string{"frequency", "failures", "latency", "operators", "rounds"}, 1},
		16: {[]string{"frequency", "failures", "latency", "fairness", "operators", "rounds"}, 2},
	} {
		dir := filepath.Join(t.TempDir(), "S-5-1")
		gameLog(t, dir, seconds)
		s, err := newStudy(context.Background(), Options{Runs: []string{dir}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range s.pictures() {
			got = append(got, p.name)
			if p.name == "operators" && (len(p.figure.Panels) != want.panels || strings.Contains(p.caption, keyShare) != (want.panels == 2)) {
				t.Errorf("%d s: %d panels, caption %q; want %d", seconds, len(p.figure.Panels), p.caption, want.panels)
			}
		}
		if d := cmp.Diff(want.pictures, got); d != "" {
			t.Errorf("%d s: %s", seconds, d)
		}
	}
}

// An operator's success is that of its own tasks in the last ten seconds: of
// one task a second every fifth fails, and in the other centre none.
func TestSuccessOfAnOperatorIsOfItsOwnTasks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-5-1")
	gameLog(t, dir, 100)
	a, err := readAbout(dir)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := readTrace(dir, a, true)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(tr.operators); n != 1 || tr.operators[0].name != "TSO" {
		t.Fatalf("%d operators, want the TSO", n)
	}
	x, y := tr.operators[0].success.line(100)
	for i := range x {
		if x[i] >= 10 && math.Abs(y[i]-80) > 1e-9 {
			t.Fatalf("at %g s %g %% succeeded, want 80", x[i], y[i])
		}
	}
	if shares, _ := tr.operators[0].share.line(1); shares[0] < 10 || x[len(x)-1] < 99 {
		t.Errorf("shares from %g s on, success up to %g s", shares[0], x[len(x)-1])
	}
}

// gameLog is the log of a run of two operators, of which one has shares.
func gameLog(t testing.TB, dir string, seconds int64) {
	chain := func(id, centre string) map[string]any {
		return map[string]any{"id": id, "task": "agc", "mode": "otp", "static_mode": "otp", "routes": [][]string{{centre, "GW1", "RTU1"}}}
	}
	manifest := map[string]any{"experiment": map[string]any{
		"name": "S-5", "case": "ieee118", "seed": 1, "duration": fmt.Sprintf("%ds", seconds),
		"operators": []map[string]any{{"name": "TSO", "centre": "CC0"}, {"name": "DSO1", "centre": "CC1"}},
		"chains":    []map[string]any{chain("agc-1", "CC0"), chain("agc-2", "CC1")},
	}}
	w, err := record.Create(dir, manifest, []record.Column{
		{Name: columnFrequency}, {Name: columnIndex}, {Name: "scada.fairness/TSO"}, {Name: columnRounds}, {Name: columnPlanned},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 * seconds {
		x := math.Sin(float64(i) / 50)
		if i%10 == 5 {
			cause := ""
			if i/10%5 == 0 {
				cause = "late"
			}
			for _, e := range []record.Event{
				{AtNS: i * 1e8, Type: "task", Element: "agc-1", Class: "agc", Mode: "otp", Cause: cause, Value: 0.02},
				{AtNS: i * 1e8, Type: "task", Element: "agc-2", Class: "agc", Mode: "otp", Value: 0.02},
			} {
				err = errors.Join(err, w.Event(e))
			}
		}
		err = errors.Join(err, w.Row(i*1e8, []float64{0.01 * x, 0.85 + 0.05*x, 0.8 + 0.1*x, float64(1 + i%7), 0.8 + 0.02*float64(i%7)}))
	}
	if err := errors.Join(err, w.Close(nil, nil, nil)); err != nil {
		t.Fatal(err)
	}
}

func TestMemoryDoesNotGrowWithTheRun(t *testing.T) {
	held := func(seconds int64) uint64 {
		dir := filepath.Join(t.TempDir(), "S-5-1")
		gameLog(t, dir, seconds)
		a, err := readAbout(dir)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		tr, err := readTrace(dir, a, true)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(tr)
		return after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc)
	}
	if short, long := held(600), held(20_000); long > 2*short+200_000 {
		t.Errorf("600 s take %d octets, 20,000 s %d", short, long)
	}
}

func BenchmarkReportOfOneRun(b *testing.B) {
	b.ReportAllocs()
	out := b.TempDir()
	for b.Loop() {
		write(b, Options{Runs: []string{place("S-3-1")}, Formats: Formats, Out: out})
	}
}
