package scada

import (
	"math"
	"testing"
	"time"

	"cosim/scada/reconfig"
)

// seeing is a world whose planner looks at the grid: it follows every step and
// decides at the end of each period.
func seeing(t *testing.T) (*world, *Planner, []PoolSupply) {
	t.Helper()
	w, p, supply := planned(t, 1e7, func(c *PlannerConfig) {
		cfg := testConfig().Resolved()
		c.Grid = toyGrid(&cfg)
	})
	w.sys.OnPlan(func(nowNS int64) error {
		if err := p.Follow(nowNS); err != nil || nowNS%(100*ms) != 0 {
			return err
		}
		_, err := p.Decide(nowNS, supply)
		return err
	})
	return w, p, supply
}

func (p *Planner) chainOf(t *testing.T, id string) *reconfig.Chain {
	t.Helper()
	for i := range p.problem.Chains {
		if p.problem.Chains[i].ID == id {
			return &p.problem.Chains[i]
		}
	}
	t.Fatalf("no chain %s", id)
	return nil
}

// silent loses every frame from now on.
func (w *world) silent() { w.spoil = func(*Frame) bool { return false } }

func TestProblemHasNoGridWhereNothingWaits(t *testing.T) {
	w, p, _ := seeing(t)
	w.runFor(1910 * time.Millisecond) // AGC falls due every 2 s
	if p.problem.Grid != nil {
		t.Errorf("%d commands wait", p.grid.waiting)
	}
}

func TestWaitingCommandIsPendingWithWhatItWouldChange(t *testing.T) {
	w, p, _ := seeing(t)
	w.runFor(1050 * time.Millisecond)
	w.silent()
	if err := w.sys.Trigger("shed-8", 80); err != nil {
		t.Fatal(err)
	}
	w.runFor(60 * time.Millisecond)
	c := p.chainOf(t, "shed-8")
	if p.problem.Grid == nil || c.Pending == nil {
		t.Fatal("the call is not in the problem")
	}
	if got := c.Pending; got.Amount != 80 || got.NeverCost != 100 || got.Input != p.grid.model.Blocks[1] {
		t.Errorf("pending %+v, want 80 MW at the second block, worth a call", got)
	}
	// Predicted to take 20 ms.
	for o, d := range c.Pending.DelaySteps {
		if d != 0 {
			t.Errorf("option %d arrives %d steps later", o, d)
		}
	}
	for k, want := range []float64{0, 100, 100} {
		if got := c.Pending.LateCost[k]; got != want {
			t.Errorf("sent in step %d it costs %g, want %g", k, got, want)
		}
	}
	// The call is not counted as one more expected message besides, and its
	// frame, which was sent, costs no more key.
	if got, other := c.Options[1].Draws[0].MeanBits[0], p.chainOf(t, "shed-15").Options[1].Draws[0].MeanBits[0]; math.Abs(got-other) > 1e-9 {
		t.Errorf("it draws %g bit, a block that is not called %g", got, other)
	}
	if other := p.chainOf(t, "shed-15"); math.Abs(c.Options[0].Cost[0]-other.Options[0].Cost[0]) > 1e-9 {
		t.Errorf("off costs %g, of a block that is not called %g", c.Options[0].Cost[0], other.Options[0].Cost[0])
	}
	if err := p.problem.Validate(); err != nil {
		t.Error(err)
	}
}

// With stock missing at the end of the horizon every bit has a price: still, no
// chain is switched off to save the key of the command that waits for it.
func TestWaitingCommandKeepsItsChainOn(t *testing.T) {
	w, p, supply := seeing(t)
	p.solver, p.budget = reconfig.Engine{}, reconfig.DefaultBudget()
	w.runFor(time.Second)
	for i := range supply {
		supply[i].StockBits = 46e3
	}
	w.silent()
	w.runFor(time.Second)
	waiting := 0
	for range 20 {
		w.runFor(100 * time.Millisecond)
		for i := range p.problem.Chains {
			if c := &p.problem.Chains[i]; c.Pending != nil {
				waiting++
				if w.sys.Plan()[i].Off {
					t.Errorf("at %v: %s is off while its command waits", time.Duration(w.nowNS), c.ID)
				}
			}
		}
	}
	if waiting < 40 { // ten generators, twice
		t.Errorf("only %d times a command waited", waiting)
	}
}

