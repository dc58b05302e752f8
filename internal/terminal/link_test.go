package terminal

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"cosim/internal/experiment"
)

func studyOf(t *testing.T, models []string, lengths ...float64) *experiment.LinkStudy {
	t.Helper()
	d, err := experiment.Load("S-3", experiment.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := experiment.StudyLinks(d, models, lengths)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLinksOfPublishedSystemsWithoutClockHaveNoModelBeside(t *testing.T) {
	var b bytes.Buffer
	if err := Links(&b, studyOf(t, experiment.LinkModels(), 20), true, JSON); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Published []map[string]any
		Distances []map[string]any
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if n := len(got.Distances); n != 4 {
		t.Errorf("%d rows for four models at one distance", n)
	}
	for _, row := range got.Published {
		if (row["clock_hz"] == nil) != (row["bb84-decoy_bps"] == nil) {
			t.Errorf("%v: clock %v, model %v", row["system"], row["clock_hz"], row["bb84-decoy_bps"])
		}
	}
}

func TestLinkWithoutKeySaysSo(t *testing.T) {
	s := studyOf(t, []string{"bb84-decoy"}, 900)
	var b bytes.Buffer
	if err := Links(&b, s, false, Text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "none (50.00)") {
		t.Errorf("900 km of fibre:\n%s", b.String())
	}
}
