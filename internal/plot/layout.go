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
	rowHeight   = vg.Length(13) // of the legend
	panelTitle  = vg.Length(15)
)

func (f *Figure) columns() int { return max(1, min(f.Columns, len(f.Panels))) }

func (f *Figure) rows() int { return (len(f.Panels) + f.columns() - 1) / f.columns() }

// heightOfRow is that of its tallest panel.
func (f *Figure) heightOfRow(row int) vg.Length {
	h := vg.Length(0)
	for i := row * f.columns(); i < min(len(f.Panels), (row+1)*f.columns()); i++ {
		own := vg.Length(f.Panels[i].HeightCM) * vg.Centimeter
		if own == 0 {
			own = panelHeight
			if f.rows() == 1 {
				own = soleHeight
			}
		}
		h = max(h, own)
	}
	return h
}

func (f *Figure) height() vg.Length {
	h := gap * vg.Length(f.rows()-1)
	for r := range f.rows() {
		h += f.heightOfRow(r)
	}
	return h + f.headHeight() + f.legendHeight(newPalette(f)) + 2*margin
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
	body := draw.Crop(c, 0, 0, 0, -f.headHeight()-f.legendHeight(looks))
	if w := looks.legendWidth(); w > 0 && f.Legend == Right {
		body.Max.X -= w + gap
	}
	plots := make([]*gonum.Plot, len(f.Panels))
	for i := range f.Panels {
		plots[i] = f.Panels[i].axes(looks, f.Legend == Right)
	}
	cells := f.cells(body, plots)
	for i, g := range plots {
		g.Draw(cells[i])
		inside := g.DataCanvas(cells[i])
		f.Panels[i].writeTitle(inside)
		f.Panels[i].nameLogAxes(inside, cells[i])
		if f.Legend == Above {
			f.Panels[i].nameLevels(inside, g)
		}
	}
	inside := plots[0].DataCanvas(cells[0])
	f.head(c, inside.Min.X)
	corner := vg.Point{X: body.Max.X + gap, Y: inside.Max.Y}
	if f.Legend == Above {
		corner = vg.Point{X: f.left(c, inside.Min.X), Y: c.Max.Y - f.headHeight() - 2}
	}
	looks.drawLegend(c, corner, f.Legend, f.indent())
}

// cells cuts the body into a place for each panel, so that panels' data stand
// exactly below and beside each other.
func (f *Figure) cells(body draw.Canvas, plots []*gonum.Plot) []draw.Canvas {
	columns := f.columns()
	cells := make([]draw.Canvas, len(plots))
	wide := (body.Max.X - body.Min.X - gap*vg.Length(columns-1)) / vg.Length(columns)
	top := body.Max.Y
	left, right := make([]vg.Length, columns), make([]vg.Length, columns)
	for row := range f.rows() {
		h := f.heightOfRow(row)
		for col := range columns {
			i := row*columns + col
			if i >= len(plots) {
				break
			}
			x := body.Min.X + (wide+gap)*vg.Length(col)
			cells[i] = draw.Canvas{Canvas: body.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: x, Y: top - h}, Max: vg.Point{X: x + wide, Y: top},
			}}
			d := plots[i].DataCanvas(cells[i])
			left[col] = max(left[col], d.Min.X-cells[i].Min.X+f.Panels[i].Y.room())
			right[col] = max(right[col], cells[i].Max.X-d.Max.X)
			if f.Legend == Above {
				right[col] = max(right[col], f.Panels[i].besideWidth())
			}
		}
		top -= h + gap
	}
	if columns > 1 { // the same width of data for all
		f.share(body, cells, left, right)
	}
	for row := range f.rows() {
		below, above := vg.Length(0), vg.Length(0)
		for i := row * columns; i < min(len(plots), (row+1)*columns); i++ {
			d := plots[i].DataCanvas(cells[i])
			below = max(below, d.Min.Y-cells[i].Min.Y+f.Panels[i].X.room())
			above = max(above, cells[i].Max.Y-d.Max.Y+f.Panels[i].titleHeight())
		}
		for i := row * columns; i < min(len(plots), (row+1)*columns); i++ {
			d := plots[i].DataCanvas(cells[i])
			cells[i] = draw.Crop(cells[i],
				left[i%columns]-(d.Min.X-cells[i].Min.X), -(right[i%columns] - (cells[i].Max.X - d.Max.X)),
				below-(d.Min.Y-cells[i].Min.Y), -(above - (cells[i].Max.Y - d.Max.Y)))
		}
	}
	return cells
}

// share gives the columns of cells such widths that their data are equally wide.
func (f *Figure) share(body draw.Canvas, cells []draw.Canvas, left, right []vg.Length) {
	room := body.Max.X - body.Min.X - gap*vg.Length(len(left)-1)
	for col := range left {
		room -= left[col] + right[col]
	}
	data := max(10, room/vg.Length(len(left)))
	x := body.Min.X
	for col := range left {
		w := left[col] + data + right[col]
		for i := col; i < len(cells); i += len(left) {
			cells[i].Min.X, cells[i].Max.X = x, x+w
		}
		x += w + gap
	}
}

// left is where the head's lines begin: above the data, unless the longest is
// too long for it.
func (f *Figure) left(c draw.Canvas, data vg.Length) vg.Length {
	w := max(letters(titleSize, ink, true).Width(f.Title), letters(labelSize, quiet, false).Width(f.Note))
	return max(c.Min.X, min(data, c.Max.X-w))
}

// head writes the title and the note above the axes.
func (f *Figure) head(c draw.Canvas, data vg.Length) {
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
		c.FillText(line.style, vg.Point{X: f.left(c, data), Y: y}, line.words)
		y -= line.style.Font.Size + 5
	}
}

// box are the corners of a rectangle.
func box(left, bottom, right, top vg.Length) []vg.Point {
	return []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}}
}
