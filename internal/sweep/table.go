package sweep

import (
	"fmt"
	"reflect"
	"strings"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
	"cosim/internal/record/parquet"
)

// resultsTable has a row a run: which one, the swept keys, and every figure of
// its summary under the name that it has there ("tasks.p_succ"). Nothing in it
// depends on where and when the run was made.
func resultsTable(s *Sweep, results []result) *parquet.Rows {
	t := &parquet.Rows{Name: "results", Columns: []parquet.Column{
		{Name: "run"}, {Name: "experiment"}, {Name: "case"}, {Name: "seed"},
	}}
	swept := map[string]bool{"case": true} // what is a column already
	var axes []int
	for i, a := range s.Axes {
		if swept[a.Key] {
			continue
		}
		axes = append(axes, i)
		t.Columns = append(t.Columns, parquet.Column{Name: a.Key, Unit: a.Unit, Description: "swept key"})
	}
	t.Columns = append(t.Columns, parquet.Column{Name: "error", Description: "why the run has no figures"})
	place := map[string]int{}
	for _, r := range results {
		p := &s.Points[r.point]
		row := []any{r.Run, p.Label, p.Case, r.seed}
		for _, i := range axes {
			row = append(row, s.Axes[i].Parse(p.Values[i]))
		}
		var failure any
		if r.Error != "" {
			failure = r.Error
		}
		row = append(row, failure)
		if r.Summary != nil {
			flatten("", reflect.ValueOf(*r.Summary), func(name string, v any) {
				k, known := place[name]
				if !known {
					k = len(t.Columns)
					place[name] = k
					t.Columns = append(t.Columns, parquet.Column{Name: name, Unit: experiment.Unit(name)})
				}
				for len(row) <= k {
					row = append(row, nil)
				}
				row[k] = v
			})
		}
		t.Rows = append(t.Rows, row)
	}
	for i, row := range t.Rows {
		t.Rows[i] = append(row, make([]any, len(t.Columns)-len(row))...)
	}
	return t
}

// identifying are keys of a summary that stand in columns of their own.
var identifying = map[string]bool{"experiment": true, "case": true, "seed": true, "complete": true}

// flatten tells every value of a summary: groups by their names, things of a
// list by their class, or else by their number.
func flatten(prefix string, v reflect.Value, tell func(name string, v any)) {
	switch {
	case v.Type() == reflect.TypeFor[metrics.Number]():
		if x := v.Float(); metrics.Number(x).Defined() {
			tell(prefix, x)
		} else {
			tell(prefix, nil)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case !f.IsExported() || name == "-" || prefix == "" && identifying[name]:
			case f.Anonymous && name == "":
				flatten(prefix, v.Field(i), tell)
			default:
				flatten(strings.TrimPrefix(prefix+"."+name, "."), v.Field(i), tell)
			}
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			name := fmt.Sprint(i)
			if thing := v.Index(i); thing.Kind() == reflect.Struct {
				if class := thing.FieldByName("Class"); class.IsValid() {
					name = class.String()
				}
			}
			flatten(prefix+"."+name, v.Index(i), tell)
		}
	case v.CanInt():
		tell(prefix, v.Int())
	case v.CanFloat():
		tell(prefix, v.Float())
	case v.Kind() == reflect.Bool:
		tell(prefix, v.Bool())
	case v.Kind() == reflect.String:
		tell(prefix, v.String())
	}
}

// timingTable is of the wall clock and the machines.
func timingTable(results []result) *parquet.Rows {
	t := &parquet.Rows{Name: "timing", Columns: []parquet.Column{
		{Name: "run"},
		{Name: "wall_s", Unit: "s", Description: "the simulation alone"},
		{Name: "real_time_factor", Description: "simulated seconds a second"},
		{Name: "worker", Description: "machine and process"},
		{Name: "attempt", Description: "how often the run was begun"},
		{Name: "ended_at", Description: "UTC, RFC 3339"},
	}}
	for _, r := range results {
		var wall, factor any
		if r.WallS > 0 && r.Summary != nil {
			wall, factor = r.WallS, float64(r.Summary.SimulatedS)/r.WallS
		}
		t.Rows = append(t.Rows, []any{r.Run, wall, factor, r.Worker, int64(r.Attempt), r.EndedAt.Format("2006-01-02T15:04:05.000Z")})
	}
	return t
}
