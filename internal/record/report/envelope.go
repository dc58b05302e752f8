package report

import (
	"math"
	"slices"
)

// envelope thins a trace to a bounded number of points: of each piece of time
// it keeps the first and last value, the least and the greatest, with their
// times (M4 of Jugel et al., PVLDB 7 (2014) 797: drawn at a pixel a piece, the
// line is the one that all values make). Pieces grow as the trace does.
type envelope struct {
	pieces []piece
	limit  int // of pieces; even
	width  int // values a piece
	filled int // values of the last piece
}

type point struct{ t, y float64 }

type piece struct{ first, least, greatest, last point }

// pieces of a trace that goes over the width of a page: finer than a printer's
// dots make visible.
const fullPieces = 1200

func newEnvelope(limit int) *envelope { return &envelope{limit: limit, width: 1} }

// add takes the next value; one that is not finite is left out.
func (e *envelope) add(t, y float64) {
	if math.IsNaN(y) || math.IsInf(y, 0) {
		return
	}
	p := point{t, y}
	if len(e.pieces) > 0 && e.filled < e.width {
		e.pieces[len(e.pieces)-1].join(piece{p, p, p, p})
		e.filled++
		return
	}
	if len(e.pieces) == e.limit {
		e.halve()
	}
	e.pieces = append(e.pieces, piece{p, p, p, p})
	e.filled = 1
}

// halve joins pieces in pairs.
func (e *envelope) halve() {
	half := e.pieces[:0]
	for i := 0; i+1 < len(e.pieces); i += 2 {
		p := e.pieces[i]
		p.join(e.pieces[i+1])
		half = append(half, p)
	}
	e.pieces = half
	e.width *= 2
}

// join appends a later piece; of equal values the first counts.
func (p *piece) join(q piece) {
	if q.least.y < p.least.y {
		p.least = q.least
	}
	if q.greatest.y > p.greatest.y {
		p.greatest = q.greatest
	}
	p.last = q.last
}

// line is the trace, its values multiplied by scale.
func (e *envelope) line(scale float64) (x, y []float64) {
	for _, p := range e.pieces {
		points := []point{p.first, p.least, p.greatest, p.last}
		slices.SortStableFunc(points[1:3], func(a, b point) int { return int(math.Copysign(1, a.t-b.t)) })
		for i, q := range points {
			if i == 0 || q.t > points[i-1].t {
				x, y = append(x, q.t), append(y, scale*q.y)
			}
		}
	}
	return x, y
}

// extremes are the least and the greatest of all values.
func (e *envelope) extremes() (least, greatest point) {
	for i, p := range e.pieces {
		if i == 0 || p.least.y < least.y {
			least = p.least
		}
		if i == 0 || p.greatest.y > greatest.y {
			greatest = p.greatest
		}
	}
	return least, greatest
}

// thinned keeps some of many values, evenly over their order: every one, then
// every second, every fourth.
type thinned struct {
	values [][2]float64
	every  int
	seen   int
}

// thinnedLimit is how many values are kept at most.
const thinnedLimit = 1200

func (s *thinned) add(a, b float64) {
	if math.IsNaN(a) || math.IsNaN(b) {
		return
	}
	s.every = max(1, s.every)
	if s.seen%s.every == 0 {
		if len(s.values) == thinnedLimit {
			half := s.values[:0]
			for i := 0; i < len(s.values); i += 2 {
				half = append(half, s.values[i])
			}
			s.values = half
			s.every *= 2
		}
		if s.seen%s.every == 0 {
			s.values = append(s.values, [2]float64{a, b})
		}
	}
	s.seen++
}
