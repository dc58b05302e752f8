package terminal

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

// TableOptions say what Comparison prints besides the paper's figures of each
// experiment.
type TableOptions struct {
	Paper bool // what the paper has, beside
	All   bool // all figures, not only the paper's
}

// Comparison prints experiments side by side: means with 95 % intervals and
// the paired differences to the first one over common seeds.
func Comparison(w io.Writer, c experiment.Comparison, o TableOptions) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(plainStyle())
	header := table.Row{""}
	for i, g := range c.Groups {
		header = append(header, fmt.Sprintf("%s (%s)", g.Name, count(len(g.Summaries), "run")))
		if o.Paper {
			header = append(header, "paper")
		}
		if i > 0 {
			header = append(header, "− "+c.Groups[0].Name)
		}
	}
	t.AppendHeader(header)
	for _, r := range c.Rows {
		if !o.All && !r.Headline || empty(r.Samples) {
			continue
		}
		row := table.Row{label(r)}
		for i := range c.Groups {
			row = append(row, interval(r.Samples[i], false))
			if o.Paper {
				row = append(row, r.Paper[i])
			}
			if i > 0 {
				row = append(row, interval(r.Paired[i], true))
			}
		}
		t.AppendRow(row)
	}
	configs := []table.ColumnConfig{}
	for i := 2; i <= len(header); i++ {
		configs = append(configs, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	t.Render()
	fmt.Fprintln(w, "mean ± half width of the 95 % interval (Student's t over seeds)")
}

func plainStyle() table.Style {
	s := table.StyleLight
	s.Options = table.Options{SeparateHeader: true}
	s.Format.Header = text.FormatDefault
	return s
}

func label(r experiment.Row) string {
	if r.Unit == "" {
		return r.Label
	}
	return r.Label + " / " + r.Unit
}

func empty(samples []metrics.Sample) bool {
	for _, s := range samples {
		if s.N > 0 {
			return false
		}
	}
	return true
}

// interval writes a mean with its interval to three significant digits of the
// interval's half width, or of the mean if there is one run only.
func interval(s metrics.Sample, signed bool) string {
	if s.N == 0 || !s.Mean.Defined() {
		return "–"
	}
	mean := float64(s.Mean)
	sign := ""
	if signed && mean >= 0 {
		sign = "+"
	}
	if !s.CI95High.Defined() {
		return sign + significant(mean)
	}
	half := float64(s.CI95High - s.Mean)
	digits := decimals(half)
	return fmt.Sprintf("%s%.*f ± %.*f", sign, digits, mean, digits, half)
}

// decimals are those that show two digits of x, at most 4.
func decimals(x float64) int {
	d := 0
	for x < 10 && d < 4 {
		x *= 10
		d++
	}
	return min(4, max(0, d))
}

func significant(x float64) string {
	s := fmt.Sprintf("%.4g", x)
	if strings.Contains(s, "e+") {
		return fmt.Sprintf("%.0f", x)
	}
	return s
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Inside prints what ships with the program.
func Inside(w io.Writer, l *experiment.InsideList) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(plainStyle())
	t.AppendHeader(table.Row{"experiment", "case", ""})
	for _, e := range l.Experiments {
		t.AppendRow(table.Row{e.Name, e.Case, e.Title})
	}
	t.Render()
	fmt.Fprintln(w)
	t = table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(plainStyle())
	t.AppendHeader(table.Row{"case", "buses", "branches", "generators", "load / MW", "control chains"})
	for _, c := range l.Cases {
		chains := "–"
		if c.Federation {
			chains = "yes"
		}
		t.AppendRow(table.Row{c.Name, c.Buses, c.Branches, c.Generators, fmt.Sprintf("%.1f", c.LoadMW), chains})
	}
	t.Render()
}
