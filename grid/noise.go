package grid

import "math"

// noise is the Ornstein-Uhlenbeck process on the loads; see [Noise].
type noise struct {
	src         *Noise
	bus         []int // buses with a load
	w           []float64
	keep, fresh float64
}

func (n *noise) init(s *system, src *Noise) {
	if src == nil {
		return
	}
	n.src = src
	for i := range s.pl {
		if s.pl[i] != 0 || s.ql[i] != 0 {
			n.bus = append(n.bus, i)
		}
	}
	n.w = make([]float64, len(n.bus))
	n.keep = math.Exp(-noiseStepNS * 1e-9 / src.TauS)
	n.fresh = src.SigmaPU * math.Sqrt(1-n.keep*n.keep)
}

// draw moves every load's process by 10 ms, in bus order.
func (n *noise) draw() {
	for i := range n.w {
		n.w[i] = n.keep*n.w[i] + n.fresh*n.src.Rand.NormFloat64()
	}
}
