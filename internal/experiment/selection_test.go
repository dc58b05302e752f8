package experiment

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cosim/scada"
	"cosim/scada/reconfig"
)

func selections(t *testing.T, texts ...string) []Selection {
	t.Helper()
	var list []Selection
	for _, text := range texts {
		s, err := ParseSelection(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

func TestSelectionsThatSelectNothingAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":             `"" is no selection of decisions, expected a time (290s), a span (290s..300s), every:TIME, widest:N or slowest:N`,
		"290":          `"290" is no selection`,
		"290s..":       "is no selection",
		"-1s":          "is no selection",
		"slowest:0":    "is no selection",
		"slowest:many": "is no selection",
		"fastest:3":    "is no selection",
		"every:3":      "is no selection",
		"every:0s":     "is no selection",
		"3s..2s":       `"3s..2s" ends before it begins`,
	} {
		if _, err := ParseSelection(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	decides, static := load(t, "S-2", append(broken, "reconfiguration.solver=greedy")...), load(t, "S-2")
	for _, c := range []struct {
		d          *Definition
		text, want string
	}{
		{static, "widest:1", "S-2 decides nothing that could be recorded: reconfiguration.solver is none"},
		{decides, "20s", "no decision to record at 20s: the run ends at 20s"},
		{decides, "1050ms", "no decision to record at 1050ms: there is one every 100ms"},
		{decides, "1050ms..1090ms", "there is one every 100ms"},
		{decides, "1050ms..30s", ""},
		{decides, "0s", ""},
		{decides, "every:150ms", "no decision to record at every:150ms: there is one every 100ms, expected a multiple of it"},
		{decides, "every:3s", ""},
		{decides, "slowest:3", ""},
	} {
		err := CheckSelections(c.d, selections(t, c.text))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

// Recording decisions changes nothing else, also where the wall clock says
// which; what lies in the result selects the same ones in every run.
func TestRecordingDecisionsChangesNothingElse(t *testing.T) {
	d := load(t, "S-2", append(broken, "reconfiguration.solver=misocp", "duration=4s", "disturbances.scheduled=[]")...)
	plain := recording(t, d)
	var first map[string]string
	for range 2 {
		dir := t.TempDir()
		r, err := Run(context.Background(), d, RunOptions{Out: dir, Decisions: selections(t, "1s..1200ms", "3s", "every:2s", "widest:2")})
		if err != nil {
			t.Fatal(err)
		}
		files := decisionFiles(t, r.Dir)
		for _, want := range []string{"0.0s.json", "1.0s.json", "1.1s.json", "1.2s.json", "2.0s.json", "3.0s.json"} {
			if files[want] == "" {
				t.Errorf("%s is missing", want)
			}
		}
		if len(files) < 6 || len(files) > 8 {
			t.Errorf("%d files, want six and the widest two", len(files))
		}
		for name, text := range files {
			if first != nil && first[name] != text {
				t.Errorf("%s differs between two runs", name)
			}
		}
		first = files
	}
	dir := t.TempDir()
	r, err := Run(context.Background(), d, RunOptions{Out: dir, Decisions: selections(t, "slowest:3")})
	if err != nil {
		t.Fatal(err)
	}
	if files := decisionFiles(t, r.Dir); len(files) != 3 {
		t.Errorf("%d slowest decisions, want 3", len(files))
	}
	for file, hash := range plain {
		data, err := os.ReadFile(filepath.Join(r.Dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != hash {
			t.Errorf("%s is another one where decisions are recorded", file)
		}
	}
}

func decisionFiles(t *testing.T, run string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(filepath.Join(run, decisionsFolder))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(run, decisionsFolder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

func TestWidestDecisionsAreKept(t *testing.T) {
	r := newDecisionRecorder(load(t, "S-2"), t.TempDir(), selections(t, "widest:3"))
	for i, gap := range []float64{0.1, 0.3, 0.1, 0.4, 0.2, 0.3, 0.3, 0} {
		d := scada.Decision{AtNS: int64(i) * 1e9, Problem: &reconfig.Problem{}, Result: &reconfig.Result{Gap: gap}}
		if err := r.observe(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	files := decisionFiles(t, r.dir)
	if len(files) != 3 || files["3.0s.json"] == "" || files["1.0s.json"] == "" || files["5.0s.json"] == "" {
		t.Errorf("%d files, want those of 1, 3 and 5 s: of equals the first", len(files))
	}
}
