package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

// Decisions prints what became of recorded decisions made in several ways: for
// people the figures of each way, for machines a row a decision and way.
func Decisions(w io.Writer, s *experiment.DecisionStudy, format Format) error {
	switch format {
	case JSON:
		return writeJSON(w, s)
	case CSV:
		return outcomeSheet(s).writeCSV(w)
	}
	start := "cold"
	if s.Warm == s.Decisions {
		start = "each from the one before"
	} else if s.Warm > 0 {
		start = fmt.Sprintf("%d from the one before", s.Warm)
	}
	printWrapped(w, fmt.Sprintf("%s of %s", count(s.Decisions, "decision"), few(s.Experiments)))
	at := decisionTime(s.FromS) + " s"
	if s.ToS > s.FromS {
		at = decisionTime(s.FromS) + " to " + decisionTime(s.ToS) + " s"
	}
	figurePrinter{w, columns(w)}.line("made", at, start)
	repeated(w, s)
	families := s.Families()
	several := false
	for _, family := range families {
		if len(family) > 1 {
			several = true
			fmt.Fprintln(w)
			printWrapped(w, fmt.Sprintf("fairness over rounds%s: F_K as planned, and %s's cost above that at %s", ofFamily(family[0], families),
				family[0].Operators.Leader, count(*family[len(family)-1].Rounds, "round")))
			roundsSheet(family).print(w, all(len(family)), func(int) bool { return false })
		}
	}
	if !several || len(families) > 1 {
		fmt.Fprintf(w, "\ncosts and key in sum of all decisions\n")
		waysTables(w, lastOfEach(families))
		if s.Ways[0].Operators != nil {
			fmt.Fprintln(w)
			printWrapped(w, "own cost: of an operator's chains; shared: of stock missing at the end, and the grid")
		}
	}
	return nil
}

