// Package examples_test runs the examples in every language that they are
// written in.
package examples_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cosim/internal/experiment"
	cosync "cosim/sync"
)

// languages in which a program can be had: how it is run, and the Debian package
// of what runs it.
var languages = []struct {
	name, extension, interpreter, from string
}{
	{"Python", ".py", "python3", "python3"},
	{"JavaScript", ".mjs", "node", "nodejs"},
}

// interpreter finds a language's. Where there is none the test is skipped, but
// never in CI.
func interpreter(t *testing.T, name, from string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing (apt-get install %s): %v", name, from, err)
	default:
		t.Skipf("%s is missing (apt-get install %s): %v", name, from, err)
	}
	return path
}

// example is an experiment and the program that it waits for.
type example struct {
	program    string // without its extension; "" for none
	experiment string
	set        []string
}

var (
	battery = example{"battery/battery", "battery/battery.yaml", []string{"duration=30s", "disturbances.scheduled=[{at: 10s, kind: load-step, bus: 15, size_mw: 300, duration: 10s}]"}}
	pv      = example{"pv/pv", "pv/pv.yaml", []string{"duration=20s"}}
	links   = example{"links/links", "S-2", []string{
		"federates=[{name: my-links, replaces: quantum}]", "duration=20s", "disturbances.contingencies.count=0", "disturbances.surges.count=0",
	}}
)

// outside is the one-mass grid.
var outside = example{"grid/grid", "grid/grid.yaml", []string{
	"duration=30s", "disturbances.scheduled=[{at: 10s, kind: load-step, bus: 15, size_mw: 300, duration: 10s}]",
	"federates=[{name: my-grid, replaces: grid, parameters: {load_mw: 300, from_s: 10, to_s: 20}}]",
}}

// relay names its own times.
var relay = example{"relay/relay", "relay/relay.yaml", []string{"duration=40s"}}

// record runs an example with its program as a process and returns what it left
// behind, and what the program printed.
func (e example) record(t *testing.T, command ...string) (files map[string]string, said string) {
	return e.observed(t, nil, command...)
}

func (e example) observed(t *testing.T, observers []cosync.Observer, command ...string) (files map[string]string, said string) {
	t.Helper()
	d, err := experiment.Load(e.experiment, experiment.Overrides{Set: append([]string{"attach.listen=127.0.0.1:0"}, e.set...)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	program := exec.CommandContext(ctx, command[0], command[1:]...)
	program.Stdout, program.Stderr = &out, &out
	o := experiment.RunOptions{Out: t.TempDir(), Observers: observers, OnWait: func(_, urls []string) {
		program.Env = append(os.Environ(), "COSIM_URL="+urls[0], "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+absolute(t, "../python"))
		if err := program.Start(); err != nil {
			t.Error(err)
			cancel()
		}
	}}
	o.OnLost = func(l cosync.Loss) { t.Errorf("lost: %v", l) }
	res, err := experiment.Run(ctx, d, o)
	if program.Process != nil {
		if ended := program.Wait(); ended != nil {
			t.Errorf("%v: %v\n%s", command, ended, &out)
		}
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	files = map[string]string{}
	for _, name := range []string{"series.parquet", "events.parquet", "run.log"} {
		text, err := os.ReadFile(filepath.Join(res.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files, out.String()
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// built compiles a Go example.
func built(t *testing.T, folder string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), folder)
	if out, err := exec.Command("go", "build", "-o", program, "./"+folder).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s is another (%d bytes, not %d)", name, len(got[name]), len(text))
		}
	}
}

// The language in which a federate is written leaves no trace: the recordings
// are one, byte for byte. That they could differ a weaker battery shows.
func TestBatteryLeavesOneRecordingInEveryLanguage(t *testing.T) {
	program := built(t, "battery")
	want, said := battery.record(t, program)
	if !strings.Contains(said, "in run battery-1\nthe run is over; 2") {
		t.Errorf("Go's says %q", said)
	}
	t.Run("Go in JSON", func(t *testing.T) {
		got, _ := battery.record(t, program, "--json")
		same(t, got, want)
	})
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			got, saidHere := battery.record(t, interpreter(t, l.interpreter, l.from), battery.program+l.extension)
			same(t, got, want)
			if saidHere != said {
				t.Errorf("it says %q, Go's %q", saidHere, said)
			}
		})
	}
	if weaker, _ := battery.record(t, program, "--gain", "1999"); weaker["run.log"] == want["run.log"] {
		t.Error("the battery is not in the recording")
	}
}

func TestPVPlantLeavesOneRecordingInEveryLanguage(t *testing.T) {
	program := built(t, "pv")
	want, _ := pv.record(t, program)
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			got, _ := pv.record(t, interpreter(t, l.interpreter, l.from), pv.program+l.extension)
			same(t, got, want)
		})
	}
	if smaller, _ := pv.record(t, program, "--peak-mw", "199"); smaller["run.log"] == want["run.log"] {
		t.Error("the plant is not in the recording")
	}
}

