package report

import (
	"fmt"
	"math"

	"cosim/internal/metrics"
	"cosim/internal/plot"
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

// heatTables maps figures over two keys that were swept.
func (t *table) heatTables(x, y string) []heatTable {
	var list []heatTable
	known := map[string]bool{}
	for _, c := range cellFigures {
		values, ok := t.columns[c.column]
		if !ok || known[c.name] || len(levels(values)) == 0 || !c.fair && known["fairness"] {
			continue
		}
		known[c.name] = true
		h := t.cells(x, y, values, c.of)
		h.name, h.title, h.what = c.name, c.title, c.what
		list = append(list, h)
	}
	return list
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
