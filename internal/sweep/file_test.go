package sweep

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosim/internal/experiment"
)

func TestEveryMistakeIsToldAtOnceAndInPlace(t *testing.T) {
	_, err := parse("s.yaml", []byte(`experiments: [S-2, S-22, S-2]
seeds: [1, 1, x, 5..3]
sets: {}
keep: some
set:
  seed: 4
  quantum.break_rate: 1
vary:
  quantum.break_rate_hz: 0.1
  reconfiguration.horizon: [4, 4]
  keys.supply: {from: 1, to: 2, steps: 2}
  keys.cap_s: {from: 2, to: 1, steps: 2}
  duration: {from: 1s, to: 2, steps: 2}
  reconfiguration.risk: {from: 0, to: 1, steps: 3, scale: log}
  grid.avr: {from: 1, too: 2}
  name: [a, b]
zip:
  reconfiguration.period: [100ms, 200ms]
  keys.cap_s: [1, 2]
  keys.safe.messages_hz: [1, 2, 3]
`))
	if err == nil {
		t.Fatal("no mistakes")
	}
	for _, want := range []string{
		`s.yaml:1:20: S-22: no such file, nor an experiment that ships inside; did you mean "S-2"?`,
		`s.yaml:1:26: "S-2" stands twice`,
		`s.yaml:2:12: seeds: 1 stands twice`,
		`s.yaml:2:15: seeds: found "x", expected a range such as 1..30 or a list`,
		`s.yaml:2:18: seeds: 5..3 has none`,
		`s.yaml:3:1: unknown key "sets"; did you mean "set"?`,
		`s.yaml:4:7: keep: found "some", expected summary or all`,
		`s.yaml:6:3: seed: expected under seeds`,
		`s.yaml:7:3: unknown key "break_rate"; did you mean "break_rate_hz"?`,
		`s.yaml:9:26: quantum.break_rate_hz: found "0.1", expected a list of values`,
		`s.yaml:10:32: reconfiguration.horizon: 4 stands twice`,
		`s.yaml:11:16: keys.supply: found a range, expected a list`,
		`s.yaml:12:15: keys.cap_s: expected to above from, found 2 to 1`,
		`s.yaml:13:13: duration: to: found "2", expected a duration with its unit`,
		`s.yaml:14:25: reconfiguration.risk: from is 0, expected above 0 for a log scale`,
		`s.yaml:15:13: grid.avr: unknown key "too"`,
		`s.yaml:16:3: name: cannot be changed by a sweep`,
		`s.yaml:19:3: keys.cap_s has a value already`,
		`s.yaml:20:26: keys.safe.messages_hz has 3 values, reconfiguration.period has 2`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log("\n" + err.Error())
	}
}

func TestMistakesOfPointsStandInTheSweep(t *testing.T) {
	for text, want := range map[string]string{
		"experiment: S-2\nseeds: 1..3\nvary:\n  quantum.break_rate_hz: [0.1, -0.1, 2]\n":                       "s.yaml:4:32: break_rate_hz must be at least 0, is -0.1",
		"experiment: S-2\nseeds: 1..3\nvary:\n  quantum.break_rate_hz: [0.1, often]\n":                         `s.yaml:4:32: break_rate_hz: found "often", expected a plain number in Hz`,
		"experiment: S-2\nseeds: 1..3\nset:\n  links.CC-GW9.length_km: 3\n":                                    `s.yaml:4:3: nothing there is called "CC-GW9"; did you mean "CC-GW1"?`,
		"experiment: S-2\nseeds: 1..3\nset: {duration: -3s}\n":                                                 `s.yaml:3:17: duration: found -3s`,
		"experiment: S-2\nseeds: 1..3\nvary: {keys.pool.threshold_bits: [0, 51600]}\n":                         "s.yaml:1:13: S-2 with keys.pool.threshold_bits 0 and S-2 with keys.pool.threshold_bits 51600 are the same experiment twice",
		"experiment: S-2\nseeds: 1..3\nvary:\n  keys.cap_s: {from: 1, to: 2}\n":                                "s.yaml:4:15: keys.cap_s: expected steps",
		"experiment: S-2\nseeds: 1..3\nvary: {keys.cap_s: {from: 1, to: 2}}\nsample: {method: halton, n: 0}\n": `sample: method is "halton", expected latin-hypercube or random`,
		"experiment: S-2\nseeds: 3\n":              `s.yaml:2:8: seeds: found "3"`,
		"experiment: S-2\n":                        "no seeds; expected some, for example seeds: 1..30",
		"seeds: [1]\n":                             "no experiment; expected one, for example experiment: S-3",
		"name: a/b\nexperiment: S-2\nseeds: [1]\n": `name: found "a/b", expected one that a folder can have`,
		"":                "no experiment",
		"experiment: [\n": "s.yaml:2:1: did not find expected node content",
		"experiment: S-2\nseeds: 1..3\nvary: [a]\n": "vary: found a list, expected keys of the experiment",
	} {
		_, err := parse("s.yaml", []byte(text))
		var mistakes experiment.Mistakes
		if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n%.500v\nwant %s", text, err, want)
		}
	}
}

