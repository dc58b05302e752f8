package reconfig

import "math"

// hinges is in how many pieces the square of a deviation is cut.
const hinges = 8

// addGridRows bounds the cost w|y| + λy² of each output and step from below by
// tangents at y_0 = 0 < y_1 < … up to the largest |y| that is possible,
//
//	w|y| + λy² ≥ Σ_i Δ_i·max(0, |y| − q_i),   Δ_0 = w, q_0 = 0,
//	Δ_i = 2λ(y_i − y_{i−1}),   q_i = (y_{i−1} + y_i)/2,
//
// a row ±y − excess ≤ q_i priced Δ_i each. Where y lies on one side of q_i
// whatever is sent, the piece is linear and goes into the costs of sending.
func (r *relaxation) addGridRows() {
	for l := range r.chains {
		c := &r.chains[l]
		if c.Pending == nil {
			continue
		}
		c.send = make([]float64, len(c.Options)*r.steps)
		for o := range c.Options {
			for t := range r.steps {
				c.send[o*r.steps+t] = c.Pending.oneOffCost(t)
			}
		}
	}
	if r.p.Grid == nil {
		return
	}
	for j := range r.p.Grid.Outputs {
		for k := range r.steps {
			low, high := r.span(j, k)
			for _, sign := range []float64{1, -1} {
				r.addHinges(j, k, sign, math.Min(sign*low, sign*high), math.Max(sign*low, sign*high))
			}
		}
	}
}

// span is between which values output j at the end of step k can be.
func (r *relaxation) span(j, k int) (low, high float64) {
	low, high = r.response.free[j][k], r.response.free[j][k]
	for l := range r.chains {
		c := &r.chains[l]
		if c.Pending == nil {
			continue
		}
		least, most := 0.0, 0.0
		for o := 1; o < len(c.Options); o++ {
			for t := range r.steps {
				y := r.response.of(c.Pending, t, o, j, k)
				least, most = math.Min(least, y), math.Max(most, y)
			}
		}
		low, high = low+least, high+most
	}
	return low, high
}

// addHinges adds the pieces of one side, on which sign·y is in [low, high].
func (r *relaxation) addHinges(j, k int, sign, low, high float64) {
	out := &r.p.Grid.Outputs[j]
	if high <= 0 {
		return
	}
	width := high / hinges
	for i := range hinges + 1 {
		q, slope := (float64(i)-0.5)*width, 2*out.SquareWeight*width
		if i == 0 {
			q, slope = 0, out.AbsWeight
		}
		switch {
		case slope == 0 || high <= q:
		case low >= q:
			r.addLinear(j, k, sign*slope, slope*q)
		default:
			scale := 1 / (high - low)
			r.rows = append(r.rows, row{
				kind: gridRow, output: j, step: k, sign: sign,
				limit: q - sign*r.response.free[j][k], price: slope, scale: scale,
			})
		}
	}
}

// addLinear adds slope·y − offset to the costs.
func (r *relaxation) addLinear(j, k int, slope, offset float64) {
	r.constant += slope*r.response.free[j][k] - offset
	for l := range r.chains {
		c := &r.chains[l]
		for i := range c.send {
			c.send[i] += slope * r.response.of(c.Pending, i%r.steps, i/r.steps, j, k)
		}
	}
}
