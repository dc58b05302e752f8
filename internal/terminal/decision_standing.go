package terminal

import (
	"fmt"
	"io"

	"cosim/internal/experiment"
)

// standing says how operators stand with the plan of a decision.
func standing(w io.Writer, e *experiment.Explanation) {
	s := e.Standing
	if s == nil {
		return
	}
	fmt.Fprintf(w, "\noperators: key in kbit of one hop, over %s\n", horizon(e))
	standingSheet(s).print(w, all(len(s.Operators)), func(int) bool { return false })
	p := figurePrinter{w, columns(w)}
	p.line("F_K as planned", fixed(s.Fairness, 4))
	p.line("shared cost", fixed(s.Shared, 4), "of stock missing at the end, and the grid")
	p.line("leader's cost", fixed(s.LeaderCost, 4), fmt.Sprintf("= %s's own + shared + unfairness %s (ρ_F %g)", s.Leader, fixed(s.Unfairness, 4), s.FairnessWeight))
	if e.Solver == "stackelberg" && len(s.Operators) > 1 {
		followers := s.Shared
		for _, o := range s.Operators {
			if o.Operator != s.Leader {
				followers += o.OwnCost
			}
		}
		p.line("followers'", fixed(followers, 4), "= their own + shared: what they answer with the least of")
	}
}

func standingSheet(s *experiment.StandingFigures) *sheet {
	t := &sheet{columns: []column{
		{head: "operator"},
		{head: "chains", decimals: 0},
		{head: "off", decimals: 0},
		{head: "asked", decimals: 1},
		{head: "granted", decimals: 1},
		{head: "granted / %", decimals: 1},
		{head: "own cost", decimals: 4},
	}}
	for _, o := range s.Operators {
		name := o.Operator
		if name == s.Leader {
			name += ", leader"
		}
		t.add(name, float64(o.Chains), float64(o.Off), o.AskedBits/1000, o.GrantedBits/1000, optional(100*o.Share), float64(o.OwnCost))
	}
	return t
}
