package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
	"cosim/internal/plot"
)

var nan = math.NaN()

// decisions show how long decisions took and how well they were proven.
func (s *study) decisions() *picture {
	var deciding []*group
	for _, g := range s.groups {
		if g.gaps.Count() > 0 && g.runs[0].about.reconfigures() {
			deciding = append(deciding, g)
		}
	}
	if len(deciding) == 0 {
		return nil
	}
	f := &plot.Figure{Title: "Decisions", Columns: 2, Legend: plot.Above, Looks: s.looks()}
	times, gaps := timesPanel(deciding), gapsPanel(deciding)
	caption := ""
	if len(times.Lines) > 0 {
		f.Panels = append(f.Panels, times)
		caption = " Left: share of decisions that took no longer, on the wall clock of the machine that made the run; bins of 12 %. Decisions longer than the period: " + lateText(deciding) + "."
	}
	if len(times.Shapes) > 0 {
		caption += " Points: median, 99 % and longest, medians over the runs, of programs that did not record more."
	}
	f.Panels = append(f.Panels, gaps)
	n := ""
	for i, g := range deciding {
		if i > 0 {
			n += ", "
		}
		n += fmt.Sprintf("%s decisions of %s in %s", thousands(g.gaps.Count()), g.label, count(len(g.runs), "run"))
	}
	side := "Right: "
	if len(f.Panels) == 1 {
		side = ""
	}
	return &picture{
		"decisions", "n = " + n + "." + caption + " " + side + "share of decisions whose gap, (objective − bound) / max(1, |objective|), is no larger; gaps below 10⁻⁵ count as that.", f,
	}
}

// timesPanel has the distribution of wall times, or where timing.json has none
// its median, 99 % and longest.
func timesPanel(groups []*group) plot.Panel {
	p := plot.Panel{
		Title: "time of a decision", X: plot.Axis{Quantity: "wall clock", Unit: "ms", Log: true, From: math.MaxFloat64, Ticks: 5},
		Y: plot.Axis{Quantity: "decisions within it", Unit: "%", From: 0, To: 104, Ticks: 5}, HeightCM: 6,
	}
	periods := map[float64]bool{}
	for _, g := range groups {
		line := g.timesLine()
		if len(line.X) > 0 {
			p.Lines = append(p.Lines, line)
		} else if points := g.timesPoints(); len(points.X) > 0 {
			p.Shapes = append(p.Shapes, points)
		} else {
			continue
		}
		for _, x := range slices.Concat(line.X, g.timesPoints().X) {
			p.X.From, p.X.To = min(p.X.From, x/1.25), max(p.X.To, 1.25*x)
		}
		period := 1000 * g.runs[0].about.Experiment.Reconfiguration.Period.Seconds()
		if !periods[period] {
			periods[period] = true
			p.X.To = max(p.X.To, 1.25*period)
			p.Lines = append(p.Lines, plot.Line{Label: fmt.Sprintf("period, %g ms", period), Role: plot.Main, X: []float64{period, period}, Y: []float64{0, 104}})
		}
	}
	return p
}

// timesLine adds up the distributions of all runs that have one, in ms and %.
func (g *group) timesLine() plot.Line {
	counts := map[float64]int64{}
	total := int64(0)
	for _, r := range g.runs {
		if d := r.timing.Measured.Decisions; d != nil && d.Bins != nil {
			for i, n := range d.Bins.Count[:min(len(d.Bins.Count), len(d.Bins.UpToS))] {
				counts[d.Bins.UpToS[i]] += n
				total += n
			}
		}
	}
	line := plot.Line{Label: g.label, Role: plot.Dashed}
	within := int64(0)
	for _, end := range slices.Sorted(maps.Keys(counts)) {
		within += counts[end]
		if end > 0 && total > 0 {
			line.X, line.Y = append(line.X, 1000*end), append(line.Y, 100*float64(within)/float64(total))
		}
	}
	return line
}

// timesPoints are medians over runs.
func (g *group) timesPoints() plot.Points {
	points := plot.Points{Label: g.label}
	for _, q := range []struct {
		share float64
		of    func(*experiment.DecisionTimes) float64
	}{
		{50, func(d *experiment.DecisionTimes) float64 { return d.P50S }},
		{99, func(d *experiment.DecisionTimes) float64 { return d.P99S }},
		{100, func(d *experiment.DecisionTimes) float64 { return d.MaxS }},
	} {
		var values []float64
		for _, r := range g.runs {
			if d := r.timing.Measured.Decisions; d != nil {
				values = append(values, 1000*q.of(d))
			}
		}
		if x := metrics.Describe(values); x.N > 0 && x.Min > 0 {
			points.X, points.Y = append(points.X, float64(x.Median)), append(points.Y, q.share)
		}
	}
	return points
}

