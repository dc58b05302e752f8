package report

import (
	"fmt"
	"math"
	"time"

	"cosim/internal/plot"
)

// Labels of the figure of forecasts.
const (
	asItCame   = "as it came"
	asForecast = "as forecast"
	bandLabel  = "95 % band"
	tooLittle  = "less came than the band has"
	tooMuch    = "more came"
)

var forecastLooks = []plot.Look{
	{Label: asItCame},
	{Label: asForecast, RGB: 0x0072B2},
	{Label: bandLabel, RGB: 0x7DBBE6, Plain: true},
	{Label: tooLittle, RGB: 0xD55E00},
	{Label: tooMuch, RGB: 0x999999},
	brokenLook,
}

// forecasts show how far the forecasts of key can be trusted: one pool near a
// break, and how many held.
func (s *study) forecasts() *picture {
	var g *group // the last one, as in plans
	var rows []coverage
	for _, x := range s.groups {
		if x.shown == nil || x.shown.trace == nil || x.shown.trace.forecast == nil {
			continue
		}
		f := x.shown.trace.forecast
		if all := sum(f.links); all.n > 0 {
			g = x
			rows = append(rows, coverage{x.label, all})
		}
	}
	if g == nil {
		return nil
	}
	t := g.shown.trace
	f := t.forecast
	if s.single() {
		rows = rows[:0]
		for _, h := range f.links {
			rows = append(rows, coverage{h.link, *h})
		}
	}
	ahead := step(time.Duration(math.Round(f.horizonS * 1e9)))
	fig := &plot.Figure{Title: "Forecasts of key", Legend: plot.Above, Looks: forecastLooks}
	caption := s.shownText()
	if z := f.zoom; z != nil && len(z.key.t) > 1 {
		fig.Panels = append(fig.Panels, z.panels(t, ahead, g.shown.about.Experiment.Keys.Pool.SafeBits)...)
		caption += fmt.Sprintf(" Above: %s of %s, each forecast drawn at the time that it is about, %s after it was made; the stock is forecast in whole blocks, less what was drawn meanwhile.", z.link, g.label, ahead)
		if len(fig.Panels[0].Spans) > 0 {
			caption += fmt.Sprintf(" Nobody foresees a break: forecasts fail for %s after it begins.", ahead)
		}
	}
	fig.Panels = append(fig.Panels, coveragePanel(rows))
	all := sum(f.links)
	caption += fmt.Sprintf(" Bars: the share of forecasts, one every %s, outside whose 95 %% band the distilled key lay; black stroke: the 5 %% that the band means. Of %s in whole blocks, which is what decisions reckon with, %s lay inside.",
		step(g.shown.about.Experiment.Steps.Record), g.label, percent(1-float64(all.missed)/float64(all.n)))
	return &picture{"forecast", caption, fig}
}

// panels are the stock of a pool and the key that comes, over time.
func (z *zoom) panels(t *trace, ahead string, safeBits float64) []plot.Panel {
	x := plot.Axis{From: z.from, To: z.to}
	level := z.level.panel(z.link + ": key in the pool")
	level.X, level.Y.Quantity, level.HeightCM = x, "stock", 4.7
	if least, most := limits(z.level.low, z.level.high, z.level.came); safeBits > least-(most-least) && safeBits < most { // near
		level.Levels = []plot.Level{{Y: safeBits / 1000, Name: "K_safe"}}
	}
	x.Quantity, x.Unit = "time", "s"
	key := z.key.panel(z.link + ": key distilled within " + ahead)
	key.X, key.Y.Quantity, key.HeightCM = x, "key", 5
	_, most := limits(z.key.high, z.key.came)
	key.Y.To = 1.06 * most / 1000
	panels := []plot.Panel{level, key}
	for i := range panels {
		for _, b := range t.breaks {
			if b.what == z.link && b.to > z.from && b.from < z.to {
				panels[i].Spans = append(panels[i].Spans, plot.Span{From: b.from, To: b.to, Label: broken})
			}
		}
	}
	return panels
}

func (c *course) panel(title string) plot.Panel {
	kbit := func(bits []float64) []float64 {
		out := make([]float64, len(bits))
		for i, v := range bits {
			out[i] = v / 1000
		}
		return out
	}
	return plot.Panel{
		Title: title, Y: plot.Axis{Unit: "kbit"},
		Shapes: []plot.Shape{plot.Band{Label: bandLabel, X: c.t, Low: kbit(c.low), High: kbit(c.high)}},
		Lines: []plot.Line{
			{Label: asForecast, Role: plot.Dashed, X: c.t, Y: kbit(c.mean)},
			{Label: asItCame, Role: plot.Main, X: c.t, Y: kbit(c.came)},
		},
	}
}

func limits(lists ...[]float64) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for _, list := range lists {
		for _, v := range list {
			least, most = min(least, v), max(most, v)
		}
	}
	return least, most
}

// coverage is a row of the panel of coverages.
type coverage struct {
	name string
	held
}

func coveragePanel(rows []coverage) plot.Panel {
	p := plot.Panel{
		Title: "forecasts that did not hold", X: plot.Axis{Quantity: "outside the 95 % band", Unit: "%"}, Y: plot.Axis{Names: []plot.Name{}},
		HeightCM: rowsFrameCM + 0.7 + 0.46*float64(len(rows)),
	}
	most := 5.0
	for i, r := range rows {
		less, more := 100*float64(r.less)/float64(r.n), 100*float64(r.more)/float64(r.n)
		most = max(most, less+more)
		p.Y.Names = append(p.Y.Names, plot.Name{At: plot.Row(i), Text: r.name})
		p.Shapes = append(p.Shapes, plot.Bar{
			Row: plot.Row(i), Parts: []plot.Part{{Label: tooLittle, Size: less}, {Label: tooMuch, Size: more}},
			Limit: 5, Text: fmt.Sprintf("%.1f %% inside", 100-less-more),
		})
	}
	p.X.To = 1.35 * most
	return p
}
