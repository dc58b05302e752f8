package grid_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"cosim/grid"
)

// asMATPOWER writes a case the way MATPOWER's own files look.
func asMATPOWER(c *grid.Case) string {
	var b strings.Builder
	fmt.Fprintf(&b, "function mpc = case_x\n%%CASE_X  a title with mpc.bus = [ in it\n\n%% MATPOWER Case Format : Version 2\nmpc.version = '2';\n\nmpc.baseMVA = %g;\n\n%%\tbus_i\ttype\nmpc.bus = [\n", c.BaseMVA)
	for _, u := range c.Buses {
		fmt.Fprintf(&b, "\t%s\t%d\t%g\t%g\t%g\t%g\t%s\t%v\t%v\t345\t1\t1.06\t0.94; %% a bus\n", u.ID, u.Kind,
			u.LoadMW, u.LoadMVAr, u.ShuntMW, u.ShuntMVAr, u.Area, u.VoltagePU, u.AngleDeg)
	}
	b.WriteString("];\n\n%% generators\nmpc.gen = [ % opened here\n")
	for _, g := range c.Gens {
		fmt.Fprintf(&b, "\t%s, %v, %v, %v, ...   continued\n\t%v, %v, 100, 1, %v, %v, 0, 0\n", g.Bus, g.PowerMW, g.ReactiveMVAr,
			g.MaxMVAr, g.MinMVAr, g.VoltagePU, g.MaxMW, g.MinMW)
	}
	b.WriteString("];\n%{\nmpc.bus = [ 1 2 3 ];\n%}\nmpc.branch = [")
	for _, r := range c.Branches {
		tap := r.Tap
		if tap == 1 {
			tap = 0
		}
		fmt.Fprintf(&b, " %s %s %v %v %v %v 0 0 %v %v 1 -360 360;", r.From, r.To, r.ResistancePU, r.ReactancePU,
			r.SusceptancePU, r.RateMVA, tap, r.ShiftDeg)
	}
	b.WriteString(" ];\nmpc.gencost = [ 2 0 0 3 0.01 40 0 ];\nmpc.bus_name = { 'a;b'; 'it is [' };\n")
	return b.String()
}

func TestMATPOWERFileGivesTheSameFlow(t *testing.T) {
	for _, name := range []string{"ieee39", "ieee118", "ieee33"} {
		want := mustLoad(t, name)
		text := asMATPOWER(want)
		if name == "ieee33" { // ties are open
			text = strings.Replace(text, " 1 -360 360; ];", " 0 -360 360; ];", 1)
			for i := 32; i < 36; i++ {
				b := want.Branches[i]
				old := fmt.Sprintf(" %s %s %v %v 0 0 0 0 0 0 1 -360", b.From, b.To, b.ResistancePU, b.ReactancePU)
				text = strings.Replace(text, old, strings.Replace(old, " 1 -360", " 0 -360", 1), 1)
			}
		}
		for _, ending := range []string{"\n", "\r\n"} {
			c, err := grid.ParseMATPOWER("dir/case_x.m", []byte(strings.ReplaceAll(text, "\n", ending)))
			if err != nil {
				t.Fatal(err)
			}
			a, err := grid.SolveFlow(want, grid.FlowOptions{})
			if err != nil {
				t.Fatal(err)
			}
			b, err := grid.SolveFlow(c, grid.FlowOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if c.Name != "case_x" || math.Abs(a.LossMW-b.LossMW) > 1e-9 {
				t.Errorf("%s: %s loses %.9g MW, want %.9g", name, c.Name, b.LossMW, a.LossMW)
			}
		}
	}
}

func TestMATPOWERMistakesNameTheLine(t *testing.T) {
	_, err := grid.ParseMATPOWER("x.m", []byte(strings.Join([]string{
		"function mpc = x",
		"mpc.version = '1';",
		"mpc.baseMVA = 1e2;",
		"mpc.bus = [",
		"  1 3 0 0 0 0 1 1 0 345 1 1.1 0.9",
		"  2 1 0 0 0 0 1 1 0 345 1 1.1 zero;",
		"  3 1 0 0",
		"];",
		"mpc.branch = loadcase('y');",
		"mpc.branch(:, 3) = mpc.branch(:, 3) / 10;",
		"mpc.dcline = [ 1 2 1 ];",
	}, "\n")))
	for _, want := range []string{
		"x.m:2: format version 1, want 2",
		`x.m:6: "zero" is not a number`,
		"x.m:7: mpc.bus has 4 columns, want at least 13",
		"x.m:9: mpc.branch is not a plain table",
		"x.m:10: mpc.branch(:, 3) is computed",
		"x.m:11: mpc.dcline: DC lines are not modelled",
		"x.m: mpc.gen is missing",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s\n%v", want, err)
		}
	}
}

