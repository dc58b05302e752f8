package grid_test

import (
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"cosim/grid"
)

// tables is a valid case of three buses; tests break it.
func tables() fstest.MapFS {
	return fstest.MapFS{
		"my/base.csv": {Data: []byte("case,baseMVA,f_nom_Hz,slack_bus\nmy,50,50,1\n")},
		"my/bus.csv": {Data: []byte("bus,type,Pd_MW,Qd_MVAr,Gs_MW,Bs_MVAr,area,Vm_pu,Va_deg\n" +
			"1,3,0,0,0,0,1,1,0\n# a note\n2,1,40,10,0,5,1,1,0\n3,2,10,2,0,0,1,1,0\n")},
		"my/gen.csv":    {Data: []byte("bus,Pg_MW,Vg_pu\n1,30,1.02\n3,20,1.01\n")},
		"my/branch.csv": {Data: []byte("fbus,tbus,r_pu,x_pu\n1,2,0.01,0.1\n2,3,0.01,0.1\n1,2,0.02,0.2\n")},
		"my/dyn.csv": {Data: []byte("bus,H_s_100MVA,xdp_pu_100MVA,D_pu_100MVA,gov_base_MVA,R_pu_govbase,Tg_s,T2_s,T3_s\n" +
			"1,4,0.3,1,60,0.05,0.2,2.1,7\n3,2,0.4,0,0,0,0,0,0\n")},
	}
}

