package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// run records a small run in dir; the clock only changes timing.json.
func run(t testing.TB, dir string, tick time.Duration, value float64) {
	t.Helper()
	manifest := map[string]any{"experiment": "S-1", "seed": 1, "chains": []string{"agc-30"}}
	w, err := Create(dir, manifest, twoColumns, Clock(clockOf(tick)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		err = errors.Join(err, w.Row(int64(i)*1e8, []float64{value, 2}), w.Event(Event{AtNS: int64(i) * 1e8, Type: "tick"}))
	}
	err = errors.Join(err, w.Close(map[string]float64{"p_succ": 0.72}, map[string]int{"steps": 3}, nil))
	if err != nil {
		t.Fatal(err)
	}
}

// tree reads all files below dir.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRunLeavesItsFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "S-1-1")
	run(t, dir, 2*time.Second, 1)
	files := tree(t, dir)
	if want := "chains:\n  - agc-30\nexperiment: S-1\nseed: 1\n"; files[ManifestName] != want {
		t.Errorf("manifest %q, want %q", files[ManifestName], want)
	}
	if want := "{\n  \"p_succ\": 0.72\n}\n"; files[SummaryName] != want {
		t.Errorf("summary %q, want %q", files[SummaryName], want)
	}
	var timing Timing
	if err := json.Unmarshal([]byte(files[TimingName]), &timing); err != nil {
		t.Fatal(err)
	}
	if timing.WallS != timing.Ended.Sub(timing.Started).Seconds() || timing.WallS <= 0 || timing.Error != "" {
		t.Errorf("timing %+v", timing)
	}
	if len(files) != 4 {
		t.Errorf("%d files, want 4", len(files))
	}
}

func TestSameContentSameFilesButTiming(t *testing.T) {
	base := t.TempDir()
	run(t, filepath.Join(base, "a"), time.Second, 1)
	run(t, filepath.Join(base, "b"), time.Hour, 1)
	a, b := tree(t, filepath.Join(base, "a")), tree(t, filepath.Join(base, "b"))
	if a[TimingName] == b[TimingName] {
		t.Error("timing.json does not show the clock")
	}
	delete(a, TimingName)
	delete(b, TimingName)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("files differ: %q and %q", a, b)
	}
}

func TestFailedRunKeepsItsResults(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-1-1")
	w, err := Create(dir, nil, twoColumns)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Row(0, []float64{1, 2}), w.Close(nil, nil, errors.New("grid: diverged"))); err != nil {
		t.Fatal(err)
	}
	files := tree(t, dir)
	if _, there := files[SummaryName]; there {
		t.Error("a summary was written without one")
	}
	if !strings.Contains(files[TimingName], `"error": "grid: diverged"`) {
		t.Errorf("timing.json %s", files[TimingName])
	}
	if _, ending := readItems(t, []byte(files[LogName])); !ending.Closed || !ending.Failed || ending.Rows != 1 {
		t.Errorf("ending %+v", ending)
	}
}

func TestRerunReplacesTheWholeRun(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "S-1-1")
	run(t, dir, time.Second, 1)
	stale := []string{
		filepath.Join(dir, "series.parquet"), filepath.Join(dir, "frames", "1.bin"),
		filepath.Join(base, ".S-1-1.new", "x"), filepath.Join(base, ".S-1-1.old", "x"),
	}
	for _, path := range stale {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	w, err := Create(dir, nil, twoColumns)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close(nil, nil, nil)
	for _, path := range append(stale, filepath.Join(dir, SummaryName), filepath.Join(dir, TimingName)) {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s of the earlier run is still there", path)
		}
	}
	if entries, _ := os.ReadDir(base); len(entries) != 1 {
		t.Errorf("%d folders beside the run, want none", len(entries)-1)
	}
}

func TestCreateRefusesWhatIsNotARun(t *testing.T) {
	base := t.TempDir()
	foreign := filepath.Join(base, "thesis")
	file := filepath.Join(foreign, "chapter-1.tex")
	if err := errors.Join(os.Mkdir(foreign, 0o755), os.WriteFile(file, []byte("\\section"), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{foreign, file} {
		if _, err := Create(dir, nil, twoColumns); err == nil {
			t.Errorf("%s was replaced", dir)
		}
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "\\section" {
		t.Errorf("the folder was touched: %q, %v", content, err)
	}
	if entries, _ := os.ReadDir(base); len(entries) != 1 {
		t.Errorf("%d entries left beside the folder", len(entries)-1)
	}
}

func TestEmptyFolderIsUsed(t *testing.T) {
	run(t, t.TempDir(), time.Second, 1)
}

func TestBadColumnsLeaveNothingBehind(t *testing.T) {
	base := t.TempDir()
	_, err := Create(filepath.Join(base, "S-1-1"), nil, []Column{{Name: "a"}, {}, {Name: "a"}, {Name: "t_s"}})
	want := "record: column 1 has no name\nrecord: column name \"a\" is taken\nrecord: column name \"t_s\" is taken"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if entries, _ := os.ReadDir(base); len(entries) != 0 {
		t.Errorf("%d entries left", len(entries))
	}
}

func TestReplacedRunIsNotMixedIntoItsSuccessor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-1-1")
	first, err := Create(dir, nil, twoColumns)
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, time.Second, 7)
	before := tree(t, dir)
	if err := first.Row(0, []float64{1, 2}); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(map[string]int{"first": 1}, nil, nil); err == nil || !strings.Contains(err.Error(), "replaced by another run") {
		t.Errorf("closed with %v", err)
	}
	if after := tree(t, dir); !reflect.DeepEqual(after, before) {
		t.Error("the first run wrote into the second one's folder")
	}
}

func TestWriteErrorIsPermanent(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), "S-1-1"), nil, twoColumns)
	if err != nil {
		t.Fatal(err)
	}
	w.file.Close()
	if err := errors.Join(w.Row(0, []float64{1, 2}), w.Flush()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("first error %v", err)
	}
	if err := w.Row(1, []float64{1, 2}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("later error %v", err)
	}
}

func TestReplaceFileKeepsTheOldFileOnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	put := func(s string, err error) error {
		return ReplaceFile(path, func(w io.Writer) error {
			_, e := io.WriteString(w, s)
			return errors.Join(e, err)
		})
	}
	failure := errors.New("half way")
	if err := errors.Join(put("whole", nil), nil); err != nil {
		t.Fatal(err)
	}
	if err := put("half", failure); !errors.Is(err, failure) {
		t.Error(err)
	}
	if files := tree(t, filepath.Dir(path)); !reflect.DeepEqual(files, map[string]string{"x": "whole"}) {
		t.Errorf("files %v", files)
	}
}

// killedDir tells the test's own second process where to record until it is
// killed.
const killedDir = "COSIM_RECORD_UNTIL_KILLED"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		w, err := Create(dir, nil, twoColumns)
		for i := int64(0); err == nil; i++ {
			err = w.Row(i, []float64{float64(i), -float64(i)})
		}
		panic(err)
	}
	os.Exit(m.Run())
}

func TestRunKilledByTheSystemIsReadable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-1-1")
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), killedDir+"="+dir)
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		info, err := os.Stat(filepath.Join(dir, LogName))
		if err == nil && info.Size() > 1<<20 {
			break
		}
		if time.Now().After(deadline) {
			t.Error("nothing recorded in 20 s")
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := victim.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	victim.Wait()
	log, err := os.ReadFile(filepath.Join(dir, LogName))
	if err != nil {
		t.Fatal(err)
	}
	rows, ending := readItems(t, log)
	for i, r := range rows {
		if r.tNS != int64(i) || r.values[0] != float64(i) {
			t.Fatalf("row %d: %+v", i, r)
		}
	}
	if ending.Closed || len(rows) < 20_000 || int64(len(log))-ending.Bytes > 100 {
		t.Errorf("%v of %d bytes", ending, len(log))
	}
}

func TestCSVHasUnitsAndQuotes(t *testing.T) {
	r, err := NewReader(bytes.NewReader(logBytes(t, twoColumns, twoColumnItems(), false)))
	if err != nil {
		t.Fatal(err)
	}
	var series, events strings.Builder
	if _, err := WriteCSV(r, &series, &events); err != nil {
		t.Fatal(err)
	}
	wantSeries := "t_s,t_ns,delta_f [Hz],pool/CC-GW1 [bit]\n0,0,0,1e+06\n0.1,100000000,-0.01,999000.5\n0.2,200000000,-Inf,5e-324\n"
	if series.String() != wantSeries {
		t.Errorf("series\n%s\nwant\n%s", series.String(), wantSeries)
	}
	wantEvents := "t_s,t_ns,type,element,class,mode,cause,value,unit,detail\n" +
		"0.05,50000000,task,agc-30,agc,otp,no-key,0.3,s,\"a, \"\"b\"\"\nc\"\n0.1,100000000,link-down,CC-GW1,,,,0,,\n"
	if events.String() != wantEvents {
		t.Errorf("events\n%s\nwant\n%s", events.String(), wantEvents)
	}
}

func TestCSVOfAKilledRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-1-1")
	w, err := Create(dir, nil, twoColumns)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Row(0, []float64{1, 2}), w.Flush()); err != nil {
		t.Fatal(err)
	}
	ending, err := ExportCSV(dir)
	if err != nil || ending.Rows != 1 || ending.Closed {
		t.Errorf("%v, %v", ending, err)
	}
	if got, want := tree(t, dir)[SeriesCSVName], "t_s,t_ns,delta_f [Hz],pool/CC-GW1 [bit]\n0,0,1,2\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func BenchmarkRow120(b *testing.B) {
	l := newLogWriter(io.Discard, 120, time.Now)
	values := make([]float64, 120)
	var at int64
	b.ReportAllocs()
	b.SetBytes(8 * 121)
	for b.Loop() {
		at++
		if err := l.row(at, values); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRun600s records 6000 rows of 120 columns and 84,000 events to disk.
func BenchmarkRun600s(b *testing.B) {
	columns := make([]Column, 120)
	for i := range columns {
		columns[i].Name = string(rune('a'+i%26)) + strings.Repeat("x", i/26)
	}
	values := make([]float64, 120)
	for _, events := range []int{0, 14} {
		b.Run(map[int]string{0: "rows", 14: "rows+84k-events"}[events], func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "S-1-1")
			b.ReportAllocs()
			for b.Loop() {
				w, err := Create(dir, nil, columns)
				if err != nil {
					b.Fatal(err)
				}
				for i := range int64(6000) {
					err = w.Row(i*1e8, values)
					for range events {
						err = errors.Join(err, w.Event(Event{AtNS: i * 1e8, Type: "task", Element: "pmu-16", Class: "pmu", Mode: "aes-wc", Value: 0.02, Unit: "s"}))
					}
				}
				if err := errors.Join(err, w.Close(nil, nil, nil)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	var items []item
	for i := range int64(1000) {
		items = append(items, item{tNS: i, values: make([]float64, 2)}, item{event: &Event{AtNS: i, Type: "task", Element: "pmu-16", Class: "pmu"}})
	}
	log := logBytes(b, twoColumns, items, false)
	b.SetBytes(int64(len(log)))
	b.ReportAllocs()
	for b.Loop() {
		readItems(b, log)
	}
}
