package experiment

import (
	"context"
	"math"
	"regexp"
	"runtime"
	"strings"
	"testing"

	cosync "cosim/sync"
)

// few is a run of four operators with one contingency, briefer than short.
var few = append([]string{"case=ieee118", "steps.record=10ms"}, "duration=6s", "disturbances.contingencies.count=1",
	"disturbances.contingencies.earliest=1s", "disturbances.contingencies.duration=4s", "disturbances.surges.duration=2s")

func TestFourOperatorsSameSeedSameRecording(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want := recording(t, load(t, "S-3", few...))
	runtime.GOMAXPROCS(4)
	for file, hash := range recording(t, load(t, "S-3", few...)) {
		if hash != want[file] {
			t.Errorf("%s differs between GOMAXPROCS 1 and 4", file)
		}
	}
}

// The conservation laws hold at every step, and what operators did sums to what
// was done.
func TestFiguresOfOperatorsSumToThoseOfAll(t *testing.T) {
	for _, name := range []string{"S-1", "S-3"} {
		r, err := Run(context.Background(), load(t, name, few...), RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s := r.Summary
		if len(s.Operators) != 4 || !s.Fairness.Median.Defined() {
			t.Fatalf("%s: operators %+v, fairness %+v", name, s.Operators, s.Fairness)
		}
		var decided, succeeded, granted int64
		for _, o := range s.Operators {
			decided += o.Successes + o.Failed.Total()
			succeeded += o.Successes
			granted += o.KeyGrantedBits
			if o.Triggers == 0 || o.KeyAskedBits == 0 || o.KeyGrantedBits == 0 {
				t.Errorf("%s: %+v", name, o)
			}
		}
		if want := s.Tasks.Successes + s.Tasks.Failed.Total(); decided != want || succeeded != s.Tasks.Successes {
			t.Errorf("%s: operators decided %d tasks, %d well; all %d, %d", name, decided, succeeded, want, s.Tasks.Successes)
		}
		// Receipts, clocks, orders and the channels' first keys are no task's.
		if granted > s.Keys.All.ConsumedBits || float64(granted) < 0.7*float64(s.Keys.All.ConsumedBits) {
			t.Errorf("%s: granted %d of %d bits consumed", name, granted, s.Keys.All.ConsumedBits)
		}
	}
}

// Every operator sizes its call from what it hears itself, and they agree: no
// block is called where nothing happens, and together they call about what is
// missing.
func TestOperatorsTogetherCallWhatIsMissing(t *testing.T) {
	for _, bus := range []string{"11", "90"} {
		d := load(t, "S-2", "case=ieee118", "duration=8s", "disturbances.contingencies.count=0", "disturbances.surges.count=0",
			"quantum.break_rate_hz=0", "disturbances.scheduled=[{kind: load-step, bus: "+bus+", at: 6s, duration: 2s, size_mw: 360}]")
		most := map[string]float64{}
		look := watch(func(f *cosync.Frame) {
			i, _ := f.Index("scada.controller")
			for j, name := range f.Outputs[i].Port.Elements {
				if operator, ok := strings.CutSuffix(name, "/called_mw"); ok && f.To <= 7*cosync.Second {
					if v := f.Outputs[i].Values[j]; v > 0 && f.To < 6*cosync.Second {
						t.Fatalf("bus %s: %s calls %.0f MW at %v, where nothing happened", bus, operator, v, f.To)
					}
					most[operator] = math.Max(most[operator], f.Outputs[i].Values[j])
				}
			}
		})
		if _, err := Run(context.Background(), d, RunOptions{Observers: []cosync.Observer{look}}); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, operator := range []string{"TSO", "DSO1", "DSO2", "DSO3"} {
			if most[operator] < 0.5*90 || most[operator] > 1.5*90 {
				t.Errorf("bus %s: %s calls %.0f MW, a quarter of 360 is 90", bus, operator, most[operator])
			}
			sum += most[operator]
		}
		if math.Abs(sum-360) > 0.25*360 {
			t.Errorf("bus %s: %.0f MW called, missing 360", bus, sum)
		}
	}
}

func TestEveryExperimentLoadsOnEveryFederatedCase(t *testing.T) {
	for _, name := range append(Names(), Ablations()[0]) {
		for _, c := range federatedCases() {
			d, err := Load(name, Overrides{Case: c})
			if err != nil {
				t.Errorf("%s --case %s: %v", name, c, err)
				continue
			}
			for _, a := range d.Attacks {
				if !strings.Contains(a.Link, "-") || strings.HasPrefix(a.Link, "area-") {
					t.Errorf("%s --case %s: attack on %q, want a link's name", name, c, a.Link)
				}
			}
		}
	}
}

// A wrong operator is told once, where it was written, whatever follows from it.
func TestMistakeOfAnOperatorIsToldOnce(t *testing.T) {
	for _, c := range []struct {
		set  string // several by ";"
		want string // of the whole error
	}{
		{"operators=[{name: TSO, role: leader, centre: CC9}]", `^--set operators=.*: centre: no node "CC9", did you mean "CC0"\?$`},
		{"operators=[{name: DSO4, role: follower}]", `^--set operators=.*: centre: is missing$`},
		{"nodes=[{name: CC4, kind: cc}];operators=[{name: DSO4, role: follower, centre: CC4}]", `^--set operators=.*: operators: no chain belongs to DSO4, .* here CC4, its routes begin or, of measurements, end$`},
		{"nodes=[{name: CC4, kind: cc}];operators.DSO1.centre=CC4", `^--set operators.DSO1.centre=CC4: centre: "CC1" is the control centre of no operator, and 29 chains begin or end there$`},
		{"operators.DSO1.centre=CC0", `^--set operators.DSO1.centre=CC0: centre: "CC0" is taken by operators\[0\]$`},
		{"operators=[]", `^--set operators=\[\]: operators: none is named, .* 6 interrogations .*$`},
		{"operators.DSO1.role=leader", `^--set operators.DSO1.role=leader: 2 operators have role leader \(TSO, DSO1\), expected one$`},
		{"operators.TSO.role=follower", `^--set operators.TSO.role=follower: no operator has role leader, expected one$`},
		{"operators.TSO.role=boss", `^--set operators.TSO.role=boss: role is "boss"; expected one of leader, follower$`},
	} {
		_, err := Load("S-4", Overrides{Case: "ieee118", Set: strings.Split(c.set, ";")})
		if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
			t.Errorf("%s:\n%v\nwant %s", c.set, err, c.want)
		}
	}
}

// A file of all that an experiment resolves to has no case beneath it, which
// would bring back what was taken out.
func TestWhatIsTakenOutOfACompleteFileIsGone(t *testing.T) {
	shown, err := Show("S-5", true)
	if err != nil {
		t.Fatal(err)
	}
	line := "    - name: DSO3\n      role: follower\n      centre: CC3\n"
	file := fileOf(t, strings.Replace(string(shown), line, "", 1))
	if _, err = Load(file, Overrides{}); err == nil || !strings.Contains(err.Error(), `"CC3" is the control centre of no operator, and 32 chains begin or end there`) {
		t.Errorf("without DSO3: %v", err)
	}
	chain := regexp.MustCompile(`(?s)    - id: pmu-8\n.*?      switch_cost: 0\n`)
	d, err := Load(fileOf(t, chain.ReplaceAllString(string(shown), "")), Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	if all := load(t, "S-5"); len(d.Chains) != len(all.Chains)-1 || d.Chains[0].ID == "pmu-8" {
		t.Errorf("%d chains from %s on, want %d without pmu-8", len(d.Chains), d.Chains[0].ID, len(all.Chains)-1)
	}
}
