package sweep

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cosim/internal/experiment"
)

func pointsOf(t interface{ Fatal(...any) }, text string) [][]string {
	p, err := read("sweep.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var list [][]string
	for _, values := range p.points {
		var one []string
		for _, v := range values {
			one = append(one, v.text)
		}
		list = append(list, one)
	}
	return list
}

const head = "experiment: S-2\nseeds: 1..2\n"

func TestWhatAFileAsksFor(t *testing.T) {
	for text, want := range map[string]string{
		"": "[[]]",
		"vary: {quantum.break_rate_hz: [0.1, 2e-1], reconfiguration.horizon: 4..5}":                                        "[[0.1 4] [0.1 5] [0.2 4] [0.2 5]]",
		"vary: {quantum.break_rate_hz: {from: 0, to: 0.3, steps: 4}}":                                                      "[[0] [0.1] [0.2] [0.3]]",
		"vary: {quantum.break_rate_hz: {from: 0.001, to: 1, steps: 4, scale: log}}":                                        "[[0.001] [0.01] [0.1] [1]]",
		"vary: {reconfiguration.horizon: {from: 1, to: 10, steps: 3}}":                                                     "[[1] [6] [10]]",
		"vary: {reconfiguration.period: {from: 100ms, to: 300ms, steps: 3}}":                                               "[[100ms] [200ms] [300ms]]",
		"vary: {keys.supply: [pool, store], keys.store: [{share: 0.3}]}":                                                   "[[pool {share: 0.3}] [store {share: 0.3}]]",
		"zip: {quantum.break_rate_hz: [1, 2], reconfiguration.horizon: [3, 4]}\nvary: {grid.avr: [true, false]}":           "[[true 1 3] [true 2 4] [false 1 3] [false 2 4]]",
		"zip: [{quantum.break_rate_hz: [1, 2], reconfiguration.horizon: 3..4}, {duration: [1s, 2s], grid.avr: [no, yes]}]": "[[1 3 1s no] [1 3 2s yes] [2 4 1s no] [2 4 2s yes]]",
	} {
		if got := fmt.Sprint(pointsOf(t, head+text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestSeedsAreRangesAndLists(t *testing.T) {
	for text, want := range map[string]string{"1..4": "[1 2 3 4]", "[7]": "[7]", "[3, 1, 5..6]": "[3 1 5 6]"} {
		p, err := read("s.yaml", []byte("experiment: S-2\nseeds: "+text))
		if err != nil || fmt.Sprint(p.sweep.Seeds) != want {
			t.Errorf("%s: %v %v", text, p, err)
		}
	}
}

// keysFor are keys whose values may be any whole numbers from 1 on.
var keysFor = []string{"quantum.break_rate_hz", "reconfiguration.horizon", "keys.cap_s", "keys.safe.messages_hz", "controller.agc_bias_mw_per_hz"}

// anyAxes draws axes with levels, and how many points their grid has.
func anyAxes(t *rapid.T) (text string, levels []int) {
	keys := rapid.Permutation(keysFor).Draw(t, "keys")[:rapid.IntRange(1, 4).Draw(t, "axes")]
	var out strings.Builder
	out.WriteString("vary:\n")
	for _, key := range keys {
		n := rapid.IntRange(1, 5).Draw(t, "levels")
		values := rapid.Permutation([]int{1, 2, 3, 4, 5, 6, 7}).Draw(t, "values")[:n]
		fmt.Fprintf(&out, "  %s: [%s]\n", key, strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ", "), "[]"))
		levels = append(levels, n)
	}
	return out.String(), levels
}

func product(levels []int) int {
	n := 1
	for _, l := range levels {
		n *= l
	}
	return n
}

func distinctPoints(t *rapid.T, points [][]string) {
	seen := map[string]bool{}
	for _, p := range points {
		if seen[fmt.Sprint(p)] {
			t.Fatalf("%v stands twice", p)
		}
		seen[fmt.Sprint(p)] = true
	}
}

func TestGridHasEveryCombinationOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, levels := anyAxes(t)
		points := pointsOf(t, head+text)
		if len(points) != product(levels) {
			t.Fatalf("%d points of levels %v", len(points), levels)
		}
		distinctPoints(t, points)
	})
}

