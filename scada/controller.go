package scada

import "math"

// controller is the automatic control at an operator's control centre. It knows
// only what heard and acknowledged have told it: PMUs of other operators stay
// unheard.
type controller struct {
	cfg       ControllerConfig
	nominalHz float64

	pmus       []pmuState
	generators []generatorState

	agcNS       int64 // last AGC cycle
	agcIntegral float64
	aceMW       float64
	agcMW       float64

	emergency emergency
}

// pmuState is the last sample of one PMU that arrived.
type pmuState struct {
	sampledNS int64 // never when nothing arrived yet
	freqHz    float64
	voltagePU float64
	weightS   float64 // inertia of the generators at its bus, 0 elsewhere
	avr       []int   // generators whose voltage it measures
}

type generatorState struct {
	share        float64 // of the secondary control
	voltagePU    float64 // to be held; 0 until known
	correctionPU float64 // integral of the voltage control
}

const unheard = math.MinInt64

func newController(cfg *Config) controller {
	c := controller{
		cfg: cfg.Controller, nominalHz: cfg.NominalFreqHz,
		agcNS: unheard,
	}
	total := 0.0
	for _, g := range cfg.Generators {
		total += g.Participation
	}
	for _, g := range cfg.Generators {
		share := 1 / float64(len(cfg.Generators))
		if total > 0 {
			share = g.Participation / total
		}
		c.generators = append(c.generators, generatorState{share: share, voltagePU: g.VoltagePU})
	}
	for _, p := range cfg.PMUs {
		st := pmuState{sampledNS: unheard}
		for i, g := range cfg.Generators {
			if g.Bus == p.Bus {
				st.weightS += g.InertiaS
				st.avr = append(st.avr, i)
			}
		}
		c.pmus = append(c.pmus, st)
	}
	c.emergency = newEmergency(cfg, c.pmus)
	return c
}

// heard takes a sample that arrived. The newest wins; an older one still
// completes its frame of samples.
func (c *controller) heard(pmu int, sampledNS int64, freqHz, voltagePU float64) {
	c.emergency.note(pmu, sampledNS, freqHz)
	p := &c.pmus[pmu]
	if sampledNS <= p.sampledNS {
		return
	}
	if p.sampledNS != unheard {
		c.integrateVoltage(p, sampledNS, voltagePU)
	}
	p.sampledNS, p.freqHz, p.voltagePU = sampledNS, freqHz, voltagePU
}

// integrateVoltage moves the AVR corrections by -ΔV·dt/TI, within the limit.
// A gap longer than stale_after counts as stale_after.
func (c *controller) integrateVoltage(p *pmuState, sampledNS int64, voltagePU float64) {
	dt := float64(min(sampledNS-p.sampledNS, c.cfg.StaleAfter.Nanoseconds())) / 1e9
	for _, i := range p.avr {
		g := &c.generators[i]
		if g.voltagePU == 0 {
			g.voltagePU = p.voltagePU
		}
		g.correctionPU -= (voltagePU - g.voltagePU) * dt / c.cfg.AVRTI.Seconds()
		g.correctionPU = clamp(g.correctionPU, c.cfg.AVRLimitPU)
	}
}

// estimate is the frequency of the centre of inertia, weighted by the inertia
// at the PMUs heard within stale_after; heard counts all such PMUs.
func (c *controller) estimate(nowNS int64) (freqHz float64, heard int, ok bool) {
	sum, weight := 0.0, 0.0
	for i := range c.pmus {
		p := &c.pmus[i]
		if p.sampledNS == unheard || nowNS-p.sampledNS > c.cfg.StaleAfter.Nanoseconds() {
			continue
		}
		heard++
		sum += p.weightS * p.freqHz
		weight += p.weightS
	}
	if weight == 0 {
		return 0, heard, false
	}
	return sum / weight, heard, true
}

// agcSetpointMW is the change of a generator's power set point. The first call
// of a cycle closes the loop:
//
//	ACE = B·Δf,  u = -(KP·ACE + ∫ACE dt/TI),  |u| ≤ limit
//
// with the integral stopped while it would push further into the limit. Without
// a frequency the last value stands.
func (c *controller) agcSetpointMW(generator int, nowNS int64) float64 {
	if nowNS > c.agcNS {
		c.closeAGC(nowNS)
		c.agcNS = nowNS
	}
	return c.generators[generator].share * c.agcMW
}

func (c *controller) closeAGC(nowNS int64) {
	freqHz, _, ok := c.estimate(nowNS)
	if !ok {
		return
	}
	c.aceMW = c.cfg.AGCBiasMWPerHz * (freqHz - c.nominalHz)
	if c.agcNS != unheard {
		step := c.aceMW * float64(nowNS-c.agcNS) / 1e9 / c.cfg.AGCTI.Seconds()
		u := -(c.cfg.AGCKP*c.aceMW + c.agcIntegral + step)
		if math.Abs(u) <= c.cfg.AGCLimitMW || u*step > 0 {
			c.agcIntegral += step
		}
	}
	c.agcMW = clamp(-(c.cfg.AGCKP*c.aceMW + c.agcIntegral), c.cfg.AGCLimitMW)
}

// avrSetpointPU is the change of a generator's voltage set point.
func (c *controller) avrSetpointPU(generator int) float64 {
	return c.generators[generator].correctionPU
}

// acknowledged notes that a block confirmed its call.
func (c *controller) acknowledged(block int, valueMW float64) {
	c.emergency.acknowledged(block, valueMW)
}

func clamp(x, limit float64) float64 { return min(max(x, -limit), limit) }
