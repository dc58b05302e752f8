package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/schollz/progressbar/v3"

	"cosim/internal/metrics"
	"cosim/internal/sweep"
)

// SweepProgress draws one line on a terminal: a bar with the time left, runs,
// workers and failures. Elsewhere it prints a plain line every few seconds.
type SweepProgress struct {
	out  io.Writer
	bar  *progressbar.ProgressBar // nil without a terminal
	max  int
	said time.Time
}

// NewSweepProgress shows a sweep on out. Stop must be called.
func NewSweepProgress(out io.Writer) *SweepProgress {
	p := &SweepProgress{out: out, said: time.Now()}
	if width, ok := IsTerminal(out); ok {
		p.bar = progressbar.NewOptions(1,
			progressbar.OptionSetWriter(out),
			progressbar.OptionSetWidth(max(10, min(30, width-75))),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetRenderBlankState(true),
		)
	}
	return p
}

// Show moves the bar.
func (p *SweepProgress) Show(s sweep.Status) {
	line := fmt.Sprintf("%s of %s runs", thousands(int64(s.Done)), thousands(int64(s.Total)))
	if s.RatePerS > 0 {
		line += "  " + rate(s.RatePerS)
	}
	line += "  " + count(s.Workers, "worker")
	if s.Failed > 0 {
		line += fmt.Sprintf("  %d failed", s.Failed)
	}
	if s.Left > 0 {
		line += "  " + s.Left.Round(time.Second).String() + " left"
	}
	if p.bar == nil {
		if time.Since(p.said) >= sayEvery {
			p.said = time.Now()
			fmt.Fprintln(p.out, line)
		}
		return
	}
	if s.Total != p.max {
		p.max = s.Total
		p.bar.ChangeMax(s.Total)
	}
	p.bar.Describe(line)
	if s.Done < s.Total {
		_ = p.bar.Set(s.Done) // the last draws itself away
	}
}

// rate is runs a second, or a minute, or an hour.
func rate(perS float64) string {
	switch {
	case perS >= 1:
		return fmt.Sprintf("%.1f/s", perS)
	case perS*60 >= 1:
		return fmt.Sprintf("%.1f/min", perS*60)
	}
	return fmt.Sprintf("%.1f/h", perS*3600)
}

// Log prints a line and leaves the bar below it.
func (p *SweepProgress) Log(line string) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintln(p.out, line)
	if p.bar != nil {
		_ = p.bar.RenderBlank()
	}
}

// Stop clears the bar; what is printed next stands in its place.
func (p *SweepProgress) Stop() {
	if p.bar != nil {
		_ = p.bar.Finish() // a terminal that is gone needs no clearing
	}
}

// mostRows of a table are printed; the rest stands in the files.
const mostRows = 60

// Sweep prints the means of a sweep's points with 95 % intervals, and the
// paired differences between experiments. Without figures it shows those of the
// paper. Where they do not fit beside each other they stand in several tables.
func Sweep(w io.Writer, o *sweep.Outcome, figures []string) {
	t := sweepTable{o: o, width: columns(w)}
	for _, f := range o.Figures {
		if len(figures) == 0 && f.Headline && t.has(f) || slices.Contains(figures, f.Key) {
			t.figures = append(t.figures, f)
		}
	}
	t.rows()
	for n := 0; n < len(t.figures); {
		fit := 1
		whole := t.render(t.figures[n : n+1])
		for n+fit < len(t.figures) {
			wider := t.render(t.figures[n : n+fit+1])
			if text.LongestLineLen(wider) > t.width {
				break
			}
			whole = wider
			fit++
		}
		fmt.Fprintln(w, whole)
		if n += fit; n < len(t.figures) {
			fmt.Fprintln(w)
		}
	}
	if len(o.Points) > 0 && o.Points[0].Runs > 1 {
		fmt.Fprintln(w, "mean ± half width of the 95 % interval (Student's t over seeds)")
	}
	if t.left > 0 {
		fmt.Fprintf(w, "%s in %s/%s\n", count(t.left, "more row"), o.Dir, sweep.SummaryName)
	}
}

