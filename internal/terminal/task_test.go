package terminal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

func TestFailedTaskShowsItsReasonFirst(t *testing.T) {
	x := &experiment.TaskTrace{
		Experiment: "S-3", Seed: 1, Task: 39869, Chain: "pmu-34", Class: "pmu", Element: "pmu/34", Priority: 3,
		Trigger: "periodic", TriggerS: 313.2, DeadlineS: 313.3, Wished: "otp", Weakest: "aes", Attempts: 1,
		Plan:    experiment.TracePlan{Route: "IED-pmu-34>RTU34>GW2>CC", Mode: "otp", SinceS: metrics.Undefined},
		Outcome: "failure", Cause: "link-down", Mode: "otp", Why: strings.Repeat("link CC-GW2 was down; ", 12),
		Steps: []experiment.TraceStep{
			{AtS: 313.2, Where: "IED-pmu-34>RTU34", Text: "waits 0 ms"},
			{AtS: 313.21, Where: "GW2", Text: strings.Repeat("sends nothing ", 12), Cause: "link-down"},
		},
	}
	var b bytes.Buffer
	Task(&b, x)
	out := b.String()
	if n := text.LongestLineLen(out); n > widest {
		t.Errorf("%d columns:\n%s", n, out)
	}
	expect(t, out, "S-3  seed 1  task 39,869: pmu-34", "FAILED: link-down\n", "why            link CC-GW2 was down; ",
		"313.2100     10.00  GW2              sends nothing ")
	if strings.Index(out, "why") > strings.Index(out, "at / s") || strings.Contains(out, "since") {
		t.Error(out)
	}
}

func TestOnlyTheFirstFailedTasksAreListed(t *testing.T) {
	f := &experiment.FailedTasks{Run: "runs/S-3-1", Causes: []experiment.CauseCount{{Cause: "late", Count: 40}}}
	for range 40 {
		f.Tasks = append(f.Tasks, experiment.FailedTask{Name: "agc-30@2.01s", Class: "agc", Mode: "otp", Cause: "late"})
	}
	for _, c := range []struct {
		whole bool
		lines int
		more  bool
	}{{false, fewTasks, true}, {true, 40, false}} {
		var b bytes.Buffer
		FailedTasks(&b, f, c.whole)
		if n := strings.Count(b.String(), " agc-30@2.01s  agc"); n != c.lines || strings.Contains(b.String(), "10 more: --all") != c.more {
			t.Errorf("%d lines:\n%s", n, b.String())
		}
		expect(t, b.String(), "40 tasks failed: late 40\n", "why: cosim trace runs/S-3-1 agc-30@2.01s\n")
	}
}
