package scada

import (
	"math"
	"testing"
	"time"
)

func TestAGCRestoresFrequency(t *testing.T) {
	cfg := testConfig()
	cfg.Controller.Emergency.Off = true
	w := newWorld(t, cfg, plenty)
	w.runFor(10 * time.Second)
	w.grid.loadMW = 150
	w.runFor(4 * time.Second)
	if dev := w.grid.freqHz - 60; dev > -0.03 {
		t.Fatalf("deviation %.4f Hz after the step, expected the droop's", dev)
	}
	w.runFor(200 * time.Second)
	if dev := w.grid.freqHz - 60; math.Abs(dev) > 0.002 {
		t.Errorf("deviation %.4f Hz at the end", dev)
	}
	if mw := w.out.Diagnostics[0].AGCMW; math.Abs(mw-150) > 8 {
		t.Errorf("AGC gives %.1f MW, want 150", mw)
	}
}

func TestAGCSharesByParticipation(t *testing.T) {
	cfg := testConfig()
	for i := range cfg.Generators {
		cfg.Generators[i].Participation = float64(i)
	}
	w := newWorld(t, cfg, plenty)
	w.grid.loadMW = 100
	w.runFor(30 * time.Second)
	last := map[string]float64{}
	sum := 0.0
	for _, o := range w.obeyed {
		if o.Kind == TaskAGC {
			last[o.Element] = o.Value
		}
	}
	for _, v := range last {
		sum += v
	}
	for i, g := range cfg.Generators {
		if want := sum * float64(i) / 45; math.Abs(last[g.ID]-want) > 1e-5*sum {
			t.Errorf("%s: %.3f MW, want %.3f", g.ID, last[g.ID], want)
		}
	}
}

// A limit that holds the output must not wind the integral up: the output
// leaves the limit with the first change of sign.
func TestAGCDoesNotWindUp(t *testing.T) {
	cfg := testConfig().Resolved()
	cfg.Controller.AGCLimitMW = 100
	c := newController(&cfg)
	now := int64(0)
	cycle := func(freqHz float64) float64 {
		for i := range c.pmus {
			c.heard(i, now, freqHz, 1)
		}
		v := 0.0
		for i := range c.generators {
			v += c.agcSetpointMW(i, now)
		}
		now += 2 * second
		return v
	}
	for range 1000 {
		if v := cycle(59.5); v > 100+1e-9 {
			t.Fatalf("%.3f MW", v)
		}
	}
	cycle(60.02)
	if v := cycle(60.02); v >= 100 {
		t.Errorf("still at the limit: %.3f MW", v)
	}
}

func TestStaleMeasurementsAreMissing(t *testing.T) {
	cfg := testConfig().Resolved()
	c := newController(&cfg)
	c.heard(0, 0, 59.9, 1) // no generator there
	c.heard(1, 0, 59.9, 1)
	for _, p := range []struct {
		nowNS int64
		heard int
		ok    bool
	}{{0, 2, true}, {second, 2, true}, {second + 1, 0, false}} {
		freqHz, heard, ok := c.estimate(p.nowNS)
		if heard != p.heard || ok != p.ok || ok && freqHz != 59.9 {
			t.Errorf("at %v: %v Hz of %d, %v", time.Duration(p.nowNS), freqHz, heard, ok)
		}
	}
	// The set point stands while nothing is heard.
	c.agcMW = 77
	c.closeAGC(10 * second)
	if c.agcMW != 77 {
		t.Errorf("%.1f MW without a measurement", c.agcMW)
	}
}

func TestFrequencyEstimateIsWeightedByInertia(t *testing.T) {
	cfg := testConfig().Resolved()
	c := newController(&cfg)
	sum, weight := 0.0, 0.0
	for i, p := range cfg.PMUs {
		freqHz := 60 + float64(p.Bus)/1000
		c.heard(i, 0, freqHz, 1)
		sum += testInertiaS[p.Bus] * freqHz
		weight += testInertiaS[p.Bus]
	}
	if got, _, _ := c.estimate(0); math.Abs(got-sum/weight) > 1e-12 {
		t.Errorf("%v Hz, want %v", got, sum/weight)
	}
}

func TestAVRHoldsVoltageWithinItsLimit(t *testing.T) {
	w := newWorld(t, testConfig(), plenty)
	w.grid.baseVoltagePU = 0.98
	w.runFor(3 * time.Minute)
	for _, g := range w.cfg.Generators {
		if v := w.grid.baseVoltagePU + w.grid.voltagePU[g.ID]; math.Abs(v-1) > 0.002 {
			t.Errorf("%s: %.4f pu", g.ID, v)
		}
	}
	w.grid.baseVoltagePU = 0.9
	w.runFor(2 * time.Minute)
	for _, g := range w.cfg.Generators {
		if dv := w.grid.voltagePU[g.ID]; math.Abs(dv-0.05) > 1e-6 {
			t.Errorf("%s: correction %.4f pu, want the limit", g.ID, dv)
		}
	}
}

func TestAVRTakesTheFirstVoltageAsItsOwn(t *testing.T) {
	cfg := testConfig()
	for i := range cfg.Generators {
		cfg.Generators[i].VoltagePU = 0
	}
	w := newWorld(t, cfg, plenty)
	w.grid.baseVoltagePU = 1.03
	w.runFor(time.Minute)
	for _, g := range w.cfg.Generators {
		if dv := w.grid.voltagePU[g.ID]; math.Abs(dv) > 0.002 {
			t.Errorf("%s: correction %.4f pu", g.ID, dv)
		}
	}
}
