package influx

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"pgregory.net/rapid"

	"cosim/internal/record"
)

func newTestEncoder(t testing.TB, run Run, names ...string) *encoder {
	t.Helper()
	columns := make([]record.Column, len(names))
	for i, n := range names {
		columns[i].Name = n
	}
	e, err := newEncoder(run, columns)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestConstantsStandBesideTheirColumns(t *testing.T) {
	e := newTestEncoder(t, Run{Case: "c", Constants: []Constant{
		{Pool, "CC-GW1", FieldPoolSafe, 34400}, {Pool, "CC-GW9", FieldPoolSafe, 1}, {Grid, "coi", FieldFrequencySafe, 0.05},
	}}, "scada.pool/pool/CC-GW1", "grid.frequency/coi")
	e.row(0, []float64{7, math.NaN()})
	want := "pool,case=c,element=CC-GW1,run=@0001-01-01T00:00:00.000Z,seed=0 pool=7,pool_safe=34400 "
	if got := string(e.lines.Bytes()); !strings.HasPrefix(got, want) || strings.Contains(got, "frequency_safe") || len(e.ends) != 2 {
		t.Errorf("got\n%s", got)
	}
}

// What holds from the start is written once it is known that no event says
// otherwise.
func TestPlanAtTheStartYieldsToEventsAtTheStart(t *testing.T) {
	start := []record.Event{{Type: "plan", Element: "a", Detail: "otp"}, {Type: "plan", Element: "b", Detail: "aes"}}
	e := newTestEncoder(t, Run{Start: start}, "grid.frequency/coi")
	e.row(0, []float64{0})
	e.event(&record.Event{Type: "plan", Element: "b", Value: 1, Detail: "off"})
	e.row(1e8, []float64{0})
	text := string(e.lines.Bytes())
	if strings.Count(text, "chain,") != 2 || !strings.Contains(text, `element=a,run=@0001-01-01T00:00:00.000Z,seed=0,type=plan detail="otp"`) ||
		!strings.Contains(text, `value=1,detail="off"`) || strings.Contains(text, `"aes"`) {
		t.Errorf("got\n%s", text)
	}
}

func TestLostFederatesAreCounted(t *testing.T) {
	e := newTestEncoder(t, Run{})
	e.event(&record.Event{Type: "federate-lost", Element: "battery", Detail: "held"})
	e.row(1e8, nil)
	if text := string(e.lines.Bytes()); !strings.Contains(text, FieldFederatesLost+"=1") || !strings.Contains(text, "type=federate-lost value=0,detail=\"held\"") {
		t.Errorf("got\n%s", text)
	}
}

// Whatever the events, each has a place of its own.
func TestNoTwoEventsShareAPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRepeats()
		type spot struct {
			place
			nth int
		}
		taken := map[spot]bool{}
		now := int64(0)
		for range rapid.IntRange(0, 200).Draw(t, "events") {
			now += rapid.SampledFrom([]int64{0, 0, 1, 1e7, 1e10, 1e11}).Draw(t, "later")
			v := &record.Event{
				AtNS: max(0, now-rapid.SampledFrom([]int64{0, 0, 1e7}).Draw(t, "late")),
				Type: rapid.SampledFrom([]string{"task", "key-block"}).Draw(t, "type"), Element: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "element"),
			}
			s := spot{place{v.AtNS, v.Type, v.Element, "", "", ""}, r.count(v)}
			if taken[s] {
				t.Fatalf("%+v is taken", s)
			}
			taken[s] = true
		}
		if len(r.now)+len(r.before) > 200 {
			t.Fatalf("%d places are remembered", len(r.now)+len(r.before))
		}
	})
}

// Events of federates outside hold any text; the database must be able to read
// it.
func FuzzEventsAreReadable(f *testing.F) {
	f.Add("task", "pmu-30", "pmu", "late", `a "quoted" \ detail`, 1.5)
	f.Add("", " ", "a,b=c d", "\\", "line\nbreak", math.Inf(-1))
	f.Add("\x00", "\xff", "é", "a\\", "\xfe", math.NaN())
	f.Fuzz(func(t *testing.T, typ, element, class, cause, detail string, value float64) {
		e := newTestEncoder(t, Run{Experiment: element, Case: class, Name: "x"})
		e.event(&record.Event{AtNS: 5, Type: typ, Element: element, Class: class, Cause: cause, Detail: detail, Value: value})
		if err := e.lines.Err(); err != nil {
			t.Fatal(err)
		}
		d := lineprotocol.NewDecoderWithBytes(e.lines.Bytes())
		points := 0
		for ; d.Next(); points++ {
			if _, err := d.Measurement(); err != nil {
				t.Fatal(err)
			}
			for {
				k, v, err := d.NextTag()
				if err != nil {
					t.Fatal(err)
				}
				if k == nil {
					break
				}
				if string(k) == TagClass && printable(class) != string(v) {
					t.Errorf("class %q is read as %q", class, v)
				}
			}
			for {
				k, v, err := d.NextField()
				if err != nil {
					t.Fatal(err)
				}
				if k == nil {
					break
				}
				if string(k) == FieldValue && v.FloatV() != value {
					t.Errorf("value %v is read as %v", value, v)
				}
				if string(k) == FieldDetail && utf8.ValidString(detail) && v.StringV() != detail {
					t.Errorf("detail %q is read as %q", detail, v.StringV())
				}
			}
			if at, err := d.Time(lineprotocol.Nanosecond, time.Time{}); err != nil || at.UnixNano() != e.epochNS+5 {
				t.Errorf("time %v, %v", at, err)
			}
		}
		if points != 1 {
			t.Errorf("%d points", points)
		}
	})
}

func BenchmarkEncodeRow(b *testing.B) {
	var names []string
	for i := range 100 {
		names = append(names, "grid.bus_frequency/bus/"+string(rune('a'+i)), "grid.bus_voltage/bus/"+string(rune('a'+i)))
	}
	e := newTestEncoder(b, Run{Name: "S-3-1", Experiment: "S-3", Case: "ieee39", Seed: 1, Epoch: time.Unix(1e9, 0)}, names...)
	values := make([]float64, len(names))
	for i := range values {
		values[i] = 1 / float64(i+3)
	}
	b.ReportAllocs()
	b.ResetTimer()
	points := 0
	for i := range b.N {
		e.reset()
		e.row(int64(i)*1e8, values)
		points += len(e.ends)
	}
	b.ReportMetric(float64(points)/b.Elapsed().Seconds(), "points/s")
}
