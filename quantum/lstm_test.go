package quantum

import (
	"math"
	"testing"

	"cosim/internal/rng"
)

// The gradient of back-propagation is that of finite differences, for every
// weight.
func TestGradientEqualsFiniteDifferences(t *testing.T) {
	const window = 7
	net := newLSTM(2, 5, 3)
	r := rng.Stream(1, "gradient")
	net.init(r)
	for i := range net.weights {
		net.weights[i] += 0.3 * r.NormFloat64()
	}
	tp := newTape(net, window)
	var inputs, targets [window][3]float64
	for i := range inputs {
		for k := range inputs[i] {
			inputs[i][k], targets[i][k] = r.NormFloat64(), r.NormFloat64()
		}
	}
	h0, c0 := make([]float64, 5), make([]float64, 5)
	for k := range h0 {
		h0[k], c0[k] = 0.5*r.NormFloat64(), r.NormFloat64()
	}
	loss := func() (l float64, dy [][]float64) {
		h, c := append([]float64(nil), h0...), append([]float64(nil), c0...)
		for i := range tp.steps {
			copy(tp.steps[i].in, inputs[i][:2])
		}
		tp.forward(h, c)
		for i := range tp.steps {
			d := make([]float64, 3)
			for k, y := range tp.steps[i].y {
				d[k] = y - targets[i][k]
				l += d[k] * d[k] / 2
			}
			dy = append(dy, d)
		}
		return l, dy
	}
	_, dy := loss()
	tp.backward(dy)
	worst := 0.0
	for i := range net.weights {
		const step = 1e-5
		w := net.weights[i]
		net.weights[i] = w + step
		up, _ := loss()
		net.weights[i] = w - step
		down, _ := loss()
		net.weights[i] = w
		want := (up - down) / (2 * step)
		off := math.Abs(tp.gradient[i]-want) / math.Max(1, math.Abs(want))
		worst = math.Max(worst, off)
		if off > 1e-7 {
			t.Errorf("weight %d: gradient %.9g, by differences %.9g", i, tp.gradient[i], want)
		}
	}
	t.Logf("%d weights, greatest difference %.1e", len(net.weights), worst)
}

// A network can learn what a window's beginning says about its end: which of
// two pulses came, ten steps ago.
func TestNetworkLearnsToRemember(t *testing.T) {
	const window = 12
	net := newLSTM(1, 8, 1)
	r := rng.Stream(2, "remember")
	net.init(r)
	tp, opt := newTape(net, window), newAdam(len(net.weights), 0.01, 5)
	dy := make([][]float64, window)
	for i := range dy {
		dy[i] = make([]float64, 1)
	}
	var miss float64
	for range 3000 {
		sign := float64(2*r.IntN(2) - 1)
		h, c := make([]float64, 8), make([]float64, 8)
		for i := range tp.steps {
			tp.steps[i].in[0] = 0
		}
		tp.steps[0].in[0] = sign
		tp.forward(h, c)
		d := tp.steps[window-1].y[0] - sign
		dy[window-1][0] = d
		clear(tp.gradient)
		tp.backward(dy)
		opt.step(net.weights, tp.gradient)
		miss = 0.99*miss + 0.01*d*d
	}
	if miss > 0.01 {
		t.Errorf("mean square error %.3g after training", miss)
	}
}
