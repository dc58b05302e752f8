package experiment

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cosim/internal/metrics"
)

// Group is the complete runs of one definition, by seed.
type Group struct {
	Name           string `json:"experiment"`
	Label          string `json:"label"` // the name, told apart from another definition of that name
	DefinitionHash string `json:"definition_sha256"`
	Runs           int    `json:"runs"`
	// CommonSeeds is how many seeds the group shares with the first one; the
	// first has none to say.
	CommonSeeds int                `json:"common_seeds,omitempty"`
	Summaries   []*metrics.Summary `json:"-"`
	dir         string             // of its first run
}

// InPaper reports whether the paper has figures of the group's experiment.
func (g *Group) InPaper() bool { return InPaper(g.Name) }

// Row is one figure of the groups side by side.
type Row struct {
	Key      string           `json:"key"`
	Label    string           `json:"label"`
	Unit     string           `json:"unit,omitempty"`
	Headline bool             `json:"headline"`
	Samples  []metrics.Sample `json:"samples"` // one a group
	// Paired are the differences to the first group over common seeds; null
	// for the first itself.
	Paired []*metrics.Sample `json:"paired"`
	Paper  []string          `json:"paper,omitempty"` // the paper's figures, one a group, "" for none
}

// Heading names a row with its unit, and says by what its values are multiplied
// to have it: latencies are read in milliseconds.
func (r Row) Heading() (name string, scale float64) {
	switch {
	case r.Unit == "":
		return r.Label, 1
	case r.Unit == "s" && strings.HasPrefix(r.Key, "latency_"):
		return r.Label + " / ms", 1000
	}
	return r.Label + " / " + r.Unit, 1
}

// Comparison is a table of figures of several experiments.
type Comparison struct {
	Groups []Group `json:"groups"`
	Rows   []Row   `json:"rows"`
	// Notes say which runs were left out, and how definitions of one name
	// differ.
	Notes []string `json:"-"`
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

// InPaper reports whether the paper has figures of an experiment.
func InPaper(name string) bool {
	for _, figures := range paper {
		if figures[name] != "" {
			return true
		}
	}
	return false
}

// PaperFigure is what the paper has for a figure of an experiment, "" for
// nothing.
func PaperFigure(name, key string) string { return paper[key][name] }

// CompareRuns compares the runs at the given places: runs' folders, folders of
// runs, or patterns that the shell left alone.
func CompareRuns(places []string) (Comparison, error) {
	runs, notes, err := readRuns(places)
	if err != nil {
		return Comparison{}, fmt.Errorf("compare: %w", err)
	}
	c := compare(runs)
	c.Notes = append(notes, c.Notes...)
	if len(c.Groups) == 0 {
		return c, errors.New("compare: no complete run there")
	}
	return c, nil
}

// CompareResults compares runs just made.
func CompareResults(results []*Result) Comparison {
	var runs []recordedRun
	for _, r := range results {
		if r != nil {
			runs = append(runs, recordedRun{cmp.Or(r.Dir, r.Definition.RunName()), r.Summary})
		}
	}
	return compare(runs)
}

func compare(runs []recordedRun) Comparison {
	groups, notes := groupRuns(runs)
	return Comparison{Groups: groups, Rows: tabulate(groups), Notes: append(notes, nameApart(groups)...)}
}

// groupRuns puts complete runs of one definition together, sorted by seed, in
// the order in which the names first occur.
func groupRuns(runs []recordedRun) (groups []Group, notes []string) {
	type identity struct {
		name, hash string
		seed       uint64
	}
	first := map[identity]string{}
	for _, r := range runs {
		s := r.summary
		id := identity{s.Experiment, s.DefinitionSHA256, s.Seed}
		switch {
		case s.DefinitionSHA256 == "":
			notes = append(notes, fmt.Sprintf("left out: %s was made by an earlier version, which did not say with what settings", r.dir))
			continue
		case !s.Complete:
			notes = append(notes, fmt.Sprintf("left out: %s ended at %s s, before its time", r.dir, strconv.FormatFloat(float64(s.SimulatedS), 'f', -1, 64)))
			continue
		case first[id] != "":
			notes = append(notes, fmt.Sprintf("left out: %s has the settings and the seed of %s", r.dir, first[id]))
			continue
		}
		first[id] = r.dir
		i := slices.IndexFunc(groups, func(g Group) bool {
			return g.Name == s.Experiment && g.DefinitionHash == s.DefinitionSHA256
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, Group{Name: s.Experiment, Label: s.Experiment, DefinitionHash: s.DefinitionSHA256, dir: r.dir})
		}
		groups[i].Summaries = append(groups[i].Summaries, s)
		groups[i].Runs++
	}
	shippedFirst(groups)
	for i, g := range groups {
		slices.SortFunc(g.Summaries, func(a, b *metrics.Summary) int { return cmp.Compare(a.Seed, b.Seed) })
		if i > 0 {
			groups[i].CommonSeeds = commonSeeds(groups[0], g)
		}
	}
	return groups, notes
}

// shippedFirst sets groups of one name together, with the definition that ships
// inside at their head: the others are changes of it.
func shippedFirst(groups []Group) {
	place := map[string]int{}
	for i, g := range groups {
		if _, ok := place[g.Name]; !ok {
			place[g.Name] = i
		}
	}
	changed := func(g Group) int {
		if len(place) == len(groups) || g.DefinitionHash == shippedHash(g.Name) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(place[a.Name], place[b.Name]), cmp.Compare(changed(a), changed(b)))
	})
}

