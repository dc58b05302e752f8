//go:build integration

package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	parquetgo "github.com/parquet-go/parquet-go"

	"cosim/internal/record/influx"
	"cosim/internal/record/influx/influxd"
)

// shortRun is S-3 with a contingency and a broken fibre within a few seconds.
func shortRun(duration string) []string {
	return []string{
		"run", "S-3", "--quiet", "--set", "duration=" + duration, "--set", "disturbances.contingencies.count=0", "--set",
		"disturbances.scheduled=[{at: 3s, kind: load-step, bus: 15, size_mw: 500, duration: 5s}, {at: 4s, kind: link-break, link: CC-GW2, duration: 3s}]",
	}
}

// cosim runs the program as a person would.
func cosim(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(args, &out, &errs); code != 0 {
		t.Fatalf("cosim %s: exit code %d\n%s%s", strings.Join(args, " "), code, &out, &errs)
	}
	return out.String(), errs.String()
}

// Thirty runs, and a database that is dead for ten seconds while they go on.
func TestIntegrationInfluxHoldsWhatParquetHolds(t *testing.T) {
	db := influxd.New(t)
	dir := t.TempDir()
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		time.Sleep(3 * time.Second)
		db.Kill()
		time.Sleep(10 * time.Second)
		db.Start()
	}()
	_, told := cosim(t, append(shortRun("40s"), "--runs", "30", "--out", dir, "--influx", db.URL)...)
	<-killed
	t.Log(told)
	if !strings.Contains(told, "does not take points") || !strings.Contains(told, "takes points again") {
		t.Error("the database was not missed: the runs ended too early for this test")
	}
	points := comparePoints(t, db, dir, 1, 30)
	t.Logf("%d values and events of 30 runs", points)
	compareValues(t, db, filepath.Join(dir, "S-3-1"), "1")

	// Sending a run again changes nothing, with or without its Parquet.
	out, _ := cosim(t, "export", filepath.Join(dir, "S-3-1"), filepath.Join(dir, "S-3-2"), "--influx", db.URL)
	if strings.Count(out, " points\n") != 2 {
		t.Errorf("export says %q", out)
	}
	comparePoints(t, db, dir, 1, 30)
}

// A database that asks for a token takes the one of the environment. That it
// refuses another one is told while the run goes on, which can be sent later.
func TestIntegrationInfluxAsksForItsToken(t *testing.T) {
	db := influxd.New(t)
	db.Secure()
	dir := t.TempDir()
	args := append(shortRun("10s"), "--out", dir, "--influx", db.URL, "--influx-bucket", "made-here")
	t.Setenv("INFLUX_TOKEN", "admin:wrong")
	_, told := cosim(t, args...)
	again := "cosim export " + filepath.Join(dir, "S-3-1") + " --influx " + db.URL + " --influx-bucket made-here"
	if !strings.Contains(told, `refuses the token for bucket "made-here"`) || !strings.Contains(told, again) {
		t.Errorf("told %q, want %q", told, again)
	}
	t.Setenv("INFLUX_TOKEN", db.Token)
	cosim(t, strings.Fields(again)[1:]...)
	if n := db.Number(`SELECT count(frequency) FROM "made-here".autogen.grid WHERE element='coi'`); n != 101 {
		t.Errorf("%v rows, want 101", n)
	}
}

// A run behind sockets is sent as well.
func TestIntegrationServedRunIsSent(t *testing.T) {
	db := influxd.New(t)
	dir := t.TempDir()
	cosim(t, "serve", "S-3", "--once", "--http", "127.0.0.1:0", "--out", dir, "--influx", db.URL, "--set", "duration=5s", "--set", "disturbances.contingencies.count=0")
	comparePoints(t, db, dir, 1, 1)
	if n := db.Number(`SELECT count(speed) FROM pace`); n < 1 {
		t.Errorf("%v points of pace", n)
	}
}

