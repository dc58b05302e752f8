package experiment

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"gopkg.in/yaml.v3"
)

func hashOf(t *testing.T, name string, set ...string) string {
	t.Helper()
	m, err := load(t, name, set...).manifest()
	if err != nil {
		t.Fatal(err)
	}
	return m.DefinitionHash
}

func TestDefinitionHashIgnoresTheSeedAlone(t *testing.T) {
	want := hashOf(t, "S-2")
	if got := hashOf(t, "S-2", "seed=7"); got != want {
		t.Error("another seed, another hash")
	}
	for _, set := range []string{"duration=601s", "title=x", "quantum.pulse_rate_hz=1e9"} {
		if hashOf(t, "S-2", set) == want {
			t.Errorf("--set %s left the hash as it was", set)
		}
	}
	if hashOf(t, "S-1") == want {
		t.Error("S-1 has the hash of S-2")
	}
}

func TestRunsSayTheirDefinitionHash(t *testing.T) {
	short := []string{"duration=1s", "disturbances.contingencies.count=0"}
	out := t.TempDir()
	r, err := Run(context.Background(), load(t, "S-2", short...), RunOptions{Out: out})
	if err != nil {
		t.Fatal(err)
	}
	m, err := readManifest(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	want := hashOf(t, "S-2", short...)
	if m.DefinitionHash != want || r.Summary.DefinitionSHA256 != want || !r.Summary.Complete {
		t.Errorf("manifest says %s, summary %s and complete %v, want %s", m.DefinitionHash, r.Summary.DefinitionSHA256, r.Summary.Complete, want)
	}

	for _, tc := range []struct {
		set  []string
		want int
	}{{short, 0}, {append(short, "duration=2s"), 1}, {append(short, "seed=5"), 0}} {
		dirs, err := Replaced(load(t, "S-2", tc.set...), 3, out)
		if err != nil || len(dirs) != tc.want {
			t.Errorf("%v: replaces %v (%v), want %d of other settings", tc.set, dirs, err, tc.want)
		}
	}
	if err := os.WriteFile(filepath.Join(r.Dir, "manifest.yaml"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if dirs, err := Replaced(load(t, "S-2"), 1, out); err != nil || len(dirs) != 0 {
		t.Errorf("an unreadable manifest: %v, %v", dirs, err)
	}
}

func TestDifferencesOfDefinitions(t *testing.T) {
	parse := func(text string) *manifestNode {
		m := &manifestNode{}
		if err := yaml.Unmarshal([]byte(text), m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	base := "case_sha256: a\nexperiment: {name: X, seed: 1, duration: 1m0s, keys: {supply: pool, cap_s: 3}, chains: [a, b]}"
	for _, tc := range []struct{ b, want string }{
		{base, ""},
		{"case_sha256: b\nexperiment: {name: X, seed: 2, duration: 1m0s, keys: {supply: pool, cap_s: 3}, chains: [a, b]}", "the case's data"},
		{"case_sha256: a\nexperiment: {name: X, seed: 2, duration: 2m0s, keys: {supply: store, cap_s: 3}, chains: [a]}", "duration 2m0s instead of 1m0s, keys.supply store instead of pool, other chains"},
		{"case_sha256: a\nexperiment: {name: Y, seed: 3, duration: 2m0s, keys: {supply: x, more: 1}}", "name Y instead of X, duration 2m0s instead of 1m0s, keys.supply x instead of pool, without keys.cap_s and 2 more"},
	} {
		if got := differences(parse(base), parse(tc.b)); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}
