package sweep

import (
	"strings"
	"testing"

	"cosim/internal/metrics"
)

func TestRuleIsRead(t *testing.T) {
	for text, want := range map[string]string{
		"ci(P_succ)<0.01": "ci(p_succ) < 0.01",
		" ci( delta_f_max_hz ) < 5e-3  and ci(p_succ/agc)<1 ":       "ci(delta_f_max_hz) < 0.005 and ci(p_succ/agc) < 1",
		"ci(key_fairness_sd)<0.01 and ci(Operator_key_share/TSO)<1": "ci(key_fairness_sd) < 0.01 and ci(operator_key_share/TSO) < 1",
		"ci(attacks_succeeded)<5":                                   "ci(attacks_succeeded) < 5",
	} {
		r, err := ParseRule(text)
		if err != nil || r.String() != want {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
	for text, want := range map[string]string{
		"":                  "expected ci(FIGURE) < NUMBER",
		"p_succ<0.1":        "expected ci(FIGURE) < NUMBER",
		"ci(p_succ)>0.1":    "expected ci(FIGURE) < NUMBER",
		"ci(p_succ)<":       "expected ci(FIGURE) < NUMBER",
		"ci(p_suc)<0.1":     `no figure "p_suc"; did you mean "p_succ"?`,
		"ci(p_succ)<0":      "expected a number above 0",
		"ci(p_succ)<nan":    "expected a number above 0",
		"ci(p_succ)<1 and ": "expected ci(FIGURE) < NUMBER",
		"ci()<1":            "no figure",
	} {
		if _, err := ParseRule(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// Of 0.8, 0.9 and 1.0 the interval's half width is 4.302653 · 0.1/√3 = 0.24841
// (t(0.975; 2) from any table).
func TestRuleIsOfTheHalfWidth(t *testing.T) {
	var runs []*metrics.Summary
	for i, p := range []metrics.Number{0.8, 0.9, 1} {
		s := metrics.NewSummary("t", "t", uint64(i))
		s.Tasks.PSucc = p
		runs = append(runs, s)
	}
	for text, want := range map[string]bool{
		"ci(p_succ)<0.2485": true, "ci(p_succ)<0.2484": false,
		"ci(p_succ)<0.25 and ci(trr_s)<1": false, // no run has a fault
	} {
		r, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		if r.met(runs) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
	r, _ := ParseRule("ci(p_succ)<9")
	if r.met(runs[:1]) || r.met(nil) {
		t.Error("a single run has no interval")
	}
}

// All tasks of a few runs may succeed by chance: their width 0 says little.
func TestWidthZeroCountsFromFiveRunsOn(t *testing.T) {
	r, err := ParseRule("ci(p_succ)<0.01")
	if err != nil {
		t.Fatal(err)
	}
	var runs []*metrics.Summary
	for i := range 6 {
		s := metrics.NewSummary("t", "t", uint64(i))
		s.Tasks.PSucc = 1
		runs = append(runs, s)
		if got, want := r.met(runs), i+1 >= 5; got != want {
			t.Errorf("%d equal runs: met is %v", i+1, got)
		}
	}
	runs[1].Tasks.PSucc = 0.999
	if !r.met(runs[:4]) {
		t.Error("four runs that differ a little have a narrow interval")
	}
}

// A rule that is read can be written and read again.
func FuzzParseRule(f *testing.F) {
	for _, text := range []string{"ci(P_succ)<0.01", "ci(p_succ) < 1e-3 and ci(trr_s)<2", "", " and ", "ci(p_succ/a and b)<1", "ci(latency_p50_s/x)<0x1p-3", "ci(p_succ)<inf"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRule(text)
		if err != nil {
			return
		}
		again, err := ParseRule(r.String())
		if err != nil || again.String() != r.String() {
			t.Errorf("%q is %q, and that is %v: %v", text, r, again, err)
		}
	})
}
