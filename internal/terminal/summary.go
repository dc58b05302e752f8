package terminal

import (
	"fmt"
	"io"
	"strings"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

// Summary prints the figures of one run so that the eye finds the answer.
func Summary(w io.Writer, r *experiment.Result) {
	s := r.Summary
	head := fmt.Sprintf("%s  %s  seed %d  %.0f s", s.Experiment, s.Case, s.Seed, float64(s.SimulatedS))
	fmt.Fprintf(w, "%-60s%.1f s wall, %.0fx real time\n", head, r.WallS, r.Speed)
	line := func(label, format string, args ...any) {
		fmt.Fprintf(w, "  %-14s %s\n", label, fmt.Sprintf(format, args...))
	}
	t := s.Tasks
	line("task success", "%s   strict %s   failed %s of %s%s", percent(t.PSucc), percent(t.PSuccStrict),
		thousands(t.Failed.Total()), thousands(t.Triggers), causes(t.Failed))
	line("Δf_max", "%s Hz   at %s s%s", fixed(s.Grid.DeltaFMaxHz, 3), fixed(s.Grid.DeltaFMaxAtS, 2), faultBefore(s))
	line("recovery", "%s", recovery(s.Recovery))
	line("key use", "%s at the control centre (%s all links)   lowest pool %s %s kbit, K_safe %s", fixed(s.Keys.UseCentre, 2),
		fixed(s.Keys.UseAll, 2), strings.TrimPrefix(s.Keys.LowestPool, "pool/"), kilo(s.Keys.LowestPoolBits), kilo(s.Keys.SafePoolBits))
	for _, c := range s.Latency {
		if c.Class == "pmu" || c.Class == "shed" {
			line("latency "+c.Class, "p50 %s   p99 %s   max %s ms", milli(c.P50S), milli(c.P99S), milli(c.MaxS))
		}
	}
	if a := s.Attacks; a.Attempts() > 0 {
		line("attacks", "%s succeeded of %s   tampered %s, replayed %s, injected %s, delayed %s, dropped %s", thousands(a.Succeeded),
			thousands(a.Attempts()), thousands(a.Tampered), thousands(a.Replayed), thousands(a.Injected), thousands(a.Delayed), thousands(a.Dropped))
	}
	if r.Dir != "" {
		line("files", "%s/  (open series.parquet, or: cosim compare %s --paper)", r.Dir, r.Dir)
	}
}

func fixed(n metrics.Number, digits int) string {
	if !n.Defined() {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, float64(n))
}

func percent(n metrics.Number) string {
	if !n.Defined() {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n))
}

func kilo(n metrics.Number) string  { return fixed(n/1000, 0) }
func milli(n metrics.Number) string { return fixed(1000*n, 1) }

// thousands groups digits: 84,213.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func causes(c metrics.CauseCounts) string {
	var parts []string
	for _, x := range []struct {
		name string
		n    int64
	}{
		{"no-key", c.NoKey},
		{"link-down", c.LinkDown},
		{"late", c.Late},
		{"queue-drop", c.QueueDrop},
		{"rejected", c.Rejected},
		{"deactivated", c.Deactivated},
	} {
		if x.n > 0 {
			parts = append(parts, x.name+" "+thousands(x.n))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// faultBefore names the fault that came last before the largest deviation.
func faultBefore(s *metrics.Summary) string {
	what := ""
	for _, f := range s.Recovery.Faults {
		if f.AtS <= s.Grid.DeltaFMaxAtS {
			what = fmt.Sprintf(", after %s at %.2f s", f.What, float64(f.AtS))
		}
	}
	return what
}

// recovery says how long the frequency was off after the faults.
func recovery(r metrics.RecoverySummary) string {
	if len(r.Faults) == 0 {
		return "no fault in this run"
	}
	text := fmt.Sprintf("%s s mean of %d   longest %s s   |Δf| > %s Hz", fixed(r.TRRS, 1), len(r.Faults), fixed(r.TRRMaxS, 1), fixed(r.DeltaFSafeHz, 2))
	if r.Unreturned > 0 {
		text += fmt.Sprintf("   %d not over at the end", r.Unreturned)
	}
	return text
}
