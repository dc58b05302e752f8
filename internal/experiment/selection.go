package experiment

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"cosim/scada"
	"cosim/scada/reconfig"
)

// Selection says which decisions of a run are recorded: all within some times,
// one every so often, or those that are most of something.
type Selection struct {
	text     string
	from, to time.Duration // both included
	every    time.Duration // from time 0 on
	most     int           // how many, of those that are most by
	by       string        // slowest, widest or every; empty: by time
}

// Measures of Selection.
const (
	bySlowest = "slowest" // on the wall clock
	byWidest  = "widest"  // gap

	byEvery = "every"
)

// ParseSelection reads "290s", "290s..300s", "every:3s", "slowest:10" or
// "widest:10".
func ParseSelection(text string) (Selection, error) {
	s := Selection{text: text}
	wrong := fmt.Errorf("%q is no selection of decisions, expected a time (290s), a span (290s..300s), %s:TIME, %s:N or %s:N", text, byEvery, byWidest, bySlowest)
	by, count, ok := strings.Cut(text, ":")
	switch {
	case ok && by == byEvery:
		every, err := time.ParseDuration(count)
		if err != nil || every <= 0 {
			return s, wrong
		}
		s.by, s.every = by, every
		return s, nil
	case ok:
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || by != bySlowest && by != byWidest {
			return s, wrong
		}
		s.by, s.most = by, n
		return s, nil
	}
	from, to, span := strings.Cut(text, "..")
	if !span {
		to = from
	}
	var errs [2]error
	s.from, errs[0] = time.ParseDuration(from)
	s.to, errs[1] = time.ParseDuration(to)
	if errs[0] != nil || errs[1] != nil || s.from < 0 {
		return s, wrong
	}
	if s.to < s.from {
		return s, fmt.Errorf("%q ends before it begins", text)
	}
	return s, nil
}

// check says why nothing in a run of d would be selected.
func (s *Selection) check(d *Definition) error {
	r := d.Reconfigure
	if r.Solver == SolverNone {
		return fmt.Errorf("%s decides nothing that could be recorded: reconfiguration.solver is %s", d.Name, SolverNone)
	}
	switch {
	case s.by == byEvery && s.every%r.Period != 0:
		return fmt.Errorf("no decision to record at %s: there is one every %v, expected a multiple of it", s.text, r.Period)
	case s.by != "":
		return nil
	}
	first := (s.from + r.Period - 1) / r.Period * r.Period
	switch {
	case first >= d.Duration:
		return fmt.Errorf("no decision to record at %s: the run ends at %v", s.text, d.Duration)
	case first > s.to:
		return fmt.Errorf("no decision to record at %s: there is one every %v", s.text, r.Period)
	}
	return nil
}

// CheckSelections says which of the selections have nothing to select in a run
// of d.
func CheckSelections(d *Definition, selections []Selection) error {
	for i := range selections {
		if err := selections[i].check(d); err != nil {
			return err
		}
	}
	return nil
}

// decisionsFolder is where in a run's folder its recorded decisions are.
const decisionsFolder = "decisions"

// decisionRecorder writes the selected decisions of a run, each into a file
// that is named by its time. Those selected by time are written at once, the
// others at the end. It is also the solver whose time it takes.
type decisionRecorder struct {
	reconfig.Solver
	def        *Definition
	dir        string
	selections []Selection
	kept       [][]keptDecision // by selection
	took       time.Duration
	files      map[string]bool // written
}

// newDecisionRecorder is nil where there is nothing to select or no folder.
func newDecisionRecorder(d *Definition, dir string, selections []Selection) *decisionRecorder {
	if dir == "" || len(selections) == 0 {
		return nil
	}
	return &decisionRecorder{def: d, dir: dir, selections: selections, kept: make([][]keptDecision, len(selections)), files: map[string]bool{}}
}

// keptDecision is one that may yet be among the most.
type keptDecision struct {
	atNS  int64
	score float64
	text  []byte
}

// Solve notes how long the decision takes.
func (r *decisionRecorder) Solve(p *reconfig.Problem, warm *reconfig.Warm, budget reconfig.Budget) (*reconfig.Result, error) {
	start := time.Now()
	defer func() { r.took = time.Since(start) }()
	return r.Solver.Solve(p, warm, budget)
}

// observe records a decision if it is selected.
func (r *decisionRecorder) observe(d scada.Decision) error {
	var text []byte
	encoded := func() []byte {
		if text == nil {
			text = r.recording(d).Encode()
		}
		return text
	}
	for i, s := range r.selections {
		switch s.by {
		case bySlowest:
			r.keep(i, d.AtNS, r.took.Seconds(), encoded)
		case byWidest:
			r.keep(i, d.AtNS, d.Result.Gap, encoded)
		default:
			if s.selects(time.Duration(d.AtNS)) {
				if err := r.write(d.AtNS, encoded()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// selects says whether a decision is recorded for its time.
func (s *Selection) selects(at time.Duration) bool {
	if s.by == byEvery {
		return at%s.every == 0
	}
	return at >= s.from && at <= s.to
}

func (r *decisionRecorder) recording(d scada.Decision) *reconfig.Recording {
	return &reconfig.Recording{
		Version: reconfig.RecordingVersion, Program: Version(), Experiment: r.def.Name, Seed: r.def.Seed,
		AtNS: d.AtNS, PeriodNS: r.def.Reconfigure.Period.Nanoseconds(), Solver: r.def.Reconfigure.Solver,
		Budget: d.Budget, Problem: *d.Problem, Warm: d.Warm.Recorded(), Result: *d.Result,
	}
}

// keep holds a decision as long as it is among the most; of equals the first.
func (r *decisionRecorder) keep(i int, atNS int64, score float64, encoded func() []byte) {
	kept, most := r.kept[i], r.selections[i].most
	at, _ := slices.BinarySearchFunc(kept, score, func(k keptDecision, score float64) int {
		if k.score >= score {
			return -1
		}
		return 1
	})
	if at < most {
		kept = slices.Insert(kept, at, keptDecision{atNS, score, encoded()})
		r.kept[i] = kept[:min(len(kept), most)]
	}
}

// close writes what is left.
func (r *decisionRecorder) close() error {
	if r == nil {
		return nil
	}
	for _, kept := range r.kept {
		slices.SortFunc(kept, func(a, b keptDecision) int { return cmp.Compare(a.atNS, b.atNS) })
		for _, k := range kept {
			if err := r.write(k.atNS, k.text); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *decisionRecorder) write(atNS int64, text []byte) error {
	dir := filepath.Join(r.dir, decisionsFolder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("experiment: record decision: %w", err)
	}
	file := filepath.Join(dir, decisionName(atNS))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("experiment: record decision: %w", err)
	}
	r.files[file] = true
	return nil
}

// written are the files with decisions, in the order of their times.
func (r *decisionRecorder) written() []string {
	if r == nil {
		return nil
	}
	files := slices.Collect(maps.Keys(r.files))
	slices.SortFunc(files, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return files
}

// decisionName is "290.1s.json".
func decisionName(atNS int64) string {
	s := strconv.FormatFloat(float64(atNS)/1e9, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s + "s.json"
}
