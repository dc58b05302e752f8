package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestCheckFederateScripts checks good and bad federates in Python and
// JavaScript. Where these are missing it is skipped, but never in CI.
func TestCheckFederateScripts(t *testing.T) {
	ws, err := filepath.Abs("../../federates/ws")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"NO_COLOR": "1", "PYTHONPATH": filepath.Join(ws, "python"), "PYTHONDONTWRITEBYTECODE": "1",
		"EXAMPLES": filepath.Join(ws, "examples"),
		// The programs themselves, not what finds them by way of HOME.
		"PYTHON": itself(t, "python3", "-c", "import sys; print(sys.executable)"),
		"NODE":   itself(t, "node", "-p", "process.execPath"),
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/check",
		Setup: func(e *testscript.Env) error {
			for name, value := range env {
				e.Setenv(name, value)
			}
			return nil
		},
	})
}

func itself(t *testing.T, interpreter string, args ...string) string {
	t.Helper()
	path, err := exec.Command(interpreter, args...).Output()
	if err != nil {
		missing := t.Skipf
		if os.Getenv("CI") == "true" {
			missing = t.Fatalf
		}
		missing("%s is missing (apt-get install python3 nodejs): %v", interpreter, err)
	}
	return strings.TrimSpace(string(path))
}