func commonSeeds(a, b Group) int {
	n := 0
	for _, s := range b.Summaries {
		if slices.ContainsFunc(a.Summaries, func(x *metrics.Summary) bool { return x.Seed == s.Seed }) {
			n++
		}
	}
	return n
}

// nameApart labels groups of one name: the definition that ships inside keeps
// the plain name, others get the start of their hash. The notes tell how each
// differs from the first of its name.
func nameApart(groups []Group) (notes []string) {
	for i := range groups {
		g := &groups[i]
		alike := func(x Group) bool { return x.Name == g.Name }
		first := slices.IndexFunc(groups, alike)
		if !slices.ContainsFunc(groups[i+1:], alike) && first == i {
			continue
		}
		if g.DefinitionHash != shippedHash(g.Name) {
			g.Label = fmt.Sprintf("%s %.4s", g.Name, g.DefinitionHash)
		}
		if first == i {
			continue
		}
		of, err := readManifest(groups[first].dir)
		if err != nil {
			continue // a run without files has only its label
		}
		own, err := readManifest(g.dir)
		if err != nil {
			continue
		}
		notes = append(notes, fmt.Sprintf("%s has other settings than %s: %s", g.Label, groups[first].Label, differences(of, own)))
	}
	return notes
}

// shippedHash is that of an experiment as it ships inside, or "".
func shippedHash(name string) string {
	if !slices.Contains(Names(), name) {
		return ""
	}
	d, err := Load(name, Overrides{})
	if err != nil {
		return ""
	}
	m, err := d.manifest()
	if err != nil {
		return ""
	}
	return m.DefinitionHash
}

// tabulate sets the groups side by side. The rows are the figures that any
// group has, those of the first one first; a group that lacks a figure has an
// empty sample there.
func tabulate(groups []Group) []Row {
	var rows []Row
	for _, f := range figuresOf(groups) {
		row := Row{Key: f.Key, Label: f.Label, Unit: f.Unit, Headline: f.Headline}
		first := valuesOf(groups[0], f.Key)
		for i, g := range groups {
			runs := valuesOf(g, f.Key)
			values := make([]float64, len(runs))
			for j, r := range runs {
				values[j] = r.Value
			}
			row.Samples = append(row.Samples, metrics.Describe(values))
			var paired *metrics.Sample
			if i > 0 {
				difference := metrics.Paired(first, runs)
				paired = &difference
			}
			row.Paired = append(row.Paired, paired)
			row.Paper = append(row.Paper, paper[f.Key][g.Name])
		}
		rows = append(rows, row)
	}
	return rows
}

// figuresOf lists the figures of all runs, each once.
func figuresOf(groups []Group) []metrics.Figure {
	var all []metrics.Figure
	seen := map[string]bool{}
	for _, g := range groups {
		for _, s := range g.Summaries {
			for _, f := range s.Figures() {
				if !seen[f.Key] {
					seen[f.Key] = true
					all = append(all, f)
				}
			}
		}
	}
	return all
}

func valuesOf(g Group, key string) []metrics.Run {
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
