package reconfig

import (
	"errors"
	"fmt"
	"os"
	"reflect"
)

// RecordingVersion is that of the form of a Recording. It changes where old
// recordings can no longer be read.
const RecordingVersion = 1

// Recording is one decision with all that made it, so that it can be made
// again elsewhere. Its JSON has a key for each exported field of its types, in
// small letters with underscores; what is absent is zero, so that fields may be
// added. A cost without limit is "+Inf".
type Recording struct {
	Version    int
	Program    string // version of the program that made the decision
	Experiment string
	Seed       uint64
	AtNS       int64 // simulated time
	Solver     string
	Budget     Budget
	Problem    Problem
	Warm       *WarmStart // nil of a first decision
	Result     Result
}

// WarmStart is a Warm as it is recorded. It has its fields, all of them.
type WarmStart struct {
	Plan    Plan
	Columns [][][]int
	Prices  []PoolPrices
}

// Recorded is w as it is recorded.
func (w *Warm) Recorded() *WarmStart {
	if w == nil {
		return nil
	}
	return &WarmStart{Plan: w.plan, Columns: w.columns, Prices: w.prices}
}

// Warm is w for a solver.
func (w *WarmStart) Warm() *Warm {
	if w == nil {
		return nil
	}
	return &Warm{plan: w.Plan, columns: w.Columns, prices: w.Prices}
}

// Encode writes the recording as JSON for people and machines.
func (r *Recording) Encode() []byte {
	return append(write(reflect.ValueOf(r), 0, nil), '\n')
}

// ReadRecording reads and checks the recording in a file.
func ReadRecording(file string) (*Recording, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return DecodeRecording(file, data)
}

// DecodeRecording reads a recording from the text of a file. Its error has a
// line for each mistake, with the file's name, the line and the place in it,
// what was found and what was expected.
func DecodeRecording(file string, data []byte) (*Recording, error) {
	r := &Recording{}
	err := read(file, data, r)
	if r.Version != RecordingVersion {
		if r.Version != 0 {
			return nil, fmt.Errorf("%s: version: found %d, expected %d", file, r.Version, RecordingVersion)
		}
		if err == nil {
			err = fmt.Errorf("%s: no version: expected a decision as a run records it", file)
		}
	}
	if err == nil {
		if err = r.check(); err != nil {
			err = fmt.Errorf("%s: %w", file, err)
		}
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// check says what does not fit together.
func (r *Recording) check() error {
	if err := r.Problem.Validate(); err != nil {
		return err
	}
	if _, err := r.Problem.Evaluate(r.Result.Plan); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	if r.Warm == nil {
		return nil
	}
	return r.Warm.check(&r.Problem)
}

func (w *WarmStart) check(p *Problem) error {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("reconfig: warm start: "+format, args...))
	}
	chains := func(what string, n int) {
		if n != 0 && n != len(p.Chains) {
			report("%s of %d chains for %d", what, n, len(p.Chains))
		}
	}
	chains("a plan", len(w.Plan))
	chains("columns", len(w.Columns))
	if n := len(w.Prices); n != 0 && n != len(p.Pools) {
		report("prices of %d pools for %d", n, len(p.Pools))
	}
	columns := append([][][]int{w.Plan}, w.Columns...)
	for _, options := range columns {
		for _, column := range options {
			for _, o := range column {
				if o < 0 || o >= MaxOptions {
					report("option %d, expected 0 to %d", o, MaxOptions-1)
				}
			}
		}
	}
	return errors.Join(errs...)
}
