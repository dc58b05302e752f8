package plot

import (
	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A figure is as wide as the text of an A4 page; a panel has its height.
const (
	width       = 17 * vg.Centimeter
	panelHeight = 7 * vg.Centimeter
	soleHeight  = 8.5 * vg.Centimeter // of a panel that is alone
	margin      = vg.Length(6)
	gap         = vg.Length(10) // between panels, and to the legend
	sample      = vg.Length(20) // length of a line in the legend
	rowHeight   = vg.Length(12) // of the legend
)

func (f *Figure) height() vg.Length {
	h := panelHeight*vg.Length(len(f.Panels)) + gap*vg.Length(len(f.Panels)-1)
	if len(f.Panels) == 1 {
		h = soleHeight
	}
	return h + f.headHeight() + 2*margin
}

func (f *Figure) headHeight() vg.Length {
	h := vg.Length(0)
	if f.Title != "" {
		h += titleSize + 5
	}
	if f.Note != "" {
		h += labelSize + 5
	}
	return h
}

// draw puts the figure on a canvas of its size.
func (f *Figure) draw(c draw.Canvas) {
	c.FillPolygon(rgb(0xFFFFFF), box(c.Min.X, c.Min.Y, c.Max.X, c.Max.Y))
	c = draw.Crop(c, margin, -margin, margin, -margin)
	looks := newPalette(f)
	body := draw.Crop(c, 0, 0, 0, -f.headHeight())
	if w := looks.legendWidth(); w > 0 {
		body.Max.X -= w + gap
	}
	plots := make([][]*gonum.Plot, len(f.Panels))
	for i := range f.Panels {
		plots[i] = []*gonum.Plot{f.Panels[i].axes(looks)}
	}
	tiles := draw.Tiles{Rows: len(f.Panels), Cols: 1, PadY: gap}
	cells := gonum.Align(plots, tiles, body)
	for i := range plots {
		plots[i][0].Draw(cells[i][0])
	}
	inside := plots[0][0].DataCanvas(cells[0][0])
	f.head(c, inside.Min.X)
	looks.drawLegend(c, vg.Point{X: body.Max.X + gap, Y: inside.Max.Y})
}

// head writes the title and the note above the axes.
func (f *Figure) head(c draw.Canvas, left vg.Length) {
	y := c.Max.Y
	for _, line := range []struct {
		words string
		style draw.TextStyle
	}{
		{f.Title, letters(titleSize, ink, true)},
		{f.Note, letters(labelSize, quiet, false)},
	} {
		if line.words == "" {
			continue
		}
		line.style.YAlign = draw.YTop
		at := vg.Point{X: left, Y: y}
		if left+line.style.Width(line.words) > c.Max.X {
			at.X = max(c.Min.X, c.Max.X-line.style.Width(line.words))
		}
		c.FillText(line.style, at, line.words)
		y -= line.style.Font.Size + 5
	}
}

func (p *palette) legendWidth() vg.Length {
	w := vg.Length(0)
	style := letters(smallSize, ink, false)
	for _, e := range p.legend {
		w = max(w, sample+4+style.Width(e.label))
	}
	return w
}

// drawLegend lists the labels from a corner down.
func (p *palette) drawLegend(c draw.Canvas, corner vg.Point) {
	style := letters(smallSize, ink, false)
	style.YAlign = draw.YCenter
	y := corner.Y - rowHeight/2
	for _, e := range p.legend {
		if e.shade != nil {
			c.FillPolygon(e.shade, box(corner.X, y-4, corner.X+sample, y+4))
		} else {
			c.StrokeLine2(e.line, corner.X, y, corner.X+sample, y)
		}
		c.FillText(style, vg.Point{X: corner.X + sample + 4, Y: y + 1}, e.label)
		y -= rowHeight
	}
}
