package scada

import (
	"testing"
	"time"

	"cosim/scada/reconfig"
)

// planned is a world whose chains are reconfigured greedily from one stock a
// pool, with no key to come.
func planned(t *testing.T, stockBits float64, change func(*PlannerConfig)) (*world, *Planner, []PoolSupply) {
	t.Helper()
	w := newWorld(t, testConfig(), 1<<40)
	cfg := PlannerConfig{PeriodNS: 100 * ms, Horizon: 10, Kappa: reconfig.Gaussian(0.05), Weights: reconfig.DefaultWeights(), DemandRateHz: DefaultDemandRateHz}
	if change != nil {
		change(&cfg)
	}
	var names []string
	var supply []PoolSupply
	for _, l := range w.sys.cfg.Links {
		if l.Quantum {
			names = append(names, l.Name)
			supply = append(supply, PoolSupply{
				Link: l.Name, StockBits: stockBits, SafeBits: 30e3, Reserved: true, ThresholdBits: 45e3, CapBits: 1e9,
				MeanBits: make([]float64, 10), VarBits2: make([]float64, 10),
			})
		}
	}
	p, err := NewPlanner(w.sys, cfg, reconfig.Greedy{}, reconfig.Budget{}, names, func([]string, int) float64 { return 0.02 })
	if err != nil {
		t.Fatal(err)
	}
	return w, p, supply
}

func decide(t *testing.T, w *world, p *Planner, supply []PoolSupply) []Option {
	t.Helper()
	r, err := p.Decide(w.sys.nowNS, supply)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Evaluation.Feasible {
		t.Errorf("the plan breaks a row by %v bits", r.Evaluation.ExcessBits)
	}
	return w.sys.Plan()
}

func TestPlentyOfKeyGivesEveryChainItsWishedMode(t *testing.T) {
	w, p, supply := planned(t, 1e7, nil)
	for i, o := range decide(t, w, p, supply) {
		if c := w.sys.chains[i]; o.Off || o.Mode != c.Mode || o.Route != 0 {
			t.Errorf("%s: %+v, want its static route in mode %v", c.ID, o, c.Mode)
		}
	}
}

func TestKnownBreakMovesChainsToAnotherRoute(t *testing.T) {
	w, p, supply := planned(t, 1e7, nil)
	w.breakLink("CC-GW1", true)
	w.runFor(300 * time.Millisecond)
	if !w.sys.KnownDown("CC-GW1") {
		t.Fatal("the break is not known after 300 ms")
	}
	moved := 0
	for i, o := range decide(t, w, p, supply) {
		c := &w.sys.chains[i]
		for _, l := range c.forward[o.Route].links {
			if w.sys.cfg.Links[l].Name == "CC-GW1" && !o.Off {
				t.Errorf("%s stays on the broken link", c.ID)
			}
		}
		if o.Route != 0 {
			moved++
		}
	}
	if moved != 10 { // three PMUs, two generators twice, two blocks, the interrogation
		t.Errorf("%d chains moved, want the 10 of area 1", moved)
	}
}

// The reserve is for the highest class alone: with the stock at K_safe
// measurements are sent in the mode without pads, and emergency calls keep
// theirs.
func TestReserveIsKeptForTheHighestClass(t *testing.T) {
	w, p, supply := planned(t, 30e3+100, nil)
	for i, o := range decide(t, w, p, supply) {
		c := &w.sys.chains[i]
		switch {
		case c.Task == TaskPMU && (o.Off || o.Mode != AES):
			t.Errorf("%s: %+v, want aes", c.ID, o)
		case c.Task == TaskShed && (o.Off || o.Mode != OTP):
			t.Errorf("%s: %+v, want otp", c.ID, o)
		}
	}
}

func TestAblationsKeepRouteAndMode(t *testing.T) {
	w, p, supply := planned(t, 1e7, func(c *PlannerConfig) { c.NoModes, c.NoReroute = true, true })
	w.breakLink("CC-GW1", true)
	w.runFor(300 * time.Millisecond)
	for i, o := range decide(t, w, p, supply) {
		c := &w.sys.chains[i]
		if o.Route != 0 || o.Mode != c.StaticMode {
			t.Errorf("%s: %+v, want route 0 and mode %v", c.ID, o, c.StaticMode)
		}
	}
}

// What is expected of periodic chains is what falls due.
func TestExpectedTasksOfPeriodicChainsAreExact(t *testing.T) {
	w := newWorld(t, testConfig(), 1<<40)
	s := w.sys
	count := func(task string, from, to int64) (mean, variance float64) {
		for i := range s.chains {
			if s.chains[i].Task == task {
				return s.expected(&s.chains[i], from, to, 0.5)
			}
		}
		t.Fatalf("no chain of task %s", task)
		return 0, 0
	}
	for _, c := range []struct {
		task     string
		from, to int64
		mean, v  float64
	}{
		{TaskPMU, 0, 100 * ms, 1, 0},
		{TaskPMU, 10 * ms, 1010 * ms, 10, 0},
		{TaskAGC, 0, 100 * ms, 1, 0},
		{TaskAGC, 100 * ms, 2000 * ms, 0, 0},
		{TaskAGC, 100 * ms, 2001 * ms, 1, 0},
		{TaskAVR, 0, second, 0.2, 0.2},
		{TaskShed, 0, second, 0.5, 0.5},
	} {
		if mean, v := count(c.task, c.from, c.to); mean != c.mean || v != c.v {
			t.Errorf("%s in [%d, %d): %v ± %v, want %v ± %v", c.task, c.from, c.to, mean, v, c.mean, c.v)
		}
	}
}
