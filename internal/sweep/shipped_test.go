package sweep_test

import (
	"path/filepath"
	"testing"

	"cosim/internal/sweep"
)

// The sweeps that the documentation names are valid.
func TestDocumentedSweepsAreValid(t *testing.T) {
	files, err := filepath.Glob("../../docs/sweeps/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		if _, err := sweep.Load(file); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
