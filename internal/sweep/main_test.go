package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// onePoint has three runs.
const onePoint = "experiment: testdata/pair.yaml\nseeds: 1..3\n"

// sweepOf reads a sweep from text.
func sweepOf(t testing.TB, text string) *Sweep {
	t.Helper()
	s, err := parse("sweep.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// threeBreaks has six points of two experiments.
const threeBreaks = `
experiments: [testdata/pair.yaml, testdata/other.yaml]
seeds: 1..4
vary: {quantum.break_rate_hz: [0.001, 0.01, 0.1]}
`

// quick is a run that takes no time: its figures follow from the definition and
// the seed.
func quick(_ context.Context, d *experiment.Definition, _ experiment.RunOptions) (*experiment.Result, error) {
	s := metrics.NewSummary(d.Name, d.Case, d.Seed)
	s.Complete, s.SimulatedS = true, metrics.Number(d.Duration.Seconds())
	s.Tasks.PSucc = metrics.Number(1 / (1 + 10*d.Quantum.BreakRateHz*float64(1+d.Seed*2654435761%97)))
	s.Grid.DeltaFMaxHz = metrics.Number(0.1 + 0.001*float64(d.Seed%7))
	return &experiment.Result{Definition: d, Summary: s, WallS: 1e-3}, nil
}

var errBad = errors.New("this run cannot be made")

func options(t testing.TB) Options {
	return Options{Out: filepath.Join(t.TempDir(), "sweep"), Parallel: 2, run: quick, program: program{"test", "none"}}
}

// tables are the files that must be equal wherever the runs were made.
func tables(t testing.TB, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{ResultsName, SummaryName} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %d %s\n", name, len(text), text)
	}
	return all.String()
}

// lines counts the results in a journal.
func lines(t testing.TB, dir string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, JournalName))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for line := range strings.Lines(string(text)) {
		if _, id, ok := strings.Cut(line, `{"run":"`); ok {
			id, _, _ = strings.Cut(id, `"`)
			count[id]++
		}
	}
	return count
}
