package plot

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bar is a stack of parts in a row, from 0 on, with a stroke at Limit if that is
// above 0.
type Bar struct {
	Row   float64
	Parts []Part
	Limit float64
	Text  string // beside
}

// Part is one of a Bar; its label has one look in all bars.
type Part struct {
	Label string
	Size  float64
}

func (b Bar) extent(see func(x, y float64)) {
	see(0, b.Row)
	see(max(b.size(), b.Limit), b.Row)
}

func (b Bar) size() (sum float64) {
	for _, p := range b.Parts {
		sum += p.Size
	}
	return sum
}

func (b Bar) entries() (list []entry) {
	for _, p := range b.Parts {
		if p.Size > 0 {
			list = append(list, labelled(p.Label, ofArea)...)
		}
	}
	return list
}

func (b Bar) plot(k pen) {
	middle, half := k.y(b.Row), min(k.halfRow(0.72), 8)
	from := 0.0
	for _, p := range b.Parts {
		left, right := k.x(from), min(k.x(from+p.Size), k.Max.X)
		if right > left {
			k.looks.fill(k.Canvas, p.Label, left, middle-half, right, middle+half)
		}
		from += p.Size
	}
	k.limit(b.Row, b.Limit)
	k.beside(k.x(max(from, b.Limit)), b.Row, b.Text)
}

// Range shows quantiles of many values in a row: a thick line between Low and
// High, thin ones to Min and Max, a ring at Middle, a stroke at Limit if that is
// above 0.
type Range struct {
	Row                         float64
	Label                       string // its look; not in the legend
	Min, Low, Middle, High, Max float64
	Limit                       float64
	Text                        string // beside
}

func (r Range) extent(see func(x, y float64)) {
	for _, v := range []float64{r.Min, r.Low, r.Middle, r.High, r.Max} {
		see(v, r.Row)
	}
	if r.Limit > 0 {
		see(r.Limit, r.Row)
	}
}

func (r Range) entries() []entry { return nil }

func (r Range) plot(k pen) {
	y, c := k.y(r.Row), k.looks.color(r.Label)
	k.StrokeLine2(draw.LineStyle{Color: c, Width: 1}, k.x(r.Min), y, k.x(r.Max), y)
	k.StrokeLine2(draw.LineStyle{Color: c, Width: 1}, k.x(r.Max), y-2.5, k.x(r.Max), y+2.5)
	k.StrokeLine2(draw.LineStyle{Color: c, Width: 5}, k.x(r.Low), y, k.x(r.High), y)
	at := vg.Point{X: k.x(r.Middle), Y: y}
	k.DrawGlyph(draw.GlyphStyle{Color: c, Radius: 4.4, Shape: draw.CircleGlyph{}}, at)
	k.DrawGlyph(draw.GlyphStyle{Color: rgb(0xFFFFFF), Radius: 2.6, Shape: draw.CircleGlyph{}}, at)
	k.limit(r.Row, r.Limit)
	k.beside(max(k.x(r.Max), k.x(r.High)), r.Row, r.Text)
}

// limit strokes through a row.
func (k pen) limit(row, at float64) {
	if at > 0 {
		y, h := k.y(row), k.halfRow(0.9)
		k.StrokeLine2(draw.LineStyle{Color: ink, Width: 1.6}, k.x(at), y-h, k.x(at), y+h)
	}
}

// Strip shows which of several states something was in over time, in a row. In
// each piece the states are piled up by their shares of its time.
type Strip struct {
	Row    float64
	States []string
	Pieces []Piece
}

// Piece is a part of a Strip: Share[i] is that of States[i] in its time; the
// shares make 1.
type Piece struct {
	From, To float64
	Share    []float64
}

func (s Strip) extent(see func(x, y float64)) {
	for _, p := range s.Pieces {
		see(p.From, s.Row)
		see(p.To, s.Row)
	}
}

func (s Strip) entries() (list []entry) {
	for i, state := range s.States {
		for _, p := range s.Pieces {
			if p.Share[i] > 0 {
				list = append(list, labelled(state, ofArea)...)
				break
			}
		}
	}
	return list
}

func (s Strip) plot(k pen) {
	thick := 2 * k.halfRow(0.84)
	bottom := k.y(s.Row) - thick/2
	for _, p := range merged(s.Pieces) {
		from := bottom
		for i, share := range p.Share {
			if share <= 0 {
				continue
			}
			to := from + thick*vg.Length(share)
			k.rectangle(k.looks.color(s.States[i]), k.x(p.From), from, k.x(p.To), to)
			from = to
		}
	}
}

// merged joins pieces that look alike.
func merged(pieces []Piece) []Piece {
	var out []Piece
	for _, p := range pieces {
		if n := len(out); n > 0 && out[n-1].To == p.From && alike(out[n-1].Share, p.Share) {
			out[n-1].To = p.To
			continue
		}
		out = append(out, p)
	}
	return out
}

func alike(a, b []float64) bool {
	for i := range a {
		if d := a[i] - b[i]; d > 0.02 || d < -0.02 {
			return false
		}
	}
	return true
}
