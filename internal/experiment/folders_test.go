package experiment

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cosim/internal/record"
)

// tree makes empty files, and the folders they are in.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		f = filepath.Join(dir, f)
		if err := errors.Join(os.MkdirAll(filepath.Dir(f), 0o755), os.WriteFile(f, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestWhereNoRunIsSaysWhatIsThere(t *testing.T) {
	const sweep = "/" + record.SweepTableName
	dir := tree(t, "run/"+record.SummaryName, "file", "one/a"+sweep, "one/a/"+record.SummaryName,
		"deep/sweeps/b"+sweep, "deep/sweeps/c"+sweep, "deep/.hidden"+sweep, "nothing/x/y")
	for place, want := range map[string]string{
		"nowhere":          "nowhere does not exist; expected a run's folder such as runs/S-2-1, or a folder of runs",
		"file":             "file is a file; expected a run's folder",
		"run/summary.json": "run/summary.json is a file; expected the run's folder, DIR/run",
		"file/x":           "file/x cannot be opened",
		"nothing":          "nothing holds no run (no run.log)",
		"one/a":            "one/a is a sweep's folder, not a run's: cosim report DIR/one/a draws it",
		"one":              "one holds no run but a sweep: type\n  cosim report DIR/one/a",
		"deep":             "deep holds no run but 2 sweeps: type one of\n  cosim report DIR/deep/sweeps/b\n  cosim report DIR/deep/sweeps/c",
	} {
		_, err := RunFolders([]string{filepath.Join(dir, place)})
		var none NoRunError
		if want = strings.ReplaceAll(want, "DIR", dir); !errors.As(err, &none) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a NoRunError with %q", place, err, want)
		}
	}
}

func TestFolderOfRunsLeavesSweepsOut(t *testing.T) {
	dir := tree(t, "A-1/"+record.SummaryName, "breaks/"+record.SummaryName, "breaks/"+record.SweepTableName)
	got, err := RunFolders([]string{dir})
	if err != nil || len(got) != 1 || got[0] != filepath.Join(dir, "A-1") {
		t.Errorf("%q, %v; want A-1 alone", got, err)
	}
	if sweeps := SweepFolders(dir); len(sweeps) != 1 || sweeps[0] != filepath.Join(dir, "breaks") {
		t.Errorf("sweeps %q, want breaks", sweeps)
	}
}
