package experiment

import (
	"context"
	"math"
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
