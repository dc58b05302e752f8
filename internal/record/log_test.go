package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clockOf returns a clock that shows the next multiple of tick at each call.
func clockOf(tick time.Duration) func() time.Time {
	now := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(tick)
		return now
	}
}

// item is a row (values set) or an event.
type item struct {
	tNS    int64
	values []float64
	event  *Event
}

// logBytes writes items as a whole log.
func logBytes(t testing.TB, columns []Column, items []item, failed bool) []byte {
	t.Helper()
	var out bytes.Buffer
	head, err := encodeHeader(columns)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(head)
	l := newLogWriter(&out, len(columns), clockOf(0))
	for _, i := range items {
		if i.event != nil {
			err = l.event(i.event)
		} else {
			err = l.row(i.tNS, i.values)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := l.end(failed); err != nil {
		t.Fatal(err)
	}
	if err := l.flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readItems reads a log to its end.
func readItems(t testing.TB, log []byte) ([]item, Ending) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	var items []item
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return items, r.Ending()
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == KindRow {
			items = append(items, item{tNS: rec.TimeNS, values: append([]float64{}, rec.Values...)})
		} else {
			e := rec.Event
			items = append(items, item{tNS: e.AtNS, event: &e})
		}
	}
}

var twoColumns = []Column{{"delta_f", "Hz", "deviation of the centre of inertia"}, {"pool/CC-GW1", "bit", ""}}

func twoColumnItems() []item {
	return []item{
		{tNS: 0, values: []float64{0, 1e6}},
		{tNS: 5e7, event: &Event{AtNS: 5e7, Type: "task", Element: "agc-30", Class: "agc", Mode: "otp", Cause: "no-key", Value: 0.3, Unit: "s", Detail: "a, \"b\"\nc"}},
		{tNS: 1e8, values: []float64{-0.01, 999_000.5}},
		{tNS: 1e8, event: &Event{AtNS: 1e8, Type: "link-down", Element: "CC-GW1"}},
		{tNS: 2e8, values: []float64{math.Inf(-1), math.SmallestNonzeroFloat64}},
	}
}

func TestLogReadsBackWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		columns := make([]Column, rapid.IntRange(0, 9).Draw(rt, "columns"))
		for i := range columns {
			columns[i] = Column{fmt.Sprintf("c%d", i), rapid.String().Draw(rt, "unit"), rapid.String().Draw(rt, "description")}
		}
		var items []item
		var last int64
		for range rapid.IntRange(0, 20).Draw(rt, "records") {
			last += rapid.Int64Range(1, 1e12).Draw(rt, "step")
			i := item{tNS: last}
			if rapid.Bool().Draw(rt, "row") {
				i.values = rapid.SliceOfN(rapid.Float64(), len(columns), len(columns)).Draw(rt, "values")
			} else {
				s := rapid.SliceOfN(rapid.String(), 7, 7).Draw(rt, "strings")
				i.event = &Event{last, s[0], s[1], s[2], s[3], s[4], rapid.Float64().Draw(rt, "value"), s[5], s[6]}
			}
			items = append(items, i)
		}
		failed := rapid.Bool().Draw(rt, "failed")
		log := logBytes(t, columns, items, failed)
		got, ending := readItems(t, log)
		if !reflect.DeepEqual(got, items) {
			rt.Fatalf("read %v, wrote %v", got, items)
		}
		if !ending.Closed || ending.Failed != failed || ending.Torn != "" || ending.Bytes != int64(len(log)) {
			rt.Fatalf("ending %+v of a whole log of %d bytes, failed %v", ending, len(log), failed)
		}
	})
}

func TestNotANumberKeepsItsBits(t *testing.T) {
	nan := math.Float64frombits(0x7ff8_0000_0000_beef)
	got, _ := readItems(t, logBytes(t, twoColumns, []item{{values: []float64{nan, 1}}}, false))
	if bits := math.Float64bits(got[0].values[0]); bits != 0x7ff8_0000_0000_beef {
		t.Errorf("bits %#x", bits)
	}
}

