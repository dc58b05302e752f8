package grid_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"cosim/grid"
)

// Reference: MATPOWER runpf, tolerance 1e-11, no reactive limits.
func TestPowerFlowMatchesMATPOWER(t *testing.T) {
	base39 := mustLoad(t, "ieee39")
	summary := readRef(t, "pf_summary.csv", true)
	for _, tc := range []struct {
		file string
		c    *grid.Case
	}{
		{"case39_pf_base", base39},
		{"case118_pf_base", mustLoad(t, "ieee118")},
		{"case33bw_pf_base", mustLoad(t, "ieee33")},
		{"case39_pf_line5-6_out", without(t, base39, "5-6")},
		{"case33bw_pf_reconf_7_9_14_32_37_open", reconfigured(t)},
	} {
		t.Run(tc.file, func(t *testing.T) {
			for _, given := range []bool{false, true} {
				flow, err := grid.SolveFlow(tc.c, grid.FlowOptions{GivenStart: given})
				if err != nil {
					t.Fatal(err)
				}
				compareFlow(t, tc.file, flow)
				for r := range summary.rows {
					if summary.text(r, "case")+"_"+summary.text(r, "variant") == tc.file {
						compareSummary(t, summary, r, flow)
					}
				}
			}
		})
	}
}

func compareFlow(t *testing.T, file string, flow *grid.Flow) {
	t.Helper()
	v, angle := &worst{name: "voltage pu", tolerance: 1e-6}, &worst{name: "angle deg", tolerance: 1e-5}
	bus := readRef(t, file+"_bus.csv", true)
	for r := range bus.rows {
		b := flow.Buses[r]
		if b.Bus != bus.text(r, "bus") {
			t.Fatalf("row %d is bus %s, reference has %s", r, b.Bus, bus.text(r, "bus"))
		}
		v.see(b.VoltagePU, bus.num(r, "Vm_pu"), b.Bus)
		angle.see(b.AngleDeg, bus.num(r, "Va_deg"), b.Bus)
	}
	power := &worst{name: "branch and generator power MW", tolerance: 1e-4}
	branch := readRef(t, file+"_branch.csv", true)
	for r := range branch.rows {
		b := flow.Branches[r]
		power.see(b.FromMW, branch.num(r, "Pf_MW"), b.Branch)
		power.see(b.FromMVAr, branch.num(r, "Qf_MVAr"), b.Branch)
		power.see(b.ToMW, branch.num(r, "Pt_MW"), b.Branch)
		power.see(b.ToMVAr, branch.num(r, "Qt_MVAr"), b.Branch)
		power.see(b.LossMW, branch.num(r, "Ploss_MW"), b.Branch)
	}
	gen := readRef(t, file+"_gen.csv", true)
	for r := range gen.rows {
		power.see(flow.Gens[r].PowerMW, gen.num(r, "Pg_MW"), flow.Gens[r].Bus)
		power.see(flow.Gens[r].ReactiveMVAr, gen.num(r, "Qg_MVAr"), flow.Gens[r].Bus)
	}
	v.report(t)
	angle.report(t)
	power.report(t)
}

func compareSummary(t *testing.T, s *refTable, r int, flow *grid.Flow) {
	t.Helper()
	loss := &worst{name: "losses MW", tolerance: 1e-4}
	loss.see(flow.LossMW, s.num(r, "loss_P_MW"), "active")
	loss.see(flow.LossMVAr, s.num(r, "loss_Q_MVAr_series"), "reactive")
	loss.see(flow.GenMW-flow.LoadMW, s.num(r, "loss_P_MW"), "balance")
	loss.report(t)
	t.Logf("%d iterations, mismatch %.2g pu at bus %s", flow.Iterations, flow.MismatchPU, flow.MismatchBus)
}

// Reference: MATPOWER runpf with ENFORCE_Q_LIMS, losses stated to 1e-4 MW.
func TestReactiveLimitsMatchMATPOWER(t *testing.T) {
	for _, tc := range []struct {
		name   string
		lossMW float64
	}{{"ieee39", 43.6275}, {"ieee118", 132.4808}} {
		c := mustLoad(t, tc.name)
		flow, err := grid.SolveFlow(c, grid.FlowOptions{EnforceQLimits: true})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(flow.LossMW-tc.lossMW) > 1e-4 {
			t.Errorf("%s: loss %.4f MW, want %.4f", tc.name, flow.LossMW, tc.lossMW)
		}
		limited := 0
		for g, out := range flow.Gens {
			gen := &c.Gens[g]
			i, _ := c.BusIndex(gen.Bus)
			if out.AtLimit {
				limited++
				above := flow.Buses[i].VoltagePU > gen.VoltagePU+1e-9
				if atMax := math.Abs(out.ReactiveMVAr-gen.MaxMVAr) < 1e-6; atMax == above {
					t.Errorf("%s bus %s: at a limit that does not bind (%.2f MVAr, %.4f pu)", tc.name, gen.Bus,
						out.ReactiveMVAr, flow.Buses[i].VoltagePU)
				}
			} else if c.Buses[i].Kind == grid.PV && (out.ReactiveMVAr > gen.MaxMVAr+1e-6 || out.ReactiveMVAr < gen.MinMVAr-1e-6) {
				t.Errorf("%s bus %s: %.2f MVAr beyond its limits", tc.name, gen.Bus, out.ReactiveMVAr)
			}
		}
		t.Logf("%s: loss %.4f MW, %d units at a limit, %d iterations", tc.name, flow.LossMW, limited, flow.Iterations)
	}
}

