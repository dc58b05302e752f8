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
	good := func(int) bool { return false }
	lost := func(r int) bool { return e.Chains[r].Off && e.Chains[r].Messages > 0 }
	decisionSummary(w, e)
	standing(w, e)
	fmt.Fprintf(w, "\npools: key in kbit, over %s\n", horizon(e))
	hidden := poolSheet(e).fit(w, all(len(e.Pools)), good, "± sd", "unplanned", "planned draw")
	worth(w, e, whole)
	rows, title := chainsThatMatter(e), "chains, key in bit: those that change, are off, or come nearest to another option"
	if !slices.ContainsFunc(e.Chains, func(c experiment.ChainFigures) bool { return c.CostsMore.Defined() }) {
		title = "chains, key in bit: those that change, are off, or cost most"
	}
	if whole || len(rows) == len(e.Chains) {
		rows, title = all(len(e.Chains)), "chains, key in bit"
	}
	fmt.Fprintln(w)
	printWrapped(w, fmt.Sprintf("%s (%d of %d)", title, len(rows), len(e.Chains)))
	hidden = append(hidden, chainSheet(e).fit(w, rows, lost, "messages", "key", "before")...)
	legend := chainLegend(e)
	if len(rows) < len(e.Chains) {
		legend = append(legend, "all chains: --chains")
	}
	if len(hidden) > 0 {
		legend = append(legend, "no room here for "+strings.Join(hidden, ", ")+": all in --json")
	}
	for i, line := range legend {
		if i == 0 {
			fmt.Fprintln(w)
		}
		printWrapped(w, line)
	}
}

// printWrapped prints a line in as many as there is room for.
func printWrapped(w io.Writer, line string) {
	for _, part := range wrapped(line, columns(w)) {
		fmt.Fprintln(w, part)
	}
}

// chainLegend says what "instead" is, and of whose chains it is not there.
func chainLegend(e *experiment.Explanation) (lines []string) {
	if slices.ContainsFunc(e.Chains, func(c experiment.ChainFigures) bool { return c.CostsMore.Defined() }) {
		lines = append(lines, "instead: what else would cost least at these prices of key, and how much more (below 0: the gap)")
	}
	switch {
	case e.PricesOf == experiment.OfFollowers:
		lines = append(lines, "instead is shown of followers alone: the prices are theirs, "+e.Standing.Leader+" looks at what they answer")
	case e.BoundOf == experiment.OfShares:
		lines = append(lines, "instead is not shown: key has other prices within each operator's share")
	}
	return lines
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
	p.line("solver", solverInWords(e)...)
	p.line("objective", joinedTerms(fixed(o.Objective, 4), terms(o))...)
	p.line("bound", boundInWords(e)...)
	p.line("work", work(e)...)
	if !o.Feasible {
		p.line("infeasible", "the plan breaks a chance constraint")
	}
	for _, r := range e.Relaxed {
		p.line("relaxed", fmt.Sprintf("%s, step %d: %s bit are missing%s", r.Pool, r.Step, thousands(int64(math.Ceil(r.Bits))), aboveSafe(r.AboveSafe)))
	}
	p.line("recorded", verdict(e)...)
	p.line("plan", census(e)...)
}

// solverInWords says who plans for whom.
func solverInWords(e *experiment.Explanation) []string {
	s := e.Standing
	switch {
	case e.Solver == "greedy":
		return []string{"greedy: chain by chain, the dearest first"}
	case s == nil || e.Solver == "misocp":
		return []string{"misocp: one plan for all chains, by branch and bound"}
	case e.Solver == "shares" && s.Accounts:
		return []string{fmt.Sprintf("shares: each of %s plans alone on its own accounts", count(len(s.Operators), "operator"))}
	case e.Solver == "shares":
		return []string{fmt.Sprintf("shares: each of %s plans alone on 1/%d of every pool", count(len(s.Operators), "operator"), len(s.Operators))}
	}
	end := "ended by the limit"
	if s.Converged {
		end = "ended: no change tried makes " + s.Leader + " better off"
	}
	return []string{
		fmt.Sprintf("stackelberg: a game that %s leads, %s", s.Leader, count(len(s.Operators)-1, "follower")),
		fmt.Sprintf("%d of at most %s", s.Rounds, count(s.RoundsLimit, "round")), end,
	}
}

// boundInWords says what is proved, and of what.
func boundInWords(e *experiment.Explanation) []string {
	o := &e.Outcome
	gap, most := "gap "+gapPercent(o.Gap), ""
	if s := e.Standing; s != nil && s.Residual.Defined() {
		most = fixed(s.Residual, 4)
	}
	switch e.BoundOf {
	case experiment.OfFollowers:
		return []string{
			"of the followers' answer: another saves them at most " + most, gap, "nothing is proved of " + e.Standing.Leader + "'s plan",
		}
	case experiment.OfShares:
		return []string{
			"of plans within the shares: others save at most " + most + " together", gap, "sharing otherwise may save more",
		}
	case experiment.OfNothing:
		return []string{"none: nobody follows " + e.Standing.Leader + ", and nothing is proved of its plan"}
	}
	return []string{fixed(o.Bound, 4), fmt.Sprintf("%s: a better plan saves at most %s", gap, fixed(o.Objective-o.Bound, 4))}
}

