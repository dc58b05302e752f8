package experiment

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cosim/internal/metrics"
)

// sameSummary takes undefined figures for equal.
var sameSummary = cmp.Options{
	cmp.Comparer(func(a, b metrics.Number) bool { return a == b || !a.Defined() && !b.Defined() }),
	cmpopts.EquateEmpty(),
}

func TestSummariesReadBackAsWritten(t *testing.T) {
	out := t.TempDir()
	// One with everything that can happen, one in which nothing does.
	for _, d := range []*Definition{
		load(t, "S-6", short...),
		load(t, "S-2", "duration=100ms", "disturbances.contingencies.count=0", "disturbances.surges.count=0"),
	} {
		r, err := Run(context.Background(), d, RunOptions{Out: out})
		if err != nil {
			t.Fatal(err)
		}
		runs, notes, err := readRuns([]string{r.Dir})
		if err != nil || len(runs) != 1 || len(notes) != 0 {
			t.Fatalf("read %d runs: %v, %v", len(runs), notes, err)
		}
		if diff := cmp.Diff(r.Summary, runs[0].summary, sameSummary); diff != "" {
			t.Errorf("%s (-written +read):\n%s", d.Name, diff)
		}
	}
}

// A figure that one group lacks, or that is undefined in some runs, has a
// sample of what is there.
func TestMissingFiguresLeaveTheirPlaceEmpty(t *testing.T) {
	result := func(name string, seed uint64, pSucc metrics.Number, classes ...string) *Result {
		d := load(t, name)
		s := metrics.NewSummary(name, d.Case, seed)
		s.DefinitionSHA256, s.Complete, s.Tasks.PSucc = name, true, pSucc
		for _, c := range classes {
			s.Tasks.ByClass = append(s.Tasks.ByClass, metrics.ClassTasks{Class: c, TaskFigures: metrics.TaskFigures{PSucc: 0.5}})
		}
		return &Result{Definition: d, Summary: s}
	}
	c := CompareResults([]*Result{
		result("S-1", 1, 0.5, "pmu"), nil, result("S-1", 2, metrics.Undefined, "pmu"), result("S-1", 3, 0.7, "pmu"),
		result("S-2", 2, 0.8, "agc"), result("S-2", 3, 0.9, "agc"), result("S-2", 4, 1, "agc"),
	})
	rows := map[string]Row{}
	for _, r := range c.Rows {
		rows[r.Key] = r
	}
	if r := rows["p_succ"]; r.Samples[0].N != 2 || r.Samples[1].N != 3 || r.Paired[1].N != 1 || r.Paired[1].Mean < 0.2-1e-12 || r.Paired[1].Mean > 0.2+1e-12 {
		t.Errorf("p_succ: %+v, paired %+v; want the difference over seed 3 alone", r.Samples, r.Paired[1])
	}
	for key, n := range map[string][2]int{"p_succ/pmu": {3, 0}, "p_succ/agc": {0, 3}} {
		r, ok := rows[key]
		if !ok || r.Samples[0].N != n[0] || r.Samples[1].N != n[1] || r.Paired[1].N != 0 {
			t.Errorf("%s: %+v, want %v runs", key, r, n)
		}
	}
}
