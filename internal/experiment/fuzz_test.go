package experiment

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// Whatever stands in a file, it is read or refused with mistakes that name a
// file, soon; and what was read can be written as a manifest and read again as
// the same experiment.
func FuzzLoad(f *testing.F) {
	for _, name := range Names() {
		text, _, err := Text(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, doc := range []string{
		"", "---", "# nothing", "- a", "x", "name: t\n", goodHead,
		goodHead + "nodes: 5\nkeys: ~\nduration:\nseed: 1e30\n",
		goodHead + "classes:\n  agc: &a {latency: 700ms}\n  avr: {<<: *a, priority: 4}\n  shed: {<<: [*a, *a]}\n",
		goodHead + "attacks: &a [*a]\n",
		goodHead + "quantum: &a\n  <<: *a\n",
		goodHead + "steps: {exchange: 0s, quantum: 10ms, record: 1s}\n",
		goodHead + "disturbances: {contingencies: {count: 1000000000000, apart: 10ms}, scheduled: [{at: 3s, kind: load-step, bus: 15, size_mw: 1, duration: 5s}]}\n",
		goodHead + "link_classes: {trunk: {extra_delay: {kind: ou, delay_s: 0.1, std_s: 0.1, time_constant_s: 1}, queue: {discipline: drr, quanta_bits: [1, 2]}}}\n",
		goodHead + "attach: {listen: :0, origins: [a]}\nfederates:\n  - {name: a, replaces: grid, on_lost: fallback, grace: 1s, parameters: {x: 0.5, y: true}}\n  - {name: b, connect: [{from: b.p, to: grid.injection}, {from: a, to: .}]}\n",
		goodHead + "nodes: []\nlinks: []\nchains: []\npmus: []\nareas: []\n",
		goodHead + "chains:\n  - {id: a, task: pmu, element: pmu/4, routes: [[IED-pmu-4, RTU4, GW1, CC]], mode: aes}\n",
		"name: t\ncase: ieee33\nnodes: [{name: CC, kind: cc}]\n",
		goodHead + "nodes: [{name: GW1, kind: rtu}, {name: X, kind: ied}, {name: X, kind: cc}]\nlinks: [{name: CC-GW1, length_km: 3}]\n",
		"program: cosim\nexperiment: {name: t, case: ieee39}\n", "program: cosim\nexperiment: 5\n", "program: cosim\nexperiment: [a]\n", "program: cosim\nexperiment:\n", "experiment: {name: t}\n",
		"name: [\n", "a: {b: c\n", "\tx: 1", "x: \"\x01\"", "x: \xff", "? [a]\n: b\n", "x: *nothing", "a: 1\n---\nb: 2",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		d, err := Load(fileOf(t, string(text)), Overrides{})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%d bytes took %v", len(text), took)
		}
		var mistakes Mistakes
		switch {
		case err == nil:
			sameWhenWritten(t, d)
		case !errors.As(err, &mistakes) || len(mistakes) == 0:
			t.Errorf("the error is no list of mistakes: %v", err)
		}
		for _, m := range mistakes {
			if m.File == "" || m.Message == "" {
				t.Errorf("a mistake says too little: %q", m)
			}
		}
	})
}

func sameWhenWritten(t *testing.T, d *Definition) {
	t.Helper()
	var text bytes.Buffer
	if err := yaml.NewEncoder(&text).Encode(d); err != nil {
		t.Fatal(err)
	}
	again, err := Load(fileOf(t, text.String()), Overrides{})
	if err != nil {
		t.Fatalf("what was read cannot be read again: %.1000v", err)
	}
	if diff := cmp.Diff(d, again, sameDefinition); diff != "" {
		t.Errorf("read again it is another one (-first +again):\n%.1000s", diff)
	}
}