// Links outside take the place of the built-in ones; their key reaches the pools.
func TestLinksLeaveOneRecordingInEveryLanguage(t *testing.T) {
	var want map[string]string
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			got, _ := links.record(t, interpreter(t, l.interpreter, l.from), links.program+l.extension)
			if want == nil {
				want = got
			}
			same(t, got, want)
		})
	}
	inside := links
	inside.set = links.set[1:]
	d, err := experiment.Load(inside.experiment, experiment.Overrides{Set: inside.set})
	if err != nil {
		t.Fatal(err)
	}
	res, err := experiment.Run(context.Background(), d, experiment.RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(filepath.Join(res.Dir, "series.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if want != nil && string(own) == want["series.parquet"] {
		t.Error("the links outside are not in the recording")
	}
}

// frequency observes that of the grid, and the reserve that is called at most.
type frequency struct {
	hz        []float64 // deviation every 10 ms
	reserveMW float64
}

func (o *frequency) Begin(f *cosync.Frame) error { return o.Observe(f) }
func (o *frequency) End(error) error             { return nil }
func (o *frequency) Observe(f *cosync.Frame) error {
	i, _ := f.Index("grid.frequency")
	o.hz = append(o.hz, f.Outputs[i].Values[0])
	i, _ = f.Index("grid.reserve")
	called := 0.0
	for _, mw := range f.Outputs[i].Values {
		called += mw
	}
	o.reserveMW = max(o.reserveMW, called)
	return nil
}

// Among 4,000 steps of the federation the relay makes those that it has something
// to do in.
func TestRelayLeavesOneRecordingInEveryLanguage(t *testing.T) {
	var want map[string]string
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			var seen frequency
			got, said := relay.observed(t, []cosync.Observer{&seen}, interpreter(t, l.interpreter, l.from), relay.program+l.extension)
			if want == nil {
				want = got
			}
			same(t, got, want)
			var acts, open int
			if _, err := fmt.Sscanf(said, "the run is over; the relay acted %d times, %d stages are open", &acts, &open); err != nil || acts < 5 || acts > 30 || open != 0 {
				t.Errorf("it says %q (%v)", said, err)
			}
			for _, happened := range []string{"trip", "close"} {
				if !strings.Contains(got["run.log"], happened) {
					t.Errorf("no %s", happened)
				}
			}
		})
	}
}

// A grid outside obeys the orders of the control centre without any key.
func TestGridLeavesOneRecordingInEveryLanguage(t *testing.T) {
	var want map[string]string
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			var seen frequency
			got, _ := outside.observed(t, []cosync.Observer{&seen}, interpreter(t, l.interpreter, l.from), outside.program+l.extension)
			if want == nil {
				want = got
			}
			same(t, got, want)
			if x := seen.reserveMW; x < 200 || x > 400 {
				t.Errorf("%.0f MW of reserve called for 300 MW of load", x)
			}
		})
	}
}

// Without reserve, whose size hangs on a slope that is no longer the same once
// units swing, one mass moves like the built-in grid's centre of inertia.
func TestGridOutsideMovesLikeTheBuiltInOne(t *testing.T) {
	calm := outside
	calm.set = append(slices.Clone(outside.set), "controller.emergency.off=true")
	var one, ten frequency
	calm.observed(t, []cosync.Observer{&one}, interpreter(t, "python3", "python3"), calm.program+".py")
	d, err := experiment.Load(calm.experiment, experiment.Overrides{Set: append(slices.Clone(calm.set), "federates=[]", "attach={}")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := experiment.Run(context.Background(), d, experiment.RunOptions{Observers: []cosync.Observer{&ten}}); err != nil {
		t.Fatal(err)
	}
	apart := 0.0
	for i, hz := range one.hz {
		apart = max(apart, math.Abs(hz-ten.hz[i]))
	}
	lowest := slices.Min(ten.hz)
	t.Logf("lowest %.4f Hz, built in %.4f Hz; apart %.4f Hz at most", slices.Min(one.hz), lowest, apart)
	if lowest > -0.05 || apart > -0.1*lowest {
		t.Errorf("%.4f Hz apart, of a built-in grid that falls to %.4f Hz", apart, lowest)
	}
}

// The tutorials are the examples, word for word.
func TestDocumentedProgramsAreTheExamples(t *testing.T) {
	text, err := os.ReadFile("../../../docs/federates.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]int{}
	for language, extension := range map[string]string{"python": ".py", "javascript": ".mjs"} {
		files, err := filepath.Glob("*/*" + extension)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "```"+language+"\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			for _, file := range files {
				program, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(program), block) {
					shown[language]++
				}
			}
		}
		if blocks := strings.Count(string(text), "```"+language+"\n"); blocks == 0 || shown[language] != blocks {
			t.Errorf("%d of %d blocks of %s stand in an example", shown[language], blocks, language)
		}
	}
}
