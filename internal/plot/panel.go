package plot

import (
	"cmp"
	"math"
	"slices"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// axes returns gonum's plot of a panel; levels are named inside it or not.
func (p *Panel) axes(looks *palette, named bool) *gonum.Plot {
	g := gonum.New()
	g.BackgroundColor = nil // the figure has one
	l := p.limits()
	g.X.Min, g.X.Max, g.Y.Min, g.Y.Max = l.xMin, l.xMax, l.yMin, l.yMax
	g.X.Label.Text, g.Y.Label.Text = p.X.label(), p.Y.label()
	if p.X.Log {
		g.X.Label.Text = "" // see nameLogAxes
	}
	if p.Y.Log {
		g.Y.Label.Text = ""
	}
	for _, a := range []*gonum.Axis{&g.X, &g.Y} {
		label, tick := letters(labelSize, ink, false), letters(smallSize, ink, false)
		label.XAlign, label.YAlign = a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign
		tick.XAlign, tick.YAlign = a.Tick.Label.XAlign, a.Tick.Label.YAlign
		a.Label.TextStyle, a.Tick.Label = label, tick
		a.Label.Padding = 3
		a.Padding = 0
		a.LineStyle = draw.LineStyle{Color: border, Width: 0.6}
		a.Tick.LineStyle = a.LineStyle
		a.Tick.Length = 3
	}
	p.X.mark(&g.X, 8)
	p.Y.mark(&g.Y, 6)
	for _, s := range p.Spans {
		g.Add(shade{s, looks})
	}
	rule := draw.LineStyle{Color: faint, Width: 0.5}
	lattice := &plotter.Grid{Vertical: rule, Horizontal: rule}
	if p.Y.Names != nil {
		lattice.Horizontal.Width = 0
	}
	if p.X.Names != nil {
		lattice.Vertical.Width = 0
	}
	g.Add(lattice)
	for _, v := range p.Levels {
		g.Add(level{v, named})
	}
	for _, s := range p.Shapes {
		g.Add(shape{s, looks})
	}
	for _, role := range []Role{Context, Ordinary, Dashed, Main} {
		for _, line := range p.Lines {
			if line.Role == role {
				g.Add(trace{line, looks})
			}
		}
	}
	for _, m := range p.Marks {
		g.Add(mark(m))
	}
	return g
}

// mark sets the scale and the ticks of an axis; about so many unless it says.
func (a Axis) mark(g *gonum.Axis, about int) {
	if a.Ticks > 0 {
		about = a.Ticks
	}
	var marker gonum.Ticker = ticks{about: about}
	if a.Log {
		g.Scale = gonum.LogScale{}
		marker = decades{}
	}
	if a.Names != nil {
		marker = names(a.Names)
		g.Tick.Length = 0
	}
	if a.Bare {
		marker = unlabelled{marker}
	}
	g.Tick.Marker = marker
}

func (p *Panel) titleHeight() vg.Length {
	if p.Title == "" {
		return 0
	}
	return panelTitle
}

// nameLogAxes writes the labels of logarithmic axes beside the cell. Gonum would
// reserve room for them as if they stood at the arithmetic middle of the axis.
func (p *Panel) nameLogAxes(inside, cell draw.Canvas) {
	style := letters(labelSize, ink, false)
	style.XAlign, style.YAlign = draw.XCenter, draw.YTop
	if p.X.Log {
		inside.FillText(style, vg.Point{X: inside.Center().X, Y: cell.Min.Y - 3}, p.X.label())
	}
	if p.Y.Log {
		style.Rotation, style.YAlign = math.Pi/2, draw.YBottom
		inside.FillText(style, vg.Point{X: cell.Min.X - 3, Y: inside.Center().Y}, p.Y.label())
	}
}

// room is what the label of a logarithmic axis needs beside the cell.
func (a Axis) room() vg.Length {
	if !a.Log || a.label() == "" {
		return 0
	}
	return labelSize + 5
}

// writeTitle writes the panel's title above its data.
func (p *Panel) writeTitle(inside draw.Canvas) {
	if p.Title != "" {
		c := draw.Canvas{Canvas: inside.Canvas, Rectangle: inside.Rectangle}
		c.FillText(letters(labelSize, ink, true), vg.Point{X: inside.Min.X, Y: inside.Max.Y + 5}, p.Title)
	}
}

type shade struct {
	span  Span
	looks *palette
}

func (s shade) Plot(c draw.Canvas, p *gonum.Plot) {
	x, _ := p.Transforms(&c)
	left, right := max(x(s.span.From), c.Min.X), min(x(s.span.To), c.Max.X)
	if left < right {
		c.FillPolygon(s.looks.span(s.span), box(left, c.Min.Y, right, c.Max.Y))
	}
}

type level struct {
	Level
	named bool
}

func (v level) Plot(c draw.Canvas, p *gonum.Plot) {
	_, y := p.Transforms(&c)
	if !c.ContainsY(y(v.Y)) {
		return
	}
	style := draw.LineStyle{Color: quiet, Width: 0.7, Dashes: []vg.Length{3, 2}}
	c.StrokeLine2(style, c.Min.X, y(v.Y), c.Max.X, y(v.Y))
	if !v.named || v.Name == "" {
		return
	}
	words := letters(smallSize, quiet, false)
	words.XAlign = draw.XRight
	write(c, words, vg.Point{X: c.Max.X - 3, Y: y(v.Y) + 4}, v.Name)
}

// besideWidth is the room that the names of levels need beside the panel.
func (p *Panel) besideWidth() vg.Length {
	w := vg.Length(0)
	for _, v := range p.Levels {
		if v.Name != "" {
			w = max(w, letters(smallSize, quiet, false).Width(v.Name)+5)
		}
	}
	return w
}

// nameLevels writes the names of levels at the right of the panel, moved apart
// where they are too near to each other.
func (p *Panel) nameLevels(inside draw.Canvas, g *gonum.Plot) {
	_, y := g.Transforms(&inside)
	named := slices.DeleteFunc(slices.Clone(p.Levels), func(v Level) bool { return v.Name == "" || !inside.ContainsY(y(v.Y)) })
	slices.SortStableFunc(named, func(a, b Level) int { return cmp.Compare(a.Y, b.Y) })
	style := letters(smallSize, quiet, false)
	style.YAlign = draw.YCenter
	at := make([]vg.Length, len(named))
	for i, v := range named {
		at[i] = y(v.Y)
		if i > 0 {
			at[i] = max(at[i], at[i-1]+smallSize+1)
		}
	}
	for i, v := range named {
		inside.FillText(style, vg.Point{X: inside.Max.X + 4, Y: at[i] + 1}, v.Name)
	}
}

// trace draws a line: gaps where values are missing, and no more points than
// the eye can tell apart.
type trace struct {
	line  Line
	looks *palette
}

const invisible vg.Length = 0.04

func (t trace) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := p.Transforms(&c)
	style := t.looks.line(t.line)
	for _, run := range t.line.runs() {
		points := make([]vg.Point, 0, run[1]-run[0])
		for i := run[0]; i < run[1]; i++ {
			points = append(points, vg.Point{X: x(t.line.X[i]), Y: y(t.line.Y[i])})
		}
		c.StrokeLines(style, c.ClipLinesXY(simplify(points, invisible))...)
	}
}

