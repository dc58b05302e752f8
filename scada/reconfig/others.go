package reconfig

import "math"

// Others is what is drawn from a pool outside of a problem: by the chains of
// other operators, and by whatever no plan counts. It is a constant in the
// pool's rows. With its mean m° and variance v°,
//
//	m + m° + κ√(P + v + v°) ≤ K
//
// is what remains of a chance constraint that all share.
type Others struct {
	MeanBits, VarBits2           []float64 // drawn up to the end of each step; nil for nothing
	LowerMeanBits, LowerVarBits2 []float64 // by all but the highest class
	// EndBits is what the terminal row counts of theirs over the horizon.
	EndBits float64
}

// Row is the mean in bits and the variance in bit² of what they draw up to the
// end of step t, all or only those below the highest class; of nil nothing.
func (o *Others) Row(t int, lower bool) (mean, variance float64) {
	switch {
	case o == nil || o.MeanBits == nil:
		return 0, 0
	case lower:
		return o.LowerMeanBits[t], o.LowerVarBits2[t]
	}
	return o.MeanBits[t], o.VarBits2[t]
}

// held is what others draw in the row of pool e, step t and class c.
func (p *Problem) held(e, t int, c class) (mean, variance float64) {
	return p.Pools[e].Others.Row(t, c == lower)
}

// fixedVar is the variance in a row of a pool that no plan changes.
func (p *Problem) fixedVar(e, t int, c class) float64 {
	_, v := p.held(e, t, c)
	return p.Pools[e].StockVarBits[t] + v
}

// left is what others leave of a limit, and no less than all chains off need:
// where others fill a row, rounding may leave less.
func (p *Problem) left(e, t int, c class, limit float64) float64 {
	if p.Pools[e].Others == nil {
		return limit
	}
	mean, _ := p.held(e, t, c)
	return math.Max(limit-mean, p.Kappa*math.Sqrt(p.fixedVar(e, t, c)))
}

func (o *Others) validate(id string, steps int, report func(string, ...any)) {
	if o == nil {
		return
	}
	for _, x := range [][]float64{o.MeanBits, o.VarBits2, o.LowerMeanBits, o.LowerVarBits2} {
		if o.MeanBits == nil && x == nil {
			continue
		}
		if len(x) != steps {
			report("pool %s: %d draws of others for %d steps", id, len(x), steps)
		}
		for t, v := range x {
			if !finite(v) || v < 0 {
				report("pool %s, step %d: others draw %g", id, t, v)
			}
		}
	}
	if !finite(o.EndBits) || o.EndBits < 0 {
		report("pool %s: others draw %g bits over the horizon", id, o.EndBits)
	}
}
