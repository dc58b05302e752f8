package grid_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cosim/grid"
)

func TestShippedSystemsAreStable(t *testing.T) {
	agc := &grid.AGC{GainPerS: 0.03}
	for name, options := range map[string][]grid.Options{
		"ieee39":  {{}, {AVR: true}, {AGC: agc}, {AVR: true, AGC: agc}, modelM1},
		"ieee118": {{}, {AGC: agc}, modelM1},
	} {
		for _, opt := range options {
			if _, err := grid.NewSimulator(mustLoad(t, name), opt); err != nil {
				t.Errorf("%s, AVR %v, AGC %v: %v", name, opt.AVR, opt.AGC != nil, err)
			}
		}
	}
}

// Without voltage control the same trip leaves no operating point at all.
func TestUnstableTripIsRefusedAndChangesNothing(t *testing.T) {
	s := mustSim(t, mustLoad(t, "ieee39"), grid.Options{AVR: true})
	s.AddLoadMW(busOf(t, s, "15"), 100, 0)
	s.Step(100)
	before := s.Snapshot()
	branch, _ := s.BranchIndex("19-20")
	err := s.TripBranch(branch)
	var unstable *grid.UnstableError
	if !errors.As(err, &unstable) {
		t.Fatalf("got %v", err)
	}
	if d := cmp.Diff([]string{"branch 19-20"}, unstable.Out); d != "" {
		t.Error(d)
	}
	if unstable.Participants[0] != "34" || unstable.AGCGainPerS != 0 {
		t.Errorf("%+v", unstable)
	}
	const want = "grid: after the trip of branch 19-20 the system is unstable: a mode without oscillation grows by 0.26 /s (generator 34)"
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if d := cmp.Diff(before, s.Snapshot()); d != "" {
		t.Errorf("a refused trip changed the state:\n%s", d)
	}
}

func TestTooStrongAGCIsNamedAsTheCause(t *testing.T) {
	for _, gain := range []float64{5, 100} {
		_, err := grid.NewSimulator(mustLoad(t, "ieee39"), grid.Options{AGC: &grid.AGC{GainPerS: gain}})
		var unstable *grid.UnstableError
		if !errors.As(err, &unstable) || unstable.AGCGainPerS != gain || unstable.FreqHz == 0 {
			t.Errorf("gain %g: %v", gain, err)
		}
	}
	// A system that falls apart by itself is not the fault of a weak AGC.
	s := mustSim(t, mustLoad(t, "ieee39"), grid.Options{AVR: true, AGC: &grid.AGC{GainPerS: 0.03}})
	branch, _ := s.BranchIndex("19-20")
	err := s.TripBranch(branch)
	var unstable *grid.UnstableError
	if !errors.As(err, &unstable) || unstable.AGCGainPerS != 0 {
		t.Errorf("got %v", err)
	}
}

// The 118-bus case without unit 18 has a mode that grows by 2e-5 1/s, 1 % in
// ten minutes.
func TestBarelyGrowingSwingIsNoInstability(t *testing.T) {
	s := mustSim(t, mustLoad(t, "ieee118"), grid.Options{})
	if err := s.TripGenerator(genOf(t, s, "18")); err != nil {
		t.Error(err)
	}
}

func TestModesOfAnUnstableCaseAreShown(t *testing.T) {
	c := mustLoad(t, "ieee39").Clone()
	for i := range c.Dynamics {
		c.Dynamics[i].ExciterGain *= 100
	}
	opt := grid.Options{AVR: true}
	modes, err := grid.ComputeModes(c, opt)
	if err != nil {
		t.Fatal(err)
	}
	worst := math.Inf(-1)
	for _, m := range modes.Modes {
		worst = math.Max(worst, m.Real)
	}
	_, err = grid.NewSimulator(c, opt)
	var unstable *grid.UnstableError
	if !errors.As(err, &unstable) {
		t.Fatalf("got %v", err)
	}
	// Two ways to leave out the angle reference, one eigenvalue.
	if math.Abs(unstable.GrowthPerS/worst-1) > 1e-9 || len(unstable.Out) != 0 {
		t.Errorf("grows by %.12g, mode %.12g; out %v", unstable.GrowthPerS, worst, unstable.Out)
	}
	if !strings.HasPrefix(err.Error(), "grid: the system is unstable: a mode of ") {
		t.Error(err)
	}
}

func TestBeyondLinear(t *testing.T) {
	for _, tc := range []struct {
		hz, pu float64
		want   bool
	}{
		{0.3, 0.05, false},
		{-1, -0.2, false},
		{1.01, 0, true},
		{-1.01, 0, true},
		{0, -0.21, true},
		{math.NaN(), 0, true},
		{0, math.Inf(1), true},
	} {
		if got := grid.BeyondLinear(tc.hz, tc.pu); got != tc.want {
			t.Errorf("%g Hz, %g pu: %v", tc.hz, tc.pu, got)
		}
	}
}

func TestStepResponseKnowsItsRange(t *testing.T) {
	for mw, want := range map[float64]bool{100: false, 3000: true} {
		r, err := grid.ComputeStep(mustLoad(t, "ieee39"), grid.Options{}, grid.Event{LoadBus: "15", LoadMW: mw}, 10)
		if err != nil {
			t.Fatal(err)
		}
		if r.BeyondLinear() != want || r.PeakVoltageChangePU < r.MaxVoltageStepPU {
			t.Errorf("%g MW: beyond %v, voltages change by %g, at the end %g", mw, r.BeyondLinear(), r.PeakVoltageChangePU, r.MaxVoltageStepPU)
		}
	}
}