func TestConfirmedCommandIsHeldAndNoLoad(t *testing.T) {
	w, p, _ := seeing(t)
	w.runFor(time.Second)
	if err := w.sys.Trigger("shed-8", 80); err != nil {
		t.Fatal(err)
	}
	w.runFor(1950 * time.Millisecond)
	input := p.grid.model.Blocks[1]
	if got := p.grid.latest(input); got != 80 {
		t.Fatalf("the block is taken to give %g MW, obeyed 80", got)
	}
	if load := p.GridEstimate().LoadMW; math.Abs(load) > 40 {
		t.Errorf("load %.0f MW, nothing but the call happened", load)
	}
	w.silent()
	if err := w.sys.Trigger("shed-8", 130); err != nil {
		t.Fatal(err)
	}
	w.runFor(60 * time.Millisecond)
	if c := p.chainOf(t, "shed-8"); c.Pending == nil || c.Pending.Amount != 50 {
		t.Errorf("pending %+v, want 50 MW more", c.Pending)
	}
}

func TestBlockIsNoInputOnceItHasReturned(t *testing.T) {
	w, p, _ := seeing(t)
	if err := w.sys.Trigger("shed-8", 80); err != nil {
		t.Fatal(err)
	}
	input := p.grid.model.Blocks[1]
	w.runFor(49900 * time.Millisecond)
	if got := p.grid.latest(input); got != 80 {
		t.Fatalf("after 49.9 s the block is taken to give %g MW", got)
	}
	w.runFor(300 * time.Millisecond)
	if got := p.grid.latest(input); got != 0 {
		t.Errorf("after 50.2 s the block is taken to give %g MW", got)
	}
}

// A step of load is found from what arrives, with one area's PMUs unheard too.
func TestEstimateFollowsTheGridThroughTheNetwork(t *testing.T) {
	for _, broken := range []bool{false, true} {
		w, p, _ := seeing(t)
		w.sys.controllers[0].emergency.cfg.Off = true
		w.runFor(5 * time.Second)
		if broken {
			w.breakLink("CC-GW2", true) // and nobody leads around it
			w.sys.OnPlan(func(nowNS int64) error {
				if err := p.Follow(nowNS); err != nil || nowNS%(100*ms) != 0 {
					return err
				}
				return p.setGrid(nowNS)
			})
		}
		w.grid.loadMW = 548
		w.runFor(time.Second)
		if got := p.GridEstimate().LoadMW; math.Abs(got-548) > 60 {
			t.Errorf("area 2 cut off %v: load %.0f MW a second after a step of 548", broken, got)
		}
	}
}

// What the problem forecasts without commands is what the grid then does.
func TestForecastOfTheProblemComesTrue(t *testing.T) {
	w, p, _ := seeing(t)
	w.sys.controllers[0].emergency.cfg.Off = true
	w.runFor(5 * time.Second)
	w.grid.loadMW = 300
	w.runFor(1550 * time.Millisecond)
	w.silent()
	w.runFor(50 * time.Millisecond)
	now := w.nowNS
	p.grid.follow(w.sys, now)
	p.grid.forecast(now)
	g := &p.grid.grid
	x, next := append([]float64(nil), g.State...), make([]float64, len(g.State))
	for k := range 10 {
		for i := range x {
			next[i] = dot(g.A[i], x)
		}
		copy(x, next)
		w.runFor(100 * time.Millisecond)
		got, want := dot(g.Outputs[FreqOutput].C, x), w.grid.freqHz-60
		if math.Abs(got-want) > 0.005 {
			t.Errorf("step %d: forecast %.4f Hz, came %.4f", k+1, got, want)
		}
	}
}
