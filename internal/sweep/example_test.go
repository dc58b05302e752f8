package sweep_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"cosim/internal/sweep"
)

func Example() {
	dir, _ := os.MkdirTemp("", "sweep")
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "breaks.yaml")
	os.WriteFile(file, []byte(`
experiment: S-2
seeds: 1..2
set: {duration: 1s, disturbances.contingencies.count: 0, disturbances.surges.count: 0}
vary: {quantum.break_rate_hz: [0.001, 0.01]}
`), 0o644)

	s, err := sweep.Load(file)
	if err != nil {
		fmt.Println(err) // every mistake with its place
		return
	}
	out, err := sweep.Run(context.Background(), s, sweep.Options{Out: dir, Parallel: sweep.Cores()})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range out.Points {
		fmt.Println(p.Shown, p.Runs, "runs")
	}
	// Output:
	// [0.001] 2 runs
	// [0.01] 2 runs
}
