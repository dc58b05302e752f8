package network

import (
	"math"
	"math/rand/v2"
)

// source generates one stream of background packets.
type source struct {
	nextAt int64
	class  uint8
	gap    variate // between arrivals, in ns
	bits   variate
	gaps   *rand.Rand
	sizes  *rand.Rand
	// carryNS is the part of a nanosecond left over from the last gap.
	carryNS float64
	phases  *phases
	profile *profile
	// ratePerS, ca2 and cb2 describe it for the design load.
	ratePerS, ca2, cb2 float64
}

const (
	// never lies after every event.
	never = math.MaxInt64
	// maxNS is the longest gap between arrivals; after it none follow.
	maxNS = maxSeconds * 1e9
)

func newSource(t *Traffic, gaps, sizes *rand.Rand) source {
	arrival, packet := t.Arrival.or(Exponential), t.PacketShape.or(Deterministic)
	rate := t.RateBPS / t.PacketBits
	s := source{
		class:    uint8(t.Class),
		gap:      newVariate(1e9/rate, arrival),
		bits:     newVariate(t.PacketBits, packet),
		gaps:     gaps,
		sizes:    sizes,
		profile:  newProfile(t),
		ratePerS: rate,
		ca2:      arrival.scv(rate),
		cb2:      packet.scv(rate),
	}
	if arrival.Kind == OnOff {
		s.phases = &phases{onNS: arrival.OnS * 1e9, offNS: arrival.OffS * 1e9}
		s.gap = newVariate(s.gap.mean*arrival.OnS/(arrival.OnS+arrival.OffS), Shape{Kind: Exponential})
	}
	if arrival.Kind == Deterministic {
		// Streams of one period start anywhere in it, not in step.
		s.step(s.gap.mean * gaps.Float64())
	} else {
		s.advance()
	}
	return s
}

// advance sets nextAt to the next arrival.
func (s *source) advance() {
	if s.phases == nil {
		s.step(s.gap.draw(s.gaps))
	} else {
		s.step(s.phases.gap(s.gap.mean, s.gaps))
	}
}

// step moves nextAt on by a gap at the nominal rate.
func (s *source) step(gap float64) {
	if s.profile != nil && gap < maxNS {
		gap = s.profile.stretch(float64(s.nextAt)+s.carryNS, gap)
	}
	s.carryNS += gap
	if s.carryNS >= maxNS {
		s.nextAt = never
		return
	}
	whole := int64(s.carryNS)
	s.nextAt += whole
	s.carryNS -= float64(whole)
}

// phases is the state of an on-off source.
type phases struct {
	onNS, offNS float64 // mean lengths
	leftNS      float64 // of the present on phase
}

// gap returns the time to the next arrival, off phases in between included.
func (p *phases) gap(meanNS float64, r *rand.Rand) float64 {
	total, next := 0.0, meanNS*r.ExpFloat64()
	for next > p.leftNS {
		next -= p.leftNS
		total += p.leftNS + p.offNS*r.ExpFloat64()
		p.leftNS = p.onNS * r.ExpFloat64()
	}
	p.leftNS -= next
	return total + next
}

// profile changes a source's rate over time.
type profile struct {
	atNS      []float64
	factor    []float64
	periodNS  float64 // 0: the last factor holds for ever
	perPeriod float64 // integral of the factor over a period
}

func newProfile(t *Traffic) *profile {
	if len(t.Profile) == 0 {
		return nil
	}
	p := &profile{periodNS: t.ProfilePeriodS * 1e9}
	if t.Profile[0].AtS > 0 {
		p.atNS, p.factor = append(p.atNS, 0), append(p.factor, 1)
	}
	for _, point := range t.Profile {
		p.atNS, p.factor = append(p.atNS, point.AtS*1e9), append(p.factor, point.Factor)
	}
	if p.periodNS > 0 {
		for i, factor := range p.factor {
			p.perPeriod += factor * (p.end(i) - p.atNS[i])
		}
	}
	return p
}

// stretch returns the time from atNS until the integral of the factor over it
// reaches gapNS, so that the stream is a time-changed renewal process.
func (p *profile) stretch(atNS, gapNS float64) float64 {
	skipped, turn := 0.0, 0.0
	if p.periodNS > 0 {
		turns := math.Floor(gapNS / p.perPeriod)
		skipped = turns * p.periodNS
		gapNS -= turns * p.perPeriod
		turn = math.Floor(atNS/p.periodNS) * p.periodNS
	}
	for now := atNS; ; turn += p.periodNS {
		for i, factor := range p.factor {
			end := turn + p.end(i)
			if now >= end {
				continue
			}
			if factor > 0 && now+gapNS/factor < end {
				return skipped + now + gapNS/factor - atNS
			}
			gapNS -= factor * (end - now)
			now = end
		}
		if p.periodNS == 0 {
			return math.Inf(1)
		}
	}
}

// end returns when segment i ends, from the start of the period.
func (p *profile) end(i int) float64 {
	switch {
	case i+1 < len(p.atNS):
		return p.atNS[i+1]
	case p.periodNS > 0:
		return p.periodNS
	}
	return math.Inf(1)
}
