package metrics

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/summary.json anew")

// sampleSummary is a summary with something in each part.
func sampleSummary() *Summary {
	var tasks TaskCounter
	var latency Latency
	for range 4 {
		tasks.Trigger("agc")
		latency.Add("agc", 250*ms)
	}
	for _, cause := range []Cause{None, None, None, NoKey} {
		tasks.Decide(Task{"agc", cause, OTP, OTP, OTP})
	}
	r := NewRecovery(SafeHz, CalmNS, 100*ms)
	r.Fault(60*s, "+552 MW at bus 16")
	for t := 60 * s; t < 70*s; t += 100 * ms {
		x := 0.0
		if t < 61*s {
			x = -0.06
		}
		r.Add(t, x)
	}
	sum := NewSummary("S-1", "ieee39", 1)
	sum.DefinitionSHA256, sum.Complete = "3fa9", true
	sum.SimulatedS = 600
	sum.Tasks = SummarizeTasks(&tasks)
	sum.Recovery = SummarizeRecovery(r)
	sum.Latency = latency.ByClass()
	sum.Grid.DeltaFMaxHz, sum.Grid.DeltaFMaxAtS = 0.074, 60.41
	sum.Keys.Centre.Add(300, 1000)
	sum.Keys.UseCentre = sum.Keys.Centre.Ratio()
	sum.Conservation.Key = KeyBalance{InitialBits: 100, GeneratedBits: 1000, ConsumedBits: 300, DiscardedBits: 50, HeldBits: 750}
	sum.Conservation.Frames = FrameBalance{Sent: 10, Delivered: 6, Dropped: 3, InFlight: 1}
	return sum
}

// Other programs read these names: a change belongs into the CHANGELOG.
func TestSummaryKeepsItsNamesAndOrder(t *testing.T) {
	got, err := json.MarshalIndent(sampleSummary(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const path = "testdata/summary.json"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("summary\n%s\nwant\n%s", got, want)
	}
}

func TestSummaryReadsBack(t *testing.T) {
	first, err := json.Marshal(sampleSummary())
	if err != nil {
		t.Fatal(err)
	}
	var read Summary
	if err := json.Unmarshal(first, &read); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&read)
	if err != nil || string(again) != string(first) {
		t.Errorf("read back %s, %v; want %s", again, err, first)
	}
}

func TestEmptySummaryIsValidJSON(t *testing.T) {
	content, err := json.Marshal(NewSummary("S-1", "ieee39", 1))
	if err != nil || !json.Valid(content) {
		t.Fatalf("%s, %v", content, err)
	}
	if !strings.Contains(string(content), `"trr_s":null`) {
		t.Errorf("an undefined figure is not null: %s", content)
	}
}

func TestRecoverySummaryByHand(t *testing.T) {
	r := NewRecovery(SafeHz, CalmNS, 1*s)
	r.Fault(0, "a")
	for i := int64(0); i < 20; i++ {
		if i == 10 {
			r.Fault(10*s, "b")
		}
		x := 0.0
		if i < 1 || i >= 17 {
			x = 0.2
		} else if i >= 12 && i < 14 {
			x = -0.2
		}
		r.Add(i*s, x)
	}
	want := RecoverySummary{0.05, 3, 5, 1, []FaultSummary{{0, "a", 1, 1, true}, {10, "b", 5, 20, false}}}
	if got := SummarizeRecovery(r); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestFiguresHaveUniqueKeys(t *testing.T) {
	seen := map[string]Number{}
	for _, f := range sampleSummary().Figures() {
		if _, twice := seen[f.Key]; twice {
			t.Errorf("key %q twice", f.Key)
		}
		seen[f.Key] = f.Value
	}
	for key, want := range map[string]Number{"p_succ": 0.75, "delta_f_max_hz": 0.074, "key_use_centre": 0.3, "trr_s": 1, "p_succ/agc": 0.75, "latency_p50_s/agc": 0.25} {
		if seen[key] != want {
			t.Errorf("%s: %v, want %v", key, seen[key], want)
		}
	}
}

func TestBrokenBalancesAreNamed(t *testing.T) {
	sum := sampleSummary()
	if err := sum.Check(); err != nil {
		t.Fatal(err)
	}
	sum.Conservation.Key.HeldBits++
	sum.Conservation.Frames.Dropped--
	sum.Tasks.ByClass[0].Pending = -1
	want := "metrics: key is not conserved: 1100 bits came in, 1101 are accounted for\n" +
		"metrics: frames are not conserved: 10 sent, 9 accounted for\n" +
		"metrics: class agc has 5 outcomes of 4 tasks"
	if err := sum.Check(); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