// widestCell is for values that are groups of keys.
const widestCell = 30

// sweepTable lays a sweep's points out.
type sweepTable struct {
	o       *sweep.Outcome
	width   int
	figures []sweep.Figure
	lines   []sweepLine
	left    int // lines that are not shown
}

// sweepLine is a point, or its difference to the first experiment.
type sweepLine struct {
	label  string
	values []string
	runs   int
	means  map[string]metrics.Sample
	signed bool
	unmet  bool
}

// has says whether any point has the figure.
func (t *sweepTable) has(f sweep.Figure) bool {
	return slices.ContainsFunc(t.o.Points, func(p sweep.PointSummary) bool { return p.Figures[f.Key].N > 0 })
}

// rows sets the experiments of the same values below each other.
func (t *sweepTable) rows() {
	settings := len(t.o.Points)
	for i, p := range t.o.Points {
		if i > 0 && p.Experiment != t.o.Points[0].Experiment {
			settings = i
			break
		}
	}
	for s := range settings {
		for i := s; i < len(t.o.Points); i += settings {
			p := t.o.Points[i]
			t.lines = append(t.lines, sweepLine{p.Experiment, p.Shown, p.Runs, p.Figures, false, p.Met != nil && !*p.Met})
			if d := p.Difference; d != nil && d.Runs > 0 {
				t.lines = append(t.lines, sweepLine{"  − " + d.To, make([]string, len(p.Shown)), d.Runs, d.Figures, true, false})
			}
		}
	}
	if t.left = len(t.lines) - mostRows; t.left > 0 {
		t.lines = t.lines[:mostRows]
	}
}

func (t *sweepTable) render(figures []sweep.Figure) string {
	w := table.NewWriter()
	w.SetStyle(plainStyle())
	header := table.Row{}
	several := slices.ContainsFunc(t.lines, func(l sweepLine) bool { return l.label != t.lines[0].label })
	if several || len(t.o.Axes) == 0 {
		header = append(header, "experiment")
	}
	for i := range t.o.Axes {
		header = append(header, t.axis(i))
	}
	header = append(header, "runs")
	for _, f := range figures {
		name := f.Label
		if f.Unit != "" {
			name += " / " + f.Unit
		}
		header = append(header, name)
	}
	w.AppendHeader(header)
	var configs []table.ColumnConfig
	for i, name := range header {
		if name != "experiment" {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight, WidthMax: widestCell})
		}
	}
	w.SetColumnConfigs(configs)
	for _, l := range t.lines {
		row := table.Row{}
		if several || len(t.o.Axes) == 0 {
			row = append(row, l.label)
		}
		for _, v := range l.values {
			row = append(row, v)
		}
		runs := fmt.Sprint(l.runs)
		if l.unmet {
			runs += "*"
		}
		row = append(row, runs)
		for _, f := range figures {
			row = append(row, withWidth(l.means[f.Key], l.signed))
		}
		w.AppendRow(row)
	}
	return w.Render()
}

// withWidth also writes the width 0 of runs that all agree: whoever adds seeds
// until an interval is narrow wants to see it.
func withWidth(s metrics.Sample, signed bool) string {
	shown := s.Text(1, signed)
	if s.N > 1 && !strings.Contains(shown, "±") {
		shown += " ± 0"
	}
	return shown
}

// axis heads a column with as much of a key as tells it from the others.
func (t *sweepTable) axis(i int) string {
	words := strings.Split(t.o.Axes[i].Key, ".")
	for n := 1; n < len(words); n++ {
		short := strings.Join(words[len(words)-n:], ".")
		clash := slices.ContainsFunc(t.o.Axes, func(a sweep.Axis) bool {
			return a.Key != t.o.Axes[i].Key && strings.HasSuffix("."+a.Key, "."+short)
		})
		if !clash {
			return short
		}
	}
	return t.o.Axes[i].Key
}
