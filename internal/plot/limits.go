package plot

import "math"

// limits are the ends of a panel's axes.
type limits struct{ xMin, xMax, yMin, yMax float64 }

// room is the part of the y axis kept free beyond the data, and beyond them
// where the text of a mark needs it.
const (
	room     = 0.05
	markRoom = 0.16
)

// limits finds the ends of the axes that the panel leaves to its data. Only
// what lies within the x axis counts for the y axis.
func (p *Panel) limits() limits {
	l := limits{p.X.From, p.X.To, p.Y.From, p.Y.To}
	if !p.X.fixed() {
		l.xMin, l.xMax = extent(p.eachX)
		if l.xMin == l.xMax {
			l.xMin, l.xMax = l.xMin-1, l.xMax+1
		}
		if p.hasShapes() && p.X.Names == nil {
			l.xMin, l.xMax = p.X.widened(l.xMin, l.xMax)
		}
	}
	switch {
	case p.Y.fixed():
		return l
	case p.Y.Names != nil:
		l.yMin, l.yMax = extent(func(see func(float64)) { p.eachY(l, see) })
		for _, n := range p.Y.Names {
			l.yMin, l.yMax = math.Min(l.yMin, n.At), math.Max(l.yMax, n.At)
		}
		l.yMin, l.yMax = l.yMin-rowRoom, l.yMax+rowRoom
		return l
	}
	l.yMin, l.yMax = extent(func(see func(float64)) { p.eachY(l, see) })
	if l.yMin == l.yMax {
		// A flat line stands in the middle, at a scale its size suggests.
		half := math.Max(math.Abs(l.yMin)*0.1, 1e-9)
		l.yMin, l.yMax = l.yMin-half, l.yMax+half
	}
	if p.Y.Log {
		l.yMin, l.yMax = p.Y.widened(l.yMin, l.yMax)
		return l
	}
	size := l.yMax - l.yMin
	below, above := room, room
	for _, m := range p.Marks {
		if textBelow(m.Y, l.yMin, l.yMax) {
			below = markRoom
		} else {
			above = markRoom
		}
	}
	l.yMin, l.yMax = l.yMin-below*size, l.yMax+above*size
	return l
}

// rowRoom is kept free beyond the first and the last row of an axis of names.
const rowRoom = 0.6

func (p *Panel) hasShapes() bool { return len(p.Shapes) > 0 }

// widened leaves a little room at both ends; a scale that begins near zero
// begins there.
func (a Axis) widened(least, greatest float64) (float64, float64) {
	if a.Log {
		f := math.Max(math.Pow(greatest/least, room), 1.05)
		return least / f, greatest * f
	}
	size := greatest - least
	switch {
	case least < 0 || least > size/2:
		least -= room * size
	case least < size/2:
		least = 0
	}
	return least, greatest + room*size
}

// textBelow tells on which side of a point its text stands: on the outer one.
func textBelow(y, yMin, yMax float64) bool { return y < (yMin+yMax)/2 }

func (p *Panel) eachX(see func(float64)) {
	for _, l := range p.Lines {
		for i, x := range l.X {
			if finite(l.Y[i]) {
				see(x)
			}
		}
	}
	for _, m := range p.Marks {
		see(m.X)
	}
	for _, s := range p.Shapes {
		s.extent(func(x, _ float64) { see(x) })
	}
	for _, s := range p.Spans {
		see(s.From)
		see(s.To)
	}
}

func (p *Panel) eachY(within limits, see func(float64)) {
	inside := func(x float64) bool { return x >= within.xMin && x <= within.xMax }
	for _, l := range p.Lines {
		for i, x := range l.X {
			if inside(x) {
				see(l.Y[i])
			}
		}
	}
	for _, m := range p.Marks {
		if inside(m.X) {
			see(m.Y)
		}
	}
	for _, v := range p.Levels {
		see(v.Y)
	}
	for _, s := range p.Shapes {
		s.extent(func(_, y float64) { see(y) })
	}
}

// extent returns the least and the greatest finite value, 0 and 0 of none.
func extent(each func(see func(float64))) (least, greatest float64) {
	least, greatest = math.Inf(1), math.Inf(-1)
	each(func(v float64) {
		if finite(v) {
			least, greatest = math.Min(least, v), math.Max(greatest, v)
		}
	})
	if least > greatest {
		return 0, 0
	}
	return least, greatest
}
