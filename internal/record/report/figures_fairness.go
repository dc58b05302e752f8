package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"cosim/internal/metrics"
	"cosim/internal/plot"
)

// fairness shows how F_K, and the operators' shares, are distributed over time
// and runs.
func (s *study) fairness() *picture {
	p := plot.Panel{X: plot.Axis{Quantity: "key fairness F_K, one value a second"}, Y: plot.Axis{Names: []plot.Name{}}}
	at := 0.0
	add := func(name, label string, values []float64) {
		if len(values) < leastSettled {
			return
		}
		x := metrics.Describe(values)
		p.Y.Names = append(p.Y.Names, plot.Name{At: -at, Text: fmt.Sprintf("%s   %.3f", name, float64(x.Median))})
		p.Shapes = append(p.Shapes, plot.Spread{Row: -at, Label: label, Values: values, Violin: true})
		at++
	}
	for _, g := range s.groups {
		add("F_K "+g.label, g.label, g.sampled(func(t *trace) *thinned { return &t.index }))
	}
	if at == 0 {
		return nil
	}
	what := "Jain's index of the operators' shares of the key asked for in the last 10 s"
	if s.single() {
		p.X.Quantity = "key fairness F_K and shares s_a, one value a second"
		for _, name := range s.operators() {
			add("s_a "+name, name, s.groups[0].sampled(func(t *trace) *thinned { return t.shares[name] }))
		}
		what += ", and those shares"
	}
	p.HeightCM = rowsFrameCM + 2.2*rowCM*at
	p.X.To = 1.005
	p.X.From = 1
	for _, x := range p.Shapes {
		for _, v := range x.(plot.Spread).Values {
			p.X.From = min(p.X.From, math.Floor(20*v)/20)
		}
	}
	return &picture{
		"fairness", fmt.Sprintf("Key fairness: %s, %s. Violin: density over time and runs (Gaussian kernel, Silverman's width), cut at the extremes; box: quartiles and median, whose value stands beside the name.", what, s.runsText()),
		&plot.Figure{Title: "Key fairness", Legend: plot.Above, Looks: s.looks(), Panels: []plot.Panel{p}},
	}
}

func (s *study) operators() []string {
	if t := s.one().trace; t != nil {
		return t.operator
	}
	return nil
}

// settled leaves out the beginning, in which the window is not full; of fewer
// seconds behind it nothing is drawn.
const (
	settled      = 10
	leastSettled = 5
)

// sampled are the values of all runs together.
func (g *group) sampled(of func(*trace) *thinned) []float64 {
	var values []float64
	for _, r := range g.runs {
		if r.trace == nil || of(r.trace) == nil {
			continue
		}
		for _, v := range of(r.trace).values {
			if v[0] >= settled {
				values = append(values, v[1])
			}
		}
	}
	return values
}

// roundsAndFairness shows what rounds of the game bring.
func (s *study) roundsAndFairness() *picture {
	p := plot.Panel{
		X: plot.Axis{Quantity: "LD-CP rounds of a decision"}, Y: plot.Axis{Quantity: "F_K as planned"},
	}
	f := &plot.Figure{Title: "Rounds and fairness", Legend: plot.Above, Looks: s.looks()}
	n := ""
	for _, g := range s.groups {
		values := g.played()
		if len(values) < 2 {
			continue
		}
		points := plot.Points{Label: g.label}
		var rounds []float64
		for i, v := range values {
			rounds = append(rounds, v[0])
			_, aside := math.Modf(float64(i) * math.Phi) // evenly spread, whatever their number
			points.X, points.Y = append(points.X, v[0]+asideRounds*(aside-0.5)), append(points.Y, v[1])
		}
		p.Shapes = append(p.Shapes, points)
		if trend, rho, ok := trendOf(rounds, points.Y); ok {
			trend.Label = "trend, " + g.label
			p.Lines = append(p.Lines, trend)
			n += fmt.Sprintf(" %s: correlation %s.", g.label, fixed(metrics.Number(rho), 2))
		}
	}
	if len(p.Shapes) == 0 {
		return nil
	}
	f.Panels = []plot.Panel{p}
	return &picture{
		"rounds", fmt.Sprintf("Each point a decision, evenly chosen where there are more than %s a run, %s: rounds of LD-CP until it ended, and the fairness of the plan. Points of one number of rounds stand side by side. Line: mean F_K of decisions of so many rounds, or nearly so many.%s", thousands(thinnedLimit), s.runsText(), n), f,
	}
}

// asideRounds is over how much decisions of one number of rounds are spread, so
// that they do not cover each other.
const asideRounds = 0.5

// played are the decisions of all runs: rounds, F_K.
func (g *group) played() [][2]float64 {
	var all [][2]float64
	for _, r := range g.runs {
		if r.trace != nil {
			all = append(all, r.trace.rounds.values...)
		}
	}
	// Some of very many: an SVG of all would be too large.
	const most = 3000
	if len(all) > most {
		var some [][2]float64
		for i := range most {
			some = append(some, all[i*len(all)/most])
		}
		all = some
	}
	return all
}

// trendOf is the mean of y at each x, or where there are many in bins of x with
// as many points each, and the correlation of the two.
func trendOf(x, y []float64) (plot.Line, float64, bool) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	line := plot.Line{Role: plot.Main}
	for from, to := 0, 0; from < len(x); from = to {
		to = min(from+max(1, len(x)/trendBins), len(x))
		for to < len(x) && x[order[to]] == x[order[to-1]] {
			to++ // equal ones together
		}
		sx, sy := 0.0, 0.0
		for _, i := range order[from:to] {
			sx += x[i] / float64(to-from)
			sy += y[i] / float64(to-from)
		}
		line.X, line.Y = append(line.X, sx), append(line.Y, sy)
	}
	return line, correlation(x, y), len(line.X) > 1
}

// trendBins is how many points a trend has, and one more at most.
const trendBins = 16

// correlation is Pearson's.
func correlation(x, y []float64) float64 {
	n := float64(len(x))
	var mx, my, xx, yy, xy float64
	for i := range x {
		mx += x[i] / n
		my += y[i] / n
	}
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
		xy += (x[i] - mx) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}
