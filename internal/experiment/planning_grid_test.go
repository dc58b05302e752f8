package experiment

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"cosim/cases"
	"cosim/grid"
	cosync "cosim/sync"
)

// loadEstimates runs S-2, greedily reconfigured, with a step of 548 MW at a bus
// after 10 s, and returns the estimated load by tenth of a second.
func loadEstimates(t *testing.T, seconds, bus int, set ...string) []float64 {
	t.Helper()
	var found []float64
	look := watch(func(f *cosync.Frame) {
		i, _ := f.Index("scada.decision")
		if o := &f.Outputs[i]; f.Seq >= 0 && int64(f.From)%int64(100*cosync.Millisecond) == 0 {
			for j, name := range o.Port.Elements {
				if name == "load_mw" {
					found = append(found, o.Values[j])
				}
			}
		}
	})
	set = append(set, fmt.Sprintf("duration=%ds", seconds), "disturbances.contingencies.count=0", "disturbances.surges.count=0",
		"keys.pool.enforce_safe=true", "reconfiguration.solver=greedy",
		fmt.Sprintf("disturbances.scheduled=[{at: 10.03s, kind: load-step, bus: %d, size_mw: 548, duration: %ds}]", bus, seconds-11))
	if _, err := Run(context.Background(), load(t, "S-2", set...), RunOptions{Observers: []cosync.Observer{look}}); err != nil {
		t.Fatal(err)
	}
	return found
}

// The control centre finds a step of load on the whole grid within a second,
// from PMU frames alone: with the blocks called and confirmed meanwhile, and
// without. Loads elsewhere wander, and the model has eight states of 77.
func TestLoadStepIsFoundWithinASecond(t *testing.T) {
	for _, tc := range []struct {
		bus       int
		emergency string
	}{{4, "off"}, {15, "off"}, {20, "off"}, {39, "off"}, {15, "on"}} {
		load := loadEstimates(t, 13, tc.bus, fmt.Sprintf("controller.emergency.off=%v", tc.emergency == "off"))
		before := load[100]
		for k := 110; k <= 119; k++ {
			if step := load[k] - before; math.Abs(step-548) > 100 {
				t.Errorf("bus %d, emergency logic %s: %.0f MW found %.1f s after the step", tc.bus, tc.emergency, step, float64(k)/10-10)
			}
		}
	}
}

// With measurements of all but one area lost, the estimate still follows.
func TestLoadStepIsFoundByOneArea(t *testing.T) {
	load := loadEstimates(t, 16, 15, "controller.emergency.off=true", "reconfiguration.reroute=false", "quantum.break_cuts=fibre",
		"attacks=[{kind: drop, link: CC-GW2, start_s: 0, end_s: 16, probability: 1}, {kind: drop, link: CC-GW3, start_s: 0, end_s: 16, probability: 1}, {kind: drop, link: CC-GW4, start_s: 0, end_s: 16, probability: 1}]")
	if step := load[130] - load[100]; math.Abs(step-548) > 150 {
		t.Errorf("%.0f MW found 3 s after a step of 548", step)
	}
}

func TestDecisionsLookAtTheGridOnlyIfTheyShould(t *testing.T) {
	for _, x := range loadEstimates(t, 12, 15, "reconfiguration.grid_states=0") {
		if x != 0 {
			t.Fatalf("load %g MW estimated without a model of the grid", x)
		}
	}
}

func TestGridStatesAreChecked(t *testing.T) {
	for states, ok := range map[int]bool{0: true, 3: false, 4: true, 12: true, 13: false, -1: false} {
		_, err := Load("S-2", Overrides{Set: []string{"reconfiguration.solver=misocp", fmt.Sprintf("reconfiguration.grid_states=%d", states)}})
		if ok != (err == nil) || !ok && !strings.Contains(err.Error(), "grid_states") {
			t.Errorf("grid_states %d: %v", states, err)
		}
	}
}

// A gateway that takes a second a message is overloaded: delays without end are
// no reason for a decision to fail.
func TestDecisionsLiveWithEndlessDelays(t *testing.T) {
	d := load(t, "S-3", append(short, "node_classes.gateway.processing_s=1", "duration=25s")...)
	if _, err := Run(context.Background(), d, RunOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Runs of one grid share its reduced model; another grid, or other outputs, have
// one of their own.
func TestReducedModelsAreMadeOnce(t *testing.T) {
	model := func(set ...string) any {
		d := load(t, "S-3", set...)
		c, err := cases.Load(d.Case)
		if err != nil {
			t.Fatal(err)
		}
		m, err := (&builder{def: d, power: c}).reduced(grid.Reduction{States: 4, Gens: []int{0}, Voltages: []int{3}})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := model()
	if model("duration=30s", "disturbances.contingencies.count=0") != first {
		t.Error("a second run of the grid has a model of its own")
	}
	if model("grid.avr=false") == first || model("case=ieee118") == first {
		t.Error("another grid has the same model")
	}
}
