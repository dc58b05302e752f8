package experiment

import (
	"context"
	"testing"

	"cosim/internal/metrics"
	cosync "cosim/sync"
)

// broken is a run in which the fibre of area 1 is cut for most of the time.
var broken = []string{
	"duration=20s", "disturbances.contingencies.count=0", "disturbances.surges.count=0", "keys.pool.enforce_safe=true",
	"disturbances.scheduled=[{kind: link-break, link: CC-GW1, at: 5s, duration: 10s}]",
}

func figuresOfRun(t *testing.T, set ...string) *metrics.Summary {
	t.Helper()
	r, err := Run(context.Background(), load(t, "S-2", set...), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Summary
}

func TestReconfigurationLeadsAroundABreak(t *testing.T) {
	static := figuresOfRun(t, broken...)
	if static.Tasks.Failed.LinkDown < 250 {
		t.Fatalf("the static plan lost only %d tasks to the break", static.Tasks.Failed.LinkDown)
	}
	for _, solver := range []string{SolverGreedy, SolverMISOCP} {
		s := figuresOfRun(t, append(broken, "reconfiguration.solver="+solver)...)
		// Until the break is known and gateways have their orders, 300 ms at the
		// most, measurements of three PMUs are lost.
		if lost := s.Tasks.Failed.LinkDown; lost > 15 {
			t.Errorf("%s lost %d tasks to the break, the static plan %d", solver, lost, static.Tasks.Failed.LinkDown)
		}
		if s.Decisions.Count != 200 || !(s.Decisions.GapMax >= 0) {
			t.Errorf("%s: %+v, want 200 decisions with their gaps", solver, s.Decisions)
		}
	}
}

func TestAblationStaysOnItsStaticRoute(t *testing.T) {
	s := figuresOfRun(t, append(broken, "reconfiguration.solver=greedy", "reconfiguration.reroute=false")...)
	if s.Tasks.Failed.LinkDown+s.Tasks.Failed.Deactivated < 250 {
		t.Errorf("without rerouting only %d tasks failed: %+v", s.Tasks.Failed.Total(), s.Tasks.Failed)
	}
}

func TestReconfiguredRunIsReproducible(t *testing.T) {
	set := append(broken, "reconfiguration.solver=misocp", "duration=10s", "disturbances.scheduled=[{kind: link-break, link: CC-GW1, at: 3s, duration: 4s}]")
	first, second := recording(t, load(t, "S-2", set...)), recording(t, load(t, "S-2", set...))
	for file, hash := range first {
		if second[file] != hash {
			t.Errorf("%s differs between two runs", file)
		}
	}
}

// In real time a decision ends when most of its period is over, and the record
// says at which check.
func TestWatchdogEndsDecisionsInRealTime(t *testing.T) {
	set := []string{"duration=2s", "disturbances.contingencies.count=0", "disturbances.surges.count=0"}
	d := load(t, "S-3", set...)
	for _, c := range []struct {
		factor  float64
		allowed bool
	}{{0, false}, {1e5, true}} { // 0.8 µs a decision
		interrupted := &interruptions{}
		if _, err := Run(context.Background(), d, RunOptions{RealTime: c.factor, Observers: []cosync.Observer{interrupted}}); err != nil {
			t.Fatal(err)
		}
		if got := interrupted.n > 0; got != c.allowed {
			t.Errorf("at %g times real time %d decisions were interrupted", c.factor, interrupted.n)
		}
	}
}

// interruptions counts the decisions that the watchdog ended.
type interruptions struct{ n int }

func (o *interruptions) Begin(*cosync.Frame) error { return nil }
func (o *interruptions) End(error) error           { return nil }
func (o *interruptions) Observe(f *cosync.Frame) error {
	if i, ok := f.Index("scada.decision"); ok && f.Outputs[i].Values[len(f.Outputs[i].Values)-1] > 0 {
		o.n++
	}
	return nil
}
