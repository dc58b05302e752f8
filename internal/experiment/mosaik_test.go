package experiment

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cosync "cosim/sync"
)

func TestMistakesInMosaikSimulatorsAreFound(t *testing.T) {
	text := `name: t
case: ieee39
duration: 60s
federates:
  - name: pv
    replaces: grid
    grace: 3s
    parameters: {a: 1}
    connect:
      - {from: pv.powr, to: grid.injection}
      - {from: grid.frequency, to: pv.hz}
    mosaik:
      connect: 127.0.0.1:1
      command: python3 sim.py
      step: 1500ms
      init: {start: 2020-01-01, step_size: 60, grid: [a, {b: 1.5}]}
      models:
        - {model: PV, number: -1, params: {peak: .nan}}
        - {}
      inputs:
        - {name: limit, unit: "1", set: [a], scale: 0}
      outputs:
        - {name: power, unit: MW, attr: P, elements: {bus/16: PV-0.P}, direct: true}
        - {unit: MW}
  - name: b
    connect: [{from: b.p, to: grid.injection}]
    mosaik: {command: "python3 'sim.py %(addr)s", step: 7s, modls: []}
  - name: c
    connect: [{from: c.p, to: grid.injection}]
    mosaik: {command: sim.py, step: 13s}
  - name: d
    connect: [{from: d.p, to: grid.injection}]
    mosaik: {step: 1s}
`
	_, err := Load(fileOf(t, text), Overrides{})
	var mistakes Mistakes
	if !errors.As(err, &mistakes) {
		t.Fatal(err)
	}
	got := err.Error()
	for _, want := range []string{
		`:6:15: a mosaik simulator has no messages and events and replaces no built-in federate`,
		`:7:12: a mosaik simulator cannot come back; grace has no effect`,
		`:8:5: a mosaik simulator gets its parameters from mosaik.init and mosaik.models`,
		`:10:16: pv has no output "powr"; did you mean "power"?`,
		`:11:36: pv has no input "hz"; expected one of limit`,
		`:14:16: connect and command exclude each other`,
		`:15:13: step 1.5s is no multiple of time_resolution 1s`,
		`:16:21: start is a date, which JSON has not; put it in quotes`,
		`:18:31: number is -1, expected at least 1`,
		`:18:50: peak cannot be said in JSON: json: unsupported value: NaN`,
		`:19:11: model is missing`,
		`:21:36: set is for outputs: elements that the simulator's set_data writes`,
		`:21:53: scale is 0, expected a finite number other than 0, such as -0.001`,
		`:23:41: attr excludes elements and set`,
		`:23:80: direct is for inputs`,
		`:24:11: name is missing`,
		`:24:11: either attr, an attribute of all entities, or elements, such as {bus/16: PV-0.P}, is missing`,
		`:27:23: a quote ' is not closed`,
		`:27:61: unknown key "modls"; did you mean "models"?`,
		`:27:57: step 7s does not divide the duration 1m0s`,
		`:30:23: the command does not hold %(addr)s, where the simulator is to connect`,
		`either connect, the address of a simulator that waits, or command, which starts one, is missing`,
		`models are missing: what the simulator is to create`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Logf("%d mistakes:\n%s", len(mistakes), got)
	}
}

// mosaikCommand starts a simulator of federates/mosaik/testdata.
func mosaikCommand(t *testing.T, simulator string) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("../../federates/mosaik/testdata/simulators.py")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s '%s' %s %%(addr)s", python, script, simulator)
}

// withMosaik is S-2 with a plant that ramps up at buses 16 and 20, as mosaik
// simulators have it, and a switch that sheds load at bus 15.
func withMosaik(t *testing.T, onLost string) *Definition {
	t.Helper()
	pv := fmt.Sprintf(`{name: pv, deadline: 30s, on_lost: %s,
  connect: [{from: pv.power, to: grid.injection}],
  mosaik: {command: %q, step: 1s, init: {step_size: 2},
    models: [{model: PV, number: 2, params: {peak_mw: 60, ramp_s: 10}}],
    outputs: [{name: power, unit: MW, elements: {bus/16: PV-0.P, bus/20: PV-1.P}}, {name: warm, unit: degC, attr: T}]}}`, onLost, mosaikCommand(t, "pv"))
	shed := fmt.Sprintf(`{name: shed, deadline: 30s,
  connect: [{from: grid.frequency, to: shed.frequency}, {from: shed.power, to: grid.injection}],
  mosaik: {command: %q, step: 100ms, time_resolution: 20ms, init: {low_hz: 0.03, armed_at: 600},
    models: [{model: Switch, params: {stage_mw: 50}}],
    inputs: [{name: frequency, unit: Hz, elements: {coi: S0.f}}],
    outputs: [{name: power, unit: MW, elements: {bus/15: S0.P}}]}}`, mosaikCommand(t, "switch"))
	d := load(t, "S-2", append([]string{"federates=[" + pv + ", " + shed + "]"}, short...)...)
	d.Duration = 15 * time.Second
	d.Disturb = Disturbances{Scheduled: []Scheduled{{At: 12 * time.Second, Kind: kindLoadStep, Bus: 15, SizeMW: 300, Duration: 3 * time.Second}}}
	return d
}

