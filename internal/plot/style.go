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

// glyphs of points, by the number of the label.
var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, diamond{}, draw.RingGlyph{}, draw.SquareGlyph{},
}

// diamond is a filled square on its tip.
type diamond struct{}

// DrawGlyph implements gonum's GlyphDrawer.
func (diamond) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	r := 1.15 * s.Radius
	c.FillPolygon(s.Color, []vg.Point{{X: at.X - r, Y: at.Y}, {X: at.X, Y: at.Y - r}, {X: at.X + r, Y: at.Y}, {X: at.X, Y: at.Y + r}})
}

// shades of spans, light enough to read a line on.
var shades = []color.Color{rgb(0xE0E0E0), rgb(0xFBE3CF), rgb(0xD6EAF6), rgb(0xD5EEE6)}

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

// tint mixes a colour with white; share is that of the colour.
func tint(c color.Color, share float64) color.Color {
	r, g, b, _ := c.RGBA()
	mix := func(v uint32) uint8 { return uint8(255*(1-share) + float64(v>>8)*share + 0.5) }
	return color.NRGBA{mix(r), mix(g), mix(b), 0xFF}
}

// Sizes of letters, points.
const (
	titleSize = 11
	labelSize = 9.5
	smallSize = 9
)

func letters(size float64, c color.Color, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Color: c, Font: f, Handler: gonum.DefaultTextHandler}
}