func TestExperimentsStandBesideTheSweep(t *testing.T) {
	dir := t.TempDir()
	base, _, err := experiment.Text("S-2")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "sweep.yaml")
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte(strings.Replace(string(base), "name: S-2", "name: mine", 1)), 0o644),
		os.WriteFile(file, []byte("experiment: mine.yaml\nseeds: 1..2\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	s, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "sweep" || s.Points[0].Label != "mine" || len(s.Points) != 1 {
		t.Errorf("%s has %d points of %s", s.Name, len(s.Points), s.Points[0].Label)
	}
	if _, err := Load(filepath.Join(dir, "none.yaml")); err == nil || !strings.Contains(err.Error(), "none.yaml: no such file") {
		t.Error(err)
	}
}

// The sweep of the paper's Fig. 4 can be written.
func TestRoundsAndBreaksCanBeSwept(t *testing.T) {
	s := sweepOf(t, "experiment: S-3\nseeds: 1..10\nset: {duration: 120s, disturbances.contingencies.count: 0}\nvary:\n  reconfiguration.horizon: [4, 10]\n  quantum.break_rate_hz: [0.001, 0.01]\n")
	if len(s.Points) != 4 {
		t.Errorf("%d points", len(s.Points))
	}
}

// Whatever stands in a file, it is read or refused with mistakes that say where.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		threeBreaks, head, head + "vary: {a.b: 1..3}", head + "zip: [{keys.cap_s: [1, 2]}, 3]", head + "vary: {keys.cap_s: {from: 1, to: 2}}\nsample: {method: random, n: 3, seed: 1}",
		"seeds: 1..99999999999999999999", "seeds: -1..2", "seeds: {a: 1}", "experiments: S-2\nseeds: [[1]]", head + "vary: {links.*.length_km: 1..5}", head + "set: {: 3, a..b: 1}",
		head + "vary: &a {keys.cap_s: *a}", head + "vary: {keys.cap_s: {from: -1e308, to: 1e308, steps: 3}}", head + "vary: {keys.cap_s: 0..1000000, keys.safe.messages_hz: 0..1000000}",
		head + "vary: {duration: {from: 1ns, to: 2ns, steps: 3}}", head + "vary: {reconfiguration.horizon: {from: 1, to: 2, steps: 1000000}}", "experiment: ../../x\nseeds: [1]\nname: ..",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		p, err := read("f.yaml", text)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%d bytes took %v", len(text), took)
		}
		var mistakes experiment.Mistakes
		switch {
		case err == nil && (len(p.points) == 0 || len(p.sweep.Seeds) == 0 || len(p.bases) == 0):
			t.Errorf("%d experiments, %d points, %d seeds and no mistake", len(p.bases), len(p.points), len(p.sweep.Seeds))
		case err != nil && (!errors.As(err, &mistakes) || len(mistakes) == 0):
			t.Errorf("the error is no list of mistakes: %v", err)
		}
		for _, m := range mistakes {
			if m.File == "" || m.Message == "" {
				t.Errorf("a mistake says too little: %q", m)
			}
		}
	})
}
