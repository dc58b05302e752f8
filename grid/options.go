package grid

import (
	"fmt"
	"math/rand/v2"
)

// Options says which dynamic model [NewSimulator] and [ComputeModes] build.
// The zero value is classical machines with the case's damping and governors,
// constant-power loads, no AGC, no noise, steps of 10 ms.
type Options struct {
	// Flow is the power flow that gives the operating point.
	Flow FlowOptions
	Load LoadModel
	// NoGovernors and NoDamping leave out what the case's dynamics hold.
	NoGovernors, NoDamping bool
	// AVR adds the field circuit (E'q) and a SEXS exciter to every machine.
	AVR bool
	// AGC adds an integrating secondary control in every island.
	AGC *AGC
	// Noise disturbs every load.
	Noise *Noise
	// StepNS is the substep of [Simulator.Advance], a divisor of 10 ms; 0
	// means 10 ms.
	StepNS int64
	// BlockLagS is the time constant of reserve and shed blocks; 0 means 50 ms.
	BlockLagS float64
}

// AGC is the built-in automatic generation control. It moves the governors'
// set points by
//
//	d(ΣPref)/dt = −GainPerS β Δf_COI,  β = ΣD + Σ1/R
//
// shared in proportion to governor ratings. An island made by a trip keeps
// the set points its units had and controls its own frequency.
type AGC struct {
	GainPerS float64
}

// Noise is an Ornstein-Uhlenbeck process of its own on every load, active and
// reactive power together:
//
//	P = P0 (1 + w),  w' = a w + σ √(1−a²) ξ,  a = e^{−10 ms/τ},  ξ ~ N(0, 1)
//
// It starts at w = 0 and is drawn every 10 ms of simulated time, whatever the
// step; between draws it is held.
type Noise struct {
	SigmaPU float64 // standard deviation relative to the load; 0 means 0.005
	TauS    float64 // correlation time; 0 means 20 s
	Rand    *rand.Rand
}

const (
	noiseStepNS      = 10_000_000
	defaultSigmaPU   = 0.005
	defaultTauS      = 20
	defaultBlockLagS = 0.05
)

// complete fills in defaults and checks the rest.
func (o *Options) complete() error {
	if o.StepNS == 0 {
		o.StepNS = noiseStepNS
	}
	if o.StepNS < 0 || noiseStepNS%o.StepNS != 0 {
		return fmt.Errorf("grid: step of %d ns does not divide 10 ms", o.StepNS)
	}
	if o.BlockLagS == 0 {
		o.BlockLagS = defaultBlockLagS
	}
	if !(o.BlockLagS > 0) {
		return fmt.Errorf("grid: block lag is %g s, want more than 0", o.BlockLagS)
	}
	if o.AGC != nil && !(o.AGC.GainPerS > 0) {
		return fmt.Errorf("grid: AGC gain is %g 1/s, want more than 0", o.AGC.GainPerS)
	}
	if o.Noise == nil {
		return nil
	}
	n := *o.Noise
	if n.SigmaPU == 0 {
		n.SigmaPU = defaultSigmaPU
	}
	if n.TauS == 0 {
		n.TauS = defaultTauS
	}
	if !(n.SigmaPU > 0 && n.TauS > 0) || n.Rand == nil {
		return fmt.Errorf("grid: load noise needs σ and τ above 0 and a random stream (got %g, %g s)", n.SigmaPU, n.TauS)
	}
	o.Noise = &n
	return nil
}
