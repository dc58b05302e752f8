package terminal

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

// Summary prints the figures of one run so that the eye finds the answer.
func Summary(w io.Writer, r *experiment.Result) {
	s := r.Summary
	head := fmt.Sprintf("%s  %s  seed %d  %s", s.Experiment, s.Case, s.Seed, simulated(r))
	fmt.Fprintf(w, "%-60s%.1f s wall, %.0fx real time\n", head, r.WallS, r.Speed)
	p := figurePrinter{w, columns(w)}
	t := s.Tasks
	p.line("task success", percent(t.PSucc), "strict "+percent(t.PSuccStrict),
		fmt.Sprintf("failed %s of %s%s", thousands(t.Failed.Total()), thousands(t.Triggers), causes(t.Failed)))
	p.line("Δf_max", append([]string{fixed(s.Grid.DeltaFMaxHz, 3) + " Hz", "at " + fixed(s.Grid.DeltaFMaxAtS, 2) + " s"}, faultBefore(s)...)...)
	p.line("recovery", recovery(s.Recovery)...)
	p.line("key use", fmt.Sprintf("%s at the control centre (%s all links)", fixed(s.Keys.UseCentre, 2), fixed(s.Keys.UseAll, 2)),
		fmt.Sprintf("lowest pool %s %s kbit, K_safe %s kbit", strings.TrimPrefix(s.Keys.LowestPool, "pool/"), kilo(s.Keys.LowestPoolBits), kilo(s.Keys.SafePoolBits)))
	operators(p, s)
	for _, c := range s.Latency {
		if c.Class == "pmu" || c.Class == "shed" {
			p.line("latency "+c.Class, "p50 "+milli(c.P50S), "p99 "+milli(c.P99S), "max "+milli(c.MaxS)+" ms")
		}
	}
	if t := r.Decisions; t != nil {
		p.line("decisions", thousands(s.Decisions.Count),
			fmt.Sprintf("p50 %.1f ms  p99 %.1f ms  max %.0f ms", 1000*t.P50S, 1000*t.P99S, 1000*t.MaxS),
			fmt.Sprintf("gap p99 %s", percent(s.Decisions.GapP99)), fmt.Sprintf("%d missed", t.Missed))
	}
	if r.WorstLag > 0 {
		p.line("real time", fmt.Sprintf("at worst %.1f ms late", 1000*r.WorstLag.Seconds()))
	}
	if n := len(r.Recorded); n > 0 {
		p.line("recorded", count(n, "decision"), "(cosim decide "+r.Recorded[0]+")")
	}
	if f := r.Frames; f != nil {
		p.line("frames", thousands(f.Packets)+" packets", thousands(f.APDUs)+" APDUs", "(tshark -r "+f.Dir+"/wire.pcapng)")
	}
	if a := s.Attacks; a.Attempts() > 0 {
		p.line("attacks", fmt.Sprintf("%s succeeded of %s", thousands(a.Succeeded), thousands(a.Attempts())),
			fmt.Sprintf("tampered %s, replayed %s, injected %s, delayed %s, dropped %s",
				thousands(a.Tampered), thousands(a.Replayed), thousands(a.Injected), thousands(a.Delayed), thousands(a.Dropped)))
	}
	if r.Dir != "" {
		p.line("files", r.Dir+"/", next(r))
	}
}

// simulated says how long the run is, and how far it came if not to its end.
func simulated(r *experiment.Result) string {
	s := float64(r.Summary.SimulatedS)
	if r.Summary.Complete {
		return fmt.Sprintf("%.0f s", s)
	}
	return fmt.Sprintf("ended at %s of %.0f s", strconv.FormatFloat(s, 'f', -1, 64), r.Definition.Duration.Seconds())
}

// operators prints how they fared, where there are several.
func operators(p figurePrinter, s *metrics.Summary) {
	if len(s.Operators) == 0 {
		return
	}
	f := s.Fairness
	p.line("key fairness", "median "+fixed(f.Median, 3), "mean "+fixed(f.Mean, 3), "lowest "+fixed(f.Min, 3))
	for _, o := range s.Operators {
		p.line("  "+o.Operator, "task success "+percent(o.PSucc), "key granted "+percent(o.KeyShare)+" of "+thousands(o.KeyAskedBits/1e6)+" Mbit asked")
	}
}

// next says what can be done with the run's files.
func next(r *experiment.Result) string {
	return fmt.Sprintf("(open series.parquet, or: cosim report %s)", r.Dir)
}

// figurePrinter prints labelled lines that fit into the terminal.
type figurePrinter struct {
	w     io.Writer
	width int
}

// line prints a label and its parts; those for which there is no room go on
// the next line, below the first.
func (p figurePrinter) line(label string, parts ...string) {
	text := fmt.Sprintf("  %-14s %s", label, parts[0])
	for _, part := range parts[1:] {
		if longer := text + "   " + part; utf8.RuneCountInString(longer) <= p.width {
			text = longer
			continue
		}
		fmt.Fprintln(p.w, text)
		text = fmt.Sprintf("  %-14s %s", "", part)
	}
	fmt.Fprintln(p.w, text)
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
func faultBefore(s *metrics.Summary) (parts []string) {
	for _, f := range s.Recovery.Faults {
		if f.AtS <= s.Grid.DeltaFMaxAtS {
			parts = []string{fmt.Sprintf("after the fault at %.2f s", float64(f.AtS)), f.What}
		}
	}
	return parts
}

// recovery says how long the frequency was off after the faults.
func recovery(r metrics.RecoverySummary) []string {
	if len(r.Faults) == 0 {
		return []string{"no fault in this run"}
	}
	parts := []string{
		fmt.Sprintf("%s s mean of %d", fixed(r.TRRS, 1), len(r.Faults)), "longest " + fixed(r.TRRMaxS, 1) + " s",
		"|Δf| > " + fixed(r.DeltaFSafeHz, 2) + " Hz",
	}
	if r.Unreturned > 0 {
		parts = append(parts, fmt.Sprintf("%d not over at the end", r.Unreturned))
	}
	return parts
}