// What old logs hold must stay readable: a change of these bytes needs a new
// format version.
func TestFormatIsPinned(t *testing.T) {
	log := logBytes(t, twoColumns, twoColumnItems(), false)
	const wantStart = "636f73696d6c6f67"
	if start := hex.EncodeToString(log[:8]); start != wantStart {
		t.Errorf("log begins with %s, want %s", start, wantStart)
	}
	// kind 4, status 0; its CRC-32C computed apart: crc32c(04 00).
	const wantEnd = "02000000" + "0e16ebbf" + "0400"
	if end := hex.EncodeToString(log[len(log)-10:]); end != wantEnd {
		t.Errorf("log ends with %s, want %s", end, wantEnd)
	}
	const want = "7811e7bcb80d110101f79a2b994d6f5a41f98537d1b8ff019ade0823bb87e73b"
	if sum := fmt.Sprintf("%x", sha256.Sum256(log)); sum != want {
		t.Errorf("SHA-256 of the log %s, want %s", sum, want)
	}
}

func TestWallClockLeavesNoTraceInTheLog(t *testing.T) {
	write := func(tick time.Duration) []byte {
		var out bytes.Buffer
		l := newLogWriter(&out, 2, clockOf(tick))
		for i := range 100 {
			if err := l.row(int64(i), []float64{1, 2}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.flush(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	if !bytes.Equal(write(0), write(time.Hour)) {
		t.Error("two clocks, two logs")
	}
}

func TestLogIsFlushedOnceASecond(t *testing.T) {
	var out bytes.Buffer
	l := newLogWriter(&out, 1, clockOf(400*time.Millisecond))
	var flushed []int
	for i := range 7 {
		before := out.Len()
		if err := l.row(int64(i), []float64{0}); err != nil {
			t.Fatal(err)
		}
		if out.Len() > before {
			flushed = append(flushed, i)
		}
	}
	// Creation at 0.4 s; row i at 0.8 + 0.4 i: 1.6 s is 1.2 s later, then 2.8 s.
	if want := []int{2, 5}; !reflect.DeepEqual(flushed, want) {
		t.Errorf("flushed at rows %v, want %v", flushed, want)
	}
}

func TestEveryPrefixOfALogIsReadable(t *testing.T) {
	columns, items := twoColumns, twoColumnItems()
	log := logBytes(t, columns, items, false)
	head, _ := encodeHeader(columns)
	boundary := map[int]bool{}
	for n := 1; n <= len(items); n++ {
		boundary[len(logBytes(t, columns, items[:n], false))-frameBytes-2] = true // without the end record
	}
	boundary[len(head)] = true
	for n := range log {
		if n < len(head) {
			if _, err := NewReader(bytes.NewReader(log[:n])); err == nil {
				t.Fatalf("%d of %d header bytes were taken for a header", n, len(head))
			}
			continue
		}
		got, ending := readItems(t, log[:n])
		if len(got) > 0 && !reflect.DeepEqual(got, items[:len(got)]) {
			t.Fatalf("cut at %d: read %v", n, got)
		}
		if ending.Closed || (ending.Torn == "") != boundary[n] {
			t.Fatalf("cut at %d (boundary %v): ending %+v", n, boundary[n], ending)
		}
		if ending.Rows+ending.Events != int64(len(got)) || ending.Bytes > int64(n) {
			t.Fatalf("cut at %d: ending %+v after %d records", n, ending, len(got))
		}
	}
}

func TestEveryFlippedByteIsNoticed(t *testing.T) {
	items := twoColumnItems()
	log := logBytes(t, twoColumns, items, false)
	for n := range log {
		damaged := bytes.Clone(log)
		damaged[n] ^= 0x41
		r, err := NewReader(bytes.NewReader(damaged))
		if err != nil {
			continue
		}
		read := 0
		for _, err = r.Next(); err == nil; _, err = r.Next() {
			read++
		}
		if err != io.EOF || r.Ending().Torn == "" || read > len(items) {
			t.Fatalf("byte %d flipped: %d records, %v, ending %+v", n, read, err, r.Ending())
		}
	}
}

func TestEndingSaysWhatWasFound(t *testing.T) {
	log := logBytes(t, twoColumns, twoColumnItems(), true)
	zeros := append(bytes.Clone(log[:len(log)-10]), make([]byte, 4096)...)
	for _, c := range []struct {
		name string
		log  []byte
		want string
	}{
		{"failed", log, "3 rows and 2 events up to 200ms (closed after a failure)"},
		{"killed", log[:len(log)-10], "3 rows and 2 events up to 200ms (not closed: the run was killed or goes on)"},
		{"cut", log[:len(log)-11], fmt.Sprintf("2 rows and 2 events up to 100ms (torn at byte %d: last record is cut off)", len(log)-10-frameBytes-25)},
		{"zeros", zeros, fmt.Sprintf("3 rows and 2 events up to 200ms (torn at byte %d: record claims a length of 0 bytes)", len(log)-10)},
		{"more", append(bytes.Clone(log), 'x'), fmt.Sprintf("3 rows and 2 events up to 200ms (torn at byte %d: more follows the end record)", len(log))},
	} {
		_, ending := readItems(t, c.log)
		if got := ending.String(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestOtherFormatsAreRefused(t *testing.T) {
	frame := append(beginFrame(nil, kindHeader), `{"format":2}`...)
	endFrame(frame)
	twice := append(beginFrame(nil, kindHeader), `{"format":1,"columns":[{"name":"a"},{"name":"a"}]}`...)
	endFrame(twice)
	for name, c := range map[string]struct{ log, want string }{
		"empty":        {"", "not a run.log"},
		"text":         {"time,frequency\n", "not a run.log"},
		"later":        {magic + string(frame), "log has format 2, this program reads format 1"},
		"same columns": {magic + string(twice), `column name "a" is taken`},
	} {
		if _, err := NewReader(strings.NewReader(c.log)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestRowsMustFitAndFollow(t *testing.T) {
	l := newLogWriter(io.Discard, 2, clockOf(0))
	if err := l.row(5, []float64{1}); err == nil || err.Error() != "record: row at 5ns has 1 values, want 2" {
		t.Error(err)
	}
	if err := l.row(5, []float64{1, 2}); err != nil {
		t.Error(err)
	}
	if err := l.row(5, []float64{1, 2}); err == nil || err.Error() != "record: row at 5ns does not follow the row at 5ns" {
		t.Error(err)
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	l := newLogWriter(io.Discard, 120, time.Now)
	values := make([]float64, 120)
	event := Event{Type: "task", Element: "pmu-16", Class: "pmu", Mode: "aes-wc", Unit: "s"}
	var at int64
	step := func() {
		at++
		event.AtNS = at
		if err := l.row(at, values); err != nil {
			t.Fatal(err)
		}
		if err := l.event(&event); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations a row and event", n)
	}
}

func FuzzReader(f *testing.F) {
	whole := logBytes(f, twoColumns, twoColumnItems(), false)
	f.Add(whole)
	f.Add(whole[:len(whole)-17])
	f.Add([]byte(magic + "\xff\xff\xff\x00\x00\x00\x00\x00"))
	read := func(log []byte) (Ending, error) {
		r, err := NewReader(bytes.NewReader(log))
		for err == nil {
			_, err = r.Next()
		}
		if r == nil {
			return Ending{}, err
		}
		return r.Ending(), err
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		ending, err := read(log)
		if err != io.EOF {
			return
		}
		// What was readable is a log of its own with the same content, whole.
		again, err := read(log[:ending.Bytes])
		ending.Torn = ""
		if err != io.EOF || again != ending {
			t.Fatalf("readable part: %+v, %v; of the whole: %+v", again, err, ending)
		}
	})
}
