package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"cosim":      func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
		"integrator": integrate,
	})
}

// TestScripts runs the command line as a person types it; each script is a
// file that says what is typed and what must come out.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			return nil
		},
	})
}

func TestInterruptionSaysWhereWhatWasFoundIs(t *testing.T) {
	for want, err := range map[string]error{
		"interrupted": failure{context.Canceled},
		"interrupted; what was found until then is in runs/": failure{unfinished{context.Canceled, "runs"}},
	} {
		if got := interrupted(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
