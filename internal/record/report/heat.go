package report

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/parquet-go/parquet-go"

	"cosim/internal/metrics"
	"cosim/internal/plot"
	"cosim/internal/record"
)

// heatTable is a figure over two swept quantities: Z[i][j] belongs to Y[i] and
// X[j], and is NaN where there is no run.
type heatTable struct {
	name, title, what      string // what a cell is
	xName, xUnit           string
	yName, yUnit           string
	x, y                   []float64
	z                      [][]float64
	runs, fewest, greatest int // in all; of a cell
}

// picture draws the table.
func (t heatTable) picture() picture {
	most := 0.0
	for _, row := range t.z {
		for _, z := range row {
			if !math.IsNaN(z) {
				most = math.Max(most, math.Abs(z))
			}
		}
	}
	digits := 3
	for f := 0.1; digits < 6 && most > 0 && most < f; f /= 10 {
		digits++
	}
	f := &plot.Figure{Title: t.title, Panels: []plot.Panel{{
		X: plot.HeatAxis(t.xName, t.xUnit, t.x), Y: plot.HeatAxis(t.yName, t.yUnit, t.y),
		HeightCM: 2 + 0.9*float64(len(t.y)),
		Shapes:   []plot.Shape{plot.Heat{Z: t.z, Format: fmt.Sprintf("%%.%df", digits)}},
	}}}
	n := count(t.fewest, "run")
	if t.greatest != t.fewest {
		n = fmt.Sprintf("%d to %s", t.fewest, count(t.greatest, "run"))
	}
	return picture{"heat-" + t.name, fmt.Sprintf("%s, over the values swept; %s, %s a cell. Dark is much.", t.what, count(t.runs, "run"), n), f}
}

// takeTables reads the sweeps among the places, and returns the others.
func (s *study) takeTables(places []string) (others []string, err error) {
	for _, place := range places {
		file := filepath.Join(place, record.SweepTableName)
		if _, err := os.Stat(file); err != nil {
			others = append(others, place)
			continue
		}
		t, err := readTable(file)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		tables, err := t.heatTables()
		if err != nil {
			return nil, fmt.Errorf("report: %s: %w", file, err)
		}
		s.tables = append(s.tables, tables...)
	}
	return others, nil
}

// table is the numbers of a Parquet file, NaN where there is none.
type table struct {
	columns map[string][]float64
	swept   []string // columns of numbers that the sweep varied
	units   map[string]string
	rows    int
}

func readTable(name string) (*table, error) {
	in, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(in, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t := &table{columns: map[string][]float64{}, units: map[string]string{}}
	fields := file.Schema().Fields()
	numeric := make([]bool, len(fields))
	for i, f := range fields {
		numeric[i] = f.Leaf() && (f.Type().Kind() == parquet.Double || f.Type().Kind() == parquet.Int64)
		t.units[f.Name()], _ = file.Lookup("unit:" + f.Name())
		if what, _ := file.Lookup("description:" + f.Name()); what == "swept key" && numeric[i] {
			t.swept = append(t.swept, f.Name())
		}
	}
	for _, group := range file.RowGroups() {
		if err := t.take(group, fields, numeric); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return t, nil
}

func (t *table) take(group parquet.RowGroup, fields []parquet.Field, numeric []bool) error {
	rows := group.Rows()
	defer rows.Close()
	buffer := make([]parquet.Row, 64)
	for {
		n, err := rows.ReadRows(buffer)
		for _, row := range buffer[:n] {
			for _, v := range row {
				if i := v.Column(); i < len(fields) && numeric[i] {
					t.columns[fields[i].Name()] = append(t.columns[fields[i].Name()], asFloat(v))
				}
			}
			t.rows++
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func asFloat(v parquet.Value) float64 {
	switch {
	case v.IsNull():
		return math.NaN()
	case v.Kind() == parquet.Int64:
		return float64(v.Int64())
	}
	return v.Double()
}

// cellFigures are what is mapped: the deviation of fairness where there is any,
// else the headline figures.
var cellFigures = []struct {
	column, name, title, what string
	of                        func(metrics.Sample) metrics.Number
	fair                      bool
}{
	{"fairness.key_fairness_sd", "fairness", "Fluctuation of key fairness", "Standard deviation of F_K over time, mean over the runs", mean, true},
	{"fairness.key_fairness_mean", "fairness", "Fluctuation of key fairness", "Standard deviation of F_K over the runs (of its mean over time)", deviation, true},
	{"tasks.p_succ", "success", "Task success", "P_succ, mean over the runs", mean, false},
	{"grid.delta_f_max_hz", "frequency", "Largest frequency deviation", "Δf_max in Hz, mean over the runs", mean, false},
}

func mean(s metrics.Sample) metrics.Number      { return s.Mean }
func deviation(s metrics.Sample) metrics.Number { return s.SD }

// heatTables maps figures over the two keys that were swept.
func (t *table) heatTables() ([]heatTable, error) {
	var axes []string
	for _, name := range t.swept {
		if len(levels(t.columns[name])) > 1 {
			axes = append(axes, name)
		}
	}
	if len(axes) != 2 {
		return nil, UsageError{fmt.Errorf("%d quantities were swept (%q), a heat map needs two with several values each", len(axes), axes)}
	}
	var list []heatTable
	known := map[string]bool{}
	for _, c := range cellFigures {
		values, ok := t.columns[c.column]
		if !ok || known[c.name] || len(levels(values)) == 0 || !c.fair && known["fairness"] {
			continue
		}
		known[c.name] = true
		h := t.cells(axes[1], axes[0], values, c.of)
		h.name, h.title, h.what = c.name, c.title, c.what
		list = append(list, h)
	}
	if len(list) == 0 {
		return nil, errors.New("no run has figures")
	}
	return list, nil
}

// cells groups the runs by two keys.
func (t *table) cells(x, y string, values []float64, of func(metrics.Sample) metrics.Number) heatTable {
	h := heatTable{xName: axisName(x), xUnit: t.units[x], yName: axisName(y), yUnit: t.units[y], x: levels(t.columns[x]), y: levels(t.columns[y]), runs: t.rows}
	h.fewest = t.rows
	for _, b := range h.y {
		row := make([]float64, len(h.x))
		for j, a := range h.x {
			var cell []float64
			for i, v := range values {
				if t.columns[x][i] == a && t.columns[y][i] == b {
					cell = append(cell, v)
				}
			}
			sample := metrics.Describe(cell)
			row[j] = float64(of(sample))
			h.fewest, h.greatest = min(h.fewest, sample.N), max(h.greatest, sample.N)
		}
		h.z = append(h.z, row)
	}
	return h
}

// axisName is how people call a key, or the key itself.
func axisName(key string) string {
	switch key {
	case "quantum.break_rate_hz":
		return "link breaks λ_break"
	case "reconfiguration.rounds":
		return "LD-CP rounds at most"
	}
	return key
}

// levels are the values that occur, in ascending order.
func levels(values []float64) []float64 {
	sorted := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
