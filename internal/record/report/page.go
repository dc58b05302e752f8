package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// pageData is what the page's template shows.
type pageData struct {
	Title, Lead string
	Warning     string
	Answers     []answers
	Figures     []pageFigure
	Comparison  *pageTable
	Details     []pageTable
	Made        [][2]string
	Notes       []string
	Paper       bool
}

// answers are the headline figures of one experiment.
type answers struct {
	Label, Title, Runs string
	Numbers            []answer
}

// answer is one number, large, with what belongs to it.
type answer struct{ Name, Value, Unit, More, Paper, Difference string }

type pageFigure struct {
	Number  int
	Name    string
	SVG     template.HTML
	Caption string
}

// pageTable is a table of texts; the first column names its rows.
type pageTable struct {
	Caption string
	Head    []string
	Rows    [][]string
}

// page writes the report as one HTML file.
func (s *study) page(drawn []drawing) ([]byte, error) {
	d := pageData{Notes: s.notes, Paper: s.paper}
	switch {
	case len(s.groups) == 0:
		d.Title, d.Lead = "Sweep", "Figures over the values that a sweep went through."
	case s.single():
		s.aboutOne(&d)
	default:
		s.aboutAll(&d)
	}
	for i, p := range drawn {
		d.Figures = append(d.Figures, pageFigure{i + 1, p.name, inlineSVG(p.inline, p.figure.Title), p.caption})
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, d); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return b.Bytes(), nil
}

// aboutOne fills in what is said of one run.
func (s *study) aboutOne(d *pageData) {
	r := s.one()
	e := &r.about.Experiment
	d.Title = fmt.Sprintf("%s on %s, seed %d", e.Name, r.about.where(), s.seed)
	d.Lead = e.Title
	simulated := float64(r.summary.SimulatedS)
	if r.summary.Complete {
		d.Lead = sentence(d.Lead) + fmt.Sprintf(" %.0f s simulated.", simulated)
	} else {
		d.Lead = sentence(d.Lead)
		d.Warning = fmt.Sprintf("This run ended at %.1f of %.0f s, before its time: its figures cover that and cannot be set beside those of whole runs.", simulated, e.Duration.Seconds())
	}
	if r.killed {
		end := r.trace.ending
		d.Warning += fmt.Sprintf(" It left no summary; the figures are computed from its log, which has a value every %s: Δf_max may have been larger. The log holds %s rows and %s events.",
			step(e.Steps.Record), thousands(end.Rows), thousands(end.Events))
	}
	d.Answers = []answers{{Numbers: s.answersOfOne(r.summary)}}
	d.Details = []pageTable{faultTable(r.summary), figureTable(r.summary)}
	d.Made = made(r.about, []*run{r})
}

// sentence ends a text with a full stop and begins it with a capital.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

func (s *study) answersOfOne(m *metrics.Summary) []answer {
	list := []answer{
		{Name: "task success", Value: percentOf(m.Tasks.PSucc), More: fmt.Sprintf("%s of %s tasks failed", thousands(m.Tasks.Failed.Total()), thousands(m.Tasks.Successes+m.Tasks.Failed.Total()))},
		{Name: "Δf_max", Value: fixed(m.Grid.DeltaFMaxHz, 3), Unit: "Hz", More: "at " + fixed(m.Grid.DeltaFMaxAtS, 1) + " s"},
		{Name: "key use at the centre", Value: fixed(m.Keys.UseCentre, 2), More: "consumed / generated; all links " + fixed(m.Keys.UseAll, 2)},
	}
	if m.Fairness.Median.Defined() {
		list = append(list, answer{Name: "key fairness F_K", Value: fixed(m.Fairness.Median, 3), More: "median; lowest " + fixed(m.Fairness.Min, 3)})
	}
	recovery := answer{Name: "recovery, mean", Value: fixed(m.Recovery.TRRS, 2), Unit: "s", More: fmt.Sprintf("of %s; longest %s s", count(len(m.Recovery.Faults), "fault"), fixed(m.Recovery.TRRMaxS, 2))}
	if len(m.Recovery.Faults) == 0 {
		recovery.Unit, recovery.More = "", "no fault in this run"
	}
	list = append(list, recovery)
	keys := []string{"p_succ", "delta_f_max_hz", "key_use_centre", "trr_s"}
	if len(list) > len(keys) {
		keys = slices.Insert(keys, 3, "key_fairness_median")
	}
	if s.paper {
		for i, key := range keys {
			list[i].Paper = rangeText(experiment.PaperFigure(m.Experiment, key))
		}
	}
	return list
}

func percentOf(n metrics.Number) string {
	if !n.Defined() {
		return "–"
	}
	return percent(float64(n))
}

// aboutAll fills in what is said of several experiments.
func (s *study) aboutAll(d *pageData) {
	var labels []string
	cases := map[string]bool{}
	where := ""
	for _, g := range s.groups {
		labels = append(labels, g.label)
		if w := g.runs[0].about.where(); !cases[w] {
			cases[w] = true
			where = strings.TrimPrefix(where+", "+w, ", ")
		}
	}
	d.Title = fmt.Sprintf("%s on %s", strings.Join(labels, ", "), where)
	d.Lead = fmt.Sprintf("%s; values are means with 95 %% intervals (Student's t over seeds).", strings.TrimPrefix(s.runsText(), "n = "))
	for i, g := range s.groups {
		a := answers{Label: g.label, Title: g.runs[0].about.Experiment.Title, Runs: count(len(g.runs), "run") + ", " + seeds(g.runs)}
		for _, r := range s.comparison.Rows {
			if r.Headline && someOf(r) {
				a.Numbers = append(a.Numbers, s.answerOf(r, i))
			}
		}
		d.Answers = append(d.Answers, a)
	}
	d.Comparison = s.comparisonTable()
	var runs []*run
	for _, g := range s.groups {
		runs = append(runs, g.runs...)
	}
	d.Made = made(s.groups[0].runs[0].about, runs)
}

