package plot

import (
	"cmp"
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// palette gives every label its look, in order of first appearance.
type palette struct {
	lines  map[string]draw.LineStyle
	spans  map[string]color.Color
	order  map[string]int // of labels that have a colour of their own
	fixed  map[string]Look
	legend []entry
}

// entry is a row of the legend: a line, a point, or an area.
type entry struct {
	label string
	kind  kind
	line  draw.LineStyle
	shade color.Color
}

// kind is what stands for a label in the legend.
type kind int

const (
	ofLine  kind = iota
	ofShade      // of a span
	ofArea
	ofPoint
	ofOther // another source's value, see Interval
)

// newPalette lists main lines first, then those with colours of their own,
// shapes, context and spans.
func newPalette(f *Figure) *palette {
	p := &palette{
		lines: map[string]draw.LineStyle{}, spans: map[string]color.Color{},
		order: map[string]int{}, fixed: map[string]Look{},
	}
	for _, l := range f.Looks {
		p.fixed[l.Label] = l
		p.number(l.Label)
	}
	p.addLines(f, Main)
	p.addLines(f, Ordinary)
	p.addLines(f, Dashed)
	p.addShapes(f)
	p.addLines(f, Context)
	for i := range f.Panels {
		for _, s := range f.Panels[i].Spans {
			if _, known := p.spans[s.Label]; s.Label != "" && !known {
				p.spans[s.Label] = shades[len(p.spans)%len(shades)]
				if c := p.fixed[s.Label].RGB; c != 0 {
					p.spans[s.Label] = rgb(c)
				}
				p.legend = append(p.legend, entry{label: s.Label, kind: ofShade, shade: p.spans[s.Label]})
			}
		}
	}
	return p
}

func (p *palette) addLines(f *Figure, role Role) {
	n := 0
	for i := range f.Panels {
		for _, l := range f.Panels[i].Lines {
			if _, known := p.lines[l.Label]; l.Role != role || l.Label == "" || known {
				continue
			}
			if role == Ordinary || role == Dashed {
				n = p.number(l.Label)
			}
			style := look(role, n)
			if c := p.fixed[l.Label].RGB; c != 0 {
				style.Color = rgb(c)
			}
			p.lines[l.Label] = style
			p.legend = append(p.legend, entry{label: l.Label, line: style})
			n++
		}
	}
}

func (p *palette) addShapes(f *Figure) {
	known := map[string]bool{}
	for _, e := range p.legend {
		known[e.label] = true
	}
	first := len(p.legend)
	defer func() { // in the order of the looks
		slices.SortStableFunc(p.legend[first:], func(a, b entry) int { return cmp.Compare(p.order[a.label], p.order[b.label]) })
	}()
	for i := range f.Panels {
		for _, s := range f.Panels[i].Shapes {
			for _, e := range s.entries() {
				if e.kind != ofOther {
					p.number(e.label)
				}
				if !known[e.label] {
					known[e.label] = true
					p.legend = append(p.legend, e)
				}
			}
		}
	}
}

// number is the place of a label among those with a colour of their own.
func (p *palette) number(label string) int {
	n, ok := p.order[label]
	if !ok {
		n = len(p.order)
		p.order[label] = n
	}
	return n
}

// color is that of a label; what has none is grey.
func (p *palette) color(label string) color.Color {
	if c := p.fixed[label].RGB; c != 0 {
		return rgb(c)
	}
	n, ok := p.order[label]
	if label == "" || !ok {
		return border
	}
	return okabeIto[n%len(okabeIto)]
}

func (p *palette) glyph(label string) draw.GlyphDrawer { return glyphs[p.order[label]%len(glyphs)] }

// look is that of the n-th label of a role.
func look(role Role, n int) draw.LineStyle {
	switch role {
	case Main:
		return draw.LineStyle{Color: ink, Width: 1.8, Dashes: dashes[n%len(dashes)]}
	case Context:
		return draw.LineStyle{Color: grey, Width: 0.6}
	case Dashed:
		return draw.LineStyle{Color: okabeIto[n%len(okabeIto)], Width: 1.1, Dashes: dashes[n%len(dashes)]}
	}
	return draw.LineStyle{
		Color: okabeIto[n%len(okabeIto)], Width: 1, Dashes: dashes[n/len(okabeIto)%len(dashes)],
	}
}

func (p *palette) line(l Line) draw.LineStyle {
	if style, ok := p.lines[l.Label]; ok && l.Label != "" {
		return style
	}
	return look(l.Role, 0)
}

func (p *palette) span(s Span) color.Color {
	if c, ok := p.spans[s.Label]; ok {
		return c
	}
	return shades[0]
}

// fill paints a rectangle in the look of a label: its colour, and unless it is
// plain a hatching by its place, so that a copy in grey can be read.
func (p *palette) fill(c draw.Canvas, label string, left, bottom, right, top vg.Length) {
	c.FillPolygon(p.color(label), box(left, bottom, right, top))
	if p.fixed[label].Plain {
		return
	}
	style := draw.LineStyle{Color: color.NRGBA{0xFF, 0xFF, 0xFF, 0xB0}, Width: 0.7}
	const step = vg.Length(4)
	n := p.order[label] % 4
	if n == 0 || right-left < 0.5 || top-bottom < 0.5 {
		return
	}
	// Lines x + slope·y = k, on a grid of the canvas, so that neighbours match.
	h := top - bottom
	switch n {
	case 1, 3:
		slope := vg.Length(1)
		if n == 3 {
			slope = -1
		}
		a, b := left+min(slope*bottom, slope*top), right+max(slope*bottom, slope*top)
		for k := step * vg.Length(int(a/step)-1); k <= b; k += step {
			hatch(c, style, k, slope, left, bottom, right, top)
		}
	case 2:
		for y := bottom + min(step, h)/2; y < top; y += step {
			c.StrokeLine2(style, left, y, right, y)
		}
	}
}

// hatch draws the part of the line x + slope·y = k that lies in a box.
func hatch(c draw.Canvas, style draw.LineStyle, k, slope, left, bottom, right, top vg.Length) {
	x0, x1 := k-slope*bottom, k-slope*top
	from, to := max(left, min(x0, x1)), min(right, max(x0, x1))
	if from < to {
		c.StrokeLine2(style, from, (k-from)/slope, to, (k-to)/slope)
	}
}
