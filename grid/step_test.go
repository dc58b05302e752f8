package grid_test

import (
	"math"
	"strings"
	"testing"

	"cosim/grid"
)

func TestStepResponseSummarisesTheReference(t *testing.T) {
	ref := readRef(t, "case39_linear_steps.csv", true)
	r, err := grid.ComputeStep(mustLoad(t, "ieee39"), grid.Options{}, grid.Event{LoadBus: "15", LoadMW: 100}, 59)
	if err != nil {
		t.Fatal(err)
	}
	w := &worst{name: "step response", tolerance: 1e-8}
	w.see(r.NadirHz, ref.num(0, "nadir_Hz"), "nadir")
	w.see(r.NadirAtS, ref.num(0, "t_nadir_s"), "time of nadir")
	w.see(r.RoCoF500msHzS, ref.num(0, "rocof_500ms_Hz_s"), "rocof")
	w.see(r.EndHz, ref.num(0, "df_at_59s_Hz"), "end")
	w.see(r.MaxGenHz, ref.num(0, "dfmax_any_gen_Hz"), "generator")
	w.see(r.MaxVoltageStepPU, ref.num(0, "dVmax_at_59s_pu"), "voltage")
	w.report(t)
	if len(r.TimeS) != 5901 || len(r.GenFreqHz[0]) != 10 || len(r.BusVoltagePU[5900]) != 39 {
		t.Errorf("%d samples of %d generators", len(r.TimeS), len(r.GenFreqHz[0]))
	}
}

func TestStepResponseDoesNotDependOnTheSubstep(t *testing.T) {
	event := grid.Event{LoadBus: "4", LoadMW: 50, TripGen: "36", TripBranch: "17-16"}
	a, err := grid.ComputeStep(mustLoad(t, "ieee39"), grid.Options{}, event, 10)
	if err != nil {
		t.Fatal(err)
	}
	b, err := grid.ComputeStep(mustLoad(t, "ieee39"), grid.Options{StepNS: 2_000_000}, event, 10)
	if err != nil {
		t.Fatal(err)
	}
	if d := math.Abs(a.NadirHz - b.NadirHz); d > 1e-9 || a.NadirHz > -0.1 {
		t.Errorf("nadir %.6f Hz, at 2 ms %.6f Hz", a.NadirHz, b.NadirHz)
	}
}

func TestStepResponseNamesWhatIsWrong(t *testing.T) {
	c39, c118 := mustLoad(t, "ieee39"), mustLoad(t, "ieee118")
	for _, tc := range []struct {
		c     *grid.Case
		event grid.Event
		secs  float64
		want  string
	}{
		{c39, grid.Event{LoadBus: "40"}, 1, `no bus "40"`},
		{c39, grid.Event{TripGen: "1"}, 1, `no generator at bus "1"`},
		{c39, grid.Event{TripBranch: "1-9"}, 1, `no branch "1-9"`},
		{c39, grid.Event{LoadBus: "1"}, -1, "step response over -1 s"},
		{c118, grid.Event{TripBranch: "12-117"}, 1, "island of bus 117 has no machine with inertia"},
		{c118, grid.Event{TripBranch: "71-73"}, 1, "island of bus 73 has neither governor nor damping"},
		// The tie to the rest of the interconnection carries bus 39's 1,104 MW;
		// without its unit the voltage there collapses, in a power flow too.
		{c39, grid.Event{TripGen: "39"}, 1, "no operating point after"},
	} {
		_, err := grid.ComputeStep(tc.c, grid.Options{}, tc.event, tc.secs)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("want %q, got %v", tc.want, err)
		}
	}
}
