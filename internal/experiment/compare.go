package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cosim/internal/metrics"
	"cosim/internal/record"
)

// Group is the runs of one experiment, by seed.
type Group struct {
	Name      string             `json:"experiment"`
	Summaries []*metrics.Summary `json:"-"`
}

// Row is one figure of the groups side by side.
type Row struct {
	Key      string           `json:"key"`
	Label    string           `json:"label"`
	Unit     string           `json:"unit,omitempty"`
	Headline bool             `json:"headline"`
	Samples  []metrics.Sample `json:"samples"` // one a group
	// Paired are the differences to the first group over common seeds; the
	// first is empty.
	Paired []metrics.Sample `json:"paired"`
	Paper  []string         `json:"paper,omitempty"` // the paper's figures, one a group, "" for none
}

// Comparison is a table of figures of several experiments.
type Comparison struct {
	Groups []Group `json:"groups"`
	Rows   []Row   `json:"rows"`
}

// paper holds the figures of the paper's Table I and of its Fig. 1 (TRR,
// read off its text) and Fig. 2 (F_K).
var paper = map[string]map[string]string{
	"p_succ":              {"S-1": "0.72", "S-2": "0.88", "S-3": "0.97"},
	"delta_f_max_hz":      {"S-1": "0.26", "S-2": "0.17", "S-3": "0.08"},
	"key_use_centre":      {"S-1": "0.30", "S-2": "0.57", "S-3": "0.83"},
	"trr_s":               {"S-1": "12-16", "S-2": "6-9", "S-3": "2.5-3.5"},
	"key_fairness_median": {"S-4": "0.72", "S-5": "0.86"},
}

// GroupRuns puts summaries of one experiment together, in the order in which
// the experiments first occur, sorted by seed.
func GroupRuns(summaries []*metrics.Summary) []Group {
	var groups []Group
	for _, s := range summaries {
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Name == s.Experiment })
		if i < 0 {
			i = len(groups)
			groups = append(groups, Group{Name: s.Experiment})
		}
		groups[i].Summaries = append(groups[i].Summaries, s)
	}
	for _, g := range groups {
		slices.SortStableFunc(g.Summaries, func(a, b *metrics.Summary) int {
			switch {
			case a.Seed < b.Seed:
				return -1
			case a.Seed > b.Seed:
				return 1
			}
			return 0
		})
	}
	return groups
}

// Compare tabulates the groups. The rows are those of the first run; a group
// that lacks a figure has an empty sample there.
func Compare(groups []Group) Comparison {
	c := Comparison{Groups: groups}
	if len(groups) == 0 {
		return c
	}
	for _, f := range groups[0].Summaries[0].Figures() {
		row := Row{Key: f.Key, Label: f.Label, Unit: f.Unit, Headline: f.Headline}
		first := figureOf(groups[0], f.Key)
		for i, g := range groups {
			runs := figureOf(g, f.Key)
			values := make([]float64, len(runs))
			for j, r := range runs {
				values[j] = r.Value
			}
			row.Samples = append(row.Samples, metrics.Describe(values))
			paired := metrics.Sample{}
			if i > 0 {
				paired = metrics.Paired(first, runs)
			}
			row.Paired = append(row.Paired, paired)
			row.Paper = append(row.Paper, paper[f.Key][g.Name])
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}

func figureOf(g Group, key string) []metrics.Run {
	var runs []metrics.Run
	for _, s := range g.Summaries {
		for _, f := range s.Figures() {
			if f.Key == key {
				runs = append(runs, metrics.Run{Seed: s.Seed, Value: float64(f.Value)})
			}
		}
	}
	return runs
}

// ReadSummaries finds the runs at the given places: a run's folder, a folder
// of runs, or a pattern that the shell left alone.
func ReadSummaries(places []string) ([]*metrics.Summary, error) {
	var all []*metrics.Summary
	var errs []error
	seen := map[string]bool{} // a run counts once, however often it is named
	for _, place := range places {
		files, err := summaryFiles(place)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, f := range files {
			if seen[filepath.Clean(f)] {
				continue
			}
			seen[filepath.Clean(f)] = true
			s, err := readSummary(f)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			all = append(all, s)
		}
	}
	return all, errors.Join(errs...)
}

func summaryFiles(place string) ([]string, error) {
	if f := filepath.Join(place, record.SummaryName); exists(f) {
		return []string{f}, nil
	}
	found, err := filepath.Glob(filepath.Join(place, "*", record.SummaryName))
	if err != nil {
		return nil, fmt.Errorf("compare: %s: %w", place, err)
	}
	if len(found) == 0 {
		if found, _ = filepath.Glob(filepath.Join(place, record.SummaryName)); len(found) == 0 {
			return nil, fmt.Errorf("compare: %s holds no finished run (no %s); give a run's folder such as runs/S-2-1, or a folder of runs", place, record.SummaryName)
		}
	}
	return found, nil
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

func readSummary(file string) (*metrics.Summary, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	s := &metrics.Summary{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("compare: %s: %w", file, err)
	}
	if strings.TrimSpace(s.Experiment) == "" {
		return nil, fmt.Errorf("compare: %s names no experiment", file)
	}
	return s, nil
}
