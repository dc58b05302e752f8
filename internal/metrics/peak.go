package metrics

import "math"

// extreme is the sample that an extreme value was found in.
type extreme struct {
	value float64
	at    int64
	index int
	any   bool
}

// Value is the sample, with its sign; Undefined if there was none.
func (e *extreme) Value() Number {
	if !e.any {
		return Undefined
	}
	return Number(e.value)
}

// AtNS is the simulated time of the sample.
func (e *extreme) AtNS() int64 { return e.at }

// Index is the place of the signal in its vector.
func (e *extreme) Index() int { return e.index }

// Peak finds the largest magnitude of a signal, or of a group of signals, over
// time:
//
//	Δf_max = max over t of |Δf(t)|                               (equation 18)
//
// for the centre of inertia (the headline), and over all generators or buses;
// ΔV_max likewise. Of equal magnitudes the first counts; NaN is a missing
// value and does not count. The zero value is ready for use.
type Peak struct{ extreme }

// Magnitude is the largest magnitude; Undefined without a sample.
func (p *Peak) Magnitude() Number { return Number(math.Abs(float64(p.Value()))) }

// Add takes one sample of one signal.
func (p *Peak) Add(tNS int64, x float64) { p.add(tNS, 0, x) }

// AddVector takes one sample of each signal of a group.
func (p *Peak) AddVector(tNS int64, xs []float64) {
	for i, x := range xs {
		p.add(tNS, i, x)
	}
}

// Merge takes in the samples of o, which are later than those of p.
func (p *Peak) Merge(o *Peak) {
	if o.any {
		p.add(o.at, o.index, o.value)
	}
}

func (p *Peak) add(tNS int64, index int, x float64) {
	if !math.IsNaN(x) && (!p.any || math.Abs(x) > math.Abs(p.value)) {
		p.extreme = extreme{x, tNS, index, true}
	}
}

// Lowest finds the lowest value of a group of signals over time, for example
// of the levels of the key pools. Of equal values the first counts; NaN does
// not count. The zero value is ready for use.
type Lowest struct{ extreme }

// Add takes one sample of one signal.
func (l *Lowest) Add(tNS int64, x float64) { l.add(tNS, 0, x) }

// AddVector takes one sample of each signal of a group.
func (l *Lowest) AddVector(tNS int64, xs []float64) {
	for i, x := range xs {
		l.add(tNS, i, x)
	}
}

func (l *Lowest) add(tNS int64, index int, x float64) {
	if !math.IsNaN(x) && (!l.any || x < l.value) {
		l.extreme = extreme{x, tNS, index, true}
	}
}
