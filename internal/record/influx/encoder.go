package influx

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"cosim/internal/record"
)

// encoder turns rows and events of one log into line protocol.
type encoder struct {
	run      Run
	tag      string // of the run
	seed     string
	epochNS  int64
	rows     []rowPoint
	at       map[where]int           // of the rows
	derive   Deriver                 // or nil
	lost     int                     // federates so far
	start    map[string]record.Event // of run.Start, not yet written, by type and element
	order    []string                // of start
	repeated repeats

	lines lineprotocol.Encoder
	ends  []int // of each point in lines
}

// rowPoint is what a row says of one element.
type rowPoint struct {
	measurement, element string
	fields               []field
	constants            []field // with a value in place of a column
	derived              []field // likewise, of one row
	counts               bool    // lost federates
}

type where struct{ measurement, element string }

type field struct {
	name   string
	column int
	value  lineprotocol.Value
}

func newEncoder(run Run, columns []record.Column) (*encoder, error) {
	e := &encoder{
		run: run, tag: run.Tag(), seed: strconv.FormatUint(run.Seed, 10), epochNS: run.Epoch.UnixNano(),
		start: map[string]record.Event{}, repeated: newRepeats(), at: map[where]int{},
	}
	e.lines.SetPrecision(lineprotocol.Nanosecond)
	if run.Derive != nil {
		e.derive = run.Derive(columns)
	}
	point := func(measurement, element string) *rowPoint {
		i, ok := e.at[where{measurement, element}]
		if !ok {
			i = len(e.rows)
			e.at[where{measurement, element}] = i
			e.rows = append(e.rows, rowPoint{measurement: measurement, element: element})
		}
		return &e.rows[i]
	}
	for i, c := range columns {
		p := ColumnPlace(c.Name)
		r := point(p.Measurement, p.Element)
		r.fields = append(r.fields, field{name: p.Field, column: i})
	}
	for _, c := range run.Constants {
		if i, ok := e.at[where{c.Measurement, c.Element}]; ok {
			value, ok := lineprotocol.FloatValue(c.Value)
			if !ok {
				return nil, fmt.Errorf("influx: constant %s of %s is %v", c.Field, c.Element, c.Value)
			}
			e.rows[i].constants = append(e.rows[i].constants, field{name: c.Field, value: value})
		}
	}
	point(Master, "").counts = true
	for _, s := range run.Start {
		e.order = append(e.order, s.Type+" "+s.Element)
		e.start[s.Type+" "+s.Element] = s
	}
	return e, nil
}

// reset empties the lines.
func (e *encoder) reset() {
	e.lines.Reset()
	e.ends = e.ends[:0]
}

// row adds the points of a row.
func (e *encoder) row(tNS int64, values []float64) {
	if tNS > 0 {
		e.begin()
	}
	if e.derive != nil {
		e.take(e.derive.Row(tNS, values))
	}
	for i := range e.rows {
		p := &e.rows[i]
		begun := false
		for _, f := range p.fields {
			v, ok := lineprotocol.FloatValue(values[f.column])
			if !ok {
				continue
			}
			if !begun {
				begun = true
				e.line(p.measurement, &record.Event{Element: p.element}, 0)
			}
			e.lines.AddField(f.name, v)
		}
		if p.counts && !begun {
			begun = true
			e.line(p.measurement, &record.Event{Element: p.element}, 0)
		}
		if !begun {
			continue
		}
		for _, c := range p.constants {
			e.lines.AddField(c.name, c.value)
		}
		for _, d := range p.derived {
			e.lines.AddField(d.name, d.value)
		}
		p.derived = p.derived[:0]
		if p.counts {
			e.lines.AddField(FieldFederatesLost, lineprotocol.MustNewValue(float64(e.lost)))
		}
		e.end(tNS)
	}
}

// take puts derived values to the points of their elements.
func (e *encoder) take(derived []Constant) {
	for _, d := range derived {
		if i, ok := e.at[where{d.Measurement, d.Element}]; ok {
			if v, ok := lineprotocol.FloatValue(d.Value); ok {
				e.rows[i].derived = append(e.rows[i].derived, field{name: d.Field, value: v})
			}
		}
	}
}

// event adds the point of an event.
func (e *encoder) event(v *record.Event) {
	if v.AtNS > 0 {
		e.begin()
	} else {
		delete(e.start, v.Type+" "+v.Element)
	}
	if v.Type == "federate-lost" {
		e.lost++
	}
	if e.derive != nil {
		e.derive.Event(v)
	}
	e.write(v, e.repeated.count(v))
}

// begin writes what holds from the start, once it is known what is said at
// time zero.
func (e *encoder) begin() {
	for _, key := range e.order {
		if s, ok := e.start[key]; ok {
			s.AtNS, s.Value = 0, math.NaN()
			e.write(&s, 1)
		}
	}
	e.order, e.start = nil, nil
}

func (e *encoder) write(v *record.Event, nth int) {
	e.line(EventPlace(v.Type), v, nth)
	value, ok := lineprotocol.FloatValue(v.Value)
	if ok {
		e.lines.AddField(FieldValue, value)
	}
	if v.Detail != "" || !ok {
		detail, _ := lineprotocol.StringValue(strings.ToValidUTF8(v.Detail, "?"))
		e.lines.AddField(FieldDetail, detail)
	}
	e.end(v.AtNS)
}

// line begins a point. Tags come in the order that the format asks for.
func (e *encoder) line(measurement string, v *record.Event, nth int) {
	e.lines.StartLine(measurement)
	e.addTag(TagCase, e.run.Case)
	e.addTag(TagCause, v.Cause)
	e.addTag(TagClass, v.Class)
	e.addTag(TagElement, v.Element)
	e.addTag(TagExperiment, e.run.Experiment)
	e.addTag(TagMode, v.Mode)
	if nth > 1 {
		e.addTag(TagNth, strconv.Itoa(nth))
	}
	e.addTag(TagRun, e.tag)
	e.addTag(TagSeed, e.seed)
	e.addTag(TagType, v.Type)
}

// end ends a point at a simulated time.
func (e *encoder) end(tNS int64) {
	e.lines.EndLine(time.Unix(0, e.epochNS+tNS))
	e.ends = append(e.ends, len(e.lines.Bytes()))
}

func (e *encoder) addTag(key, value string) {
	if value != "" {
		e.lines.AddTag(key, printable(value))
	}
}

// printable is what a tag can hold of a word that a federate outside chose.
func printable(s string) string {
	if !strings.ContainsFunc(s, unprintable) && !strings.HasSuffix(s, `\`) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if unprintable(r) {
			return '?'
		}
		return r
	}, s)
	return strings.TrimRight(s, `\`) + "?"
}

func unprintable(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }

// repeats counts events in one place of the database. It remembers those of
// the last minute or two: later ones are no more than a step behind.
type repeats struct {
	now, before map[place]int
	sinceNS     int64
}

type place struct {
	atNS                              int64
	typ, element, class, mode, caused string
}

const rememberNS = 60e9

func newRepeats() repeats { return repeats{now: map[place]int{}, before: map[place]int{}} }

// count returns 1 for the first event in a place, 2 for the second.
func (r *repeats) count(v *record.Event) int {
	if v.AtNS >= r.sinceNS+rememberNS {
		r.now, r.before, r.sinceNS = r.before, r.now, v.AtNS
		clear(r.now)
	}
	at := place{v.AtNS, v.Type, v.Element, v.Class, v.Mode, v.Cause}
	n := max(r.now[at], r.before[at]) + 1
	r.now[at] = n
	return n
}
