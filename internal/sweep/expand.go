package sweep

import (
	"fmt"
	"math/rand/v2"

	"cosim/internal/rng"
)

// Ways to sample.
const (
	latinHypercube = "latin-hypercube"
	randomly       = "random"
)

// sample says that points are drawn instead of taken from the grid.
type sample struct {
	Method string `yaml:"method"`
	N      int    `yaml:"n"`
	Seed   uint64 `yaml:"seed"`
}

// maxPoints is how many a sweep may have.
const maxPoints = 1_000_000

// points combines the axes: all levels with all others, or a sample of them.
// Each point has the values of all keys in the order of the axes.
func (r *reader) points(axes []axis, s *sample) [][]value {
	if s == nil {
		return r.grid(axes)
	}
	at := r.place("sample")
	switch {
	case len(axes) == 0:
		r.fault(at, "sample: nothing to draw from, expected keys under vary or zip")
	case s.Method != latinHypercube && s.Method != randomly:
		r.fault(at, "sample: method is %q, expected %s or %s", s.Method, latinHypercube, randomly)
	case s.N < 1 || s.N > maxPoints:
		r.fault(at, "sample: n is %d, expected 1 to %d", s.N, maxPoints)
	default:
		return draw(axes, *s)
	}
	return nil
}

// grid runs through the levels of the last axis first.
func (r *reader) grid(axes []axis) [][]value {
	points := [][]value{nil}
	for _, a := range axes {
		if a.span != nil {
			r.fault(r.at(a.span.at), "%s: expected steps: a range without them is for sample", a.keys[0].Key)
			continue
		}
		if len(points)*len(a.levels) > maxPoints {
			r.fault(a.keys[0].at, "more than %d points; sample draws some of them", maxPoints)
			return nil
		}
		var next [][]value
		for _, p := range points {
			for _, level := range a.levels {
				next = append(next, append(p[:len(p):len(p)], level...))
			}
		}
		points = next
	}
	return points
}

// draw takes n points. In a Latin hypercube each axis is cut into n equal
// parts, and each part has one point (McKay, Beckman and Conover, Technometrics
// 21, 1979). An axis has a random stream of its own, so that another axis
// beside it changes nothing. Points that come out equal are taken once.
func draw(axes []axis, s sample) [][]value {
	points := make([][]value, s.N)
	for _, a := range axes {
		random := rng.Stream(s.Seed, "sweep/"+a.keys[0].Key)
		for i, part := range parts(random, s) {
			if a.span != nil {
				points[i] = append(points[i], a.span.value(part))
			} else {
				points[i] = append(points[i], a.levels[int(part*float64(len(a.levels)))]...)
			}
		}
	}
	seen := map[string]bool{}
	unique := points[:0]
	for _, p := range points {
		if key := fmt.Sprint(texts(p)); !seen[key] {
			seen[key] = true
			unique = append(unique, p)
		}
	}
	return unique
}

// parts are n numbers from 0 to below 1.
func parts(random *rand.Rand, s sample) []float64 {
	list := make([]float64, s.N)
	order := random.Perm(s.N)
	for i := range list {
		list[i] = random.Float64()
		if s.Method == latinHypercube {
			list[i] = (float64(order[i]) + list[i]) / float64(s.N)
		}
	}
	return list
}