// lateText says how many decisions took longer than their period.
func lateText(groups []*group) string {
	text := ""
	for _, g := range groups {
		late, timed := 0, false
		for _, r := range g.runs {
			if d := r.timing.Measured.Decisions; d != nil {
				late, timed = late+d.Missed, true
			}
		}
		if timed {
			text += fmt.Sprintf(", %s of %s", thousands(int64(late)), g.label)
		}
	}
	return strings.TrimPrefix(text, ", ")
}

// gapsPanel has the distribution of gaps.
func gapsPanel(groups []*group) plot.Panel {
	const least = 1e-3 // percent
	p := plot.Panel{
		Title: "gap of a decision", X: plot.Axis{Quantity: "gap to the proven bound", Unit: "%", Log: true, From: least, To: 1},
		Y: plot.Axis{Quantity: "decisions up to it", Unit: "%", From: 0, To: 104, Ticks: 5}, HeightCM: 6,
	}
	for _, g := range groups {
		line := plot.Line{Label: g.label, Role: plot.Dashed}
		for i := 0; i <= 400; i++ {
			q := float64(i) / 400
			x := max(least, 100*float64(g.gaps.QuantileS(q)))
			line.X, line.Y = append(line.X, x), append(line.Y, 100*q)
		}
		p.X.To = max(p.X.To, 2*line.X[len(line.X)-1])
		p.Lines = append(p.Lines, line)
	}
	return p
}

// singleChains is up to how many chains each has a row of its own.
const singleChains = 48

// plans show the modes and routes of chains over time.
func (s *study) plans() *picture {
	var g *group
	for _, x := range s.groups { // the last one that reconfigures is the newest scheme
		if x.shown != nil && x.shown.trace != nil && x.shown.trace.strips != nil && x.shown.trace.strips.events > 0 {
			g = x
		}
	}
	if g == nil {
		return nil
	}
	st, a := g.shown.trace.strips, g.shown.about
	p := plot.Panel{
		X: plot.Axis{Quantity: "time", Unit: "s"}, Y: plot.Axis{Names: []plot.Name{}},
	}
	p.X.To = a.Experiment.Duration.Seconds()
	what := "One row a chain."
	if len(st.chains) <= singleChains {
		for i, c := range st.sorted() {
			p.Y.Names = append(p.Y.Names, plot.Name{At: plot.Row(i), Text: c.ID})
			p.Shapes = append(p.Shapes, st.strip(plot.Row(i), []*chainStrip{c}))
		}
		p.HeightCM = rowsFrameCM + 0.4*float64(len(p.Shapes))
	} else {
		for i, b := range st.bundles(a) {
			p.Y.Names = append(p.Y.Names, plot.Name{At: plot.Row(i), Text: fmt.Sprintf("%s (%d)", b.name, len(b.chains))})
			p.Shapes = append(p.Shapes, st.strip(plot.Row(i), b.chains))
		}
		p.HeightCM = rowsFrameCM + 0.55*float64(len(p.Shapes))
		what = "One row a class and gateway, with the number of its chains."
	}
	return &picture{
		"plans",
		fmt.Sprintf("%s, seed %d: mode and route of each chain by plan, from %s changes. %s In each of %d pieces of time the states are piled up by their shares of it; blue: the static route, orange: another one, darker: stronger.",
			g.label, s.seed, thousands(int64(st.events)), what, stripPieces),
		&plot.Figure{Title: "Modes and routes of the chains, " + g.label, Legend: plot.Above, Looks: stripStates, Panels: []plot.Panel{p}},
	}
}

// sorted are the chains by class and name, numbers by their size.
func (s *strips) sorted() []*chainStrip {
	var list []*chainStrip
	for _, c := range s.chains { // sorted below
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *chainStrip) int {
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// bundle is the chains of a class behind a gateway.
type bundle struct {
	name   string
	chains []*chainStrip
}

func (s *strips) bundles(a *about) []bundle {
	var list []bundle
	for _, c := range s.sorted() {
		name := c.Task + " " + a.gatewayOf(c.chainAbout)
		i := slices.IndexFunc(list, func(b bundle) bool { return b.name == name })
		if i < 0 {
			i = len(list)
			list = append(list, bundle{name: name})
		}
		list[i].chains = append(list[i].chains, c)
	}
	slices.SortStableFunc(list, func(a, b bundle) int { return cmp.Compare(a.name, b.name) })
	return list
}
