package quantum

import "math"

// persistence is the baseline: the last step's mean rate A is expected to
// last. Its error is taken to be a random walk of variance s² a step plus a
// drift of mean square v² a step, both relative to the rate. With G a straight
// line inside each step, step means n apart then differ by the mean square
//
//	D(n) = s²·(n − 1/2) + v²·n²,
//
// from which s² and v² are had by averaging the changes at lags 1 and 10 over
// some five minutes. The error h steps ahead has the variance
//
//	of G:  s²·(h + 1/4) + v²·(h + 1/2)²
//	of K:  (s²·(h³/3 + h²/4 − h/12) + v²·(h² + h)²/4)·Δt²
type persistence struct {
	stepNS  int64
	rateBPS float64 // A
	idle    bool    // no key at the end of the last step

	past  [driftLag]float64 // rates of the last uninterrupted steps, a ring
	steps int               // their number since the last interruption
	d1    runningMean
	d10   runningMean
}

const driftLag = 10

// runningMean forgets beyond memory values.
type runningMean struct{ mean, n float64 }

func (r *runningMean) add(x float64) {
	const memory = 3000
	r.n = math.Min(r.n+1, memory)
	r.mean += (x - r.mean) / r.n
}

func (p *persistence) Observe(o Observation) {
	p.idle = o.Down || o.AboveBound
	if p.idle || o.UpNS < p.stepNS || o.KeyBits <= 0 {
		p.steps = 0
		return
	}
	rate := o.KeyBits / (float64(p.stepNS) / 1e9)
	if p.steps >= 1 {
		p.d1.add(squaredChange(p.past[(p.steps-1)%driftLag], rate))
	}
	if p.steps >= driftLag {
		p.d10.add(squaredChange(p.past[p.steps%driftLag], rate))
	}
	p.past[p.steps%driftLag] = rate
	p.steps++
	p.rateBPS = rate
}

func squaredChange(before, after float64) float64 {
	c := (after - before) / before
	return c * c
}

func (p *persistence) Forecast(dst []Prediction) {
	const lag = driftLag - 0.5
	v2 := math.Max(0, (p.d10.mean-2*lag*p.d1.mean)/(driftLag*driftLag-2*lag))
	s2 := math.Max(0, 2*(p.d1.mean-v2))
	stepS, square := float64(p.stepNS)/1e9, p.rateBPS*p.rateBPS
	for i := range dst {
		if p.idle {
			dst[i] = Prediction{}
			continue
		}
		h := float64(i + 1)
		dst[i] = Prediction{
			RateBPS:    p.rateBPS,
			RateVar:    square * (s2*(h+0.25) + v2*(h+0.5)*(h+0.5)),
			KeyBits:    p.rateBPS * h * stepS,
			KeyBitsVar: square * stepS * stepS * (s2*(h*h*h/3+h*h/4-h/12) + v2*(h*h+h)*(h*h+h)/4),
		}
	}
}