func (s *study) answerOf(r experiment.Row, group int) answer {
	name, scale := r.Heading()
	name, unit, _ := strings.Cut(name, " / ")
	a := answer{Name: name, Unit: unit}
	a.Value, a.More, _ = strings.Cut(minus(r.Samples[group].Text(scale, false)), " ± ")
	if a.More != "" {
		a.More = "± " + a.More
	}
	if a.Value == "–" {
		a.Unit = ""
	}
	if s.paper {
		a.Paper = rangeText(r.Paper[group])
	}
	if p := r.Paired[group]; p != nil && p.N > 0 {
		a.Difference = minus(p.Text(scale, true)) + " to " + s.groups[0].label
	}
	return a
}

// rangeText writes "12-16" with the dash of ranges.
func rangeText(paper string) string { return strings.Replace(paper, "-", "–", 1) }

// minus gives a number the sign that typographers use.
func minus(text string) string { return strings.Replace(text, "-", "−", 1) }

// seeds says which: "seeds 1 to 30".
func seeds(runs []*run) string {
	first, last := runs[0].seed(), runs[len(runs)-1].seed()
	switch {
	case len(runs) == 1:
		return fmt.Sprintf("seed %d", first)
	case last-first == uint64(len(runs)-1):
		return fmt.Sprintf("seeds %d to %d", first, last)
	}
	return fmt.Sprintf("seeds between %d and %d", first, last)
}

// comparisonTable has every figure that any experiment has.
func (s *study) comparisonTable() *pageTable {
	t := &pageTable{Caption: "Every figure: mean ± half width of the 95 % interval; differences are paired by seed.", Head: []string{""}}
	for i, g := range s.groups {
		t.Head = append(t.Head, g.label)
		if s.paper && s.comparison.Groups[i].InPaper() {
			t.Head = append(t.Head, "paper")
		}
		if i > 0 && s.comparison.Groups[i].CommonSeeds > 0 {
			t.Head = append(t.Head, "− "+s.groups[0].label)
		}
	}
	for _, r := range s.comparison.Rows {
		if !someOf(r) {
			continue
		}
		name, scale := r.Heading()
		row := []string{name}
		for i := range s.groups {
			row = append(row, minus(r.Samples[i].Text(scale, false)))
			if s.paper && s.comparison.Groups[i].InPaper() {
				row = append(row, rangeText(r.Paper[i]))
			}
			if i > 0 && s.comparison.Groups[i].CommonSeeds > 0 {
				row = append(row, minus(r.Paired[i].Text(scale, true)))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// faultTable tells the recovery from each fault.
func faultTable(m *metrics.Summary) pageTable {
	t := pageTable{Caption: "Faults and recovery", Head: []string{"fault", "at / s", "outside ±50 mHz / s", "back for good at / s"}}
	for _, f := range m.Recovery.Faults {
		back := fixed(f.ReturnS, 2)
		if !f.Lasting {
			back = "not in this run"
		}
		t.Rows = append(t.Rows, []string{f.What, fixed(f.AtS, 2), fixed(f.TRRS, 2), back})
	}
	return t
}

// figureTable has every figure of one run.
func figureTable(m *metrics.Summary) pageTable {
	t := pageTable{Caption: "Every figure", Head: []string{"figure", "value"}}
	for _, f := range m.Figures() {
		if !f.Value.Defined() {
			continue
		}
		name, scale := (experiment.Row{Key: f.Key, Label: f.Label, Unit: f.Unit}).Heading()
		t.Rows = append(t.Rows, []string{name, minus(metrics.Significant(scale * float64(f.Value)))})
	}
	return t
}

// made says what made the runs.
func made(a *about, runs []*run) [][2]string {
	folders := make([]string, 0, 4)
	for i, r := range runs {
		if i == 3 && len(runs) > 4 {
			folders = append(folders, fmt.Sprintf("and %d more", len(runs)-3))
			break
		}
		folders = append(folders, filepath.Base(r.dir))
	}
	return [][2]string{
		{"program", "cosim " + a.Version},
		{"case", fmt.Sprintf("%s, SHA-256 %.16s…", a.where(), a.CaseHash)},
		{"runs", strings.Join(folders, ", ")},
	}
}

var (
	svgHead  = regexp.MustCompile(`(?s)^.*?<svg width="[^"]*" height="[^"]*" viewBox="([^"]*)"[^>]*>`)
	svgFonts = regexp.MustCompile(`font-family:[^;"]*;`)
)

// inlineSVG makes an SVG file a part of the page: without prologue, as wide as
// there is room, in the page's letters.
func inlineSVG(svg []byte, title string) template.HTML {
	svg = svgHead.ReplaceAll(svg, []byte(`<svg viewBox="$1" role="img" aria-label="`+template.HTMLEscapeString(title)+`">`))
	svg = svgFonts.ReplaceAll(svg, nil)
	return template.HTML(svg) //nolint:gosec // made by this program
}
