package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
	"cosim/internal/plot"
)

// Heights of a panel with rows, in cm: of what surrounds them, and of a row.
const (
	rowsFrameCM = 1.5
	rowCM       = 0.57
)

// beside sets the headline figures of the experiments beside each other, and
// beside the paper's.
func (s *study) beside() *picture {
	if s.single() {
		return nil
	}
	f := &plot.Figure{
		Title: "Figures of the runs", Columns: 2, Legend: plot.Above, Looks: s.looks(),
		Note: "large: mean with 95 % interval; small: the runs",
	}
	for _, r := range s.comparison.Rows {
		if r.Headline && someOf(r) {
			f.Panels = append(f.Panels, s.besidePanel(r))
		}
	}
	if len(f.Panels) == 0 {
		return nil
	}
	for i := range f.Panels {
		if i%2 == 1 {
			f.Panels[i].Y.Bare = true
		}
	}
	caption := fmt.Sprintf("The headline figures: mean over %s with the 95 %% interval (Student's t), and each run as a point.", s.runsText())
	if s.paper {
		caption += " Hollow diamond or bracket: what the paper has; none where it says nothing."
	}
	return &picture{"figures", caption, f}
}

func someOf(r experiment.Row) bool {
	for _, x := range r.Samples {
		if x.N > 0 {
			return true
		}
	}
	return false
}

// besidePanel has a row an experiment.
func (s *study) besidePanel(r experiment.Row) plot.Panel {
	name, scale := r.Heading()
	p := plot.Panel{
		Title: strings.SplitN(name, " / ", 2)[0], X: plot.Axis{Unit: r.Unit, Ticks: 5},
		Y: plot.Axis{Names: []plot.Name{}}, HeightCM: rowsFrameCM + 0.7 + 1.15*rowCM*float64(len(s.groups)),
	}
	if r.Unit == "" {
		p.X.Quantity = "share of all tasks"
		if strings.HasPrefix(r.Key, "key_use") {
			p.X.Quantity = "consumed / generated"
		} else if r.Key != "p_succ" {
			p.X.Quantity = "index"
		}
	}
	for i, g := range s.groups {
		p.Y.Names = append(p.Y.Names, plot.Name{At: plot.Row(i), Text: g.label})
		x := r.Samples[i]
		if x.N == 0 {
			continue
		}
		row := plot.Interval{
			Row: plot.Row(i), Label: g.label, Values: scaled(g.values(r.Key), scale), Mean: scale * float64(x.Mean),
			Low: scale * float64(x.CI95Low), High: scale * float64(x.CI95High), From: math.NaN(), To: math.NaN(),
			Text: x.Text(scale, false), Other: "paper",
		}
		if s.paper {
			row.From, row.To = paperRange(r.Paper[i])
		}
		p.Shapes = append(p.Shapes, row)
	}
	return p
}

// paperRange reads "0.72" or "12-16".
func paperRange(text string) (from, to float64) {
	low, high, ranged := strings.Cut(text, "-")
	if !ranged {
		high = low
	}
	from, err := strconv.ParseFloat(low, 64)
	to, err2 := strconv.ParseFloat(high, 64)
	if err != nil || err2 != nil {
		return math.NaN(), math.NaN()
	}
	return from, to
}

// values are a figure's, by run; runs without it are left out.
func (g *group) values(key string) []float64 {
	var list []float64
	for _, r := range g.runs {
		for _, f := range r.summary.Figures() {
			if f.Key == key && f.Value.Defined() {
				list = append(list, float64(f.Value))
			}
		}
	}
	return list
}

func scaled(values []float64, by float64) []float64 {
	for i := range values {
		values[i] *= by
	}
	return values
}

// recovery shows how the times of recovery are distributed over the runs.
func (s *study) recovery() *picture {
	if s.single() {
		return nil
	}
	p := plot.Panel{
		X: plot.Axis{Quantity: "mean time outside ±50 mHz after a fault, one value a run", Unit: "s"},
		Y: plot.Axis{Names: []plot.Name{}}, HeightCM: rowsFrameCM + 2.4*rowCM*float64(len(s.groups)),
	}
	most := 0
	for i, g := range s.groups {
		values := g.values("trr_s")
		p.Y.Names = append(p.Y.Names, plot.Name{At: plot.Row(i), Text: g.label})
		if len(values) == 0 {
			continue
		}
		most = max(most, len(values))
		x := metrics.Describe(values)
		p.Shapes = append(p.Shapes, plot.Spread{
			Row: plot.Row(i), Label: g.label, Values: values,
			Text: fmt.Sprintf("median %s s", three(float64(x.Median))),
		})
	}
	if most < 3 {
		return nil
	}
	return &picture{
		"recovery",
		fmt.Sprintf("Time to recovery, %s. One point a run: the mean over its faults of the time with |Δf| > 50 mHz from the fault to the return that lasts 5 s. Box: quartiles and median; whiskers: farthest runs within 1.5 box lengths.", s.runsText()),
		&plot.Figure{Title: "Time to recovery", Legend: plot.Above, Looks: s.looks(), Panels: []plot.Panel{p}},
	}
}

const safeMHZ = 1000 * metrics.SafeHz

func safeLevels() []plot.Level {
	return []plot.Level{{Y: safeMHZ, Name: "Δf_safe"}, {Y: -safeMHZ, Name: "−Δf_safe"}}
}

