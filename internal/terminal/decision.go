package terminal

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

// Decision explains a recorded decision: how good it is, what key is worth in
// each pool, what the chains do and what they would do with more key. With
// whole it shows every chain, otherwise those that matter.
func Decision(w io.Writer, e *experiment.Explanation, whole bool) {
	decisionSummary(w, e)
	fmt.Fprintf(w, "\npools: key in kbit, over %s\n", horizon(e))
	poolSheet(e).print(w, all(len(e.Pools)), func(int) bool { return false })
	worth(w, e, whole)
	rows, title := chainsThatMatter(e), "chains, key in bit: those that change, are off, or come nearest to another option"
	if whole || len(rows) == len(e.Chains) {
		rows, title = all(len(e.Chains)), "chains, key in bit"
	}
	fmt.Fprintf(w, "\n%s (%d of %d)\n", title, len(rows), len(e.Chains))
	chainSheet(e).print(w, rows, func(r int) bool { return e.Chains[r].Off && e.Chains[r].Messages > 0 })
	legend := "\n"
	if slices.ContainsFunc(e.Chains, func(c experiment.ChainFigures) bool { return c.CostsMore.Defined() }) {
		fmt.Fprintf(w, "%sinstead: what else would cost least at these prices of key, and how much more (below 0: the gap)\n", legend)
		legend = ""
	}
	if len(rows) < len(e.Chains) {
		fmt.Fprintf(w, "%sall chains: --chains\n", legend)
	}
}

func horizon(e *experiment.Explanation) string {
	if e.HorizonS > 0 {
		return fmt.Sprintf("the next %s s", seconds(e.HorizonS))
	}
	return count(e.Steps, "step")
}

func decisionSummary(w io.Writer, e *experiment.Explanation) {
	start := "cold"
	if e.Warm {
		start = "warm"
	}
	fmt.Fprintf(w, "%-60s%s\n", fmt.Sprintf("%s  seed %d  decision at %s s", e.Experiment, e.Seed, decisionTime(e.AtS)),
		fmt.Sprintf("%s, %s, %s", e.Solver, start, wallTime(e.WallS)))
	p := figurePrinter{w, columns(w)}
	o := &e.Outcome
	p.line("objective", fixed(o.Objective, 4), terms(o))
	p.line("bound", fixed(o.Bound, 4), fmt.Sprintf("gap %s: a better plan saves at most %s", gapPercent(o.Gap), fixed(o.Objective-o.Bound, 4)))
	p.line("work", limited(o.Evaluations, e.Budget.Evaluations, "evaluation"), limited(o.Nodes, e.Budget.Nodes, "node"),
		limited(o.Pivots, e.Budget.Pivots, "pivot"), count(o.Columns, "column"), count(o.Rows, "row"))
	if !o.Feasible {
		p.line("infeasible", "the plan breaks a chance constraint")
	}
	for _, r := range e.Relaxed {
		p.line("relaxed", fmt.Sprintf("%s, step %d: %s bit are missing%s", r.Pool, r.Step, thousands(int64(math.Ceil(r.Bits))), aboveSafe(r.AboveSafe)))
	}
	p.line("recorded", verdict(e)...)
	p.line("plan", census(e)...)
}

func aboveSafe(above bool) string {
	if above {
		return " above K_safe"
	}
	return ""
}

// verdict says how the decision compares with that of the run.
func verdict(e *experiment.Explanation) []string {
	r := &e.Recorded
	switch {
	case e.Changed:
		return []string{"solved otherwise than in the run, which found " + fixed(r.Objective, 4), fmt.Sprintf("bound %s, gap %s", fixed(r.Bound, 4), gapPercent(r.Gap))}
	case e.Difference != "":
		return []string{"DIFFERENT: " + e.Difference, fmt.Sprintf("by version %s: objective %s, bound %s", e.Program, fixed(r.Objective, 4), fixed(r.Bound, 4))}
	}
	return []string{"the same plan, bound and work, to the last bit"}
}

