package terminal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

// comparison is of the named experiments, each with seeds from its own first
// one on.
func comparison(runs int, firstSeeds []uint64, names ...string) experiment.Comparison {
	var results []*experiment.Result
	for g, name := range names {
		for i := range runs {
			seed := firstSeeds[g] + uint64(i)
			s := metrics.NewSummary(name, "ieee39", seed)
			s.DefinitionSHA256, s.Complete = name, true
			s.Tasks.PSucc = metrics.Number(0.7 + 0.01*float64(seed) + 0.001*float64(seed*seed))
			s.Latency = []metrics.ClassLatency{{Class: "pmu", P50S: 0.0105, P99S: 0.0123, MaxS: 0.02}}
			results = append(results, &experiment.Result{Definition: &experiment.Definition{Name: name, Seed: seed}, Summary: s})
		}
	}
	return experiment.CompareResults(results)
}

func print(c experiment.Comparison, o TableOptions) string {
	var b bytes.Buffer
	Comparison(&b, c, o)
	return b.String()
}

func TestComparisonFitsIntoTheTerminal(t *testing.T) {
	narrow := print(comparison(3, []uint64{1, 1}, "S-1", "S-2"), TableOptions{})
	if !strings.Contains(narrow, "S-1 (3 runs)   S-2 (3 runs)") {
		t.Errorf("two groups are not side by side:\n%s", narrow)
	}
	wide := print(comparison(3, []uint64{1, 1, 1, 1}, "S-1", "S-2", "S-3", "S-6"), TableOptions{Paper: true, All: true})
	if n := text.LongestLineLen(wide); n > widest {
		t.Errorf("%d columns:\n%s", n, wide)
	}
	for _, name := range []string{"S-1", "S-2", "S-3", "S-6"} {
		if !strings.Contains(wide, name+" (3 runs)") {
			t.Errorf("no %s:\n%s", name, wide)
		}
	}
}

func TestComparisonSaysOverHowManySeeds(t *testing.T) {
	for _, tc := range []struct {
		second uint64
		want   string
	}{{1, "− S-1 \n"}, {3, "− S-1 (1 common seed) \n"}, {4, "S-2 has no seed in common with S-1: no paired differences"}} {
		if got := print(comparison(3, []uint64{1, tc.second}, "S-1", "S-2"), TableOptions{}); !strings.Contains(got, tc.want) {
			t.Errorf("no %q in\n%s", tc.want, got)
		}
	}
}

func TestPaperStandsWhereItHasTheExperiment(t *testing.T) {
	got := print(comparison(1, []uint64{1, 1}, "S-2", "mine"), TableOptions{Paper: true})
	if strings.Count(got, "paper ") != 1 || !strings.Contains(got, "mine is not in the paper") {
		t.Errorf("\n%s", got)
	}
}

func TestIntervalsAreExplainedWhereTheyStand(t *testing.T) {
	const note = "Student"
	if got := print(comparison(1, []uint64{1}, "S-2"), TableOptions{}); strings.Contains(got, note) {
		t.Errorf("one run has no interval:\n%s", got)
	}
	if got := print(comparison(3, []uint64{1}, "S-2"), TableOptions{}); !strings.Contains(got, note) {
		t.Errorf("intervals without a word:\n%s", got)
	}
}

func TestLatenciesAreInMilliseconds(t *testing.T) {
	got := print(comparison(2, []uint64{1}, "S-2"), TableOptions{All: true})
	if !strings.Contains(got, "latency p50, pmu / ms") || !strings.Contains(got, " 10.5 ") {
		t.Errorf("\n%s", got)
	}
}
