package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"cosim/internal/record"
	"cosim/internal/record/parquet"

	parquetgo "github.com/parquet-go/parquet-go"
)

// Names that would come in another order if they were sorted.
var columns = []record.Column{
	{Name: "frequency/coi", Unit: "Hz", Description: "deviation of the centre of inertia"},
	{Name: "bus.30/voltage", Unit: "pu"},
	{Name: "a pool", Unit: "bit"},
}

// recordRun writes rows each 100 ms with an event 5 ms later, and closes the
// run unless it is to look killed.
func recordRun(t testing.TB, dir string, columns []record.Column, rows int, killed bool) {
	t.Helper()
	w, err := record.Create(dir, map[string]int{"seed": 1}, columns)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float64, len(columns))
	for i := range int64(rows) {
		for c := range values {
			values[c] = value(i, c)
		}
		err = errors.Join(err, w.Row(i*1e8, values), w.Event(event(i)))
	}
	if killed {
		err = errors.Join(err, w.Flush())
	} else {
		err = errors.Join(err, w.Close(nil, nil, nil))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func value(row int64, column int) float64 { return math.Sin(float64(row)/50 + float64(column)) }

func event(i int64) record.Event {
	return record.Event{
		AtNS: i*1e8 + 5e6, Type: "task", Element: fmt.Sprintf("pmu-%d", 30+i%10), Class: "pmu", Mode: "aes-wc",
		Cause: [...]string{"", "", "late"}[i%3], Value: 0.02 + float64(i)/1e6, Unit: "s", Detail: fmt.Sprintf("task %d", i),
	}
}

func openFile(t testing.TB, path string) *parquetgo.File {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquetgo.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// readRows reads all rows of a file.
func readRows(t testing.TB, file *parquetgo.File) []parquetgo.Row {
	t.Helper()
	var rows []parquetgo.Row
	reader := parquetgo.NewReader(file)
	defer reader.Close()
	buffer := make([]parquetgo.Row, 100)
	for {
		n, err := reader.ReadRows(buffer)
		for _, r := range buffer[:n] {
			rows = append(rows, r.Clone())
		}
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestSeriesHoldsWhatWasRecorded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-1-1")
	recordRun(t, dir, columns, 1500, false)
	ending, err := parquet.Export(dir)
	if err != nil || !ending.Closed || ending.Rows != 1500 || ending.Events != 1500 {
		t.Fatalf("%v, %v", ending, err)
	}
	file := openFile(t, filepath.Join(dir, parquet.SeriesName))
	wantNames := []string{"t_s", "t_ns", "frequency/coi", "bus.30/voltage", "a pool"}
	for i, f := range file.Schema().Fields() {
		if f.Name() != wantNames[i] {
			t.Errorf("column %d is %q, want %q", i, f.Name(), wantNames[i])
		}
	}
	for key, want := range map[string]string{
		"unit:t_s": "s", "unit:t_ns": "ns", "unit:frequency/coi": "Hz", "unit:bus.30/voltage": "pu", "unit:a pool": "bit",
		"description:frequency/coi": "deviation of the centre of inertia",
	} {
		if got, ok := file.Lookup(key); !ok || got != want {
			t.Errorf("metadata %q: %q, want %q", key, got, want)
		}
	}
	rows := readRows(t, file)
	if len(rows) != 1500 {
		t.Fatalf("%d rows, want 1500", len(rows))
	}
	for i, row := range rows {
		if row[0].Double() != float64(int64(i)*1e8)/1e9 || row[1].Int64() != int64(i)*1e8 {
			t.Fatalf("row %d at %v s, %v ns", i, row[0], row[1])
		}
		for c := range columns {
			if got, want := row[2+c].Double(), value(int64(i), c); got != want {
				t.Fatalf("row %d, %s: %v, want %v", i, columns[c].Name, got, want)
			}
		}
	}
}

func TestEventsHoldWhatWasRecorded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-1-1")
	recordRun(t, dir, columns, 1500, false)
	if _, err := parquet.Export(dir); err != nil {
		t.Fatal(err)
	}
	type row struct {
		TNS     int64   `parquet:"t_ns"`
		Type    string  `parquet:"type"`
		Element string  `parquet:"element"`
		Class   string  `parquet:"class"`
		Mode    string  `parquet:"mode"`
		Cause   string  `parquet:"cause"`
		Value   float64 `parquet:"value"`
		Unit    string  `parquet:"unit"`
		Detail  string  `parquet:"detail"`
	}
	path := filepath.Join(dir, parquet.EventsName)
	rows, err := parquetgo.ReadFile[row](path)
	if err != nil || len(rows) != 1500 {
		t.Fatalf("%d events, %v", len(rows), err)
	}
	for i, r := range rows {
		got := record.Event{
			AtNS: r.TNS, Type: r.Type, Element: r.Element, Class: r.Class, Mode: r.Mode,
			Cause: r.Cause, Value: r.Value, Unit: r.Unit, Detail: r.Detail,
		}
		if got != event(int64(i)) {
			t.Fatalf("event %d: %+v, want %+v", i, got, event(int64(i)))
		}
	}
	chunk := openFile(t, path).Metadata().RowGroups[0].Columns[2].MetaData
	if chunk.DictionaryPageOffset == 0 {
		t.Errorf("column %v has no dictionary", chunk.PathInSchema)
	}
}

func TestRowGroupsCoverSixtySeconds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-1-1")
	recordRun(t, dir, columns, 1500, false)
	if _, err := parquet.Export(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{parquet.SeriesName, parquet.EventsName} {
		var got []int64
		for _, g := range openFile(t, filepath.Join(dir, name)).RowGroups() {
			got = append(got, g.NumRows())
		}
		if fmt.Sprint(got) != "[600 600 300]" {
			t.Errorf("%s: row groups of %v rows, want [600 600 300]", name, got)
		}
	}
}

func TestEventLateByItsTimeStaysInTheOpenRowGroup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-1-1")
	w, err := record.Create(dir, nil, nil)
	for _, at := range []int64{59_990e6, 60_010e6, 59_995e6, 300e9} {
		err = errors.Join(err, w.Event(record.Event{AtNS: at}))
	}
	if err := errors.Join(err, w.Close(nil, nil, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := parquet.Export(dir); err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, g := range openFile(t, filepath.Join(dir, parquet.EventsName)).RowGroups() {
		got = append(got, g.NumRows())
	}
	if fmt.Sprint(got) != "[1 2 1]" {
		t.Errorf("row groups of %v rows, want [1 2 1]", got)
	}
}

func TestSameLogSameParquet(t *testing.T) {
	base := t.TempDir()
	var files [2][2][]byte
	for i, run := range []string{"a", "b"} {
		dir := filepath.Join(base, run)
		recordRun(t, dir, columns, 1500, false)
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1 + i))
		if _, err := parquet.Export(dir); err != nil {
			t.Fatal(err)
		}
		for k, name := range []string{parquet.SeriesName, parquet.EventsName} {
			var err error
			if files[i][k], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !bytes.Equal(files[0][0], files[1][0]) || !bytes.Equal(files[0][1], files[1][1]) {
		t.Error("two exports of one log differ")
	}
	if created := openFile(t, filepath.Join(base, "a", parquet.SeriesName)).Metadata().CreatedBy; created != "cosim version 1 (build run.log)" {
		t.Errorf("created by %q", created)
	}
}

func TestKilledRunIsExported(t *testing.T) {
	for _, rows := range []int{0, 1, 700} {
		dir := filepath.Join(t.TempDir(), "S-1-1")
		recordRun(t, dir, columns, rows, true)
		path := filepath.Join(dir, record.LogName)
		log, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		whole := rows
		if rows > 0 { // the last event is cut off
			if err := os.WriteFile(path, log[:len(log)-3], 0o644); err != nil {
				t.Fatal(err)
			}
			whole--
		}
		ending, err := parquet.Export(dir)
		if err != nil || ending.Closed || (ending.Torn != "") != (rows > 0) {
			t.Fatalf("%d rows: %v, %v", rows, ending, err)
		}
		series := openFile(t, filepath.Join(dir, parquet.SeriesName))
		events := openFile(t, filepath.Join(dir, parquet.EventsName))
		if series.NumRows() != int64(rows) || events.NumRows() != int64(whole) {
			t.Errorf("%d rows and %d events, want %d and %d", series.NumRows(), events.NumRows(), rows, whole)
		}
	}
}

func TestExportSaysWhatIsMissing(t *testing.T) {
	if _, err := parquet.Export(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder without run.log: %v", err)
	}
}

// openLog records a run and opens its log.
func openLog(t testing.TB, columns []record.Column, rows int) *record.Reader {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	recordRun(t, dir, columns, rows, false)
	log, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

// heapWatch notes the largest live heap seen at any write.
type heapWatch struct {
	writes int
	most   uint64
}

func (h *heapWatch) Write(p []byte) (int, error) {
	if h.writes++; h.writes%32 == 0 {
		runtime.GC() // once for the pools' last generation, once for what they held
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		h.most = max(h.most, m.HeapAlloc)
	}
	return len(p), nil
}

func TestMemoryHoldsOneRowGroup(t *testing.T) {
	wide := make([]record.Column, 60)
	for i := range wide {
		wide[i].Name = fmt.Sprintf("c%02d", i)
	}
	most := func(rows int) float64 {
		h := &heapWatch{}
		if _, err := parquet.Write(openLog(t, wide, rows), h, io.Discard); err != nil {
			t.Fatal(err)
		}
		return float64(h.most)
	}
	short, long := most(3_000), most(18_000) // 5 and 30 row groups
	perGroup := (long - short) / 25 / 62
	t.Logf("largest heap %.1f MB for 5 row groups, %.1f MB for 30: %.0f bytes a column and row group", short/1e6, long/1e6, perGroup)
	if perGroup > 2000 { // the footer's entries; the data alone are 4800 bytes
		t.Errorf("memory grows by %.0f bytes a column and row group", perGroup)
	}
}

func Example() {
	base, _ := os.MkdirTemp("", "runs")
	defer os.RemoveAll(base)
	dir := filepath.Join(base, "S-1-1")
	w, err := record.Create(dir, nil, []record.Column{{Name: "delta_f", Unit: "Hz"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	w.Row(0, []float64{0})
	w.Row(100e6, []float64{-0.012})
	w.Close(nil, nil, nil)

	ending, err := parquet.Export(dir)
	fmt.Println(ending, err)
	// Output: 2 rows and 0 events up to 100ms (closed) <nil>
}

func BenchmarkExport600s(b *testing.B) {
	wide := make([]record.Column, 120)
	for i := range wide {
		wide[i].Name = fmt.Sprintf("c%03d", i)
	}
	dir := filepath.Join(b.TempDir(), "run")
	recordRun(b, dir, wide, 6000, false)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parquet.Export(dir); err != nil {
			b.Fatal(err)
		}
	}
	for _, name := range []string{record.LogName, parquet.SeriesName, parquet.EventsName} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			b.ReportMetric(float64(info.Size())/1e6, name+"-MB")
		}
	}
}