// few names no more than there is room for.
func few(names []string) string {
	const most = 4
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// lastOfEach has the largest limit of rounds of each family.
func lastOfEach(families [][]experiment.WayFigures) (ways []experiment.WayFigures) {
	for _, family := range families {
		ways = append(ways, family[len(family)-1])
	}
	return ways
}

// repeated says how decisions that were made as in the run compare with it.
func repeated(w io.Writer, s *experiment.DecisionStudy) {
	p := figurePrinter{w, columns(w)}
	for _, way := range s.Ways {
		switch {
		case way.Unchanged == 0:
		case way.Different > 0:
			p.line("recorded", fmt.Sprintf("DIFFERENT: %d of %s made as in the run", way.Different, count(way.Unchanged, "decision")))
		default:
			p.line("recorded", fmt.Sprintf("%d as in the run (%s):", way.Unchanged, way.Solver), "the same plan, bound and work, to the last bit")
		}
		if way.Infeasible > 0 {
			p.line("infeasible", fmt.Sprintf("plans of %s that break a chance constraint: %d", nameOfWay(way.Way), way.Infeasible))
		}
	}
}

// ofFamily tells one family of limits from the others.
func ofFamily(way experiment.WayFigures, families [][]experiment.WayFigures) string {
	if way.Fairness == nil || len(families) == 1 {
		return ""
	}
	return fmt.Sprintf(" with ρ_F %g", *way.Fairness)
}

func roundsSheet(family []experiment.WayFigures) *sheet {
	t := &sheet{columns: []column{
		{head: "rounds at most", decimals: 0},
		{head: "played p50", decimals: 0},
		{head: "max", decimals: 0},
		{head: "F_K p10", decimals: 3},
		{head: "p50", decimals: 3},
		{head: "cost above p50 / %", decimals: 2},
		{head: "p90 / %", decimals: 2},
	}}
	for _, way := range family {
		o := way.Operators
		t.add(float64(*way.Rounds), optional(o.RoundsP50), optional(o.RoundsMax), optional(o.FairnessP10), optional(o.FairnessP50),
			optional(100*o.AboveP50), optional(100*o.AboveP90))
	}
	return t
}

// waysTables set ways side by side, as many as there is room for.
func waysTables(w io.Writer, ways []experiment.WayFigures) {
	for from := 0; from < len(ways); {
		to := len(ways)
		for to > from+1 && text.LongestLineLen(waysTable(ways[from:to])) > columns(w) {
			to--
		}
		if from > 0 {
			fmt.Fprintln(w)
		}
		for line := range strings.Lines(waysTable(ways[from:to])) {
			fmt.Fprintln(w, strings.TrimRight(line, " \n"))
		}
		from = to
	}
}

func waysTable(ways []experiment.WayFigures) string {
	t := table.NewWriter()
	t.SetStyle(plainStyle())
	header, configs := table.Row{""}, []table.ColumnConfig{}
	for i, way := range ways {
		header = append(header, nameOfWay(way.Way))
		configs = append(configs, table.ColumnConfig{Number: i + 2, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	row := func(name string, cell func(experiment.WayFigures) string) {
		line := table.Row{name}
		for _, way := range ways {
			line = append(line, cell(way))
		}
		t.AppendRow(line)
	}
	first := ways[0].Operators
	if first == nil {
		row("objective", func(x experiment.WayFigures) string { return fixed(x.Objective, 2) })
		return t.Render()
	}
	for a, o := range first.Operators {
		name := o.Operator
		if name == first.Leader {
			name += ", leader"
		}
		row("own cost "+name, func(x experiment.WayFigures) string { return fixed(x.Operators.Operators[a].OwnCost, 2) })
	}
	row("shared cost", func(x experiment.WayFigures) string { return fixed(x.Operators.Shared, 2) })
	row("all together", func(x experiment.WayFigures) string { return fixed(x.Objective, 2) })
	row("unfairness, by the recorded ρ_F", func(x experiment.WayFigures) string { return fixed(x.Operators.Unfairness, 2) })
	row("leader: own + shared + unfairness", func(x experiment.WayFigures) string { return fixed(x.Operators.LeaderCost, 2) })
	row("F_K as planned, median", func(x experiment.WayFigures) string { return fixed(x.Operators.FairnessP50, 3) })
	row("  10th percentile", func(x experiment.WayFigures) string { return fixed(x.Operators.FairnessP10, 3) })
	for a, o := range first.Operators {
		row("key granted "+o.Operator, func(x experiment.WayFigures) string { return percent(x.Operators.Operators[a].Share) })
	}
	row("key granted of all asked", func(x experiment.WayFigures) string { return percent(granted(x.Operators.Operators)) })
	if slices.ContainsFunc(ways, func(x experiment.WayFigures) bool { return x.Operators.RoundsP50.Defined() }) {
		row("rounds played, median", func(x experiment.WayFigures) string { return fixed(x.Operators.RoundsP50, 0) })
		row("  most", func(x experiment.WayFigures) string { return fixed(x.Operators.RoundsMax, 0) })
	}
	return t.Render()
}

// granted of asked, of all operators.
func granted(operators []experiment.OperatorFigures) metrics.Number {
	bits, asked := 0.0, 0.0
	for _, o := range operators {
		bits += o.GrantedBits
		asked += o.AskedBits
	}
	if asked == 0 {
		return metrics.Undefined
	}
	return metrics.Number(bits / asked)
}

func nameOfWay(w experiment.Way) string {
	name := w.Solver
	if w.Fairness != nil {
		name += fmt.Sprintf(", ρ_F %g", *w.Fairness)
	}
	if w.Rounds != nil {
		name += ", " + count(*w.Rounds, "round")
	}
	return name
}

// outcomeSheet has a row a decision and way, and columns for each operator.
func outcomeSheet(s *experiment.DecisionStudy) *sheet {
	t := &sheet{columns: []column{
		{key: "file"},
		{key: "experiment"},
		{key: "seed"},
		{key: "at_s"},
		{key: "solver"},
		{key: "fairness_weight"},
		{key: "rounds_limit"},
		{key: "warm"},
		{key: "objective"},
		{key: "bound"},
		{key: "bound_of"},
		{key: "feasible"},
		{key: "difference"},
	}}
	operators := s.Outcomes[0].Standing
	if operators != nil {
		for _, key := range []string{"rounds", "converged", "key_fairness", "leader_cost", "shared_cost", "unfairness_cost"} {
			t.columns = append(t.columns, column{key: key})
		}
		for _, o := range operators.Operators {
			t.columns = append(t.columns, column{key: o.Operator + "_own_cost"}, column{key: o.Operator + "_asked_bits"}, column{key: o.Operator + "_granted_bits"})
		}
	}
	for _, x := range s.Outcomes {
		row := []any{
			x.File, x.Experiment, x.Seed, x.AtS, x.Way.Solver, nil, nil, x.Warm, float64(x.Outcome.Objective), optional(x.Outcome.Bound),
			string(x.BoundOf), x.Outcome.Feasible, x.Difference,
		}
		if x.Way.Fairness != nil {
			row[5] = *x.Way.Fairness
		}
		if g := x.Standing; g != nil {
			if g.RoundsLimit > 0 {
				row[6] = float64(g.RoundsLimit)
			}
			row = append(row, float64(g.Rounds), g.Converged, optional(g.Fairness), float64(g.LeaderCost), float64(g.Shared), float64(g.Unfairness))
			for _, o := range g.Operators {
				row = append(row, float64(o.OwnCost), o.AskedBits, o.GrantedBits)
			}
		}
		t.add(row...)
	}
	return t
}