// frequency shows the whole run.
func (s *study) frequency() *picture {
	p := plot.Panel{
		X: plot.Axis{Quantity: "time", Unit: "s"}, Y: plot.Axis{Quantity: "frequency deviation Δf", Unit: "mHz"},
		Levels: safeLevels(), HeightCM: 6.5,
	}
	var first *trace
	for _, g := range s.groups {
		if g.shown == nil || g.shown.trace == nil || len(g.shown.trace.frequency.pieces) == 0 {
			continue
		}
		t := g.shown.trace
		if first == nil {
			first = t
		}
		x, y := t.frequency.line(1000)
		line := plot.Line{Label: g.label, Role: plot.Dashed, X: x, Y: y}
		if s.single() {
			line.Label, line.Role = inertia, plot.Ordinary
		}
		p.Lines = append(p.Lines, line)
		p.X.To = max(p.X.To, g.shown.about.Experiment.Duration.Seconds())
	}
	if first == nil {
		return nil
	}
	p.Spans = append(spans(first.steps, stepped), spans(first.breaks, broken)...)
	if s.single() {
		p.Marks = []plot.Mark{extreme(s.one())}
	}
	return &picture{
		"frequency", s.shownText() + fmt.Sprintf(" Δf of the centre of inertia over the whole run; every %s a value, thinned so that all peaks remain.", s.recordText()),
		&plot.Figure{Title: "Frequency over the whole run", Legend: plot.Above, Looks: s.looks(), Panels: []plot.Panel{p}},
	}
}

// extreme marks the largest deviation: of all steps as the summary has it, on
// the side that the series shows.
func extreme(r *run) plot.Mark {
	least, greatest := r.trace.frequency.extremes()
	sign := -1.0
	if greatest.y > -least.y {
		least, sign = greatest, 1
	}
	if g := r.summary.Grid; !r.killed && g.DeltaFMaxHz.Defined() {
		least = point{float64(g.DeltaFMaxAtS), sign * float64(g.DeltaFMaxHz)}
	}
	return plot.Mark{X: least.t, Y: 1000 * least.y, Text: fmt.Sprintf("%s mHz at %.1f s", signed(1000*least.y), least.t)}
}

func signed(x float64) string {
	return strings.Replace(fmt.Sprintf("%+.0f", x), "-", "−", 1)
}

// spans shades intervals; broken links overlap, steps are trips where they have
// no end.
func spans(list []interval, label string) []plot.Span {
	var out []plot.Span
	for _, i := range list {
		out = append(out, plot.Span{From: i.from, To: i.to, Label: label})
	}
	return out
}

// contingencies show the frequency around each fault.
func (s *study) contingencies() *picture {
	var first *trace
	for _, g := range s.groups {
		if g.shown != nil && g.shown.trace != nil && len(g.shown.trace.windows) > 0 {
			first = g.shown.trace
			break
		}
	}
	if first == nil {
		return nil
	}
	f := &plot.Figure{
		Title: "Frequency after each fault", Columns: min(3, len(first.windows)), Legend: plot.Above, Looks: s.looks(),
	}
	least, greatest := -safeMHZ, safeMHZ
	for i, w := range first.windows {
		p := plot.Panel{
			Title: fmt.Sprintf("%.0f s: %s", w.at, w.what), HeightCM: 6.5,
			X: plot.Axis{Quantity: "time after the fault", Unit: "s", From: -beforeS, To: afterS, Ticks: 5},
			Y: plot.Axis{Bare: i%f.Columns > 0}, Spans: around(first.breaks, w.at),
			Levels: []plot.Level{{Y: safeMHZ}, {Y: -safeMHZ}},
		}
		if i%f.Columns == 0 {
			p.Y.Quantity, p.Y.Unit = "Δf", "mHz"
		}
		if (i+1)%f.Columns == 0 || i == len(first.windows)-1 {
			p.Levels = safeLevels()
		}
		for _, g := range s.groups {
			if g.shown == nil || g.shown.trace == nil || len(g.shown.trace.windows) <= i {
				continue
			}
			own := g.shown.trace.windows[i].trace
			x, y := own.line(1000)
			line := plot.Line{Label: g.label, Role: plot.Dashed, X: x, Y: y}
			if s.single() {
				line.Label, line.Role = inertia, plot.Ordinary
			}
			p.Lines = append(p.Lines, line)
			lo, hi := own.extremes()
			least, greatest = min(least, 1000*lo.y), max(greatest, 1000*hi.y)
		}
		f.Panels = append(f.Panels, p)
	}
	space := 0.06 * (greatest - least)
	for i := range f.Panels {
		f.Panels[i].Y.From, f.Panels[i].Y.To = least-space, greatest+space
	}
	return &picture{
		"contingencies", s.shownText() + fmt.Sprintf(" Δf of the centre of inertia from %.0f s before to %.0f s after each fault%s. Shaded: the fibre breaks that come with the faults.", beforeS, afterS, s.overlayText()), f,
	}
}

// around are the breaks near a fault, in time after it.
func around(breaks []interval, at float64) []plot.Span {
	var out []plot.Span
	for _, b := range breaks {
		if b.to >= at-beforeS && b.from <= at+afterS {
			out = append(out, plot.Span{From: b.from - at, To: b.to - at, Label: broken})
		}
	}
	return out
}

func (s *study) overlayText() string {
	if s.single() {
		return ""
	}
	return "; the same disturbances in all experiments"
}

func (s *study) recordText() string {
	for _, g := range s.groups {
		if g.shown != nil {
			return step(g.shown.about.Experiment.Steps.Record)
		}
	}
	return ""
}