// runs returns the stretches [from, to) of a line without gaps.
func (l *Line) runs() [][2]int {
	var out [][2]int
	from := 0
	for i := 0; i <= len(l.Y); i++ {
		if i < len(l.Y) && finite(l.Y[i]) && finite(l.X[i]) {
			continue
		}
		if i > from {
			out = append(out, [2]int{from, i})
		}
		from = i + 1
	}
	return out
}

type mark Mark

const ringRadius vg.Length = 3.2

func (m mark) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := p.Transforms(&c)
	at := vg.Point{X: x(m.X), Y: y(m.Y)}
	if !c.Contains(at) {
		return
	}
	c.DrawGlyph(draw.GlyphStyle{Color: rgb(0xFFFFFF), Radius: ringRadius, Shape: draw.CircleGlyph{}}, at)
	c.SetLineWidth(1.2)
	c.SetLineDash(nil, 0)
	var ring vg.Path
	ring.Move(vg.Point{X: at.X + ringRadius, Y: at.Y})
	ring.Arc(at, ringRadius, 0, 2*math.Pi)
	ring.Close()
	c.SetColor(ink)
	c.Stroke(ring)

	m.name(c, at, textBelow(m.Y, p.Y.Min, p.Y.Max))
}

// name writes the text at the edge of the panel, where limits left room for
// it, and ties it to the point.
func (m mark) name(c draw.Canvas, at vg.Point, below bool) {
	words := letters(labelSize, ink, false)
	switch along := (at.X - c.Min.X) / (c.Max.X - c.Min.X); {
	case along < 0.3:
		words.XAlign = draw.XLeft
	case along > 0.7:
		words.XAlign = draw.XRight
	default:
		words.XAlign = draw.XCenter
	}
	place := vg.Point{X: at.X, Y: c.Max.Y - words.Height(m.Text)}
	tie := [2]vg.Length{at.Y + ringRadius, place.Y - 2}
	if below {
		place.Y = c.Min.Y + 5
		tie = [2]vg.Length{place.Y + words.Height(m.Text) - 1, at.Y - ringRadius}
	}
	if tie[0] < tie[1] {
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.5}, at.X, tie[0], at.X, tie[1])
	}
	c.FillText(words, place, m.Text)
}

// write puts a text over a veil that lets it be read on lines.
func write(c draw.Canvas, style draw.TextStyle, at vg.Point, words string) {
	r := style.Rectangle(words)
	c.FillPolygon(veil, box(at.X+r.Min.X-1, at.Y+r.Min.Y, at.X+r.Max.X+1, at.Y+r.Max.Y))
	c.FillText(style, at, words)
}
