package experiment

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An ablation is its scheme but for a single value.
func TestAblationsLackOneThingEach(t *testing.T) {
	names := Ablations()
	if len(names) < 9 {
		t.Fatalf("only %d ablations: %v", len(names), names)
	}
	for _, name := range names {
		scheme := name[:len("S-3")]
		whole, d := load(t, scheme), load(t, name)
		if d.Name != name || !strings.HasPrefix(d.Title, scheme+" ") {
			t.Errorf("%s is named %s, %q", name, d.Name, d.Title)
		}
		d.Name, d.Title = whole.Name, whole.Title
		diff := cmp.Diff(whole, d, sameDefinition)
		if removed := strings.Count("\n"+diff, "\n-"); removed != 1 {
			t.Errorf("%s differs from %s in %d values:\n%s", name, scheme, removed, diff)
		}
	}
}

func TestAblationsRun(t *testing.T) {
	for _, name := range Ablations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Run(context.Background(), load(t, name, short...), RunOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if n := r.Summary.Decisions.Count; n != 400 {
				t.Errorf("%d decisions in 40 s", n)
			}
		})
	}
}
