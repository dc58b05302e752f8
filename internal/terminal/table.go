package terminal

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"cosim/internal/experiment"
)

// TableOptions say what Comparison prints besides the paper's figures of each
// experiment.
type TableOptions struct {
	Paper bool // what the paper has, beside
	All   bool // all figures, not only the paper's
}

// Comparison prints experiments side by side: means with 95 % intervals and
// the paired differences to the first one over common seeds. Where that is
// wider than the terminal, each experiment gets a table of its own.
func Comparison(w io.Writer, c experiment.Comparison, o TableOptions) {
	all := make([]int, len(c.Groups))
	for i := range all {
		all[i] = i
	}
	whole := comparisonTable(c, o, all)
	if text.LongestLineLen(whole) <= columns(w) {
		fmt.Fprintln(w, whole)
	} else {
		for i := range c.Groups {
			fmt.Fprintln(w, comparisonTable(c, o, all[i:i+1]))
			fmt.Fprintln(w)
		}
	}
	if strings.Contains(whole, "±") {
		fmt.Fprintln(w, "mean ± half width of the 95 % interval (Student's t over seeds)")
	}
	for i, g := range c.Groups {
		if i > 0 && g.CommonSeeds == 0 {
			fmt.Fprintf(w, "%s has no seed in common with %s: no paired differences\n", g.Label, c.Groups[0].Label)
		}
		if o.Paper && !g.InPaper() {
			fmt.Fprintf(w, "%s is not in the paper\n", g.Label)
		}
	}
}

// comparisonTable sets some of the groups side by side.
func comparisonTable(c experiment.Comparison, o TableOptions, groups []int) string {
	t := table.NewWriter()
	t.SetStyle(plainStyle())
	header := table.Row{""}
	for _, i := range groups {
		g := c.Groups[i]
		header = append(header, fmt.Sprintf("%s (%s)", g.Label, count(g.Runs, "run")))
		if o.Paper && g.InPaper() {
			header = append(header, "paper")
		}
		if g.CommonSeeds > 0 {
			header = append(header, difference(c.Groups[0], g))
		}
	}
	t.AppendHeader(header)
	for _, r := range c.Rows {
		if !o.All && !r.Headline || empty(r, groups) {
			continue
		}
		name, scale := r.Heading()
		row := table.Row{name}
		for _, i := range groups {
			g := c.Groups[i]
			row = append(row, r.Samples[i].Text(scale, false))
			if o.Paper && g.InPaper() {
				row = append(row, r.Paper[i])
			}
			if g.CommonSeeds > 0 {
				row = append(row, r.Paired[i].Text(scale, true))
			}
		}
		t.AppendRow(row)
	}
	configs := []table.ColumnConfig{}
	for i := 2; i <= len(header); i++ {
		configs = append(configs, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	return t.Render()
}

// difference heads the paired differences; it says over how many seeds they
// are where that is fewer than either group has.
func difference(first, g experiment.Group) string {
	if g.CommonSeeds == first.Runs && g.CommonSeeds == g.Runs {
		return "− " + first.Label
	}
	return fmt.Sprintf("− %s (%s)", first.Label, count(g.CommonSeeds, "common seed"))
}

func plainStyle() table.Style {
	s := table.StyleLight
	s.Options = table.Options{SeparateHeader: true}
	s.Format.Header = text.FormatDefault
	return s
}

func empty(r experiment.Row, groups []int) bool {
	for _, i := range groups {
		if r.Samples[i].N > 0 {
			return false
		}
	}
	return true
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
