package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"cosim/internal/metrics"
	"cosim/internal/record"
)

// Names of the files in a sweep's folder, besides JournalName.
const (
	ResultsName    = record.SweepTableName
	ResultsCSVName = "results.csv"
	TimingName     = "timing.parquet"
	SummaryName    = "summary.json"
	FileName       = "sweep.yaml" // a copy of what was asked for
)

// Outcome is what a sweep found, point by point: the content of its
// summary.json.
type Outcome struct {
	Sweep   string         `json:"sweep"`
	Title   string         `json:"title,omitempty"`
	Dir     string         `json:"-"`
	Runs    int            `json:"runs"` // that have figures
	Asked   int            `json:"asked"`
	Until   string         `json:"until,omitempty"`
	Unmet   int            `json:"unmet,omitempty"` // points that Until did not come to hold for
	Left    int            `json:"-"`               // runs in the folder that the file does not ask for
	Axes    []Axis         `json:"axes"`
	Figures []Figure       `json:"figures"`
	Points  []PointSummary `json:"points"`
	Failed  []Failure      `json:"failed,omitempty"`
}

// Complete says whether every run that was asked for has figures.
func (o *Outcome) Complete() bool { return o.Runs == o.Asked }

// Figure names a figure that the points have.
type Figure struct {
	Key      string `json:"key"`
	Label    string `json:"label"`
	Unit     string `json:"unit,omitempty"`
	Headline bool   `json:"headline"`
}

// PointSummary are the means of a point over its seeds.
type PointSummary struct {
	Experiment string                    `json:"experiment"`
	Values     map[string]any            `json:"values"` // by key
	Shown      []string                  `json:"-"`      // the same as text, by axis
	ID         string                    `json:"id"`
	Runs       int                       `json:"runs"`
	Met        *bool                     `json:"met,omitempty"` // whether Until holds
	Figures    map[string]metrics.Sample `json:"figures"`
	// Difference is to the first experiment with the same values, over the
	// seeds that both have.
	Difference *Difference `json:"difference,omitempty"`
}

// Difference is paired: runs of one seed have the same disturbances.
type Difference struct {
	To      string                    `json:"to"`
	Runs    int                       `json:"runs"` // common seeds
	Figures map[string]metrics.Sample `json:"figures"`
}

// Failure is a run without figures.
type Failure struct {
	Run       string `json:"run"`
	Error     string `json:"error"`
	Invariant bool   `json:"invariant,omitempty"`
}

// writeOutcome writes a sweep's tables from what its plan has.
func writeOutcome(s *Sweep, p *plan, o Options) (*Outcome, error) {
	results := p.results()
	out := summarize(s, p, results)
	out.Dir = o.Out
	for id := range p.done {
		if _, asked := p.byID[id]; !asked {
			out.Left++
		}
	}
	table := resultsTable(s, results)
	files := map[string]func(io.Writer) error{
		ResultsName: table.Write,
		TimingName:  timingTable(results).Write,
		FileName:    func(w io.Writer) error { _, err := w.Write(s.text); return err },
		SummaryName: func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			e.SetEscapeHTML(false)
			return e.Encode(out)
		},
	}
	if o.CSV {
		files[ResultsCSVName] = table.WriteCSV
	}
	var errs []error
	for _, name := range sortedKeys(files) {
		errs = append(errs, record.ReplaceFile(filepath.Join(o.Out, name), files[name]))
	}
	if err := errors.Join(errs...); err != nil {
		return out, fmt.Errorf("sweep: %w", err)
	}
	return out, nil
}

