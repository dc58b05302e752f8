package cases

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cosim/grid"
)

func TestEveryEmbeddedCaseSolves(t *testing.T) {
	want := map[string]int{"ieee33": 33, "ieee39": 39, "ieee118": 118}
	if names := Names(); len(names) != len(want) || !slices.IsSorted(names) {
		t.Fatalf("names are %v", names)
	}
	for _, name := range Names() {
		c, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if c.Name != name || len(c.Buses) != want[name] {
			t.Errorf("%s has name %s and %d buses", name, c.Name, len(c.Buses))
		}
		if _, err := grid.SolveFlow(c, grid.FlowOptions{}); err != nil {
			t.Error(err)
		}
		if _, err := embedded.ReadFile(name + "/SOURCES.md"); err != nil {
			t.Errorf("%s does not say where it comes from", name)
		}
	}
}

func TestFolderLoadsLikeTheEmbeddedCase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mine")
	if err := os.CopyFS(dir, mustSub(t, "ieee39")); err != nil {
		t.Fatal(err)
	}
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Buses) != 39 || len(c.Dynamics) != 10 || c.Buses[0].At.String() != "mine/bus.csv:2" {
		t.Errorf("read %d buses, %d machines, first at %s", len(c.Buses), len(c.Dynamics), c.Buses[0].At)
	}
}

func mustSub(t *testing.T, name string) fs.FS {
	t.Helper()
	sub, err := fs.Sub(embedded, name)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func TestMATPOWERFileLoadsByPath(t *testing.T) {
	file := filepath.Join(t.TempDir(), "two.m")
	text := "mpc.version = '2';\nmpc.baseMVA = 100;\n" +
		"mpc.bus = [1 3 0 0 0 0 1 1 0 345 1 1.1 0.9; 2 1 50 10 0 0 1 1 0 345 1 1.1 0.9];\n" +
		"mpc.gen = [1 0 0 99 -99 1 100 1 200 0];\nmpc.branch = [1 2 0.01 0.1 0 0 0 0 0 0 1 -360 360];\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil || c.Name != "two" || len(c.Buses) != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := os.WriteFile(strings.TrimSuffix(file, "m")+"txt", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(strings.TrimSuffix(file, "m") + "txt"); err == nil {
		t.Error("a text file loads")
	}
}

func TestUnknownNameListsCasesAndTheNearest(t *testing.T) {
	for _, load := range []func(string) error{
		func(n string) error { _, err := Load(n); return err },
		func(n string) error { _, err := Federation(n); return err },
	} {
		err := load("iee118")
		if err == nil || !strings.Contains(err.Error(), "ieee118, ieee33, ieee39; did you mean ieee118?") {
			t.Errorf("got %v", err)
		}
	}
}

func TestMissingFederationMatchesErrNotExist(t *testing.T) {
	for _, name := range []string{"ieee33", t.TempDir()} {
		if _, err := Federation(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "federation.yaml"), []byte("a: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := Federation(dir); err != nil || string(data) != "a: 1\n" {
		t.Errorf("got %q, %v", data, err)
	}
}
