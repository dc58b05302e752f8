package quantum

import (
	"math"
	"math/rand/v2"
)

// lstm is a recurrent network of one layer with forget gates (Hochreiter and
// Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000) and a linear layer
// behind it. With x the input, h and c its state and σ the logistic function,
//
//	i, f, o = σ(W_i,f,o·[x, h, 1])    g = tanh(W_g·[x, h, 1])
//	c' = f∘c + i∘g                    h' = o∘tanh(c')
//	y  = V·[h', 1]
//
// The weights are one slice: the rows of W, gate by gate in the order i, f, o,
// g, then the rows of V.
type lstm struct {
	inputs, hidden, outputs int
	weights                 []float64
}

func newLSTM(inputs, hidden, outputs int) *lstm {
	n := 4*hidden*(inputs+hidden+1) + outputs*(hidden+1)
	return &lstm{inputs, hidden, outputs, make([]float64, n)}
}

// init draws the weights after Glorot and Bengio (2010); forget gates begin
// open, and the outputs at zero.
func (n *lstm) init(r *rand.Rand) {
	width := n.width()
	limit := math.Sqrt(6 / float64(width+n.hidden))
	for row := range 4 * n.hidden {
		w := n.row(row)
		for i := range w[:width-1] {
			w[i] = limit * (2*r.Float64() - 1)
		}
		if w[width-1] = 0; row/n.hidden == 1 {
			w[width-1] = 1
		}
	}
}

func (n *lstm) width() int { return n.inputs + n.hidden + 1 }

// row of W.
func (n *lstm) row(i int) []float64 { return n.weights[i*n.width() : (i+1)*n.width()] }

// out is row i of V.
func (n *lstm) out(i int) []float64 {
	from := 4*n.hidden*n.width() + i*(n.hidden+1)
	return n.weights[from : from+n.hidden+1]
}

// lstmStep is what one step of the network computes: all that the backward
// pass needs of it.
type lstmStep struct {
	in    []float64 // x, h before, 1
	gates []float64 // i, f, o, g
	c, h  []float64 // after
	tanhC []float64
	y     []float64
}

func (n *lstm) newStep() lstmStep {
	return lstmStep{
		in: make([]float64, n.width()), gates: make([]float64, 4*n.hidden),
		c: make([]float64, n.hidden), h: make([]float64, n.hidden), tanhC: make([]float64, n.hidden), y: make([]float64, n.outputs),
	}
}

// forward computes s from the input in s.in[:inputs] and the state h and c,
// which may be s's own.
func (n *lstm) forward(s *lstmStep, h, c []float64) {
	copy(s.in[n.inputs:], h)
	s.in[n.width()-1] = 1
	for i := range s.gates {
		z := dot(n.row(i), s.in)
		if i < 3*n.hidden {
			s.gates[i] = 1 / (1 + math.Exp(-z))
		} else {
			s.gates[i] = math.Tanh(z)
		}
	}
	in, forget, out, g := n.split(s.gates)
	for k := range s.c {
		s.c[k] = forget[k]*c[k] + in[k]*g[k]
		s.tanhC[k] = math.Tanh(s.c[k])
		s.h[k] = out[k] * s.tanhC[k]
	}
	for i := range s.y {
		v := n.out(i)
		s.y[i] = dot(v[:n.hidden], s.h) + v[n.hidden]
	}
}

func (n *lstm) split(gates []float64) (in, forget, out, g []float64) {
	k := n.hidden
	return gates[:k], gates[k : 2*k], gates[2*k : 3*k], gates[3*k:]
}

func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}
