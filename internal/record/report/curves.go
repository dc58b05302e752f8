package report

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"cosim/internal/metrics"
	"cosim/internal/plot"
)

// curveFigures are what is drawn over one key that was swept; those that no run
// has are left out.
var curveFigures = []struct {
	column, title, quantity, unit string
	scale                         float64
	most                          float64 // that can be; none is below 0
}{
	{"tasks.p_succ", "Task success", "P_succ", "%", 100, 100},
	{"grid.delta_f_max_hz", "Largest frequency deviation", "Δf_max", "Hz", 1, math.Inf(1)},
	{"keys.key_use_centre", "Key use at the control centre (consumed / generated)", "key use", "", 1, math.Inf(1)},
	{"fairness.key_fairness_mean", "Key fairness, mean over time", "F_K", "", 1, 1},
}

// estimate is a figure over the values of a key.
type estimate struct{ x, mean, low, high []float64 }

// add takes the runs of the next value. Student's t knows no bounds: the
// interval is cut where no value can be.
func (e *estimate) add(x, scale, most float64, s metrics.Sample) {
	e.x = append(e.x, x)
	e.mean = append(e.mean, scale*float64(s.Mean))
	e.low = append(e.low, max(0, scale*float64(s.CI95Low)))
	e.high = append(e.high, min(most, scale*float64(s.CI95High)))
}

// drawnApart is how far the bars of neighbouring labels stand apart, in
// printer's points.
const drawnApart = 2.5

// curves draws figures over a key, a line a label.
func (t *table) curves(key string, labels []string) []picture {
	f := &plot.Figure{Title: "Sweep over " + axisName(key), Legend: plot.Above}
	x := curveAxis(key, t.units[key], levels(t.columns[key]))
	fewest, greatest := t.rows, 0
	for _, c := range curveFigures {
		if len(levels(t.columns[c.column])) == 0 {
			continue
		}
		p := plot.Panel{Title: c.title, X: x, Y: plot.Axis{Quantity: c.quantity, Unit: c.unit}, HeightCM: 4.5}
		for i, label := range labels {
			e := estimate{}
			part := t.of(label)
			for _, level := range levels(part.columns[key]) {
				s := part.at(key, level, c.column)
				fewest, greatest = min(fewest, s.N), max(greatest, s.N)
				if s.N > 0 {
					e.add(level, c.scale, c.most, s)
				}
			}
			label = cmp.Or(label, t.experiment())
			aside := drawnApart * (float64(i) - float64(len(labels)-1)/2)
			p.Lines = append(p.Lines, plot.Line{Label: label, Role: plot.Dashed, X: e.x, Y: e.mean})
			p.Shapes = append(p.Shapes, plot.Estimates{Label: label, X: e.x, Mean: e.mean, Low: e.low, High: e.high, AsidePT: aside})
		}
		f.Panels = append(f.Panels, p)
	}
	if len(f.Panels) == 0 {
		return nil
	}
	shareTheAxis(f.Panels)
	f.Panels[len(f.Panels)-1].HeightCM += 0.6 // for the name of the axis
	return []picture{{"curves", sweptCaption(t.rows, fewest, greatest) + " Marks of one value stand side by side; bars end where no value can be.", f}}
}

// curveAxis is logarithmic for values of very different size.
func curveAxis(key, unit string, values []float64) plot.Axis {
	const wide = 30
	least, greatest := values[0], values[len(values)-1]
	return plot.Axis{Quantity: axisName(key), Unit: unit, Log: least > 0 && greatest >= wide*least}
}

// at describes a figure of the runs with a value of a key.
func (t *table) at(key string, value float64, column string) metrics.Sample {
	var list []float64
	for i, v := range t.columns[key] {
		if v == value {
			list = append(list, t.columns[column][i])
		}
	}
	return metrics.Describe(list)
}

// experiment is that of a sweep over one.
func (t *table) experiment() string {
	if names := t.words["experiment"]; len(names) > 0 {
		return names[0]
	}
	return "mean"
}

func sweptCaption(runs, fewest, greatest int) string {
	n := count(fewest, "run")
	if greatest != fewest {
		n = fmt.Sprintf("%d to %s", fewest, count(greatest, "run"))
	}
	return fmt.Sprintf("Headline figures over the values swept: mean with the 95 %% interval (Student's t over seeds); %s, %s a value.", count(runs, "run"), n)
}

// sideBySide draws figures over a key whose values are words: a row a value,
// and of several experiments a row each.
func (t *table) sideBySide(key string, labels []string) []picture {
	values := occurring(t.words[key])
	f := &plot.Figure{Title: "Sweep over " + axisName(key), Note: "large: mean with 95 % interval; small: the runs", Columns: 2, Legend: plot.Above}
	fewest, greatest := t.rows, 0
	for _, c := range curveFigures {
		if len(levels(t.columns[c.column])) == 0 {
			continue
		}
		p := plot.Panel{Title: c.title, X: plot.Axis{Quantity: c.quantity, Unit: c.unit, Ticks: 5}, Y: plot.Axis{Names: []plot.Name{}, Bare: len(f.Panels)%2 == 1}}
		for _, value := range values {
			for _, label := range labels {
				runs := t.with(key, value, label, c.column)
				s := metrics.Describe(runs)
				fewest, greatest = min(fewest, s.N), max(greatest, s.N)
				row := plot.Row(len(p.Y.Names))
				p.Y.Names = append(p.Y.Names, plot.Name{At: row, Text: strings.TrimPrefix(label+", "+value, ", ")})
				if s.N > 0 {
					p.Shapes = append(p.Shapes, plot.Interval{
						Row: row, Label: cmp.Or(label, value), Values: scaled(runs, c.scale), Mean: c.scale * float64(s.Mean),
						Low: max(0, c.scale*float64(s.CI95Low)), High: min(c.most, c.scale*float64(s.CI95High)), From: math.NaN(), To: math.NaN(), Text: s.Text(c.scale, false),
					})
				}
			}
		}
		p.HeightCM = rowsFrameCM + 0.7 + 1.15*rowCM*float64(len(p.Y.Names))
		f.Panels = append(f.Panels, p)
	}
	if len(f.Panels) == 0 {
		return nil
	}
	looks := values
	if len(labels) > 1 {
		looks = labels
	}
	for _, label := range looks {
		f.Looks = append(f.Looks, plot.Look{Label: label})
	}
	return []picture{{"curves", sweptCaption(t.rows, fewest, greatest), f}}
}

// with are a figure's values of the runs that have a word and a label.
func (t *table) with(key, word, label, column string) []float64 {
	var list []float64
	for i, w := range t.words[key] {
		if w == word && t.labels[i] == label {
			list = append(list, t.columns[column][i])
		}
	}
	return list
}
