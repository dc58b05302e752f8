package experiment

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cosim/scada/reconfig"
)

// decision records one decision of a run in which key is scarce.
func decision(t *testing.T, solver string) string {
	t.Helper()
	set := []string{
		"duration=12s", "disturbances.contingencies.count=0", "disturbances.surges.count=0", "keys.pool.enforce_safe=true",
		"disturbances.scheduled=[{kind: link-break, link: CC-GW1, at: 5s, duration: 6s}]", "reconfiguration.solver=" + solver,
	}
	r, err := Run(context.Background(), load(t, "S-2", set...), RunOptions{Out: t.TempDir(), Decisions: selections(t, "10s")})
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(r.Dir, decisionsFolder, "10.0s.json")
}

func decide(t *testing.T, file string, o DecideOptions) *Explanation {
	t.Helper()
	e, err := Decide(file, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDecisionOfARunIsMadeAgain(t *testing.T) {
	for _, solver := range []string{SolverMISOCP, SolverGreedy} {
		e := decide(t, decision(t, solver), DecideOptions{})
		if e.Changed || e.Difference != "" || e.Outcome != e.Recorded {
			t.Errorf("%s: %q, found %+v, recorded %+v", solver, e.Difference, e.Outcome, e.Recorded)
		}
		if e.AtS != 10 || e.HorizonS != 1 || e.Steps != 10 || len(e.Pools) != 8 || len(e.Chains) != 44 {
			t.Errorf("%s: at %v s over %v s in %d steps, %d pools, %d chains", solver, e.AtS, e.HorizonS, e.Steps, len(e.Pools), len(e.Chains))
		}
		priced := e.Pools[0].StockPrice.Defined()
		if want := solver == SolverMISOCP; priced != want {
			t.Errorf("%s has prices: %v, want %v", solver, priced, want)
		}
	}
}

func TestExplanationAddsUp(t *testing.T) {
	e := decide(t, decision(t, SolverMISOCP), DecideOptions{})
	o := &e.Outcome
	if d := float64(o.Service + o.Switching + o.Terminal + o.Pending + o.Grid - o.Objective); d > 1e-9 || d < -1e-9 {
		t.Errorf("the terms differ from the objective by %g", d)
	}
	own, drawn, taken := 0.0, 0.0, 0.0
	for _, c := range e.Chains {
		own += float64(c.Cost)
		drawn += c.DrawBits
		if len(c.Plan) != e.Steps || c.Plan[0] != c.Now {
			t.Errorf("%s: %s now, but %v", c.Chain, c.Now, c.Plan)
		}
		if c.RunnerUp == c.Now {
			t.Errorf("%s runs up to itself", c.Chain)
		}
	}
	if d := own - float64(o.Service+o.Switching+o.Pending); d > 1e-9 || d < -1e-9 {
		t.Errorf("the chains' costs are %g off", d)
	}
	for _, p := range e.Pools {
		taken += p.DrawBits
		if p.More.Objective > 1e-12 {
			t.Errorf("%s: more key costs %g", p.Pool, p.More.Objective)
		}
	}
	if d := drawn - taken; d > 1e-6 || d < -1e-6 {
		t.Errorf("chains draw %g bit, pools give %g", drawn, taken)
	}
}

func TestOtherSettingsAreNoDifference(t *testing.T) {
	file := decision(t, SolverMISOCP)
	zero, one, two := 0, 1, 2
	exact := 0.0
	budget := reconfig.DefaultBudget()
	for name, o := range map[string]DecideOptions{
		"cold": {Cold: true}, "greedy": {Solver: SolverGreedy}, "nodes": {Nodes: &two}, "exact": {Nodes: &two, Evaluations: &zero, Gap: &exact}, "once": {Evaluations: &one},
	} {
		e := decide(t, file, o)
		if !e.Changed || e.Difference != "" {
			t.Errorf("%s: changed %v, difference %q", name, e.Changed, e.Difference)
		}
		if e.Recorded.Objective < e.Outcome.Bound {
			t.Errorf("%s: the run found %g below the bound %g", name, e.Recorded.Objective, e.Outcome.Bound)
		}
	}
	if e := decide(t, file, DecideOptions{Solver: SolverMISOCP, Nodes: &budget.Nodes}); e.Changed {
		t.Error("the run's own settings count as changed")
	}
}

func TestDecisionThatCannotBeMadeAgainIsNamed(t *testing.T) {
	file := decision(t, SolverGreedy)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, replacement string) string {
		if !strings.Contains(string(text), old) {
			t.Fatalf("no %s in the recording", old)
		}
		other := filepath.Join(t.TempDir(), "d.json")
		if err := os.WriteFile(other, []byte(strings.Replace(string(text), old, replacement, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		return other
	}
	if _, err := Decide(edit(`"solver": "greedy"`, `"solver": "guess"`), DecideOptions{}); err == nil ||
		!strings.HasSuffix(err.Error(), `d.json: solver: found "guess", expected misocp, greedy, shares or stackelberg`) {
		t.Error(err)
	}
	e := decide(t, edit("\n   \"evaluations\": 1,", "\n   \"evaluations\": 3,"), DecideOptions{})
	if e.Difference != "work.evaluations: recorded 3, now 1" {
		t.Errorf("%q", e.Difference)
	}
}

func TestOptionsAreNamedByWhatTellsThemApart(t *testing.T) {
	for _, c := range []struct{ labels, want []string }{
		{
			[]string{"off", "IED>RTU4>GW1>CC otp", "IED>RTU4>GW1>CC aes-wc", "IED>RTU4>GW1>GW4>CC otp"},
			[]string{"off", "otp direct", "aes-wc direct", "otp via GW4"},
		},
		{[]string{"off", "CC>GW1>RTU4 otp", "CC>GW1>RTU4 aes"}, []string{"off", "otp", "aes"}},
		{[]string{"off", "A>B>C otp", "D>E otp"}, []string{"off", "A>B>C otp", "D>E otp"}},
		{[]string{"off", "A>B>B>C otp", "A>B>C otp"}, []string{"off", "otp via B", "otp direct"}},
		{[]string{"", "", ""}, []string{"option 0", "option 1", "option 2"}},
		{[]string{"off"}, []string{"off"}},
	} {
		chain := &reconfig.Chain{}
		for _, label := range c.labels {
			chain.Options = append(chain.Options, reconfig.Option{Label: label})
		}
		if got := optionNames(chain); strings.Join(got, ", ") != strings.Join(c.want, ", ") {
			t.Errorf("%q: %q, want %q", c.labels, got, c.want)
		}
	}
}