func summarize(s *Sweep, p *plan, results []result) *Outcome {
	out := &Outcome{Sweep: s.Name, Title: s.Title, Asked: p.total, Axes: s.Axes, Figures: []Figure{}, Points: []PointSummary{}}
	if p.rule != nil {
		out.Until = p.rule.String()
	}
	runs := make([]map[string][]metrics.Run, len(s.Points)) // by point and figure
	counts := make([]int, len(s.Points))
	known := map[string]bool{}
	for i := range runs {
		runs[i] = map[string][]metrics.Run{}
	}
	for _, r := range results {
		if r.Summary == nil {
			out.Failed = append(out.Failed, Failure{r.Run, r.Error, r.Invariant})
			continue
		}
		out.Runs++
		counts[r.point]++
		for _, f := range r.Summary.Figures() {
			if !known[f.Key] {
				known[f.Key] = true
				out.Figures = append(out.Figures, Figure{f.Key, f.Label, f.Unit, f.Headline})
			}
			runs[r.point][f.Key] = append(runs[r.point][f.Key], metrics.Run{Seed: r.seed, Value: float64(f.Value)})
		}
	}
	for i := range s.Points {
		point := pointSummary(s, i, counts[i], runs[i])
		if first := s.first(i); first != i {
			point.Difference = difference(s.Points[first].Label, runs[first], runs[i])
		}
		if p.rule != nil {
			met := p.states[i].met
			if point.Met = &met; !met {
				out.Unmet++
			}
		}
		out.Points = append(out.Points, point)
	}
	return out
}

// first is the point of the first experiment with the same values.
func (s *Sweep) first(point int) int { return s.Points[point].Setting }

func pointSummary(s *Sweep, i, count int, runs map[string][]metrics.Run) PointSummary {
	p := &s.Points[i]
	sum := PointSummary{Experiment: p.Label, ID: p.ID, Values: map[string]any{}, Shown: p.Values, Runs: count, Figures: map[string]metrics.Sample{}}
	for k, a := range s.Axes {
		sum.Values[a.Key] = a.Parse(p.Values[k])
	}
	for key, list := range runs {
		values := make([]float64, len(list))
		for k, r := range list {
			values[k] = r.Value
		}
		sum.Figures[key] = metrics.Describe(values)
	}
	return sum
}

func difference(to string, a, b map[string][]metrics.Run) *Difference {
	d := &Difference{To: to, Figures: map[string]metrics.Sample{}}
	for key, list := range b {
		if len(a[key]) == 0 {
			continue
		}
		d.Figures[key] = metrics.Paired(a[key], list)
		d.Runs = max(d.Runs, common(a[key], list))
	}
	return d
}

// common counts the seeds that both have.
func common(a, b []metrics.Run) int {
	seeds := map[uint64]bool{}
	for _, r := range a {
		seeds[r.Seed] = true
	}
	n := 0
	for _, r := range b {
		if seeds[r.Seed] {
			n++
		}
	}
	return n
}

// Collect merges the folders of a sweep's shards (or folders of such folders)
// into its own, and writes its tables. It makes no run: the outcome says what
// is missing.
func Collect(s *Sweep, dirs []string, o Options) (*Outcome, error) {
	if o.Parallel < 1 {
		o.Parallel = 1
	}
	o, err := o.complete(s)
	if err != nil {
		return nil, err
	}
	parts, err := findJournals(dirs)
	if err != nil {
		return nil, err
	}
	j, err := openJournal(o.Out, s.Name, o.program)
	if err != nil {
		return nil, err
	}
	err = j.merge(parts)
	outcome, tablesErr := writeOutcome(s, newPlan(s, o.Until, o.MaxSeeds, o.Shard, j.records), o)
	return outcome, errors.Join(err, tablesErr, j.close())
}

// merge adds the results of other journals; those that are here stay.
func (j *journal) merge(parts map[string]*journal) error {
	for _, dir := range sortedKeys(parts) {
		part := parts[dir]
		if part.Program != j.Program {
			return fmt.Errorf("sweep: %s holds runs of %s, the others are of %s: they must not be mixed", dir, part.Program, j.Program)
		}
		for _, id := range sortedKeys(part.records) {
			if mine := j.records[id]; mine == nil || mine.Error != "" {
				if err := j.add(part.records[id]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// findJournals reads the journals in the folders and one level below them.
func findJournals(dirs []string) (map[string]*journal, error) {
	found := map[string]*journal{}
	for _, dir := range dirs {
		places, err := filepath.Glob(filepath.Join(dir, "*", JournalName))
		if err != nil {
			return nil, fmt.Errorf("sweep: %w", err)
		}
		own := filepath.Join(dir, JournalName)
		if _, err := os.Stat(own); err == nil || len(places) == 0 {
			places = append(places, own)
		}
		for _, place := range places {
			j, err := readJournal(place)
			if err != nil {
				return nil, err
			}
			found[filepath.Dir(place)] = j
		}
	}
	return found, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
