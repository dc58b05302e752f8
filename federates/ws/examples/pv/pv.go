package main

import (
	"math"

	"cosim/sync"
)

// pv is a photovoltaic plant under broken clouds:
//
//	P = Ppeak·clearness
//	clearness = 1 − depth·(0.5 + 0.5·x/√(1+x²))
//	x(t+dt) = k·x(t) + √(1−k²)·u,  k = τ/(τ+dt)
//
// x is an autoregressive process of variance 1, u is uniform with mean 0 and
// variance 1, and τ is how long a cloud takes to pass. The power is put in
// beside the schedule: its mean is that of the first step, which the grid's
// dispatch is taken to cover.
//
// Roots and the four operations are rounded alike in every language, and so are
// the whole numbers below: pv.py and pv.mjs make the same clouds, bit for bit.
type pv struct {
	Bus            string
	PeakMW         float64
	CloudDepth     float64 // 0 to 1: what the thickest cloud takes away
	CloudS         float64 // τ
	random         splitMix
	x, scheduledMW float64
}

// splitMix is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
// number generators, OOPSLA 2014).
type splitMix uint64

// uniform draws a number with mean 0 and variance 1, from −√3 to √3.
func (s *splitMix) uniform() float64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return (float64(z>>11)/(1<<52) - 1) * math.Sqrt(3)
}

const step = 100 * sync.Millisecond

func (p *pv) Describe() sync.Description {
	return sync.Description{
		Name: "pv", Step: step,
		Outputs: []sync.Port{{Name: "power", Unit: "MW", Elements: []string{p.Bus}}},
	}
}

// seed makes the clouds those of the run.
func (p *pv) seed(run uint64) { p.random = splitMix(run) }

func (p *pv) Init([]sync.Signal) error {
	p.x = p.random.uniform()
	p.scheduledMW = p.output()
	return nil
}

// Step makes one step. The conversions keep a processor that can from
// multiplying and adding with a single rounding.
func (p *pv) Step(s *sync.Step) error {
	const dt = float64(step) / float64(sync.Second)
	keep := p.CloudS / (p.CloudS + dt)
	p.x = float64(keep*p.x) + float64(math.Sqrt(1-float64(keep*keep))*p.random.uniform())
	s.Out[0].Values[0] = p.output() - p.scheduledMW
	return nil
}

func (p *pv) output() float64 {
	cloud := 0.5 + float64(0.5*p.x/math.Sqrt(1+float64(p.x*p.x)))
	return p.PeakMW * (1 - float64(p.CloudDepth*cloud))
}

func (p *pv) Close() error { return nil }
