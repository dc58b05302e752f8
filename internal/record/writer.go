package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gopkg.in/yaml.v3"
)

// Writer records one run. It is not for concurrent use.
//
// Row and Event do not allocate in the steady state, and memory does not grow
// with the length of the run. An error of writing is permanent: the run cannot
// be recorded any further.
type Writer struct {
	dir     string
	file    *os.File
	again   *continuation // nil for a new run
	log     *logWriter
	now     func() time.Time
	started time.Time
}

// Option changes how a Writer works.
type Option func(*Writer)

// Clock replaces the wall clock, which decides when to flush and what
// timing.json says.
func Clock(now func() time.Time) Option { return func(w *Writer) { w.now = now } }

// Create makes the folder dir with manifest.yaml and an empty run.log. A
// previous run of that name is replaced as a whole, with all that was added to
// its folder; anything else that stands there is left alone and is an error.
//
// The manifest is whatever yaml.Marshal takes, a *yaml.Node for example.
func Create(dir string, manifest any, columns []Column, options ...Option) (*Writer, error) {
	dir = filepath.Clean(dir)
	w := &Writer{dir: dir, now: time.Now}
	for _, o := range options {
		o(w)
	}
	w.started = w.now()
	head, err := encodeHeader(columns)
	if err != nil {
		return nil, err
	}
	if err := w.begin(manifest, head); err != nil {
		return nil, fmt.Errorf("record: create run: %w", err)
	}
	w.log = newLogWriter(w.file, len(columns), w.now)
	return w, nil
}

// begin prepares the folder beside its place, so that none without manifest
// and header is ever seen, and opens the log in its place.
func (w *Writer) begin(manifest any, head []byte) error {
	if err := checkReplaceable(w.dir); err != nil {
		return err
	}
	fresh := sibling(w.dir, "new")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.MkdirAll(fresh, 0o755); err != nil {
		return err
	}
	if err := ReplaceFile(filepath.Join(fresh, ManifestName), encodeYAML(manifest)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(fresh, LogName), head, 0o644); err != nil {
		return err
	}
	if err := install(fresh, w.dir); err != nil {
		return err
	}
	var err error
	if w.file, err = os.OpenFile(filepath.Join(w.dir, LogName), os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return err
	}
	return Lock(w.file)
}

// Continue opens the folder of a run that was killed or failed, to write its
// run.log again from the start. What stands there already must come to the
// same, or a call fails with a *DifferenceError; it stays until more follows
// it. Continue fails if another process is writing the run.
func Continue(dir string, columns []Column, options ...Option) (*Writer, error) {
	w := &Writer{dir: dir, now: time.Now}
	for _, o := range options {
		o(w)
	}
	w.started = w.now()
	head, err := encodeHeader(columns)
	if err != nil {
		return nil, err
	}
	if !IsRun(dir) {
		return nil, fmt.Errorf("record: %s is not a run's folder (it has no %s)", dir, LogName)
	}
	if w.again, err = continueFile(filepath.Join(dir, LogName), magic); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	w.file = w.again.file
	if _, err := w.again.Write(head); err != nil {
		return nil, errors.Join(err, w.file.Close())
	}
	w.log = newLogWriter(w.again, len(columns), w.now)
	return w, nil
}

// Dir is the run's folder.
func (w *Writer) Dir() string { return w.dir }

// Row appends the values of all columns at simulated time tNS, which must be
// later than the row before. NaN stands for a missing value.
func (w *Writer) Row(tNS int64, values []float64) error { return w.log.row(tNS, values) }

// Event appends an event. Events are kept in the order in which they come.
func (w *Writer) Event(e Event) error { return w.log.event(&e) }

// Flush hands all that was written to the operating system, for a caller that
// will be silent for long.
func (w *Writer) Flush() error { return w.log.flush() }

// Timing is the content of timing.json.
type Timing struct {
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	WallS    float64   `json:"wall_s"`
	Error    string    `json:"error,omitempty"` // why the run failed; messages may name wall times
	Measured any       `json:"measured,omitempty"`
}

// Close ends the log and writes summary.json and, last, timing.json, in which
// timing stands under "measured". A summary of nil writes no summary.json.
// runErr is what the run failed with; it is recorded, not returned. A folder
// that another run has replaced meanwhile is left alone, with an error. A run
// that was continued, but not as far as it was before, stays as it is.
func (w *Writer) Close(summary, timing any, runErr error) error {
	end := w.now()
	if err := w.log.flush(); err != nil || w.again.behind() {
		return errors.Join(err, w.file.Close())
	}
	own := w.ownsFolder()
	err := errors.Join(w.log.end(runErr != nil), w.log.flush(), w.file.Close())
	if err != nil {
		return err
	}
	if !own {
		return fmt.Errorf("record: %s was replaced by another run", w.dir)
	}
	if summary != nil {
		if err := ReplaceFile(filepath.Join(w.dir, SummaryName), encodeJSON(summary)); err != nil {
			return fmt.Errorf("record: %w", err)
		}
	}
	t := Timing{Started: w.started, Ended: end, WallS: end.Sub(w.started).Seconds(), Measured: timing}
	if runErr != nil {
		t.Error = runErr.Error()
	}
	if err := ReplaceFile(filepath.Join(w.dir, TimingName), encodeJSON(t)); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

func (w *Writer) ownsFolder() bool {
	there, err := os.Stat(filepath.Join(w.dir, LogName))
	if err != nil {
		return false
	}
	ours, err := w.file.Stat()
	return err == nil && os.SameFile(there, ours)
}

func encodeYAML(v any) func(io.Writer) error {
	return func(out io.Writer) error {
		e := yaml.NewEncoder(out)
		e.SetIndent(2)
		return errors.Join(e.Encode(v), e.Close())
	}
}

func encodeJSON(v any) func(io.Writer) error {
	return func(out io.Writer) error {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
}
