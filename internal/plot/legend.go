package plot

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func (p *palette) legendWidth() vg.Length {
	w := vg.Length(0)
	for _, e := range p.legend {
		w = max(w, e.width())
	}
	return w
}

func (e entry) width() vg.Length {
	return sample + 4 + letters(smallSize, ink, false).Width(e.label)
}

// legendHeight is that of a legend above the panels. Its lines are as long as
// the figure allows, whatever the place where they begin.
func (f *Figure) legendHeight(p *palette) vg.Length {
	if f.Legend != Above || len(p.legend) == 0 {
		return 0
	}
	return rowHeight*vg.Length(len(p.lined(width-2*margin-f.indent()))) + 5
}

// indent is how far right a legend above the panels may begin: about where the
// data do.
func (f *Figure) indent() vg.Length {
	w := vg.Length(45)
	for i := 0; i < len(f.Panels); i += f.columns() {
		for _, n := range f.Panels[i].Y.Names {
			w = max(w, letters(smallSize, ink, false).Width(n.Text)+8)
		}
	}
	return w
}

// lined breaks the legend into lines.
func (p *palette) lined(room vg.Length) [][]entry {
	var lines [][]entry
	x := room
	for _, e := range p.legend {
		if w := e.width(); len(lines) == 0 || x+w > room {
			lines = append(lines, nil)
			x = 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], e)
		x += e.width() + 14
	}
	return lines
}

// drawLegend lists the labels from a corner down, or in lines.
func (p *palette) drawLegend(c draw.Canvas, corner vg.Point, place Place, indent vg.Length) {
	lines := make([][]entry, len(p.legend))
	for i := range lines {
		lines[i] = p.legend[i : i+1]
	}
	if place == Above {
		lines = p.lined(width - 2*margin - indent)
		corner.X = min(corner.X, c.Min.X+indent)
	}
	y := corner.Y - rowHeight/2
	for _, line := range lines {
		x := corner.X
		for _, e := range line {
			p.drawEntry(c, e, x, y)
			x += e.width() + 14
		}
		y -= rowHeight
	}
}

func (p *palette) drawEntry(c draw.Canvas, e entry, x, y vg.Length) {
	style := letters(smallSize, ink, false)
	style.YAlign = draw.YCenter
	switch e.kind {
	case ofShade:
		c.FillPolygon(e.shade, box(x, y-4, x+sample, y+4))
	case ofArea:
		p.fill(c, e.label, x, y-4, x+sample, y+4)
	case ofPoint:
		c.DrawGlyph(draw.GlyphStyle{Color: p.color(e.label), Radius: 3, Shape: p.glyph(e.label)}, vg.Point{X: x + sample/2, Y: y})
	case ofOther:
		pen{Canvas: c}.other(x+sample/2, x+sample/2, y)
	default:
		c.StrokeLine2(e.line, x, y, x+sample, y)
	}
	c.FillText(style, vg.Point{X: x + sample + 4, Y: y + 1}, e.label)
}
