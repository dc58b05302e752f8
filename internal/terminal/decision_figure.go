package terminal

import (
	"fmt"
	"math"
	"strings"

	"cosim/internal/experiment"
	"cosim/internal/plot"
)

// DecisionsFigure draws fairness over the rounds of games, a point a decision
// and limit, and by how much the leader's cost is above that at the largest
// limit. It is nil where no game was played under several limits.
func DecisionsFigure(s *experiment.DecisionStudy) *plot.Figure {
	x := plot.Axis{Quantity: "rounds at most", Log: true}
	fairness := plot.Panel{X: x, Y: plot.Axis{Quantity: "F_K as planned"}}
	above := plot.Panel{X: x, Y: plot.Axis{Unit: "%"}, HeightCM: 5.5}
	families := s.Families()
	several := false
	for _, family := range families {
		if len(family) == 1 {
			continue
		}
		several = true
		first, last := family[0], family[len(family)-1]
		above.Title = fmt.Sprintf("%s's cost above that at %s", first.Operators.Leader, count(*last.Rounds, "round"))
		x.From, x.To = float64(*first.Rounds)/outside, float64(*last.Rounds)*outside
		name := strings.TrimPrefix(ofFamily(family[0], families), " with ")
		label := func(words string) string {
			if name == "" {
				return words
			}
			return name + ", " + words
		}
		points := plot.Points{Label: label("a decision")}
		p50, p10 := plot.Line{Label: label("median"), Role: trend(families)}, plot.Line{Label: label("10th percentile"), Role: plot.Dashed}
		mid, high := p50, plot.Line{Label: label("90th percentile"), Role: plot.Dashed}
		for _, way := range family {
			limit, o := float64(*way.Rounds), way.Operators
			all := o.FairnessOfEach()
			for i, f := range all {
				if f.Defined() {
					points.X, points.Y = append(points.X, limit*beside(i, len(all))), append(points.Y, float64(f))
				}
			}
			p50.X, p50.Y = append(p50.X, limit), append(p50.Y, float64(o.FairnessP50))
			p10.X, p10.Y = append(p10.X, limit), append(p10.Y, float64(o.FairnessP10))
			if way.Rounds == last.Rounds {
				o = &experiment.OperatorsSummary{} // nothing above itself
			}
			mid.X, mid.Y = append(mid.X, limit), append(mid.Y, 100*float64(o.AboveP50))
			high.X, high.Y = append(high.X, limit), append(high.Y, 100*float64(o.AboveP90))
		}
		fairness.Shapes = append(fairness.Shapes, points)
		fairness.Lines = append(fairness.Lines, p10, p50)
		above.Lines = append(above.Lines, mid, high)
	}
	if !several {
		return nil
	}
	fairness.X, above.X = x, x
	return &plot.Figure{
		Title:  typeset(fmt.Sprintf("%s: key fairness over rounds of the game", few(s.Experiments))),
		Note:   fmt.Sprintf("%s, %s to %s s; beside each other in the order of time", count(s.Decisions, "decision"), decisionTime(s.FromS), decisionTime(s.ToS)),
		Panels: []plot.Panel{fairness, above},
		Looks:  []plot.Look{{Label: "a decision", RGB: 0x56B4E9}, {Label: "10th percentile"}, {Label: "90th percentile"}},
	}
}

// outside is how much farther than the limits the axis of rounds reaches.
const outside = 1.15

// trend is the look of medians: black where there is one game, else a colour of
// each.
func trend(families [][]experiment.WayFigures) plot.Role {
	if len(families) == 1 {
		return plot.Main
	}
	return plot.Ordinary
}

// beside spreads the points of one limit by up to 8 % to both sides.
func beside(i, n int) float64 {
	if n < 2 {
		return 1
	}
	return math.Pow(1.08, 2*float64(i)/float64(n-1)-1)
}