func TestTablesAreReadOnTheirBase(t *testing.T) {
	c, err := grid.ReadTables(tables(), "my")
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "my" || c.BaseMVA != 50 || c.FreqHz != 50 || len(c.Buses) != 3 || len(c.Branches) != 3 {
		t.Fatalf("read %+v", c)
	}
	// H grows and x shrinks when the base goes from 100 to 50 MVA.
	if d := c.Dynamics[0]; d.InertiaS != 8 || d.TransientXPU != 0.15 || d.DampingPU != 2 {
		t.Errorf("dynamics %+v", d)
	}
	if c.Branches[2].ID != "1-2#2" || c.Branches[2].Tap != 1 || !c.Branches[2].InService {
		t.Errorf("branch %+v", c.Branches[2])
	}
	if at := c.Buses[1].At.String(); at != "my/bus.csv:4" {
		t.Errorf("bus 2 was read at %s", at)
	}
	s := mustSim(t, c, grid.Options{})
	s.AddLoadMW(1, 5, 1)
	s.Step(12000)
	// 5 MW on 60 MVA/0.05 and D of 100 MVA·1 is 5/1300 of 50 Hz, but for losses.
	if f := s.COIFreqHz(); math.Abs(f+5.0/1300*50) > 0.01 {
		t.Errorf("settles at %g Hz", f)
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	fs := tables()
	fs["my/bus.csv"].Data = []byte("bus,type,Pd_MW,Qd_MVAr\n1,2,0,0\n2,7,40,10\n3,2,10,2\n2,1,0,0\n4,1,Inf,0\n5,1,0,0\n")
	fs["my/gen.csv"].Data = []byte("bus,Pg_MW,Vg_pu,Qmax_MVAr,Qmin_MVAr\n1,30,1.02,-5,5\n9,20,0,1,0\n")
	fs["my/branch.csv"].Data = []byte("fbus,tbus,r_pu,x_pu,tap_ratio\n1,2,0,0,0\n2,8,0.01,0.1,0\n3,3,0.1,0.1,-1\n4,5,0.1,0.1,0\n")
	fs["my/dyn.csv"].Data = []byte("bus,H_s_100MVA,xdp_pu_100MVA,ra_pu,gov_base_MVA\n1,-4,0.3,0.01,60\n2,1,0.3,0,0\n7,0,0,0,-1\n1,1,1,0,0\n")
	_, err := grid.ReadTables(fs, "my")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"my/base.csv: slack bus 1 is not of type 3",
		"my/bus.csv:3: bus 2 has type 7",
		"my/bus.csv:5: duplicate bus 2, first at my/bus.csv:3",
		"my/bus.csv:6: Pd is +Inf",
		"my/gen.csv:2: generator at bus 1: Qmin 5 above Qmax -5",
		`my/gen.csv:3: generator at unknown bus "9"`,
		"my/gen.csv:3: generator at bus 9 has voltage set point 0",
		"my/branch.csv:2: branch 1-2 has zero impedance",
		`my/branch.csv:3: branch 2-8 ends at unknown bus "8"`,
		"my/branch.csv:4: branch 3-3 connects a bus with itself",
		"my/branch.csv:4: branch 3-3 has tap ratio -1",
		"case my: no slack bus",
		"my/dyn.csv:2: unit at bus 1 has negative inertia -8 s on 50 MVA",
		"my/dyn.csv:2: unit at bus 1 has stator resistance 0.01",
		"my/dyn.csv:2: governor at bus 1 needs R, Tg, T3 above 0",
		"my/dyn.csv:3: dynamics for bus 2, which has no generator",
		`my/dyn.csv:4: dynamics for unknown bus "7"`,
		"my/dyn.csv:4: unit at bus 7 has no inertia",
		"my/dyn.csv:4: unit at bus 7 has transient reactance 0",
		"my/dyn.csv:4: unit at bus 7 has negative governor rating -1",
		"my/dyn.csv:5: duplicate dynamics for bus 1",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestIslandsOfTheDataAreReported(t *testing.T) {
	fs := tables()
	fs["my/branch.csv"].Data = []byte("fbus,tbus,r_pu,x_pu,status\n1,2,0.01,0.1,1\n2,3,0.01,0.1,0\n")
	_, err := grid.ReadTables(fs, "my")
	if err == nil || !strings.Contains(err.Error(), "my/bus.csv:5: bus 3 lies in an island of 1 buses without the slack bus") {
		t.Errorf("got %v", err)
	}
}

func TestTableMistakesNameLineAndColumn(t *testing.T) {
	fs := tables()
	fs["my/bus.csv"].Data = []byte("bus,type,Pd,Qd_MVAr\n")
	fs["my/gen.csv"].Data = []byte("bus,Pg_MW,Vg_pu\n1,many,1\n3,20\n3,NaN,1\n")
	delete(fs, "my/branch.csv")
	_, err := grid.ReadTables(fs, "my")
	for _, want := range []string{
		`my/bus.csv:1: unknown column "Pd"`,
		`my/bus.csv:1: column "Pd_MW" is missing`,
		`my/gen.csv:2: Pg_MW is "many", not a number`,
		"my/gen.csv:3: 2 fields, the header has 3",
		`my/gen.csv:4: Pg_MW is "NaN", not a number`,
		"my/branch.csv",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s\n%v", want, err)
		}
	}
}

// Names and order of buses do not matter.
func TestRenamedBusesGiveTheSameAnswer(t *testing.T) {
	base := mustLoad(t, "ieee39")
	reference := mustSim(t, base, grid.Options{})
	reference.AddLoadMW(14, 100, 0)
	reference.Step(300)
	rapid.Check(t, func(rt *rapid.T) {
		c := base.Clone()
		order := rapid.Permutation([]int{
			0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
			21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
		}).Draw(rt, "order")
		for i, from := range order {
			c.Buses[i] = base.Buses[from]
			c.Buses[i].ID = "N" + c.Buses[i].ID
		}
		for i := range c.Gens {
			c.Gens[i].Bus = "N" + c.Gens[i].Bus
			c.Dynamics[i].Bus = "N" + c.Dynamics[i].Bus
		}
		for i := range c.Branches {
			c.Branches[i].From, c.Branches[i].To = "N"+c.Branches[i].From, "N"+c.Branches[i].To
		}
		s := mustSim(t, c, grid.Options{})
		s.AddLoadMW(busOf(t, s, "N15"), 100, 0)
		s.Step(300)
		if d := math.Abs(s.COIFreqHz() - reference.COIFreqHz()); d > 1e-10 {
			rt.Fatalf("differs by %g Hz", d)
		}
	})
}

func FuzzReadTables(f *testing.F) {
	t := tables()
	f.Add(t["my/bus.csv"].Data, t["my/gen.csv"].Data, t["my/branch.csv"].Data, t["my/dyn.csv"].Data)
	f.Add([]byte("bus,type\n"), []byte("\"\n"), []byte(""), []byte("bus,bus\n1,1\n"))
	f.Fuzz(func(t *testing.T, bus, gen, branch, dyn []byte) {
		fs := tables()
		fs["my/bus.csv"].Data, fs["my/gen.csv"].Data = bus, gen
		fs["my/branch.csv"].Data, fs["my/dyn.csv"].Data = branch, dyn
		c, err := grid.ReadTables(fs, "my")
		if err == nil && len(c.Buses) < 20 {
			// What validates can be solved or says why not; it never panics.
			if _, err := grid.NewSimulator(c, grid.Options{}); err != nil && err.Error() == "" {
				t.Error("empty error")
			}
		}
	})
}