// work of one search stands beside its limits, that of several in sum; greedy
// has none.
func work(e *experiment.Explanation) []string {
	o, limits := &e.Outcome, e.Budget
	of := ""
	switch {
	case e.BoundOf != experiment.OfAll:
		of, limits = "in all searches: ", experiment.BudgetLimits{}
	case e.Solver == "greedy":
		limits = experiment.BudgetLimits{}
	}
	return []string{
		of + limited(o.Evaluations, limits.Evaluations, "evaluation"), limited(o.Nodes, limits.Nodes, "node"),
		limited(o.Pivots, limits.Pivots, "pivot"), count(o.Columns, "column"), count(o.Rows, "row"),
	}
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
	case e.Changed && e.Solver != e.RecordedSolver:
		return []string{fmt.Sprintf("solved otherwise than in the run: %s found %s", e.RecordedSolver, fixed(r.Objective, 4))}
	case e.Changed:
		return []string{"solved otherwise than in the run, which found " + fixed(r.Objective, 4), fmt.Sprintf("bound %s, gap %s", fixed(r.Bound, 4), gapPercent(r.Gap))}
	case e.Difference != "":
		return []string{"DIFFERENT: " + e.Difference, fmt.Sprintf("by version %s: objective %s, bound %s", e.Program, fixed(r.Objective, 4), fixed(r.Bound, 4))}
	}
	return []string{"the same plan, bound and work, to the last bit"}
}

// terms are the parts of the objective that are not zero.
func terms(o *experiment.Outcome) (parts []string) {
	for _, t := range []struct {
		name  string
		value metrics.Number
	}{{"service", o.Service}, {"switching", o.Switching}, {"stock missing at the end", o.Terminal}, {"pending commands", o.Pending}, {"grid", o.Grid}} {
		if math.Abs(float64(t.value)) >= 5e-5 {
			parts = append(parts, t.name+" "+fixed(t.value, 4))
		}
	}
	return parts
}

// joinedTerms are a value and the terms that it is the sum of.
func joinedTerms(value string, terms []string) []string {
	for i := range terms {
		sign := "+ "
		if i == 0 {
			sign = "= "
		}
		terms[i] = sign + terms[i]
	}
	return append([]string{value}, terms...)
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
	good := func(int) bool { return false }
	s := worthSheet(e)
	if len(s.rows) == 0 {
		fmt.Fprintf(w, "\nno pool is short: a kilobit more would change nothing\n")
		return
	}
	fmt.Fprintln(w)
	printWrapped(w, "what a kilobit more would save: "+savedHow(e))
	s.fit(w, all(len(s.rows)), good, "in stock", "above K_safe", "chains changed")
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

// savedHow says where the savings come from.
func savedHow(e *experiment.Explanation) string {
	switch {
	case e.PricesOf == experiment.OfFollowers:
		return "by the followers' prices, and all with the game played again"
	case e.BoundOf == experiment.OfNothing:
		return "with the game played again"
	case e.BoundOf == experiment.OfShares:
		return fmt.Sprintf("with all decisions made again, 1/%d of it for each", len(e.Standing.Operators))
	}
	if e.PricesOf == experiment.OfNothing {
		return "with the decision made again"
	}
	return "by its prices, and with the decision made again"
}

func worthSheet(e *experiment.Explanation) *sheet {
	s := &sheet{columns: []column{{head: "pool"}, {head: "in stock", decimals: 4}, {head: "above K_safe", decimals: 4}, {head: "at the end", decimals: 4}}}
	several := e.Standing != nil && len(e.Pools) > 0 && e.Pools[0].More.Operators != nil
	if several {
		for _, o := range e.Standing.Operators {
			s.columns = append(s.columns, column{head: o.Operator, decimals: 4})
		}
		s.columns = append(s.columns, column{head: "shared", decimals: 4}, column{head: "together", decimals: 4})
	} else {
		s.columns = append(s.columns, column{head: "solved again", decimals: 4}, column{head: "its bound", decimals: 4})
	}
	s.columns = append(s.columns, column{head: "chains changed", decimals: 0})
	for i := range e.Pools {
		p := &e.Pools[i]
		cells := []any{p.Pool, price(1000 * p.StockPrice), price(1000 * p.AboveSafePrice), price(1000 * p.TerminalPrice)}
		if several {
			for _, change := range p.More.Operators {
				cells = append(cells, price(-change))
			}
			cells = append(cells, price(-p.More.Shared), price(-p.More.Objective))
		} else {
			cells = append(cells, price(-p.More.Objective))
		}
		if !slices.ContainsFunc(cells[1:], func(c any) bool { return c != nil }) {
			continue
		}
		if !several {
			cells = append(cells, price(-p.More.Bound))
		}
		var changed any
		if n := len(p.More.Chains); n > 0 {
			changed = float64(n)
		}
		s.add(append(cells, changed)...)
	}
	return s
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
		{head: "operator"},
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
		s.add(c.Chain, c.Operator, before, c.Now, optional(c.Messages), c.DrawBits, float64(c.Cost), c.RunnerUp, optional(c.CostsMore))
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
