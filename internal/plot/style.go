package plot

import (
	"image/color"

	xfont "golang.org/x/image/font"
	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// okabeIto without yellow, which is lost on white paper, and black, which is
// for main lines; the strongest contrasts first.
var okabeIto = []color.Color{
	rgb(0x0072B2), // blue
	rgb(0xD55E00), // vermilion
	rgb(0x009E73), // bluish green
	rgb(0xCC79A7), // reddish purple
	rgb(0xE69F00), // orange
	rgb(0x56B4E9), // sky blue
}

// dashes take over when the colours are used up.
var dashes = [][]vg.Length{nil, {4, 2}, {1.2, 1.6}, {6, 1.5, 1.2, 1.5}}

// shades of spans, light enough to read a line on.
var shades = []color.Color{rgb(0xE8E8E8), rgb(0xFBE3CF), rgb(0xD6EAF6), rgb(0xD5EEE6)}

var (
	ink    = rgb(0x000000)
	quiet  = rgb(0x595959) // texts of second rank
	grey   = rgb(0xB4B4B4) // context lines
	faint  = rgb(0xE2E2E2) // grid
	border = rgb(0x808080)
	veil   = color.NRGBA{0xFF, 0xFF, 0xFF, 0xD0} // behind texts within a panel
)

func rgb(hex uint32) color.Color {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xFF}
}

// Sizes of letters, points.
const (
	titleSize = 11
	labelSize = 9
	smallSize = 8
)

func letters(size float64, c color.Color, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Color: c, Font: f, Handler: gonum.DefaultTextHandler}
}

// palette gives every label its look, in order of first appearance.
type palette struct {
	lines  map[string]draw.LineStyle
	spans  map[string]color.Color
	legend []entry
}

// entry is a row of the legend: a line or a shade.
type entry struct {
	label string
	line  draw.LineStyle
	shade color.Color
}

// newPalette lists main lines first, then ordinary ones, context and spans.
func newPalette(f *Figure) *palette {
	p := &palette{lines: map[string]draw.LineStyle{}, spans: map[string]color.Color{}}
	for _, role := range []Role{Main, Ordinary, Context} {
		n := 0
		for i := range f.Panels {
			for _, l := range f.Panels[i].Lines {
				if _, known := p.lines[l.Label]; l.Role == role && l.Label != "" && !known {
					p.lines[l.Label] = look(role, n)
					p.legend = append(p.legend, entry{label: l.Label, line: p.lines[l.Label]})
					n++
				}
			}
		}
	}
	for i := range f.Panels {
		for _, s := range f.Panels[i].Spans {
			if _, known := p.spans[s.Label]; s.Label != "" && !known {
				p.spans[s.Label] = shades[len(p.spans)%len(shades)]
				p.legend = append(p.legend, entry{label: s.Label, shade: p.spans[s.Label]})
			}
		}
	}
	return p
}

// look is that of the n-th label of a role.
func look(role Role, n int) draw.LineStyle {
	switch role {
	case Main:
		return draw.LineStyle{Color: ink, Width: 1.8, Dashes: dashes[n%len(dashes)]}
	case Context:
		return draw.LineStyle{Color: grey, Width: 0.6}
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
