package experiment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// fileOf writes an experiment on ieee39 and returns its path.
func fileOf(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "t.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// sameDefinition ignores where values stand.
var sameDefinition = cmp.Options{cmpopts.IgnoreUnexported(Definition{}), cmpopts.EquateEmpty()}

func TestLayersOverrideTheOneBefore(t *testing.T) {
	file := fileOf(t, "name: t\ncase: ieee39\nquantum: {pulse_rate_hz: 1e5}\nkeys: {cap_s: 20}\nseed: 5\n")
	d, err := Load(file, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	plain := load(t, "S-2")
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"default, from nobody", d.Keys.Pool.TTLS, 600.0},
		{"default beside an overridden key", d.Quantum.Misalignment, plain.Quantum.Misalignment},
		{"federation over default", d.Disturb.Contingencies.Count, 3},
		{"calibration over federation, key by key", d.Disturb.Contingencies.SizeMW, plain.Disturb.Contingencies.SizeMW},
		{"file over calibration", d.Quantum.PulseRateHz, 1e5},
		{"file over default", d.Keys.CapS, 20.0},
		{"beside it, from calibration", d.Keys.Store.Share, plain.Keys.Store.Share},
		{"file", d.Seed, uint64(5)},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestFlagsOverrideFilesTheLastOneWins(t *testing.T) {
	seed := uint64(9)
	d, err := Load("S-2", Overrides{Seed: &seed, Set: []string{
		"duration=300s", "duration=400s", "seed=4", "quantum.pulse_rate_hz=2e5",
		"disturbances={contingencies: {count: 2}}", "quantum.break_duration_s=[1, 2]", "traffic_classes.pmu=5", "title='a: b'",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if d.Duration != 400*time.Second || d.Seed != 9 || d.Quantum.PulseRateHz != 2e5 || d.Quantum.BreakDurationS != [2]float64{1, 2} ||
		d.Priorities["pmu"] != 5 || d.Priorities["agc"] != 1 || d.Title != "a: b" {
		t.Errorf("%+v", d)
	}
	if c := d.Disturb.Contingencies; c.Count != 2 || c.Duration != 50*time.Second {
		t.Errorf("contingencies %+v, want the count changed and the rest kept", c)
	}
}

// --set a.b=x is the same as the key in the file.
func TestSetIsTheKeyInTheFile(t *testing.T) {
	for _, c := range []struct{ path, value string }{
		{"duration", "1200s"},
		{"seed", "77"},
		{"quantum.pulse_rate_hz", "123456"},
		{"keys.supply", "store"},
		{"keys.pool.ttl_s", "50"},
		{"disturbances.contingencies.size_mw", "10"},
		{"link_classes.trunk.queue.limit_packets", "7"},
		{"classes.pmu.mode", "aes"},
		{"attacks", "[{kind: drop, link: CC-GW1, probability: 0.1}]"},
		{"grid.avr", "false"},
	} {
		var text strings.Builder
		text.WriteString(strings.TrimSuffix(goodHead, "\n"))
		for i, word := range strings.Split(c.path, ".") {
			fmt.Fprintf(&text, "\n%s%s:", strings.Repeat(" ", i), word)
		}
		inFile, err := Load(fileOf(t, text.String()+" "+c.value+"\n"), Overrides{})
		if err != nil {
			t.Fatal(err)
		}
		bySet, err := Load(fileOf(t, goodHead), Overrides{Set: []string{c.path + "=" + c.value}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(inFile, bySet, sameDefinition); diff != "" {
			t.Errorf("%s (-file +set):\n%s", c.path, diff)
		}
	}
}

func TestFlagsNameThemselvesInMistakes(t *testing.T) {
	for set, want := range map[string]string{
		"duration":                 "--set duration: expected key=value, for example --set quantum.break_rate_hz=0.002",
		"=5":                       "--set =5: expected key=value, for example --set quantum.break_rate_hz=0.002",
		"duration=":                "--set duration=: duration: no value; give it one, or leave the key out",
		"duration=5":               `--set duration=5: duration: found "5", expected a duration with its unit, such as 300ms, 2s or 10m`,
		"quantum.pulse_rate=1":     `--set quantum.pulse_rate=1: unknown key "pulse_rate"; did you mean "pulse_rate_hz"?`,
		"quantum.break_rate_hz=-1": "--set quantum.break_rate_hz=-1: break_rate_hz must be at least 0, is -1",
		"chains[0].task=pmu":       `--set chains[0].task=pmu: unknown key "chains[0]"; did you mean "chains"?`,
	} {
		got := mistakesOf(t, goodHead, set)
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", set, got, want)
		}
	}
}

// What is wrong with a list is said where the list stands that was used: one of
// a higher layer takes the place of the lower one's, elements and all.
func TestMistakesStandInTheLayerThatBroughtThem(t *testing.T) {
	for _, c := range []struct {
		name, doc string
		set       []string
		want      []string // beginnings of messages
		absent    string
	}{
		{
			"value of the file", "quantum: {pulse_rate_hz: -1}\n", nil,
			[]string{"t.yaml:3:26: pulse_rate_hz must be"},
			"",
		},
		{
			"value of one key in a lower layer's group", "link_classes: {trunk: {rate_bps: 0}}\n", nil,
			[]string{"t.yaml:3:34: rate_bps: "},
			".yaml:1",
		},
		{
			"file and flag, each with its own", "quantum: {break_rate_hz: -1}\n",
			[]string{"keys.pool.ttl_s=-1"},
			[]string{"t.yaml:3:26: break_rate_hz must", "--set keys.pool.ttl_s=-1: ttl_s must"},
			"",
		},
		{
			"flag over the file", "quantum: {break_rate_hz: -1}\n",
			[]string{"quantum.break_rate_hz=-2"},
			[]string{"--set quantum.break_rate_hz=-2: break_rate_hz must be at least 0, is -2"},
			"t.yaml",
		},
		{
			"things of the file over and beside the federation's", "pmus:\n  - {id: pmu/4, bus: 44}\n  - {id: pmu/77, bus: 77, ied: IED-pmu-31}\n", nil,
			[]string{"t.yaml:4:22: no bus 44 in ieee39", "t.yaml:5:23: no bus 77 in ieee39"},
			"federation.yaml",
		},
		{
			"things of the flag over the file's", "areas: [{name: a, gateway: GW9, buses: [1]}]\n",
			[]string{"areas=[{name: a, gateway: GW1, buses: [1, 2, 99, 15]}]"},
			[]string{"--set areas=[{name: a, gateway: GW1, buses: [1, 2, 99, 15]}]: no bus 99 in ieee39"},
			"t.yaml",
		},
	} {
		got := mistakesOf(t, goodHead+c.doc, c.set...)
		for _, want := range c.want {
			if !slices.ContainsFunc(got, func(m string) bool { return strings.HasPrefix(m, want) }) {
				t.Errorf("%s: nothing begins with %q in\n%s", c.name, want, strings.Join(got, "\n"))
			}
		}
		if all := strings.Join(got, "\n"); c.absent != "" && strings.Contains(all, c.absent) {
			t.Errorf("%s: %q stands in\n%s", c.name, c.absent, all)
		}
	}
}

func TestFilesThatSayNothing(t *testing.T) {
	for _, doc := range []string{"", "\n", "# only a comment\n", "---\n", "--- # nothing\n..."} {
		got := mistakesOf(t, doc, "seed=3") // which is not to blame
		for _, m := range got {
			if !strings.HasPrefix(m, "t.yaml") {
				t.Errorf("%q: %q, want mistakes of t.yaml", doc, got)
			}
		}
		if len(got) == 0 {
			t.Errorf("%q was taken", doc)
		}
	}
	if got := mistakesOf(t, "- a\n"); len(got) != 1 || got[0] != "t.yaml:1:1: found a list, expected keys such as case, duration, chains" {
		t.Errorf("a list: %q", got)
	}
}

func TestNoSuchExperimentNamesTheNearest(t *testing.T) {
	_, err := Load("S-22", Overrides{})
	if err == nil || err.Error() != `S-22: no such file, nor an experiment that ships inside; did you mean "S-2"?` {
		t.Errorf("got %v", err)
	}
	if _, err := Load(t.TempDir(), Overrides{}); err == nil {
		t.Error("a folder was taken for an experiment")
	}
}

// What an alias or a merged group stands for counts as if it were written
// there, and a key beside the merge wins.
func TestAliasesAndMergesStandForTheirValues(t *testing.T) {
	d, err := Load(fileOf(t, goodHead+`quantum:
  break_duration_s: &some [1, 2]
  attenuation_bounds_db_per_km: *some
classes:
  agc: &agc {latency: 700ms, priority: 11}
  avr: {<<: *agc, priority: 4}
  shed: {<<: [{rate_hz: 3}, *agc]}
link_classes:
  lan: &lan
    queue: {discipline: fifo, limit_packets: 7}
  access:
    <<: *lan
    loss: 0.5
`), Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Quantum.AttenuationBoundsDBPerKM != [2]float64{1, 2} {
		t.Errorf("bounds %v, want those of the anchor", d.Quantum.AttenuationBoundsDBPerKM)
	}
	agc, avr, shed := d.Classes["agc"], d.Classes["avr"], d.Classes["shed"]
	if agc.Priority != 11 || avr.Latency != 700*time.Millisecond || avr.Priority != 4 || avr.RateHz != 0.2 || shed.RateHz != 3 || shed.Priority != 11 {
		t.Errorf("agc %+v\navr %+v\nshed %+v", agc, avr, shed)
	}
	if a := d.LinkClasses["access"]; a.Queue.LimitPackets != 7 || a.Queue.Discipline != "fifo" || a.Loss != 0.5 || a.RateBPS != 10e6 {
		t.Errorf("access %+v, want the lan's queue, its own loss and the federation's rate", a)
	}
	if d.LinkClasses["trunk"].Queue.LimitPackets != 200 {
		t.Error("the merge changed a class that does not have it")
	}
}

// A few lines of aliases of aliases stand for more values than fit into memory.
func TestAliasesOfAliasesAreBounded(t *testing.T) {
	var doc strings.Builder
	doc.WriteString(goodHead + "attacks:\n  - &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&doc, "  - &a%d [%s]\n", i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	got := mistakesOf(t, doc.String())
	if len(got) != 1 || !strings.HasSuffix(got[0], "more than 1000000 values with all aliases written out") {
		t.Errorf("got %d mistakes, the first %.200q", len(got), got)
	}
}

// A file with long lists is read in a time that grows with its length.
func TestLongListsAreReadQuickly(t *testing.T) {
	var areas strings.Builder
	for i := range 4_000 {
		fmt.Fprintf(&areas, "  - {name: a%d, gateway: GW1, buses: [1, 2, 3, 4]}\n", i)
	}
	start := time.Now()
	mistakesOf(t, goodHead+"areas:\n"+areas.String()+"  - {}\n")
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("20,000 values took %v", d)
	}
}

// What show --all prints, and a manifest holds, is the same experiment.
func TestShownExperimentIsTheSame(t *testing.T) {
	for _, name := range Names() {
		for _, all := range []bool{false, true} {
			text, err := Show(name, all)
			if err != nil {
				t.Fatal(err)
			}
			shown, err := Load(fileOf(t, string(text)), Overrides{})
			if err != nil {
				t.Fatalf("%s, all %v: %.500v", name, all, err)
			}
			if diff := cmp.Diff(load(t, name), shown, sameDefinition); diff != "" {
				t.Errorf("%s, all %v (-inside +shown):\n%.500s", name, all, diff)
			}
		}
	}
}

// What only the meaning shows to be wrong.
func TestEveryMistakeOfMeaning(t *testing.T) {
	for _, c := range []struct {
		set  string // several by ";"
		want string // the beginning of a message, after the flag's name
	}{
		{"name=a/b", `name "a/b" holds a slash`},
		{"duration=0s", "duration is 0s, expected more than 0"},
		{"duration=600005ms", "duration 10m0.005s is not a multiple of steps.exchange (10ms)"},
		{"steps.exchange=0s", "exchange is 0s, expected a multiple of 10ms"},
		{"steps.exchange=15ms", "exchange is 15ms, expected a multiple of 10ms"},
		{"steps.quantum=0s", "quantum is 0s, expected a multiple of 10ms"},
		{"steps.record=0s", "record is 0s, expected a multiple of 10ms"},
		{"steps.exchange=20ms;steps.record=50ms", "record is 50ms, expected a multiple of steps.exchange (20ms)"},
		{"traffic_classes.pmu=8", "traffic class 8 of pmu is outside 0 to 7"},
		{"traffic_classes.pmux=1", `no task "pmux"; did you mean "pmu"?`},
		{"case=ieee40", "case ieee40: cases: no case \"ieee40\""},
		{"keys.supply=bucket", `supply is "bucket", expected pool or store`},
		{"keys.supply=store;keys.store.share=0", "share is 0, expected a share of the nominal yield above 0"},
		{"keys.supply=store;keys.store.period=0s", "period is 0s, expected more than 0"},
		{"keys.pool.safe_bits=50000;keys.pool.threshold_bits=50000", "threshold_bits must be above safe_bits 50000, is 50000"},
		{"quantum.misalignment=0.6", "misalignment must be at least 0 and at most 0.5, is 0.6"},
		{"quantum.finite_key=true", "finite_key has no effect with model bb84-paper: it is a part of bb84-decoy"},
		{"quantum.model=bbm92;quantum.finite_key=true", "finite_key has no effect with model bbm92"},
		{"quantum.length_km=30", "length_km has no effect here"},
		{"block_share=-1", "block_share is -1, expected a share of the contingency from 0 on"},
		{"areas=[{name: a, gateway: RTU4, buses: [15]}]", `no link joins a control centre and gateway "RTU4"`},
		{"areas=[{name: a, gateway: GW1, buses: [1]}]", "area a has no load of at least 150 MW"},
		{"areas=[]", "contingencies need areas to hit"},
		{"pmus=[{id: p, bus: 99, ied: IED-pmu-4}]", "no bus 99 in ieee39"},
		{"generators=[{id: g, bus: 15, ied: IED-gen-30}]", "no generator at bus 15 of ieee39"},
		{"disturbances.contingencies.count=-1", "counts must not be negative"},
		{"disturbances.contingencies.count=6", "6 contingencies of 50s, at least 2m0s apart, from 1m0s on, do not fit into 10m0s; try a longer duration or count 5"},
		{"disturbances.contingencies.count=9000000000000000000;disturbances.contingencies.apart=0s", "9000000000000000000 contingencies"},
		{"disturbances.contingencies.earliest=2562047h;disturbances.contingencies.duration=2562047h", "3 contingencies of 2562047h0m0s"},
		{"disturbances.contingencies.duration=15005ms", "duration is 15.005s, expected a multiple of 10ms"},
		{"disturbances.contingencies.apart=1ns", "apart is 1ns, expected a multiple of 10ms"},
		{"disturbances.contingencies.earliest=1ms", "earliest is 1ms, expected a multiple of 10ms"},
		{"disturbances.contingencies.break_max=1s", "break_max 1s is less than break_min 3s"},
		{"disturbances.surges.attenuation_db=-1", "attenuation_db is -1, expected 0 or more"},
		{"disturbances.load_noise.tau_s=0", "load noise needs sigma_rel from 0 on and tau_s above 0"},
		{"disturbances.scheduled=[{at: 1s, kind: quake}]", `kind is "quake"; expected one of load-step, link-break`},
		{"disturbances.scheduled=[{at: 5ms, kind: generator-trip, bus: 30}]", "at is 5ms, expected a multiple of 10ms"},
		{"disturbances.scheduled=[{at: 1s, kind: load-step, bus: 15, duration: 5ms}]", "duration is 5ms, expected a multiple of 10ms"},
		{"disturbances.scheduled=[{at: 1s, kind: load-step, bus: 15}]", "load-step needs a duration above 0"},
		{"disturbances.scheduled=[{at: 1s, kind: generator-trip, bus: 15}]", "no generator at bus 15 of ieee39"},
		{"disturbances.scheduled=[{at: 1s, kind: branch-trip, branch: 1-9}]", `no branch "1-9" in ieee39`},
		{"disturbances.scheduled=[{at: 1s, kind: link-break, link: CC-GW5, duration: 1s}]", `no link "CC-GW5"; did you mean "CC-GW`},
		{"disturbances.scheduled=[{at: 1s, kind: link-break, link: GW1-RTU4, duration: 1s}]", `link "GW1-RTU4" has no QKD link to disturb`},
		{"attacks=[{kind: drop, link: CC-GW9, probability: 1}]", `link: there is no link "CC-GW9"`},
		{"links=[{name: CC-GW1, a: CC, b: GW1, class: trunc, length_km: 0, quantum: true}]", `no link class "trunc"; did you mean "trunk"?`},
	} {
		got := strings.Join(mistakesOf(t, goodHead, strings.Split(c.set, ";")...), "\n")
		if !strings.Contains(got, ": "+c.want) {
			t.Errorf("%s: %q is not said in\n%.800s", c.set, c.want, got)
		}
	}
}

// What only together is wrong is told where a person changed it, not in a file
// that only the program has.
func TestMistakeIsToldWhereItCanBeMended(t *testing.T) {
	const fit = " contingencies of 50s, at least 2m0s apart, from 1m0s on, do not fit into "
	for set, want := range map[string]string{
		"duration=100s":                          "--set duration=100s: 3" + fit,
		"disturbances.contingencies.count=9":     "--set disturbances.contingencies.count=9: 9" + fit,
		"classes.pmu.latency=-1s":                "--set classes.pmu.latency=-1s: ",
		"controller=null":                        "--set controller=null: ",
		"chains.pmu-4.routes=[]":                 "--set chains.pmu-4.routes=[]: ",
		"links.CC-GW1.class=none":                "--set links.CC-GW1.class=none: ",
		"nodes.CC.kind=ied":                      " (inside cosim):",
		"disturbances.contingencies.apart=2000s": "--set disturbances.contingencies.apart=2000s: 3 contingencies",
	} {
		_, err := Load("S-2", Overrides{Set: []string{set}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", set, err, want)
		}
	}
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte("name: mine\ncase: ieee39\nduration: 100s\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file, Overrides{}); err == nil || !strings.Contains(err.Error(), "mine.yaml:3:11: 3"+fit) {
		t.Errorf("%v", err)
	}
}

// A list of things with ids is changed thing by thing, so that one chain can
// be given another mode without repeating all.
func TestOneChainOfTheCaseCanBeChanged(t *testing.T) {
	whole := load(t, "S-2")
	changed := load(t, "S-2", "chains=[{id: pmu-4, static_mode: otp}]", "classes.pmu.latency=150ms")
	if len(changed.Chains) != len(whole.Chains) {
		t.Fatalf("%d chains, want all %d", len(changed.Chains), len(whole.Chains))
	}
	for i, c := range changed.Chains {
		want := whole.Chains[i].StaticMode.String()
		if c.ID == "pmu-4" {
			want = "otp"
		}
		if c.StaticMode.String() != want || len(c.Routes) != len(whole.Chains[i].Routes) {
			t.Errorf("%s: mode %v and %d routes", c.ID, c.StaticMode, len(c.Routes))
		}
	}
}

// A run's manifest is an experiment: the same one.
func TestManifestRunsAgain(t *testing.T) {
	d := load(t, "S-1", short...)
	first := recording(t, d)
	r, err := Run(context.Background(), d, RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(filepath.Join(r.Dir, "manifest.yaml"), Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	for file, hash := range recording(t, again) {
		if hash != first[file] {
			t.Errorf("%s differs from that of the first run", file)
		}
	}
}