// track notes vectors of a run at whole seconds.
type track struct {
	ports []string
	rows  []string
}

func (w *track) Begin(*cosync.Frame) error { return nil }
func (w *track) End(error) error           { return nil }
func (w *track) Observe(f *cosync.Frame) error {
	if f.To%cosync.Second != 0 {
		return nil
	}
	var row []string
	for _, port := range w.ports {
		i, _ := f.Index(port)
		row = append(row, fmt.Sprint(f.Outputs[i].Values))
	}
	w.rows = append(w.rows, strings.Join(row, " "))
	return nil
}

func TestMosaikSimulatorsTakePartInARun(t *testing.T) {
	w := &track{ports: []string{"pv.power", "shed.power", "grid.frequency"}}
	var dirs []string
	for range 2 {
		res, err := Run(context.Background(), withMosaik(t, lostAbort), RunOptions{Out: t.TempDir(), Observers: []cosync.Observer{w}})
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, res.Dir)
	}
	if len(w.rows) != 30 || !strings.HasPrefix(w.rows[2], "[12 12] [0] ") || !strings.HasPrefix(w.rows[3], "[12 12] [0] ") || !strings.HasPrefix(w.rows[10], "[60 60] [0] ") {
		t.Fatalf("rows\n%s", strings.Join(w.rows, "\n"))
	}
	if !strings.HasPrefix(w.rows[14], "[60 60] [150] ") {
		t.Errorf("no load is shed:\n%s", strings.Join(w.rows[:15], "\n"))
	}
	// The frequency knows of the plants: 120 MW lift it by some 50 mHz.
	if !strings.HasPrefix(w.rows[11], "[60 60] [0] [0.05") {
		t.Errorf("the frequency does not rise: %s", w.rows[11])
	}
	firstSeries, firstEvents := recorded(t, dirs[0])
	series, events := recorded(t, dirs[1])
	if series != firstSeries || events != firstEvents {
		t.Error("two runs differ")
	}
	// A replay needs no simulator.
	if _, err := Replay(context.Background(), dirs[0], RepeatOptions{}); err != nil {
		t.Error(err)
	}
}

// interrupter ends a run from a time on.
type interrupter struct {
	at     cosync.Time
	cancel func()
}

func (i interrupter) Begin(*cosync.Frame) error { return nil }
func (i interrupter) End(error) error           { return nil }
func (i interrupter) Observe(f *cosync.Frame) error {
	if f.To >= i.at {
		i.cancel()
	}
	return nil
}

func TestRunWithMosaikSimulatorsIsResumed(t *testing.T) {
	whole, err := Run(context.Background(), withMosaik(t, lostAbort), RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	part, err := Run(ctx, withMosaik(t, lostAbort), RunOptions{Out: t.TempDir(), Observers: []cosync.Observer{interrupter{8 * cosync.Second, cancel}}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), part.Dir, RepeatOptions{}); err != nil {
		t.Fatal(err)
	}
	wantSeries, wantEvents := recorded(t, whole.Dir)
	if series, events := recorded(t, part.Dir); series != wantSeries || events != wantEvents {
		t.Error("the resumed run is another")
	}
}

func TestLostMosaikSimulatorIsHeld(t *testing.T) {
	d := withMosaik(t, lostHold)
	d.Federates[0].Mosaik.Init["fails_at"] = 6
	var lost []cosync.Loss
	w := &track{ports: []string{"pv.power"}}
	res, err := Run(context.Background(), d, RunOptions{Out: t.TempDir(), Observers: []cosync.Observer{w}, OnLost: func(l cosync.Loss) { lost = append(lost, l) }})
	if err != nil {
		t.Fatal(err)
	}
	if len(lost) != 1 || lost[0].At != 6*cosync.Second || !strings.Contains(lost[0].Err.Error(), "step in step 3 at 6s: failed: RuntimeError: no sun") {
		t.Errorf("lost %v", lost)
	}
	if w.rows[14] != "[24 24]" {
		t.Errorf("power %v", w.rows)
	}
	if text := exported(t, res.Dir); !strings.Contains(text, "federate-lost,pv") || !strings.Contains(text, "held: failed") {
		t.Error("the loss is not in the record")
	}
}

func TestAddressOfAMosaikSimulatorIsNotInTheHash(t *testing.T) {
	hash := func(address string, step time.Duration) string {
		d := withMosaik(t, lostAbort)
		m := d.Federates[0].Mosaik
		m.Command, m.Connect, m.Step = "", address, step
		manifest, err := d.manifest()
		if err != nil {
			t.Fatal(err)
		}
		if m.Connect != address {
			t.Error("the definition has changed")
		}
		return manifest.DefinitionHash
	}
	if hash("127.0.0.1:1", time.Second) != hash("127.0.0.1:2", time.Second) || hash("127.0.0.1:1", time.Second) == hash("127.0.0.1:1", 3*time.Second) {
		t.Error("the hash does not stand for what is simulated")
	}
}