// A killed run is sent from its log, which ends where the kill came.
func TestIntegrationKilledRunIsSent(t *testing.T) {
	db := influxd.New(t)
	dir := t.TempDir()
	cosim(t, append(shortRun("10s"), "--out", dir)...)
	folder := filepath.Join(dir, "S-3-1")
	log := filepath.Join(folder, "run.log")
	info, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{os.Truncate(log, info.Size()/2), os.Remove(filepath.Join(folder, "timing.json"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cosim(t, "export", folder)
	out, _ := cosim(t, "export", folder, "--influx", db.URL)
	if !strings.Contains(out, "(not all of the run)") {
		t.Errorf("export says %q", out)
	}
	comparePoints(t, db, dir, 1, 1)
}

// tally is the number and the sum of values in one place.
type tally struct{ count, sum float64 }

func (a tally) equals(b tally) bool {
	return a.count == b.count && math.Abs(a.sum-b.sum) <= 1e-9*math.Max(1, math.Abs(a.sum))
}

// comparePoints holds count and sum of every field, for each seed and element,
// and of every type of events against the Parquet files. It returns how many
// values and events there are.
func comparePoints(t *testing.T, db *influxd.Server, dir string, from, to int) int {
	t.Helper()
	want := map[string]tally{}
	add := func(key string, v float64) {
		if !math.IsNaN(v) {
			x := want[key]
			want[key] = tally{x.count + 1, x.sum + v}
		}
	}
	total := 0
	for seed := from; seed <= to; seed++ {
		folder := filepath.Join(dir, fmt.Sprintf("S-3-%d", seed))
		columns, rows := readParquet(t, filepath.Join(folder, "series.parquet"))
		for _, row := range rows {
			for i, c := range columns[2:] {
				p := influx.ColumnPlace(c)
				add(fmt.Sprintf("%s seed %d element %q field %s", p.Measurement, seed, p.Element, p.Field), row[2+i].Double())
				total++
			}
		}
		columns, rows = readParquet(t, filepath.Join(folder, "events.parquet"))
		for _, row := range rows {
			typ, element := row[2].String(), row[3].String()
			if columns[2] != "type" || columns[3] != "element" || columns[7] != "value" {
				t.Fatalf("columns of events are %v", columns)
			}
			add(fmt.Sprintf("%s seed %d type %s element %q field %s", influx.EventPlace(typ), seed, typ, element, influx.FieldValue), row[7].Double())
			total++
		}
	}
	got := map[string]tally{}
	for _, m := range influx.Measurements {
		for _, s := range db.Query(fmt.Sprintf(`SELECT count(*), sum(*) FROM %s GROUP BY seed, type, element`, m)) {
			values := map[string]float64{}
			for i, c := range s.Columns[1:] {
				values[c], _ = s.Values[0][1+i].(float64)
			}
			for c, n := range values {
				field, ok := strings.CutPrefix(c, "count_")
				if !ok || n == 0 || notRecorded[field] {
					continue
				}
				typ := ""
				if s.Tags["type"] != "" {
					typ = " type " + s.Tags["type"]
				}
				got[fmt.Sprintf("%s seed %s%s element %q field %s", m, s.Tags["seed"], typ, s.Tags["element"], field)] = tally{n, values["sum_"+field]}
			}
		}
	}
	for key, w := range want {
		if !w.equals(got[key]) {
			t.Errorf("%s: %+v in the database, %+v in Parquet", key, got[key], w)
		}
	}
	for key, g := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: %+v in the database, nothing in Parquet", key, g)
		}
	}
	return total
}

// notRecorded are fields that no column has, and text, which has no sum.
var notRecorded = map[string]bool{
	influx.FieldFrequencySafe: true, influx.FieldPoolSafe: true, influx.FieldPoolThreshold: true, influx.FieldFederatesLost: true,
	influx.FieldForecast: true, influx.FieldForecastDeviation: true, influx.FieldDetail: true,
}

// compareValues holds each value of a run's series, with its time, against the
// database, to the last bit.
func compareValues(t *testing.T, db *influxd.Server, folder, seed string) {
	t.Helper()
	receipt, err := influx.ReadReceipt(folder)
	if err != nil || receipt == nil || !receipt.Complete {
		t.Fatalf("receipt %+v, %v", receipt, err)
	}
	there := map[string]float64{}
	for _, m := range influx.Measurements {
		for _, s := range db.Query(fmt.Sprintf(`SELECT * FROM %s WHERE seed='%s' AND "type"='' GROUP BY element`, m, seed)) {
			for _, row := range s.Values {
				for i, c := range s.Columns[1:] {
					if v, ok := row[1+i].(float64); ok {
						there[fmt.Sprintf("%s %s %s %.0f", m, s.Tags["element"], c, row[0])] = v
					}
				}
			}
		}
	}
	columns, rows := readParquet(t, filepath.Join(folder, "series.parquet"))
	for _, row := range rows {
		at := float64(receipt.Epoch.UnixNano() + row[1].Int64())
		for i, c := range columns[2:] {
			p := influx.ColumnPlace(c)
			key := fmt.Sprintf("%s %s %s %.0f", p.Measurement, p.Element, p.Field, at)
			v, ok := there[key]
			if want := row[2+i].Double(); ok != !math.IsNaN(want) || ok && v != want {
				t.Fatalf("%s: %v in the database (%t), %v in Parquet", key, v, ok, want)
			}
		}
	}
}

func readParquet(t *testing.T, path string) (columns []string, rows []parquetgo.Row) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquetgo.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range file.Schema().Fields() {
		columns = append(columns, f.Name())
	}
	reader := parquetgo.NewReader(file)
	defer reader.Close()
	buffer := make([]parquetgo.Row, 256)
	for {
		n, err := reader.ReadRows(buffer)
		for _, r := range buffer[:n] {
			rows = append(rows, r.Clone())
		}
		if err == io.EOF {
			return columns, rows
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
