package report

import (
	"cmp"
	"fmt"
	"slices"

	"cosim/internal/metrics"
	"cosim/internal/plot"
)

// drawnPools is how many pools a panel shows.
const drawnPools = 4

// pools show the key at the control centre over time.
func (s *study) pools() *picture {
	f := &plot.Figure{Title: "Key at the control centre", Legend: plot.Above}
	left := 0
	for _, g := range s.groups {
		r := g.shown
		if r == nil || r.trace == nil || len(r.trace.pools) == 0 {
			continue
		}
		e := &r.about.Experiment
		p := plot.Panel{
			Y: plot.Axis{Quantity: "key in the pool", Unit: "kbit"}, X: plot.Axis{Quantity: "time", Unit: "s"},
			HeightCM: 6.5, Spans: spans(r.trace.breaks, broken),
		}
		p.X.To = e.Duration.Seconds()
		if e.Keys.Supply == "store" {
			p.Y.Quantity = "key in the store"
		}
		if !s.single() {
			p.Title, p.HeightCM = g.label, 5
		}
		pools := lowest(r.trace.pools)
		left = max(left, len(r.trace.pools)-len(pools))
		top := 0.0
		for _, pool := range pools {
			x, y := pool.level.line(1e-3)
			p.Lines = append(p.Lines, plot.Line{Label: pool.link, Role: plot.Dashed, X: x, Y: y})
			_, most := pool.level.extremes()
			top = max(top, most.y/1000)
		}
		if e.Keys.Pool.SafeBits > 0 {
			p.Levels = []plot.Level{{Y: e.Keys.Pool.SafeBits / 1000, Name: "K_safe"}, {Y: e.Keys.Pool.ThresholdBits / 1000, Name: "K_th"}}
			top = max(top, e.Keys.Pool.ThresholdBits/1000)
		}
		p.Y.To = max(1.06*top, 1e-6)
		f.Panels = append(f.Panels, p)
	}
	if len(f.Panels) == 0 {
		return nil
	}
	f.Looks = lineLooks(f.Panels[0])
	shareTheAxis(f.Panels)
	caption := s.shownText() + " Key that can be drawn at the links to the control centre, with the thresholds K_safe and K_th; thinned so that every low remains."
	if left > 0 {
		caption += fmt.Sprintf(" Shown are the %d pools that came lowest.", drawnPools)
	}
	return &picture{"pools", caption, f}
}

// lowest are the pools that came lowest, in their order.
func lowest(pools []pool) []pool {
	if len(pools) <= drawnPools {
		return pools
	}
	sorted := slices.Clone(pools)
	low := func(p pool) float64 { least, _ := p.level.extremes(); return least.y }
	slices.SortStableFunc(sorted, func(a, b pool) int { return cmp.Compare(low(a), low(b)) })
	limit := low(sorted[drawnPools-1])
	kept := slices.DeleteFunc(slices.Clone(pools), func(p pool) bool { return low(p) > limit })
	return kept[:drawnPools]
}

// keyUse shows what became of the key of each link.
func (s *study) keyUse() *picture {
	if s.single() {
		return s.keyBooks()
	}
	var links []string
	for _, g := range s.groups {
		for _, r := range g.runs {
			if r.trace == nil {
				continue
			}
			for _, k := range r.trace.keys {
				if !slices.Contains(links, k.link) {
					links = append(links, k.link)
				}
			}
		}
	}
	if len(links) == 0 {
		return nil
	}
	lay := s.layRows(links)
	p := plot.Panel{
		X: plot.Axis{Quantity: "consumed / generated key"}, Y: plot.Axis{Names: lay.names},
		HeightCM: rowsFrameCM + 0.5*lay.total,
	}
	for i := range lay.at {
		g := s.groups[i%len(s.groups)]
		use := g.useOf(links[i/len(s.groups)])
		x := metrics.Describe(use)
		if x.N == 0 {
			continue
		}
		p.Shapes = append(p.Shapes, plot.Interval{
			Row: lay.at[i], Label: g.label, Values: use, Mean: float64(x.Mean), Low: float64(x.CI95Low), High: float64(x.CI95High),
			From: nan, To: nan,
		})
	}
	p.X.From, p.X.To = -0.02, 1.08
	return &picture{
		"keys", fmt.Sprintf("Use of the key of each QKD link: consumed / generated over the whole run, mean with 95 %% interval and each run as a point, %s. Key that stood in the pool at the start is consumed but not generated, so that 1 can be exceeded a little.", s.runsText()),
		&plot.Figure{Title: "Use of key by link", Legend: plot.Above, Looks: s.looks(), Panels: []plot.Panel{p}},
	}
}

// useOf is consumed / generated of a link, by run.
func (g *group) useOf(link string) []float64 {
	var use []float64
	for _, r := range g.runs {
		if r.trace == nil {
			continue
		}
		for _, k := range r.trace.keys {
			if k.link == link && k.generated > 0 {
				use = append(use, k.consumed/k.generated)
			}
		}
	}
	return use
}

// keyBooks show where one run's key went.
func (s *study) keyBooks() *picture {
	t := s.one().trace
	if t == nil || len(t.keys) == 0 {
		return nil
	}
	p := plot.Panel{
		X: plot.Axis{Quantity: "key", Unit: "Mbit"}, Y: plot.Axis{Names: []plot.Name{}},
		HeightCM: rowsFrameCM + rowCM*float64(len(t.keys)),
	}
	most := 0.0
	for i, k := range t.keys {
		p.Y.Names = append(p.Y.Names, plot.Name{At: plot.Row(i), Text: k.link})
		bar := plot.Bar{Row: plot.Row(i), Parts: []plot.Part{
			{Label: "consumed", Size: k.consumed / 1e6},
			{Label: "still in the pool", Size: max(0, (k.generated-k.consumed-k.discarded-k.expired)/1e6)},
			{Label: "discarded: pool full or link lost", Size: k.discarded / 1e6},
			{Label: "expired", Size: k.expired / 1e6},
		}}
		if k.generated > 0 {
			bar.Text = fmt.Sprintf("used %s", percent(k.consumed/k.generated))
		}
		most = max(most, k.generated/1e6, (k.consumed+k.discarded+k.expired)/1e6)
		p.Shapes = append(p.Shapes, bar)
	}
	p.X.To = max(1.15*most, 1e-6)
	return &picture{
		"keys", fmt.Sprintf("n = 1 run (seed %d). What became of the key that each QKD link generated; the text is consumed / generated.", s.seed),
		&plot.Figure{Title: "Key by link", Legend: plot.Above, Panels: []plot.Panel{p}, Looks: keyLooks},
	}
}

var keyLooks = []plot.Look{{Label: "consumed"}, {Label: "still in the pool", RGB: 0x56B4E9}, {Label: "discarded: pool full or link lost", RGB: 0xE69F00}, {Label: "expired", RGB: 0x595959}}
