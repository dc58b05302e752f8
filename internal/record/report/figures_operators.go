package report

import (
	"math"
	"slices"

	"cosim/internal/plot"
)

// operatorsOverTime shows each operator's task success and key share over time.
func (s *study) operatorsOverTime() *picture {
	f := &plot.Figure{Title: "Operators", Legend: plot.Above}
	for _, g := range s.groups {
		if r := g.shown; r != nil && r.trace != nil && len(r.trace.operators) > 0 {
			f.Panels = append(f.Panels, s.operatorPanels(g)...)
		}
	}
	if len(f.Panels) == 0 {
		return nil
	}
	f.Looks = lineLooks(f.Panels[0])
	shareTheAxis(f.Panels)
	caption := s.shownText() + " Of each operator: the share of its tasks decided in the last 10 s that succeeded"
	if slices.ContainsFunc(f.Panels, func(p plot.Panel) bool { return p.Y.Quantity == keyShare }) {
		caption += ", and s_a, the key granted to its tasks of the last 10 s over the key that they would take in their wished modes"
	}
	return &picture{"operators", caption + ".", f}
}

// keyShare is what the key granted over the key asked for is called.
const keyShare = "s_a"

// operatorPanels are those of the run shown of an experiment.
func (s *study) operatorPanels(g *group) []plot.Panel {
	r := g.shown
	name := ""
	if !s.single() {
		name = g.label + ": "
	}
	panel := func(title string, y plot.Axis) plot.Panel {
		p := plot.Panel{Title: name + title, X: plot.Axis{Quantity: "time", Unit: "s"}, Y: y, HeightCM: 4.5, Spans: spans(r.trace.breaks, broken)}
		p.X.To = r.about.Experiment.Duration.Seconds()
		return p
	}
	success := panel("task success", plot.Axis{Quantity: "success", Unit: "%", From: 100, To: 100})
	shares := panel("key share", plot.Axis{Quantity: keyShare, To: 1.05})
	for i := range r.trace.operators {
		o := &r.trace.operators[i]
		x, y := o.success.line(100)
		success.Lines = append(success.Lines, plot.Line{Label: o.name, Role: plot.Dashed, X: x, Y: y})
		if len(y) > 0 {
			success.Y.From = min(success.Y.From, slices.Min(y))
		}
		x, y = o.share.line(1)
		shares.Lines = append(shares.Lines, plot.Line{Label: o.name, Role: plot.Dashed, X: x, Y: y})
	}
	// Whole percents, and room above for lines at 100.
	success.Y.From = min(99, math.Floor(success.Y.From))
	success.Y.To = 100 + 0.05*(100-success.Y.From)
	var panels []plot.Panel
	for _, p := range []plot.Panel{success, shares} {
		if slices.ContainsFunc(p.Lines, func(l plot.Line) bool { return spanOf(l) >= leastSettled }) {
			panels = append(panels, p)
		}
	}
	return panels
}

// spanOf is how much of the x axis a line covers.
func spanOf(l plot.Line) float64 {
	if len(l.X) == 0 {
		return 0
	}
	return l.X[len(l.X)-1] - l.X[0]
}