func TestMATPOWERRowsKeepTheirLine(t *testing.T) {
	c := mustLoad(t, "ieee39")
	text := strings.Replace(asMATPOWER(c), "\t12\t1\t", "\t11\t1\t", 1)
	_, err := grid.ParseMATPOWER("x.m", []byte(text))
	line := 1 + strings.Count(text[:strings.LastIndex(text, "\t11\t1\t")], "\n")
	if want := fmt.Sprintf("x.m:%d: duplicate bus 11", line); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("want %s, got %v", want, err)
	}
}

// A forgotten value moves all that follow it.
func TestMATPOWERRowsHaveOneLength(t *testing.T) {
	const branch = "1 2 0 0.1 0 0 0 0 0 0 1 -360 360"
	file := func(rows ...string) []byte {
		return []byte("mpc.baseMVA = 100;\nmpc.bus = [ 1 3 0 0 0 0 1 1 0 110 1 1.1 0.9; 2 1 10 5 0 0 1 1 0 110 1 1.1 0.9 ];\n" +
			"mpc.gen = [ 1 10 0 Inf -Inf 1 100 1 100 0 ];\nmpc.branch = [\n" + strings.Join(rows, ";\n") + "\n];")
	}
	const short = "1 2 0 0.1 0 0 0 0 0 0 1 -360"
	const solved = branch + " 10.1 5 -10 -5"
	for _, tc := range []struct {
		rows []string
		want string
	}{
		{[]string{branch, branch}, ""},
		{[]string{solved, solved}, ""},
		{[]string{branch, short}, "x.m:6: mpc.branch has 12 columns, want at least 13"},
		{[]string{short}, "x.m:5: mpc.branch has 12 columns, want at least 13"},
		{[]string{solved, branch}, "x.m:6: mpc.branch has 13 columns, its first row (line 5) 17"},
		{[]string{branch, branch, branch + " 7"}, "x.m:7: mpc.branch has 14 columns, its first row (line 5) 13"},
	} {
		_, err := grid.ParseMATPOWER("x.m", file(tc.rows...))
		if (err == nil) != (tc.want == "") || err != nil && err.Error() != tc.want {
			t.Errorf("%q: got %v, want %q", tc.rows, err, tc.want)
		}
	}
}

func FuzzParseMATPOWER(f *testing.F) {
	c := mustLoad(f, "ieee33")
	f.Add([]byte(asMATPOWER(c)))
	f.Add([]byte("mpc.baseMVA=1;mpc.bus=[1 3 0 0 0 0 1 1 0 1 1 1 1];mpc.gen=[1 0 0 9 -9 1 1 1 Inf -Inf];mpc.branch=[];"))
	f.Add([]byte("mpc.bus = [ '...' ; %{\n%}\n{(])"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := grid.ParseMATPOWER("x.m", data)
		if (c == nil) == (err == nil) {
			t.Fatalf("case %v, error %v", c, err)
		}
		if err == nil && len(c.Buses) < 20 {
			_, _ = grid.SolveFlow(c, grid.FlowOptions{}) // may diverge, must not panic
		}
	})
}
