package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cosim/grid"
)

func twoModes(real float64) *grid.Modes {
	return &grid.Modes{Case: &grid.Case{Name: "pair"}, Modes: []grid.Mode{
		{
			Real: real, Imag: 6, FreqHz: 6 / (2 * math.Pi), DampingRatio: -real / math.Hypot(real, 6),
			Participation: []grid.Participation{{State: "speed 1", Share: 0.3}, {State: "angle 2", Share: 0.26}, {State: "speed 2", Share: 0.25}, {State: "angle 1", Share: 0.1}, {State: "valve 3", Share: 0.04}},
		},
		{Real: -2, DampingRatio: 1, Participation: []grid.Participation{{State: "valve 1", Share: 0.9}, {State: "speed 1", Share: 0.1}}},
	}}
}

func TestGrowingModeIsCalledUnstable(t *testing.T) {
	for _, tc := range []struct {
		real          float64
		verdict, flag string
	}{
		{0.1, "verdict        UNSTABLE: 1 mode with an eigenvalue right of the axis\n", "\n !! "},
		{-0.1, "verdict        stable\n", "\n ! "},
		{-1, "verdict        stable\n", "\n  "},
	} {
		var b bytes.Buffer
		if err := Modes(&b, twoModes(tc.real), grid.Options{}, false, Text); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), tc.verdict) || !strings.Contains(b.String(), tc.flag) {
			t.Errorf("real part %g:\n%s", tc.real, b.String())
		}
	}
}

func TestModeNamesItsGeneratorsByTheSumOfTheirStates(t *testing.T) {
	m := twoModes(-0.1)
	if got, want := generators(&m.Modes[0]), "2 (51), 1 (40)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if a, b := kind(&m.Modes[0]), kind(&m.Modes[1]); a != "swing" || b != "governor" {
		t.Errorf("kinds %s and %s", a, b)
	}
}

func TestSheetIsTheSameTableInEveryFormat(t *testing.T) {
	s := &sheet{columns: []column{{"bus", "bus", 0}, {"power_mw", "P / MW", 1}, {"limit_mw", "limit / MW", 0}, {"remark", "remark", 0}}}
	s.add("7", -0.04, math.Inf(1), "")
	s.add("8", 12.345, nil, "")
	var text, csv bytes.Buffer
	s.print(&text, all(2), func(int) bool { return false })
	if err := s.writeCSV(&csv); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		" bus  P / MW  limit / MW\n─────────────────────────\n 7       0.0           –\n 8      12.3\n",
		"bus,power_mw,limit_mw,remark\n7,-0.04,+Inf,\n8,12.345,,\n",
		`[{"bus":"7","power_mw":-0.04,"limit_mw":null,"remark":""},{"bus":"8","power_mw":12.345,"limit_mw":null,"remark":""}]`,
	}
	if d := cmp.Diff(want, []string{text.String(), csv.String(), string(data)}); d != "" {
		t.Error(d)
	}
}

func TestNumbersHaveNoNegativeZero(t *testing.T) {
	for want, got := range map[string]string{
		"0.00":  decimal(-0.001, 2),
		"-0.01": decimal(-0.01, 2),
		"0.0":   signed(-0.01, 1),
		"+0.1":  signed(0.1, 1),
		"–":     decimal(math.NaN(), 1),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A generator that does not run draws no line, and the extreme of a rise is a
// peak.
func TestFigureShowsWhatRuns(t *testing.T) {
	c := &grid.Case{Name: "trio"}
	for i := range 3 {
		c.Gens = append(c.Gens, grid.Gen{Bus: fmt.Sprint(i), InService: i != 1})
	}
	s := &Step{
		StepResponse: &grid.StepResponse{
			Case: c, NadirHz: 0.02, NadirAtS: 1, TimeS: []float64{0, 1, 2}, COIFreqHz: []float64{0, 0.02, 0.01},
			GenFreqHz:          [][]float64{{0, 0, 0}, {0.02, 0, 0.02}, {0.01, 0, 0.01}},
			BeforeMechanicalMW: []float64{1, 0, 50},
		},
		Event: grid.Event{TripGen: "2"},
	}
	f := s.Figure()
	var labels []string
	for _, l := range f.Panels[0].Lines {
		labels = append(labels, l.Label)
	}
	if d := cmp.Diff([]string{"generator 0", "centre of inertia"}, labels); d != "" || len(f.Panels) != 1 {
		t.Error(d)
	}
	if f.Title != "trio: trip of generator 2 (50 MW)" || f.Panels[0].Marks[0].Text != "peak +0.0200 Hz at 1.00 s" {
		t.Errorf("%q, %q", f.Title, f.Panels[0].Marks[0].Text)
	}
}

func TestHeadFitsOnALineOrTakesTwo(t *testing.T) {
	for _, tc := range []struct {
		what, how int
		want      []int
	}{{20, 30, []int{90}}, {20, 45, []int{67}}, {60, 38, []int{100}}, {60, 39, []int{60, 41}}} {
		var b bytes.Buffer
		head(&b, strings.Repeat("a", tc.what), strings.Repeat("ü", tc.how))
		var got []int
		for line := range strings.Lines(b.String()) {
			got = append(got, len([]rune(line))-1)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%d and %d letters: %s", tc.what, tc.how, d)
		}
	}
}
