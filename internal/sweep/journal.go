package sweep

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"cosim/internal/metrics"
	"cosim/internal/record"
)

// Record is what became of a run.
type Record struct {
	Run       string           `json:"run"`
	Summary   *metrics.Summary `json:"summary,omitempty"`
	Error     string           `json:"error,omitempty"`     // why there is no summary
	Invariant bool             `json:"invariant,omitempty"` // the error is a broken law of conservation
	// The rest is of the wall clock and the machine.
	WallS   float64   `json:"wall_s"`
	Worker  string    `json:"worker"`
	Attempt int       `json:"attempt"`
	EndedAt time.Time `json:"ended_at"`
}

// header is the first line of a journal.
type header struct {
	Sweep   string  `json:"sweep"`
	ID      string  `json:"id"` // on the bus
	Program program `json:"program"`
}

// program is what must be the same for all runs of a sweep: other versions and
// processor architectures make other runs.
type program struct {
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
}

func (p program) String() string { return "cosim " + p.Version + " on " + p.Architecture }

// JournalName is the file in a sweep's folder to which each result is added as
// it comes: a line of JSON, the first of which says whose they are.
const JournalName = "results.jsonl"

// journal is what a sweep has found. Its file is locked against other sweeps.
type journal struct {
	header
	records map[string]*Record // by run; the last counts
	file    *os.File
}

// openJournal goes on with the journal in a folder, or begins one.
func openJournal(dir, sweep string, own program) (*journal, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, JournalName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	j := &journal{file: file}
	if err := j.open(dir, sweep, own); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

func (j *journal) open(dir, sweep string, own program) error {
	if err := record.Lock(j.file); err != nil {
		return fmt.Errorf("sweep: another sweep is writing %s", dir)
	}
	text, err := io.ReadAll(j.file)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	whole, err := j.read(text)
	if err != nil {
		return fmt.Errorf("sweep: %s: %w", j.file.Name(), err)
	}
	// A line that was cut off is made again.
	if err := errors.Join(j.file.Truncate(int64(whole)), seek(j.file, int64(whole))); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if j.ID == "" {
		j.header = header{sweep, rand.Text()[:12], own}
		return j.write(j.header)
	}
	if j.Program != own {
		return fmt.Errorf("sweep: %s holds runs of %s, this is %s: the two must not be mixed; give another --out, or delete it", dir, j.Program, own)
	}
	return nil
}

func seek(file *os.File, to int64) error {
	_, err := file.Seek(to, io.SeekStart)
	return err
}

// readJournal reads that of a sweep that has ended.
func readJournal(path string) (*journal, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("sweep: %s does not exist: expected a folder that a sweep made", path)
	}
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	j := &journal{}
	if _, err := j.read(text); err != nil {
		return nil, fmt.Errorf("sweep: %s: %w", path, err)
	}
	return j, nil
}

// read says how many bytes of the text are whole lines.
func (j *journal) read(text []byte) (whole int, err error) {
	j.records = map[string]*Record{}
	lines := bufio.NewReader(bytes.NewReader(text))
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return whole, nil // the end, or a line without one
		}
		if n == 1 {
			if err := json.Unmarshal(line, &j.header); err != nil || j.ID == "" {
				return whole, errors.New("line 1: expected the name of a sweep and of its program")
			}
		} else {
			r := &Record{}
			if err := json.Unmarshal(line, r); err != nil {
				return whole, fmt.Errorf("line %d: %w", n, err)
			}
			j.records[r.Run] = r
		}
		whole += len(line)
	}
}

// add writes a result.
func (j *journal) add(r *Record) error {
	j.records[r.Run] = r
	return j.write(r)
}

func (j *journal) write(v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

func (j *journal) close() error {
	if err := errors.Join(j.file.Sync(), j.file.Close()); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}
