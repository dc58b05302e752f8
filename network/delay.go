package network

import (
	"math"
	"math/rand/v2"
	"sort"
)

// extraDelay samples τ_link(t) for one direction. The two directions of a
// link hold equal streams, so they see the same sample path.
//
// The Ornstein-Uhlenbeck process is sampled exactly every step:
//
//	x_{n+1} = m + (x_n − m)·e^{−h/T} + σ·√(1 − e^{−2h/T})·N(0,1)
//
// with mean m, stationary standard deviation σ, relaxation time T, step h,
// and held in between.
type extraDelay struct {
	kind     string
	meanNS   float64
	schedule []DelayPoint

	rng           *rand.Rand
	valueNS       float64
	stdNS         float64
	decay, spread float64
	stepNS, endNS int64 // the present sample holds before endNS
}

func newExtraDelay(c *ExtraDelay, rng *rand.Rand) *extraDelay {
	d := &extraDelay{kind: c.Kind, meanNS: c.DelayS * 1e9, schedule: c.Schedule, rng: rng, stdNS: c.StdS * 1e9}
	if c.Kind != OUDelay {
		return d
	}
	step := c.SampleS
	if step == 0 {
		step = 0.01
	}
	d.stepNS = max(1, toNS(step))
	d.decay = math.Exp(-step / c.TimeConstantS)
	d.spread = d.stdNS * math.Sqrt(1-d.decay*d.decay)
	d.endNS = d.stepNS
	d.valueNS = d.meanNS + d.stdNS*rng.NormFloat64()
	return d
}

// scheduledNS returns the delay that the schedule has for t.
func (d *extraDelay) scheduledNS(t int64) int64 {
	after := sort.Search(len(d.schedule), func(i int) bool { return toNS(d.schedule[i].AtS) > t })
	if after == 0 {
		return 0
	}
	return toNS(d.schedule[after-1].DelayS)
}

// at returns the delay at t. An OU sample never goes back: when a break has thrown away
// packets whose departure was already known, the newest sample stays.
func (d *extraDelay) at(t int64) int64 {
	switch d.kind {
	case ConstantDelay:
		return int64(d.meanNS + 0.5)
	case ScheduledDelay:
		return d.scheduledNS(t)
	}
	for t >= d.endNS {
		d.valueNS = d.meanNS + (d.valueNS-d.meanNS)*d.decay + d.spread*d.rng.NormFloat64()
		d.endNS += d.stepNS
	}
	return int64(math.Max(0, d.valueNS) + 0.5)
}