func TestSampleIsOfTheGridAndRepeatable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, levels := anyAxes(t)
		n := rapid.IntRange(1, 40).Draw(t, "n")
		method := rapid.SampledFrom([]string{latinHypercube, randomly}).Draw(t, "method")
		sampled := fmt.Sprintf("%ssample: {method: %s, n: %d, seed: %d}\n", text, method, n, rapid.Uint64().Draw(t, "seed"))
		points, whole := pointsOf(t, head+sampled), pointsOf(t, head+text)
		if len(points) > min(n, product(levels)) || len(points) == 0 {
			t.Fatalf("%d points of %d asked for", len(points), n)
		}
		distinctPoints(t, points)
		for _, p := range points {
			if !slices.ContainsFunc(whole, func(q []string) bool { return slices.Equal(p, q) }) {
				t.Fatalf("%v is not of the grid", p)
			}
		}
		if again := pointsOf(t, head+sampled); fmt.Sprint(again) != fmt.Sprint(points) {
			t.Fatal("sampled again it is another one")
		}
	})
}

func TestLatinHypercubeHasOnePointAPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 50).Draw(t, "n")
		text := fmt.Sprintf("%svary: {quantum.break_rate_hz: {from: 0, to: 1}, keys.cap_s: {from: 10, to: 20}}\nsample: {method: latin-hypercube, n: %d, seed: %d}\n", head, n, rapid.Uint64().Draw(t, "seed"))
		points := pointsOf(t, text)
		if len(points) != n {
			t.Fatalf("%d points of %d", len(points), n)
		}
		for axis, a := range []struct{ from, to float64 }{{0, 1}, {10, 20}} {
			taken := make([]bool, n)
			for _, p := range points {
				var x float64
				fmt.Sscan(p[axis], &x)
				part := min(int((x-a.from)/(a.to-a.from)*float64(n)), n-1)
				if taken[part] {
					t.Fatalf("axis %d: part %d of %d has two points", axis, part, n)
				}
				taken[part] = true
			}
		}
	})
}

// The name of a run depends on its experiment and seed alone.
func TestRunsKeepTheirNamesWhenTheFileGrows(t *testing.T) {
	names := func(text string) map[string]bool {
		s := sweepOf(t, text)
		ids := map[string]bool{}
		for i := range s.Points {
			for _, seed := range s.Seeds {
				ids[s.Points[i].RunID(seed)] = true
			}
		}
		if len(ids) != len(s.Points)*len(s.Seeds) {
			t.Errorf("%d names for %d points and %d seeds", len(ids), len(s.Points), len(s.Seeds))
		}
		return ids
	}
	small := names("experiment: S-2\nseeds: [2]\nset: {disturbances.contingencies.count: 0, disturbances.surges.count: 0}\nvary: {quantum.break_rate_hz: [0.01], duration: [60s]}\n")
	large := names("name: other\nexperiments: [S-1, S-2]\nseeds: 1..3\nset: {duration: 60s, disturbances.contingencies.count: 0, disturbances.surges.count: 0}\nvary: {quantum.break_rate_hz: [0.1, 1e-2]}\n")
	if len(small) != 1 || len(large) != 12 {
		t.Fatalf("%d and %d runs", len(small), len(large))
	}
	for id := range small {
		if !large[id] {
			t.Errorf("%s has another name in the larger sweep: %v", id, large)
		}
	}
}

func TestExperimentsOfOneNameAreToldApart(t *testing.T) {
	s := sweepOf(t, "experiments: [S-3, S-3-greedy]\nseeds: [1]\n")
	if s.Points[0].Label == s.Points[1].Label {
		t.Errorf("both are %s", s.Points[0].Label)
	}
}

func TestValuesHaveTheirKeysType(t *testing.T) {
	for _, c := range []struct {
		kind experiment.Kind
		text string
		want any
	}{
		{experiment.KindNumber, "1e-3", 0.001},
		{experiment.KindWhole, "4", int64(4)},
		{experiment.KindSwitch, "true", true},
		{experiment.KindDuration, "300ms", 0.3},
		{experiment.KindWord, "pool", "pool"},
		{experiment.KindGroup, "{a: 1}", "{a: 1}"},
	} {
		if got := (&Axis{Kind: c.kind}).Parse(c.text); got != c.want {
			t.Errorf("%s: %v (%T), want %v", c.text, got, got, c.want)
		}
	}
}
