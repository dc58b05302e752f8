package report_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"cosim/internal/experiment"
	"cosim/internal/record/report"
)

// Example makes a short run and its report.
func Example() {
	dir, err := os.MkdirTemp("", "report")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	d, err := experiment.Load("S-2", experiment.Overrides{Set: []string{"duration=5s", "disturbances.contingencies.count=0", "disturbances.surges.count=0"}})
	if err != nil {
		panic(err)
	}
	r, err := experiment.Run(context.Background(), d, experiment.RunOptions{Out: dir})
	if err != nil {
		panic(err)
	}
	w, err := report.Write(context.Background(), report.Options{Runs: []string{r.Dir}, Formats: []string{"svg"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(filepath.Base(w.HTML))
	for _, file := range w.Figures {
		fmt.Println(filepath.Base(file))
	}
	// Output:
	// report.html
	// frequency.svg
	// pools.svg
	// keys.svg
	// failures.svg
	// latency.svg
}
