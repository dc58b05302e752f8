package plot

import (
	"image/color"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Shape is what a panel shows besides lines: [Points], [Band], [Spread],
// [Interval], [Estimates], [Bar], [Range], [Strip], [Heat]. Those that stand in
// a row have its place on the y axis, which names it.
type Shape interface {
	// extent shows the outermost points.
	extent(see func(x, y float64))
	// entries are the labels that it brings into the legend.
	entries() []entry
	plot(k pen)
}

// Row is the place of the i-th row of an axis of names, counted from the top.
func Row(i int) float64 { return -float64(i) }

// shape draws a Shape as a part of gonum's plot.
type shape struct {
	Shape
	looks *palette
}

func (s shape) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := p.Transforms(&c)
	s.plot(pen{c, x, y, s.looks})
}

// pen draws with data's coordinates.
type pen struct {
	draw.Canvas
	x, y  func(float64) vg.Length
	looks *palette
}

func (k pen) at(x, y float64) vg.Point { return vg.Point{X: k.x(x), Y: k.y(y)} }

// rectangle fills what lies within the panel.
func (k pen) rectangle(c color.Color, left, bottom, right, top vg.Length) {
	left, right = max(left, k.Min.X), min(right, k.Max.X)
	if left < right {
		k.FillPolygon(c, box(left, bottom, right, top))
	}
}

// halfRow is half the thickness of what stands in a row of the axis.
func (k pen) halfRow(share float64) vg.Length { return (k.y(1) - k.y(0)) * vg.Length(share) / 2 }

// beside writes a text right of a place in a row, or left of it where the room
// is too small.
func (k pen) beside(x vg.Length, row float64, words string) {
	if words == "" {
		return
	}
	style := letters(smallSize, quiet, false)
	style.YAlign = draw.YCenter
	at := vg.Point{X: x + 5, Y: k.y(row) + 1}
	if at.X+style.Width(words) > k.Max.X {
		at.X = k.Max.X - style.Width(words) - 2
	}
	write(k.Canvas, style, at, words)
}

// Points is a cloud; each label has its own colour and marker.
type Points struct {
	Label string
	X, Y  []float64
}

func (s Points) extent(see func(x, y float64)) {
	for i, x := range s.X {
		see(x, s.Y[i])
	}
}

func (s Points) entries() []entry { return labelled(s.Label, ofPoint) }

func (s Points) plot(k pen) {
	style := draw.GlyphStyle{Color: veiled(k.looks.color(s.Label)), Radius: 2, Shape: k.looks.glyph(s.Label)}
	for i, x := range s.X {
		if at := k.at(x, s.Y[i]); k.Contains(at) {
			k.DrawGlyph(style, at)
		}
	}
}

// Band is the area between two traces over the same places; a value that is
// not finite ends it there, and it goes on behind.
type Band struct {
	Label        string
	X, Low, High []float64
}

func (s Band) extent(see func(x, y float64)) {
	for i, x := range s.X {
		see(x, s.Low[i])
		see(x, s.High[i])
	}
}

func (s Band) entries() []entry { return labelled(s.Label, ofArea) }

func (s Band) plot(k pen) {
	from := 0
	for i := 0; i <= len(s.X); i++ {
		if i < len(s.X) && finite(s.Low[i]) && finite(s.High[i]) {
			continue
		}
		var outline []vg.Point
		for j := from; j < i; j++ {
			outline = append(outline, k.at(s.X[j], s.High[j]))
		}
		for j := i - 1; j >= from; j-- {
			outline = append(outline, k.at(s.X[j], s.Low[j]))
		}
		if len(outline) > 0 {
			k.FillPolygon(k.looks.color(s.Label), k.ClipPolygonXY(outline))
		}
		from = i + 1
	}
}

// veiled lets what lies below shine through.
func veiled(c color.Color) color.Color {
	r, g, b, _ := c.RGBA()
	return color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 0xA0}
}

func labelled(label string, k kind) []entry {
	if label == "" {
		return nil
	}
	return []entry{{label: label, kind: k}}
}
