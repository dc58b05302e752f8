package grid_test

import (
	"math"
	"strings"
	"testing"

	"cosim/grid"
)

var (
	modelM1 = grid.Options{NoDamping: true, NoGovernors: true, Load: grid.LoadModel{ActiveExponent: 2, ReactiveExponent: 2}}
	modelM2 = grid.Options{}
)

// Reference: independent linear model; the 39-bus sets agree with ANDES.
func TestOscillationsMatchReference(t *testing.T) {
	for _, tc := range []struct {
		file, name string
		opt        grid.Options
	}{
		{"case39_eig_M1_classical_constZ_D0.csv", "ieee39", modelM1},
		{"case39_eig_M2_gov_constP.csv", "ieee39", modelM2},
		{"case118_eig_M1_classical_constZ_D0.csv", "ieee118", modelM1},
	} {
		modes, err := grid.ComputeModes(mustLoad(t, tc.name), tc.opt)
		if err != nil {
			t.Fatal(err)
		}
		swing := electromechanical(modes)
		ref := readRef(t, tc.file, true)
		if len(swing) != len(ref.rows) {
			t.Fatalf("%s: %d oscillations, want %d", tc.file, len(swing), len(ref.rows))
		}
		w := &worst{name: tc.file + " relative", tolerance: 1e-4}
		for r := range ref.rows {
			size := math.Hypot(ref.num(r, "real_1_s"), ref.num(r, "imag_rad_s"))
			w.see(swing[r].Real/size, ref.num(r, "real_1_s")/size, ref.text(r, "mode"))
			w.see(swing[r].Imag/size, ref.num(r, "imag_rad_s")/size, ref.text(r, "mode"))
			if d := math.Abs(swing[r].DampingRatio - ref.num(r, "damping_ratio")); d > 1e-5 {
				t.Errorf("mode %d: damping ratio %.6f, want %.6f", r+1, swing[r].DampingRatio, ref.num(r, "damping_ratio"))
			}
		}
		w.report(t)
	}
}

// electromechanical leaves out the slow pair in which all units swing together
// against their governors.
func electromechanical(m *grid.Modes) []grid.Mode {
	var out []grid.Mode
	for _, mode := range m.Modes {
		if mode.Imag > 1 {
			out = append(out, mode)
		}
	}
	return out
}

func TestAllEigenvaluesMatchReference(t *testing.T) {
	modes, err := grid.ComputeModes(mustLoad(t, "ieee39"), modelM2)
	if err != nil {
		t.Fatal(err)
	}
	ref := readRef(t, "case39_eig_M2_all.csv", true)
	w := &worst{name: "all eigenvalues, relative", tolerance: 1e-4}
	count := 0
	for r := range ref.rows {
		re, im := ref.num(r, "real"), ref.num(r, "imag")
		if math.Hypot(re, im) < 1e-9 || im < 0 {
			continue // the angle reference; conjugates
		}
		count++
		nearest := math.Inf(1)
		for _, m := range modes.Modes {
			nearest = math.Min(nearest, math.Hypot(m.Real-re, m.Imag-im))
		}
		w.see(nearest/math.Hypot(re, im), 0, ref.rows[r][0])
	}
	if count != len(modes.Modes) {
		t.Errorf("%d modes, want %d", len(modes.Modes), count)
	}
	w.report(t)
}

func TestNoModeIsTheAngleReference(t *testing.T) {
	for _, opt := range []grid.Options{modelM2, {AVR: true}} {
		modes, err := grid.ComputeModes(mustLoad(t, "ieee39"), opt)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range modes.Modes {
			if math.Hypot(m.Real, m.Imag) < 1e-6 {
				t.Errorf("zero mode %+v", m)
			}
			if m.Real > 0 {
				t.Errorf("unstable mode %+v", m)
			}
		}
	}
}

func TestParticipationSumsToOneAndNamesTheMachines(t *testing.T) {
	modes, err := grid.ComputeModes(mustLoad(t, "ieee39"), modelM2)
	if err != nil {
		t.Fatal(err)
	}
	slowest := electromechanical(modes)[0]
	sum := 0.0
	for _, p := range slowest.Participation {
		sum += p.Share
	}
	if sum < 0.85 || sum > 1+1e-9 {
		t.Errorf("shares above 1 %% sum to %g", sum)
	}
	// The slowest swing is that of the heavy unit at bus 39 against all others.
	if top := slowest.Participation[0].State; !strings.HasSuffix(top, " 39") {
		t.Errorf("slowest mode belongs to %s", top)
	}
}

// Reference: independent linear model, states in the same order.
func TestStateMatrixMatchesReference(t *testing.T) {
	m, err := grid.Linearise(mustLoad(t, "ieee39"), modelM2)
	if err != nil {
		t.Fatal(err)
	}
	ref := readRef(t, "case39_M2_A.csv", false)
	if len(ref.rows) != len(m.States) {
		t.Fatalf("%d states, want %d", len(m.States), len(ref.rows))
	}
	w := &worst{name: "A", tolerance: 1e-6}
	for i := range m.States {
		for j := range m.States {
			w.see(m.A.At(i, j), ref.at(i, j), m.States[i]+" by "+m.States[j])
		}
	}
	w.report(t)
}

// The continuous model and the simulator agree: the speed of the centre of
// inertia falls at the rate that B gives.
func TestLinearModelStartsLikeTheSimulator(t *testing.T) {
	c := mustLoad(t, "ieee39")
	m, err := grid.Linearise(c, modelM2)
	if err != nil {
		t.Fatal(err)
	}
	bus, _ := c.BusIndex("15")
	rate := 0.0
	for i, h := range m.COI {
		rate += h * m.LoadP.At(i, bus)
	}
	s := mustSim(t, c, grid.Options{StepNS: 10_000})
	s.AddLoadMW(bus, 100, 0)
	v := make([]float64, len(c.Buses))
	s.BusVoltageDeviationPU(v)
	for i := range v {
		if d := math.Abs(v[i] - m.VoltageP.At(i, bus)); d > 1e-12 {
			t.Errorf("bus %s jumps by %g, model %g", c.Buses[i].ID, v[i], m.VoltageP.At(i, bus))
		}
	}
	s.Step(1)
	if got, want := s.COIFreqHz()/1e-5, rate*60; math.Abs(got/want-1) > 1e-4 {
		t.Errorf("rate of change %g Hz/s, model %g", got, want)
	}
}
