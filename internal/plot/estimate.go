package plot

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Estimates are means over places on the x axis, each with a bar for its
// interval; NaN bounds: none. A [Line] of the same label joins them.
type Estimates struct {
	Label              string // its look; not in the legend
	X, Mean, Low, High []float64
	// AsidePT moves them to the right by so many printer's points, so that
	// those of several labels at one place do not cover each other.
	AsidePT float64
}

func (s Estimates) extent(see func(x, y float64)) {
	for i, x := range s.X {
		for _, y := range []float64{s.Mean[i], s.Low[i], s.High[i]} {
			if finite(y) {
				see(x, y)
			}
		}
	}
}

func (s Estimates) entries() []entry { return nil }

func (s Estimates) plot(k pen) {
	c := k.looks.color(s.Label)
	bar := draw.LineStyle{Color: c, Width: 1}
	const half = vg.Length(1.8)
	for i := range s.X {
		if !finite(s.Mean[i]) {
			continue
		}
		at := k.at(s.X[i], s.Mean[i])
		at.X += vg.Length(s.AsidePT)
		if finite(s.Low[i]) && finite(s.High[i]) {
			low, high := max(k.y(s.Low[i]), k.Min.Y), min(k.y(s.High[i]), k.Max.Y)
			k.StrokeLine2(bar, at.X, low, at.X, high)
			k.StrokeLine2(bar, at.X-half, low, at.X+half, low)
			k.StrokeLine2(bar, at.X-half, high, at.X+half, high)
		}
		k.DrawGlyph(draw.GlyphStyle{Color: c, Radius: 2.4, Shape: k.looks.glyph(s.Label)}, at)
	}
}