// terms are the parts of the objective that are not zero.
func terms(o *experiment.Outcome) string {
	var parts []string
	for _, t := range []struct {
		name  string
		value metrics.Number
	}{{"service", o.Service}, {"switching", o.Switching}, {"stock missing at the end", o.Terminal}, {"pending commands", o.Pending}, {"grid", o.Grid}} {
		if math.Abs(float64(t.value)) >= 5e-5 {
			parts = append(parts, t.name+" "+fixed(t.value, 4))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "= " + strings.Join(parts, " + ")
}

// census counts what the chains do.
func census(e *experiment.Explanation) []string {
	off, changed := 0, 0
	for i := range e.Chains {
		c := &e.Chains[i]
		if c.Off {
			off++
		}
		if c.Before != "" && c.Before != c.Now {
			changed++
		}
	}
	return []string{fmt.Sprintf("%s, %d off", count(len(e.Chains), "chain"), off), fmt.Sprintf("%d with another option than before", changed)}
}

func limited(n, limit int, noun string) string {
	if limit == 0 {
		return count(n, noun)
	}
	text := fmt.Sprintf("%d of %s", n, count(limit, noun))
	if n >= limit {
		text += " (used up)"
	}
	return text
}

// gapPercent shows small gaps too.
func gapPercent(gap metrics.Number) string { return fixed(100*gap, 2) + " %" }

func wallTime(s float64) string { return fmt.Sprintf("%.1f ms", 1000*s) }

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', -1, 64) }

// decisionTime is that of the recording's file name.
func decisionTime(s float64) string {
	if s == math.Trunc(s) {
		return fixed(metrics.Number(s), 1)
	}
	return seconds(s)
}

func poolSheet(e *experiment.Explanation) *sheet {
	s := &sheet{columns: []column{
		{head: "pool"},
		{head: "stock now", decimals: 1},
		{head: "K_safe", decimals: 1},
		{head: "K_th", decimals: 1},
		{head: "supply counted on", decimals: 1},
		{head: "± sd", decimals: 1},
		{head: "planned draw", decimals: 1},
		{head: "unplanned", decimals: 1},
		{head: "± sd", decimals: 1},
		{head: "left", decimals: 1},
	}}
	for i := range e.Pools {
		p := &e.Pools[i]
		s.add(p.Pool, p.StockBits/1000, p.ReserveBits/1000, p.ThresholdBits/1000, p.SupplyBits/1000, p.SupplySDBits/1000,
			p.DrawBits/1000, p.UnplannedBits/1000, p.UnplannedSD/1000, (p.StockBits+p.SupplyBits-p.DrawBits-p.UnplannedBits)/1000)
	}
	return s
}

// fewChanges is how many chains are named that a kilobit would change.
const fewChanges = 6

// worth says what a kilobit more is worth in each pool where it is worth
// anything, and what it would change.
func worth(w io.Writer, e *experiment.Explanation, whole bool) {
	s := &sheet{columns: []column{
		{head: "pool"},
		{head: "in stock", decimals: 4},
		{head: "above K_safe", decimals: 4},
		{head: "at the end", decimals: 4},
		{head: "solved again", decimals: 4},
		{head: "its bound", decimals: 4},
		{head: "chains changed", decimals: 0},
	}}
	for i := range e.Pools {
		p := &e.Pools[i]
		cells := []any{price(1000 * p.StockPrice), price(1000 * p.AboveSafePrice), price(1000 * p.TerminalPrice), price(-p.More.Objective)}
		if !slices.ContainsFunc(cells, func(c any) bool { return c != nil }) {
			continue
		}
		cells = append(cells, price(-p.More.Bound))
		var changed any
		if n := len(p.More.Chains); n > 0 {
			changed = float64(n)
		}
		s.add(append(append([]any{p.Pool}, cells...), changed)...)
	}
	if len(s.rows) == 0 {
		fmt.Fprintf(w, "\nno pool is short: a kilobit more would change nothing\n")
		return
	}
	fmt.Fprintf(w, "\nwhat a kilobit more would save: by its prices, and with the decision made again\n")
	s.print(w, all(len(s.rows)), func(int) bool { return false })
	for i := range e.Pools {
		p := &e.Pools[i]
		var parts []string
		for _, c := range p.More.Chains {
			parts = append(parts, fmt.Sprintf("%s %s → %s", c.Chain, c.From, c.To))
		}
		if more := len(parts) - fewChanges; more > 0 && !whole {
			parts = append(parts[:fewChanges], fmt.Sprintf("%d more", more))
		}
		if len(parts) > 0 {
			figurePrinter{w, columns(w)}.line("  "+p.Pool, joined(parts)...)
		}
	}
}

// price is a cell for what is worth anything.
func price(x metrics.Number) any {
	if !x.Defined() || math.Abs(float64(x)) < 5e-5 {
		return nil
	}
	return float64(x)
}

// joined puts commas behind all but the last.
func joined(parts []string) []string {
	for i := range len(parts) - 1 {
		parts[i] += ","
	}
	return parts
}

// chainsThatMatter are those that change or are off although they have
// messages, then those with messages nearest to another option, the dearest first.
func chainsThatMatter(e *experiment.Explanation) []int {
	rank := func(r int) float64 {
		c := &e.Chains[r]
		switch {
		case c.Before != "" && c.Before != c.Now:
			return math.Inf(-1)
		case c.Off && c.Messages > 0:
			return -math.MaxFloat64
		case !(c.Messages > 0) || !c.CostsMore.Defined():
			return math.Inf(1)
		}
		return math.Round(1e6 * float64(c.CostsMore)) // what rounding left is no difference
	}
	rows := all(len(e.Chains))
	slices.SortStableFunc(rows, func(a, b int) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(e.Chains[b].Cost, e.Chains[a].Cost))
	})
	return rows[:min(shortTable, len(rows))]
}

func chainSheet(e *experiment.Explanation) *sheet {
	s := &sheet{columns: []column{
		{head: "chain"},
		{head: "before"},
		{head: "now"},
		{head: "messages", decimals: 1},
		{head: "key", decimals: 0},
		{head: "cost", decimals: 4},
		{head: "instead"},
		{head: "more", decimals: 4},
	}}
	for i := range e.Chains {
		c := &e.Chains[i]
		before := c.Before
		if before == c.Now {
			before = "="
		}
		s.add(c.Chain, before, c.Now, optional(c.Messages), c.DrawBits, float64(c.Cost), c.RunnerUp, optional(c.CostsMore))
	}
	return s
}

// optional is a cell for a number that may not be there.
func optional(x metrics.Number) any {
	if !x.Defined() {
		return nil
	}
	return float64(x)
}
