package terminal

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

func result(name string) *experiment.Result {
	s := metrics.NewSummary(name, "ieee39", 1)
	s.Complete, s.SimulatedS = true, 600
	s.Grid.DeltaFMaxHz, s.Grid.DeltaFMaxAtS = 0.092, 156.74
	s.Recovery.Faults = []metrics.FaultSummary{{AtS: 151.33, What: "+548 MW at bus 16 (area-3), fibre CC-GW3 down 14.9 s from 152.00 s"}}
	s.Keys.LowestPool, s.Keys.LowestPoolBits, s.Keys.SafePoolBits = "pool/CC-GW4", 47568, 34000
	s.Attacks = metrics.AttackSummary{Tampered: 2283, Replayed: 1799, Injected: 4842, Delayed: 1777, Dropped: 1776}
	return &experiment.Result{Definition: &experiment.Definition{Name: name, Duration: 600 * time.Second}, Summary: s, Dir: "runs/" + name + "-1", WallS: 2, Speed: 300}
}

func TestSummaryFitsIntoTheTerminal(t *testing.T) {
	var b bytes.Buffer
	Summary(&b, result("S-6"))
	if n := text.LongestLineLen(b.String()); n > widest {
		t.Errorf("%d columns:\n%s", n, b.String())
	}
	for _, want := range []string{"lowest pool CC-GW4 48 kbit, K_safe 34 kbit", "after the fault at 151.33 s\n                 +548 MW at bus 16"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestSummaryOffersTheReportOfEveryRun(t *testing.T) {
	incomplete := result("S-2")
	incomplete.Summary.Complete, incomplete.Summary.SimulatedS = false, 18.07
	for _, tc := range []struct {
		result *experiment.Result
		length string
	}{{result("S-2"), "seed 1  600 s "}, {result("mine"), "seed 1  600 s "}, {incomplete, "ended at 18.07 of 600 s"}} {
		var b bytes.Buffer
		Summary(&b, tc.result)
		if offer := "(open series.parquet, or: cosim report " + tc.result.Dir + ")"; !strings.Contains(b.String(), offer) || !strings.Contains(b.String(), tc.length) {
			t.Errorf("want %q and %q in\n%s", offer, tc.length, b.String())
		}
	}
}
