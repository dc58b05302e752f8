package plot

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Spread shows values in a row: a box from the first to the third quartile with
// the median, whiskers to the farthest values within 1.5 box lengths (Tukey),
// and the values themselves as points below; as a violin, the density above.
type Spread struct {
	Row    float64
	Label  string // its look; not in the legend: the row has a name
	Values []float64
	Violin bool
	Text   string // beside
}

func (s Spread) extent(see func(x, y float64)) {
	for _, v := range s.Values {
		see(v, s.Row)
	}
}

func (s Spread) entries() []entry { return nil }

func (s Spread) plot(k pen) {
	sorted := slices.DeleteFunc(slices.Clone(s.Values), func(v float64) bool { return !finite(v) })
	if len(sorted) == 0 {
		return
	}
	slices.Sort(sorted)
	c := k.looks.color(s.Label)
	middle, half := k.y(s.Row), k.halfRow(0.34)
	if s.Violin {
		s.violin(k, sorted, middle)
		half = k.halfRow(0.16)
	} else {
		middle += k.halfRow(0.22)
		s.points(k, sorted)
	}
	q1, q2, q3 := quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)
	low, high := sorted[0], sorted[len(sorted)-1]
	for _, v := range sorted {
		if v >= q1-1.5*(q3-q1) {
			low = v
			break
		}
	}
	for _, v := range slices.Backward(sorted) {
		if v <= q3+1.5*(q3-q1) {
			high = v
			break
		}
	}
	pencil := draw.LineStyle{Color: ink, Width: 0.8}
	k.StrokeLine2(pencil, k.x(low), middle, k.x(q1), middle)
	k.StrokeLine2(pencil, k.x(q3), middle, k.x(high), middle)
	for _, v := range []float64{low, high} {
		k.StrokeLine2(pencil, k.x(v), middle-half/2, k.x(v), middle+half/2)
	}
	corners := box(k.x(q1), middle-half, k.x(q3), middle+half)
	k.FillPolygon(tint(c, 0.45), corners)
	k.StrokeLines(pencil, append(corners, corners[0]))
	k.StrokeLine2(draw.LineStyle{Color: ink, Width: 2}, k.x(q2), middle-half, k.x(q2), middle+half)
	text := k.x(q3)
	if s.Text != "" {
		style := letters(smallSize, quiet, false)
		at := vg.Point{X: min(text+5, k.Max.X-style.Width(s.Text)-2), Y: middle + half + 2}
		if !s.Violin {
			at = vg.Point{X: min(k.x(q3)+5, at.X), Y: middle + 4}
		}
		write(k.Canvas, style, at, s.Text)
	}
}

// points lie below the box, those that would cover each other on lines of
// their own.
func (s Spread) points(k pen, sorted []float64) {
	const radius = vg.Length(1.7)
	style := draw.GlyphStyle{Color: veiled(k.looks.color(s.Label)), Radius: radius, Shape: k.looks.glyph(s.Label)}
	top, room := k.y(s.Row)-k.halfRow(0.22), k.halfRow(0.7)
	lines := max(1, int(room/(2*radius+0.4)))
	last := make([]vg.Length, lines)
	for i := range last {
		last[i] = -1e9
	}
	for _, v := range sorted {
		x, line := k.x(v), 0
		for i := range last {
			if x-last[i] >= 2*radius+0.4 {
				line = i
				break
			}
			if last[i] < last[line] {
				line = i
			}
		}
		last[line] = x
		k.DrawGlyph(style, vg.Point{X: x, Y: top - radius - vg.Length(line)*(2*radius+0.4)})
	}
}

// violin fills a kernel estimate of the density, as wide as the row at its
// highest.
func (s Spread) violin(k pen, sorted []float64, middle vg.Length) {
	const steps = 96
	least, greatest := sorted[0], sorted[len(sorted)-1]
	width := bandwidth(sorted)
	if width == 0 {
		return
	}
	density := make([]float64, steps+1)
	highest := 0.0
	for i := range density {
		x := least + (greatest-least)*float64(i)/steps
		from, _ := slices.BinarySearch(sorted, x-4*width)
		to, _ := slices.BinarySearch(sorted, x+4*width)
		for _, v := range sorted[from:to] {
			z := (x - v) / width
			density[i] += math.Exp(-z * z / 2)
		}
		highest = max(highest, density[i])
	}
	outline := make([]vg.Point, 0, 2*steps+2)
	half := k.halfRow(0.86)
	for side := -1; side <= 1; side += 2 {
		for j := range density {
			i := j
			if side > 0 {
				i = steps - j
			}
			x := least + (greatest-least)*float64(i)/steps
			outline = append(outline, vg.Point{X: k.x(x), Y: middle + vg.Length(side)*half*vg.Length(density[i]/highest)})
		}
	}
	c := k.looks.color(s.Label)
	k.FillPolygon(tint(c, 0.22), outline)
	k.StrokeLines(draw.LineStyle{Color: c, Width: 0.8}, append(outline, outline[0]))
}

