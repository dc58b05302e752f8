package main

import (
	"math"

	"cosim/sync"
)

// battery answers deviations of the grid's frequency with power, as primary
// frequency response does:
//
//	P* = −K·Δf     outside of the dead band, within ±Pmax
//	T·dP/dt = P* − P
//	dE/dt = −P     0 ≤ E ≤ capacity, where the power ends
//
//	K     droop gain, MW/Hz      Δf   deviation from nominal, Hz
//	T     lag of the converter   E    stored energy, MWh
//
// Both equations are stepped by Euler's method, the first one implicitly. That
// takes no more than + − × ÷, which every language rounds alike (an exponential
// is another in Go, C and V8): battery.py and battery.mjs are this battery, bit
// for bit.
type battery struct {
	Bus                     string // "bus/16"
	PowerMW, EnergyMWh      float64
	GainMWPerHz, DeadBandHz float64
	LagS                    float64
	StoredMWh, powerMW      float64
}

const step = 100 * sync.Millisecond

func (b *battery) Describe() sync.Description {
	return sync.Description{
		Name: "battery", Step: step,
		Inputs: []sync.Port{{Name: "frequency", Unit: "Hz", Elements: []string{"coi"}, Subset: true}},
		Outputs: []sync.Port{
			{Name: "power", Unit: "MW", Elements: []string{b.Bus}},
			{Name: "stored", Unit: "MWh", Elements: []string{"battery"}},
		},
	}
}

func (b *battery) Init(out []sync.Signal) error {
	out[1].Values[0] = b.StoredMWh
	return nil
}

// Step makes one step. The conversions keep a processor that can from
// multiplying and adding with a single rounding.
func (b *battery) Step(s *sync.Step) error {
	const dt = float64(step) / float64(sync.Second)
	deviation := s.In[0].Values[0]
	target := 0.0
	if math.Abs(deviation) > b.DeadBandHz {
		target = max(-b.PowerMW, min(b.PowerMW, -b.GainMWPerHz*deviation))
	}
	b.powerMW += float64((target - b.powerMW) * (dt / (b.LagS + dt)))
	// What is left, and what room is left, bounds the power of this step.
	most, least := b.StoredMWh*3600/dt, (b.StoredMWh-b.EnergyMWh)*3600/dt
	b.powerMW = max(least, min(most, b.powerMW))
	b.StoredMWh -= b.powerMW * dt / 3600
	s.Out[0].Values[0], s.Out[1].Values[0] = b.powerMW, b.StoredMWh
	return nil
}

func (b *battery) Close() error { return nil }
