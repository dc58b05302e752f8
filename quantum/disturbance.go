package quantum

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Disturbance is what an experiment does to a link over [FromNS, ToNS), beside
// the link's own random processes. The fields can be combined: a storm may
// raise the attenuation and the error rate at once. Attenuation and error rate
// take effect at the link's next grid point, a break at its exact time.
type Disturbance struct {
	FromNS, ToNS int64
	// Break cuts the link.
	Break bool
	// AttenuationDB is added to the loss of the whole fibre.
	AttenuationDB float64
	// QBERAdd is added to the quantum bit error rate.
	QBERAdd float64
}

func validateDisturbances(ds []Disturbance) error {
	var m mistakes
	for i, d := range ds {
		field := func(name string) string { return fmt.Sprintf("disturbances[%d].%s", i, name) }
		if d.FromNS < 0 || d.ToNS <= d.FromNS {
			m.add(field("to"), "must lie after from and from not before the start: from %d ns to %d ns", d.FromNS, d.ToNS)
		}
		m.want(field("attenuation_db"), d.AttenuationDB, atLeast(0))
		m.want(field("qber_add"), d.QBERAdd, atLeast(0).upTo(0.5))
	}
	return errors.Join(m...)
}

// outage is one cut of a link; several may overlap.
type outage struct{ fromNS, toNS int64 }

// outages yields the cuts of a link in order of their beginning: those of a
// Poisson process [37] with uniform durations, merged with the scheduled ones.
// Breaks begin whether or not the link is already down, so that the link is up
// for the part exp(−λ·E[duration]) of the time (M/G/∞).
type outages struct {
	random    *rand.Rand
	meanGapNS float64 // 1/λ; +Inf without random breaks
	duration  [2]float64
	next      outage // of the Poisson process
	scheduled []outage
}

func newOutages(c *LinkConfig, ds []Disturbance, random *rand.Rand) outages {
	o := outages{random: random, meanGapNS: 1e9 / c.BreakRateHz, duration: c.BreakDurationS}
	for _, d := range ds {
		if d.Break {
			o.scheduled = append(o.scheduled, outage{d.FromNS, d.ToNS})
		}
	}
	slices.SortFunc(o.scheduled, func(a, b outage) int { return cmp.Compare(a.fromNS, b.fromNS) })
	o.drawNext(0)
	return o
}

// schedule adds a cut that is to come.
func (o *outages) schedule(x outage) {
	i, _ := slices.BinarySearchFunc(o.scheduled, x.fromNS, func(y outage, at int64) int { return cmp.Compare(y.fromNS, at+1) })
	o.scheduled = slices.Insert(o.scheduled, i, x)
}

func (o *outages) drawNext(afterNS int64) {
	gap := o.random.ExpFloat64() * o.meanGapNS
	if float64(afterNS)+gap > math.MaxInt64/4 {
		o.next = outage{math.MaxInt64, math.MaxInt64}
		return
	}
	from := afterNS + int64(gap)
	seconds := o.duration[0] + (o.duration[1]-o.duration[0])*o.random.Float64()
	o.next = outage{from, from + int64(seconds*1e9)}
}

// peek returns the next outage; its time is MaxInt64 if there is none.
func (o *outages) peek() outage {
	if len(o.scheduled) > 0 && o.scheduled[0].fromNS <= o.next.fromNS {
		return o.scheduled[0]
	}
	return o.next
}

// pop removes what peek returned.
func (o *outages) pop() {
	if len(o.scheduled) > 0 && o.scheduled[0].fromNS <= o.next.fromNS {
		o.scheduled = o.scheduled[1:]
		return
	}
	o.drawNext(o.next.fromNS)
}