func TestDivergenceNamesTheBus(t *testing.T) {
	c := mustLoad(t, "ieee39").Clone()
	i, _ := c.BusIndex("12")
	c.Buses[i].LoadMW = 20000
	_, err := grid.SolveFlow(c, grid.FlowOptions{})
	var diverged *grid.DivergenceError
	if !errors.As(err, &diverged) || diverged.Bus == "" || diverged.MismatchPU <= 0 {
		t.Fatalf("got %v, want a DivergenceError with bus and mismatch", err)
	}
	if !strings.HasPrefix(err.Error(), "grid: power flow diverged after ") {
		t.Errorf("message is %q", err)
	}
}

// Reference: MATPOWER rundcpf and makePTDF.
func TestDCFlowMatchesMATPOWER(t *testing.T) {
	for _, name := range []string{"39", "118"} {
		c := mustLoad(t, "ieee"+name)
		flow, err := grid.SolveDC(c)
		if err != nil {
			t.Fatal(err)
		}
		angle, power := &worst{name: name + " DC angle deg", tolerance: 1e-5}, &worst{name: name + " DC flow MW", tolerance: 1e-4}
		bus := readRef(t, "case"+name+"_base_dc_bus.csv", true)
		for r := range bus.rows {
			angle.see(flow.AngleDeg[r], bus.num(r, "Va_deg"), c.Buses[r].ID)
		}
		branch := readRef(t, "case"+name+"_base_dc_branch.csv", true)
		for r := range branch.rows {
			power.see(flow.BranchMW[r], branch.num(r, "Pf_MW"), c.Branches[r].ID)
		}
		angle.report(t)
		power.report(t)
	}
}

func TestPTDFMatchesMATPOWER(t *testing.T) {
	for _, name := range []string{"39", "118"} {
		c := mustLoad(t, "ieee"+name)
		h, err := grid.ComputePTDF(c)
		if err != nil {
			t.Fatal(err)
		}
		w := &worst{name: name + " PTDF", tolerance: 1e-6}
		ref := readRef(t, "case"+name+"_base_ptdf.csv", true)
		next := 0
		for r := range ref.rows {
			// The reference of 118 lists some branches, in table order.
			for c.Branches[next].From != ref.text(r, "fbus") || c.Branches[next].To != ref.text(r, "tbus") {
				next++
			}
			for j := range c.Buses {
				w.see(h.At(next, j), ref.at(r, 2+j), c.Branches[next].ID+" by "+c.Buses[j].ID)
			}
			next++
		}
		w.report(t)
	}
}

// Reference: MATPOWER dSbus_dV, PV and slack voltages fixed.
func TestVoltageSensitivityMatchesMATPOWER(t *testing.T) {
	flow, err := grid.SolveFlow(mustLoad(t, "ieee39"), grid.FlowOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := grid.VoltageSensitivity(flow)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		file string
		at   func(i, j int) float64
	}{
		{"case39_base_dVdP_pu_per_pu.csv", s.DVDP.At},
		{"case39_base_dVdQ_pu_per_pu.csv", s.DVDQ.At},
	} {
		w := &worst{name: tc.file, tolerance: 1e-8}
		ref := readRef(t, tc.file, true)
		for r := range ref.rows {
			for c := range s.Buses {
				w.see(tc.at(r, c), ref.at(r, 1+c), ref.rows[r][0]+" by "+ref.names[1+c])
			}
		}
		w.report(t)
	}
}

func TestPhaseShifterMovesPowerLikeItsTransfer(t *testing.T) {
	c := mustLoad(t, "ieee39").Clone()
	k, _ := c.BranchIndex("16-17")
	before, err := grid.SolveFlow(c, grid.FlowOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.Branches[k].ShiftDeg = 2
	after, err := grid.SolveFlow(c, grid.FlowOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dcBefore, _ := grid.SolveDC(mustLoad(t, "ieee39"))
	dcAfter, err := grid.SolveDC(c)
	if err != nil {
		t.Fatal(err)
	}
	ac := after.Branches[k].FromMW - before.Branches[k].FromMW
	dc := dcAfter.BranchMW[k] - dcBefore.BranchMW[k]
	// A positive shift holds back flow from its own end (MATPOWER's sign).
	if !(dc < 0 && math.Abs(ac-dc) < 0.1*math.Abs(dc)) {
		t.Errorf("2° changes the flow by %.1f MW, DC %.1f MW", ac, dc)
	}
}

func BenchmarkPowerFlow118FlatStart(b *testing.B) {
	c := mustLoad(b, "ieee118")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := grid.SolveFlow(c, grid.FlowOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
