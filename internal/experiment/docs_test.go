package experiment

import (
	"os"
	"strings"
	"testing"
)

// The example in the documentation is an experiment that loads.
func TestDocumentedExperimentIsValid(t *testing.T) {
	text, err := os.ReadFile("../../docs/experiment.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```yaml\n")
	example, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("docs/experiment.md has no example")
	}
	file := t.TempDir() + "/mine.yaml"
	if err := os.WriteFile(file, []byte(example), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := Load(file, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Disturb.Scheduled) != 5 || len(d.Attacks) != 5 {
		t.Errorf("%d scheduled disturbances and %d attacks", len(d.Disturb.Scheduled), len(d.Attacks))
	}
}