// bandwidth of a Gaussian kernel: 0.9 min(σ, IQR/1.34) n^(−1/5) (Silverman,
// Density Estimation, 1986, eq. 3.31).
func bandwidth(sorted []float64) float64 {
	n := float64(len(sorted))
	mean, squares := 0.0, 0.0
	for _, v := range sorted {
		mean += v / n
	}
	for _, v := range sorted {
		squares += (v - mean) * (v - mean) / n
	}
	a := math.Sqrt(squares)
	if iqr := (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 1.34; iqr > 0 {
		a = math.Min(a, iqr)
	}
	return 0.9 * a * math.Pow(n, -0.2)
}

// quantile interpolates between the values (type 7 of Hyndman and Fan).
func quantile(sorted []float64, q float64) float64 {
	place := q * float64(len(sorted)-1)
	i := min(int(place), len(sorted)-1)
	j := min(i+1, len(sorted)-1)
	return sorted[i] + (place-float64(i))*(sorted[j]-sorted[i])
}

// Interval shows a mean with its interval in a row, over the runs that it
// stands for, and what another source has.
type Interval struct {
	Row             float64
	Label           string
	Values          []float64 // small points
	Mean, Low, High float64   // NaN bounds: no interval
	// From and To are another source's range, drawn as a hollow diamond or a
	// bar; NaN: none. Other is its label in the legend.
	From, To float64
	Other    string
	Text     string // beside
}

func (s Interval) extent(see func(x, y float64)) {
	for _, v := range append([]float64{s.Mean, s.Low, s.High, s.From, s.To}, s.Values...) {
		if finite(v) {
			see(v, s.Row)
		}
	}
}

func (s Interval) entries() []entry {
	if !finite(s.From) || s.Other == "" {
		return nil
	}
	return []entry{{label: s.Other, kind: ofOther}}
}

func (s Interval) plot(k pen) {
	middle := k.y(s.Row)
	c := k.looks.color(s.Label)
	faded := draw.GlyphStyle{Color: tint(c, 0.45), Radius: 1.4, Shape: draw.CircleGlyph{}}
	for _, v := range s.Values {
		if finite(v) {
			k.DrawGlyph(faded, vg.Point{X: k.x(v), Y: middle})
		}
	}
	if finite(s.From) {
		k.other(k.x(s.From), k.x(s.To), middle-k.halfRow(0.5))
	}
	if finite(s.Low) {
		k.StrokeLine2(draw.LineStyle{Color: c, Width: 2.2}, k.x(s.Low), middle, k.x(s.High), middle)
	}
	k.DrawGlyph(draw.GlyphStyle{Color: c, Radius: 3.4, Shape: k.looks.glyph(s.Label)}, vg.Point{X: k.x(s.Mean), Y: middle})
	if s.Text != "" {
		style := letters(smallSize, ink, false)
		style.XAlign = draw.XCenter
		w := style.Width(s.Text) / 2
		x := min(max(k.x(s.Mean), k.Min.X+w+1), k.Max.X-w-1)
		k.FillText(style, vg.Point{X: x, Y: middle + 6}, s.Text)
	}
}

// other marks another source's value, or range.
func (k pen) other(from, to, y vg.Length) {
	style := draw.LineStyle{Color: ink, Width: 1}
	if to-from > 6 {
		k.StrokeLine2(style, from, y, to, y)
		k.StrokeLine2(style, from, y-3, from, y+3)
		k.StrokeLine2(style, to, y-3, to, y+3)
		return
	}
	x := (from + to) / 2
	const r = 3.4
	corners := []vg.Point{{X: x - r, Y: y}, {X: x, Y: y - r}, {X: x + r, Y: y}, {X: x, Y: y + r}}
	k.FillPolygon(rgb(0xFFFFFF), corners)
	k.StrokeLines(style, append(corners, corners[0]))
}
