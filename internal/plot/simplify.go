package plot

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// simplify leaves out points so that no point lies farther than tolerance from
// the line through the others (Douglas and Peucker, Cartographica 10 (1973)
// 112, with distances to the segment). A long trace becomes a small file that
// looks the same.
func simplify(points []vg.Point, tolerance vg.Length) []vg.Point {
	if len(points) < 3 {
		return points
	}
	keep := make([]bool, len(points))
	keep[0], keep[len(points)-1] = true, true
	stack := [][2]int{{0, len(points) - 1}}
	for len(stack) > 0 {
		a, b := stack[len(stack)-1][0], stack[len(stack)-1][1]
		stack = stack[:len(stack)-1]
		far, at := tolerance, -1
		for i := a + 1; i < b; i++ {
			if d := distance(points[i], points[a], points[b]); d > far {
				far, at = d, i
			}
		}
		if at >= 0 {
			keep[at] = true
			stack = append(stack, [2]int{a, at}, [2]int{at, b})
		}
	}
	out := make([]vg.Point, 0, 64)
	for i, k := range keep {
		if k {
			out = append(out, points[i])
		}
	}
	return out
}

// distance of p from the segment between a and b.
func distance(p, a, b vg.Point) vg.Length {
	dx, dy := b.X-a.X, b.Y-a.Y
	along := 0.0
	if size := dx*dx + dy*dy; size > 0 {
		along = float64(((p.X-a.X)*dx + (p.Y-a.Y)*dy) / size)
	}
	along = min(max(along, 0), 1)
	return vg.Length(math.Hypot(float64(p.X-a.X)-along*float64(dx), float64(p.Y-a.Y)-along*float64(dy)))
}
