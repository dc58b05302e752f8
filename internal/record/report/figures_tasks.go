package report

import (
	"fmt"
	"maps"
	"slices"

	"cosim/internal/metrics"
	"cosim/internal/plot"
)

// causes of failure, in the order of the paper's chain of things that can go
// wrong.
var causes = []struct {
	name string
	rgb  uint32 // none of an experiment's
	of   func(metrics.CauseCounts) int64
}{
	{"no-key", 0xE69F00, func(c metrics.CauseCounts) int64 { return c.NoKey }},
	{"link-down", 0x56B4E9, func(c metrics.CauseCounts) int64 { return c.LinkDown }},
	{"late", 0x999999, func(c metrics.CauseCounts) int64 { return c.Late }},
	{"queue-drop", 0xCC79A7, func(c metrics.CauseCounts) int64 { return c.QueueDrop }},
	{"rejected", 0x202020, func(c metrics.CauseCounts) int64 { return c.Rejected }},
	{"deactivated", 0xF0E442, func(c metrics.CauseCounts) int64 { return c.Deactivated }},
}

// rows lays out a row for each class and experiment: classes with a gap
// between them, the class named once.
type rows struct {
	names []plot.Name
	at    []float64
	total float64
}

// classGap is the distance between the rows of two classes, in rows.
const classGap = 1.5

func (s *study) layRows(classes []string) rows {
	var r rows
	at := 0.0
	for i, class := range classes {
		if i > 0 {
			at += classGap - 1
			if s.single() {
				at -= classGap - 1
			}
		}
		for j, g := range s.groups {
			text := g.label
			if j == 0 {
				text = class + "   " + g.label
			}
			if s.single() {
				text = class
			}
			r.names = append(r.names, plot.Name{At: -at, Text: text})
			r.at = append(r.at, -at)
			at++
		}
	}
	r.total = at
	return r
}

// failures show what share of the tasks failed, and why.
func (s *study) failures() *picture {
	var classes []string
	counts := make([]map[string]metrics.TaskFigures, len(s.groups))
	for i, g := range s.groups {
		counts[i] = g.tasks()
		for _, class := range slices.Sorted(maps.Keys(counts[i])) {
			if !slices.Contains(classes, class) {
				classes = append(classes, class)
			}
		}
	}
	if len(classes) == 0 {
		return nil
	}
	slices.Sort(classes)
	lay := s.layRows(classes)
	p := plot.Panel{
		X: plot.Axis{Quantity: "failed tasks", Unit: "%"}, Y: plot.Axis{Names: lay.names},
		HeightCM: rowsFrameCM + rowCM*lay.total,
	}
	widest := 0.0
	for i := range lay.at {
		t, ok := counts[i%len(s.groups)][classes[i/len(s.groups)]]
		decided := t.Successes + t.Failed.Total()
		if !ok || decided == 0 {
			continue
		}
		bar := plot.Bar{Row: lay.at[i]}
		for _, c := range causes {
			bar.Parts = append(bar.Parts, plot.Part{Label: c.name, Size: 100 * float64(c.of(t.Failed)) / float64(decided)})
		}
		bar.Text = fmt.Sprintf("P_succ %s: %s of %s failed", significantShare(t.PSucc), thousands(t.Failed.Total()), thousands(decided))
		widest = max(widest, 100*float64(t.Failed.Total())/float64(decided))
		p.Shapes = append(p.Shapes, bar)
	}
	p.X.To = 1.8 * widest // room for the texts
	if widest == 0 {
		p.X.To = 1
	}
	f := &plot.Figure{Title: "Failed tasks by class and cause", Legend: plot.Above, Panels: []plot.Panel{p}}
	for _, c := range causes {
		f.Looks = append(f.Looks, plot.Look{Label: c.name, RGB: c.rgb})
	}
	return &picture{
		"failures", fmt.Sprintf("Share of the decided tasks of each class that failed, by the one cause that each has, %s; tasks of all runs together. P_succ is successes / decided tasks.", s.runsText()), f,
	}
}

func significantShare(n metrics.Number) string {
	if n == 1 {
		return "1"
	}
	return fmt.Sprintf("%.4f", float64(n))
}

// tasks are the counts by class over all runs.
func (g *group) tasks() map[string]metrics.TaskFigures {
	sum := map[string]metrics.TaskFigures{}
	for _, r := range g.runs {
		for _, c := range r.summary.Tasks.ByClass {
			t := sum[c.Class]
			t.Successes += c.Successes
			f := c.Failed
			t.Failed = metrics.CauseCounts{
				NoKey: t.Failed.NoKey + f.NoKey, LinkDown: t.Failed.LinkDown + f.LinkDown, Late: t.Failed.Late + f.Late,
				QueueDrop: t.Failed.QueueDrop + f.QueueDrop, Rejected: t.Failed.Rejected + f.Rejected, Deactivated: t.Failed.Deactivated + f.Deactivated,
			}
			t.PSucc = metrics.Number(float64(t.Successes) / float64(max(1, t.Successes+t.Failed.Total())))
			sum[c.Class] = t
		}
	}
	return sum
}

// latency shows how long tasks took, and their limits.
func (s *study) latency() *picture {
	var classes []string
	for _, g := range s.groups {
		for class := range g.latency { // sorted below
			if !slices.Contains(classes, class) {
				classes = append(classes, class)
			}
		}
	}
	if len(classes) == 0 {
		return nil
	}
	slices.Sort(classes)
	lay := s.layRows(classes)
	p := plot.Panel{
		X: plot.Axis{Quantity: "latency, from trigger to actuation", Unit: "ms", Log: true},
		Y: plot.Axis{Names: lay.names}, HeightCM: rowsFrameCM + rowCM*lay.total,
	}
	for i := range lay.at {
		g, class := s.groups[i%len(s.groups)], classes[i/len(s.groups)]
		h := g.latency[class]
		if h == nil {
			continue
		}
		q := func(q float64) float64 { return max(1e-3, 1000*float64(h.QuantileS(q))) }
		r := plot.Range{
			Row: lay.at[i], Label: g.label, Min: q(0), Low: q(0.05), Middle: q(0.5), High: q(0.95), Max: q(1),
			Limit: 1000 * g.runs[0].about.Experiment.Classes[class].Latency.Seconds(),
		}
		p.Shapes = append(p.Shapes, r)
	}
	return &picture{
		"latency", fmt.Sprintf("Latency of the tasks that succeeded, %s, tasks of all runs together. Ring: median; thick: 5 to 95 %%; thin: shortest to longest; black stroke: the class's limit. Quantiles are exact to 0.4 %%.", s.runsText()),
		&plot.Figure{Title: "Latency by class", Legend: plot.Above, Looks: s.looks(), Panels: []plot.Panel{p}},
	}
}
