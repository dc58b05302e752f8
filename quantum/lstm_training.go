package quantum

import "math"

// tape runs an lstm over a stretch of steps and back (back-propagation through
// time, Werbos 1990).
type tape struct {
	net        *lstm
	steps      []lstmStep
	h0, c0     []float64 // state before the stretch
	gradient   []float64 // of the weights, summed until it is cleared
	dh, dc, dz []float64
}

func newTape(net *lstm, window int) *tape {
	t := &tape{
		net: net, h0: make([]float64, net.hidden), c0: make([]float64, net.hidden), gradient: make([]float64, len(net.weights)),
		dh: make([]float64, net.hidden), dc: make([]float64, net.hidden), dz: make([]float64, 4*net.hidden),
	}
	for range window {
		t.steps = append(t.steps, net.newStep())
	}
	return t
}

// forward runs the stretch from the state h, c, which it leaves as it is
// afterwards. The input of step i stands in steps[i].in.
func (t *tape) forward(h, c []float64) {
	copy(t.h0, h)
	copy(t.c0, c)
	for i := range t.steps {
		t.net.forward(&t.steps[i], h, c)
		copy(h, t.steps[i].h)
		copy(c, t.steps[i].c)
	}
}

// backward adds the gradient of a loss of which dy[i] is the derivative by the
// outputs of step i. What lies before the stretch is taken as given.
func (t *tape) backward(dy [][]float64) {
	n := t.net
	clear(t.dh)
	clear(t.dc)
	base := 4 * n.hidden * n.width()
	for i := len(t.steps) - 1; i >= 0; i-- {
		s := &t.steps[i]
		for o, d := range dy[i] {
			v, g := n.out(o), t.gradient[base+o*(n.hidden+1):]
			for k := range s.h {
				t.dh[k] += d * v[k]
				g[k] += d * s.h[k]
			}
			g[n.hidden] += d
		}
		before := t.c0
		if i > 0 {
			before = t.steps[i-1].c
		}
		t.gates(s, before)
		clear(t.dh)
		width := n.width()
		for row, dz := range t.dz {
			w, g := n.row(row), t.gradient[row*width:(row+1)*width]
			for k, x := range s.in {
				g[k] += dz * x
			}
			for k, x := range w[n.inputs : width-1] {
				t.dh[k] += dz * x
			}
		}
	}
}

// gates passes dh and dc through the gates of s: dz are the derivatives by
// what the gates are given, dc those by the cells before.
func (t *tape) gates(s *lstmStep, before []float64) {
	in, forget, out, g := t.net.split(s.gates)
	dIn, dForget, dOut, dG := t.net.split(t.dz)
	for k, dh := range t.dh {
		dc := t.dc[k] + dh*out[k]*(1-s.tanhC[k]*s.tanhC[k])
		dOut[k] = dh * s.tanhC[k] * out[k] * (1 - out[k])
		dIn[k] = dc * g[k] * in[k] * (1 - in[k])
		dForget[k] = dc * before[k] * forget[k] * (1 - forget[k])
		dG[k] = dc * in[k] * (1 - g[k]*g[k])
		t.dc[k] = dc * forget[k]
	}
}

// adam is the optimiser of Kingma and Ba (2015), with gradients clipped by
// their norm.
type adam struct {
	rate, clip   float64
	mean, square []float64
	steps        int
}

func newAdam(weights int, rate, clip float64) *adam {
	return &adam{rate: rate, clip: clip, mean: make([]float64, weights), square: make([]float64, weights)}
}

// step moves the weights against the gradient.
func (a *adam) step(weights, gradient []float64) {
	const decay1, decay2, tiny = 0.9, 0.999, 1e-8
	a.steps++
	norm := math.Sqrt(dot(gradient, gradient))
	scale := 1.0
	if norm > a.clip {
		scale = a.clip / norm
	}
	fresh1, fresh2 := 1-math.Pow(decay1, float64(a.steps)), 1-math.Pow(decay2, float64(a.steps))
	for i, g := range gradient {
		g *= scale
		a.mean[i] = decay1*a.mean[i] + (1-decay1)*g
		a.square[i] = decay2*a.square[i] + (1-decay2)*g*g
		weights[i] -= a.rate * (a.mean[i] / fresh1) / (math.Sqrt(a.square[i]/fresh2) + tiny)
	}
}
