package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

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
	if len(times.Shapes) > 0 {
		f.Panels = append(f.Panels, times)
		caption = " Left: time of a decision on the wall clock of the machine that made the run (ring: median over the runs of the quantile named; line: over runs); stroke: the period."
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

// timesPanel has a row a quantile and experiment.
func timesPanel(groups []*group) plot.Panel {
	p := plot.Panel{
		Title: "time of a decision", X: plot.Axis{Quantity: "wall clock", Unit: "ms", Log: true, Ticks: 5}, Y: plot.Axis{Names: []plot.Name{}}, HeightCM: 6,
	}
	quantiles := []struct {
		name string
		of   func(t *timing) float64
	}{
		{"median", func(t *timing) float64 { return t.Measured.Decisions.P50S }},
		{"99 %", func(t *timing) float64 { return t.Measured.Decisions.P99S }},
		{"longest", func(t *timing) float64 { return t.Measured.Decisions.MaxS }},
	}
	at := 0.0
	for _, g := range groups {
		for j, q := range quantiles {
			var values []float64
			for _, r := range g.runs {
				if r.timing.Measured.Decisions != nil {
					values = append(values, 1000*q.of(&r.timing))
				}
			}
			x := metrics.Describe(values)
			if x.N == 0 || x.Min <= 0 {
				continue
			}
			name := q.name
			if j == 0 && len(groups) > 1 {
				name = g.label + "   " + q.name
			}
			p.Y.Names = append(p.Y.Names, plot.Name{At: -at, Text: name})
			p.Shapes = append(p.Shapes, plot.Range{
				Row: -at, Label: g.label, Min: float64(x.Min), Low: float64(x.Q1), Middle: float64(x.Median), High: float64(x.Q3), Max: float64(x.Max),
				Limit: 1000 * g.runs[0].about.Experiment.Reconfiguration.Period.Seconds(),
			})
			at++
		}
		at += 0.5
	}
	return p
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
