package main

import (
	"math"
	"math/rand/v2"

	"cosim/sync"
)

// pv is a photovoltaic plant under broken clouds:
//
//	P = Ppeak·clearness
//	clearness = 1 − depth·(0.5 + 0.5·tanh x),  dx = −x/τ·dt + √(2/τ)·dW
//
// x is an Ornstein-Uhlenbeck process of variance 1, integrated exactly; τ is
// how long a cloud takes to pass. The power is put in beside the schedule: its
// mean is that of the first step, which the grid's dispatch is taken to cover.
type pv struct {
	Bus            string
	PeakMW         float64
	CloudDepth     float64 // 0 to 1: what the thickest cloud takes away
	CloudS         float64 // τ
	random         *rand.Rand
	x, scheduledMW float64
}

const step = 100 * sync.Millisecond

func (p *pv) Describe() sync.Description {
	return sync.Description{
		Name: "pv", Step: step,
		Outputs: []sync.Port{{Name: "power", Unit: "MW", Elements: []string{p.Bus}}},
	}
}

// seed makes the clouds those of the run.
func (p *pv) seed(run uint64) { p.random = rand.New(rand.NewPCG(run, 0x7076)) }

func (p *pv) Init([]sync.Signal) error {
	p.x = p.random.NormFloat64()
	p.scheduledMW = p.output()
	return nil
}

func (p *pv) Step(s *sync.Step) error {
	const dt = float64(step) / float64(sync.Second)
	keep := math.Exp(-dt / p.CloudS)
	p.x = keep*p.x + math.Sqrt(1-keep*keep)*p.random.NormFloat64()
	s.Out[0].Values[0] = p.output() - p.scheduledMW
	return nil
}

func (p *pv) output() float64 { return p.PeakMW * (1 - p.CloudDepth*(0.5+0.5*math.Tanh(p.x))) }

func (p *pv) Close() error { return nil }
