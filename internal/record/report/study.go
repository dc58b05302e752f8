package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
	"cosim/internal/record"
)

// study is what is reported: one run, or experiments side by side.
type study struct {
	groups     []*group
	comparison *experiment.Comparison // nil of one run
	seed       uint64                 // of the runs that are drawn
	paper      bool
	notes      []string
	swept      []picture // of sweeps
}

// group are the runs of one definition, by seed.
type group struct {
	label, name string
	runs        []*run
	shown       *run // whose traces are drawn; nil if it has no run of the seed
	latency     map[string]*metrics.Histogram
	gaps        metrics.Histogram
}

// run is one run's folder.
type run struct {
	dir     string
	about   *about
	summary *metrics.Summary
	timing  timing
	trace   *trace // nil without a log
	killed  bool   // left no summary
}

// timing is what a report takes from timing.json.
type timing struct {
	Measured struct {
		Decisions *experiment.DecisionTimes `json:"decisions"`
	} `json:"measured"`
}

func (s *study) single() bool { return s.comparison == nil }

// one is the run of a report about one.
func (s *study) one() *run { return s.groups[0].runs[0] }

// newStudy finds the runs and reads them.
func newStudy(ctx context.Context, o Options) (*study, error) {
	s := &study{paper: o.Paper}
	places, err := s.takeTables(o.Runs)
	if err != nil {
		return nil, err
	}
	if len(places) == 0 {
		return s, nil
	}
	dirs, err := experiment.RunFolders(places)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	for _, place := range places {
		for _, dir := range experiment.SweepFolders(place) {
			s.notes = append(s.notes, fmt.Sprintf("left out: %s is a sweep's folder (cosim report %s draws it)", dir, dir))
		}
	}
	if len(dirs) == 1 {
		err = s.takeOne(dirs[0])
	} else {
		err = s.takeAll(dirs)
	}
	if err != nil {
		return nil, err
	}
	if err := s.choose(o.Seed); err != nil {
		return nil, err
	}
	return s, s.read(ctx)
}

// takeOne studies a single run.
func (s *study) takeOne(dir string) error {
	r, err := openRun(dir)
	if err != nil {
		return err
	}
	name := r.about.Experiment.Name
	s.groups = []*group{{label: name, name: name, runs: []*run{r}}}
	return nil
}

// takeAll studies complete runs by definition.
func (s *study) takeAll(dirs []string) error {
	c, err := experiment.CompareRuns(dirs)
	s.notes = append(s.notes, c.Notes...)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	s.comparison = &c
	type identity struct {
		hash string
		seed uint64
	}
	runs := map[identity]*run{}
	for _, dir := range dirs {
		r, err := openRun(dir)
		if err != nil {
			return err
		}
		if r.killed {
			continue // the notes say so
		}
		id := identity{r.summary.DefinitionSHA256, r.summary.Seed}
		if runs[id] == nil {
			runs[id] = r
		}
	}
	for _, g := range c.Groups {
		own := &group{label: g.Label, name: g.Name}
		for _, sum := range g.Summaries {
			if r := runs[identity{g.DefinitionHash, sum.Seed}]; r != nil {
				own.runs = append(own.runs, r)
			}
		}
		if len(own.runs) == 0 {
			return fmt.Errorf("report: the runs of %s were there a moment ago and are gone", g.Label)
		}
		s.groups = append(s.groups, own)
	}
	return nil
}

// openRun reads everything of a run but its log.
func openRun(dir string) (*run, error) {
	a, err := readAbout(dir)
	if err != nil {
		return nil, err
	}
	r := &run{dir: dir, about: a, summary: &metrics.Summary{}}
	switch err := readJSON(filepath.Join(dir, record.SummaryName), r.summary); {
	case errors.Is(err, fs.ErrNotExist):
		r.killed, r.summary = true, nil
	case err != nil:
		return nil, fmt.Errorf("report: %w", err)
	}
	if err := readJSON(filepath.Join(dir, record.TimingName), &r.timing); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("report: %w", err)
	}
	return r, nil
}

func readJSON(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// choose settles which seed is drawn: the least that all experiments have, or
// the most of them.
func (s *study) choose(wish *uint64) error {
	count := map[uint64]int{}
	for _, g := range s.groups {
		for _, r := range g.runs {
			count[r.seed()]++
		}
	}
	best := -1
	for seed, n := range count {
		if n > best || n == best && seed < s.seed {
			s.seed, best = seed, n
		}
	}
	if wish != nil {
		if count[*wish] == 0 {
			return UsageError{fmt.Errorf("report: no run there has seed %d", *wish)}
		}
		s.seed = *wish
	}
	for _, g := range s.groups {
		i := slices.IndexFunc(g.runs, func(r *run) bool { return r.seed() == s.seed })
		if i >= 0 {
			g.shown = g.runs[i]
		}
	}
	return nil
}

func (r *run) seed() uint64 {
	if r.summary != nil {
		return r.summary.Seed
	}
	return r.about.Experiment.Seed
}

// read reads all logs, some at a time. What is counted over the runs of a group
// does not depend on their order.
func (s *study) read(ctx context.Context) error {
	type job struct {
		g *group
		r *run
	}
	jobs := make(chan job)
	var workers sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for j := range jobs {
				t, err := readTrace(j.r.dir, j.r.about, j.r == j.g.shown)
				if err == nil && j.r == j.g.shown && j.r.about.reconfigures() {
					t.forecast, err = readForecast(j.r.dir, t)
				}
				mu.Lock()
				if err == nil {
					j.g.take(j.r, t)
				} else if !errors.Is(err, fs.ErrNotExist) || j.r.killed {
					errs = append(errs, err) // a log may have been deleted to save space
				}
				mu.Unlock()
			}
		})
	}
	for _, g := range s.groups {
		g.latency = map[string]*metrics.Histogram{}
		for _, r := range g.runs {
			if ctx.Err() == nil {
				jobs <- job{g, r}
			}
		}
	}
	close(jobs)
	workers.Wait()
	for _, g := range s.groups {
		if g.shown != nil && g.shown.trace != nil && g.shown.trace.forecast != nil && g.shown.trace.forecast.note != "" {
			s.notes = append(s.notes, g.shown.trace.forecast.note)
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return compareText(a.Error(), b.Error()) })
	return errors.Join(append(errs, ctx.Err())...)
}

// take adds a run's trace to what the group knows of all its runs.
func (g *group) take(r *run, t *trace) {
	r.trace = t
	if r.summary == nil {
		r.summary = t.summed
	}
	for class, h := range t.latency { // each by itself
		if g.latency[class] == nil {
			g.latency[class] = &metrics.Histogram{}
		}
		g.latency[class].Merge(h)
	}
	g.gaps.Merge(&t.gaps)
	t.latency, t.gaps = nil, metrics.Histogram{} // counted; they are large
}
