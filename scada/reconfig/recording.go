package reconfig

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
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
	PeriodNS   int64 // length of a step of the horizon
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
	switch {
	case r.Version > 0 && r.Version != RecordingVersion:
		return nil, fmt.Errorf("%s: version: found %d, expected %d", file, r.Version, RecordingVersion)
	case err != nil:
		return nil, err
	case r.Version != RecordingVersion:
		return nil, fmt.Errorf("%s: version: found %d, expected %d, as a run writes it", file, r.Version, RecordingVersion)
	}
	if err := r.check(); err != nil {
		// errors.Join has one mistake a line.
		return nil, fmt.Errorf("%s: %s", file, strings.ReplaceAll(err.Error(), "\n", "\n"+file+": "))
	}
	return r, nil
}

// check says what does not fit together.
func (r *Recording) check() error {
	if err := r.Problem.Validate(); err != nil {
		return err
	}
	if len(r.Problem.Chains) == 0 {
		return errors.New("problem.chains: found none, expected at least one")
	}
	if err := r.Problem.checkShape(r.Result.Plan); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	if r.Warm == nil {
		return nil
	}
	return r.Warm.check(&r.Problem)
}

// check refuses what a solver would not have left behind.
func (w *WarmStart) check(p *Problem) error {
	var errs []error
	sized := func(what string, n, want int) {
		if n != 0 && n != want {
			errs = append(errs, fmt.Errorf("warm: found %d %s, expected %d", n, what, want))
		}
	}
	sized("plans of chains", len(w.Plan), len(p.Chains))
	sized("chains with columns", len(w.Columns), len(p.Chains))
	sized("pools with prices", len(w.Prices), len(p.Pools))
	for l, columns := range append([][][]int{w.Plan}, w.Columns...) {
		for _, options := range columns {
			if k := slices.IndexFunc(options, func(o int) bool { return o < 0 || o >= MaxOptions }); k >= 0 {
				where := "plan"
				if l > 0 {
					where = fmt.Sprintf("columns[%d]", l-1)
				}
				errs = append(errs, fmt.Errorf("warm.%s: found option %d, expected 0 to %d", where, options[k], MaxOptions-1))
			}
		}
	}
	return errors.Join(errs...)
}

// Difference says in what other differs first from the recorded result, empty
// if in nothing: plan, bound and work must be equal to the last bit.
func (r *Recording) Difference(other *Result) string {
	for l, options := range r.Result.Plan {
		c := &r.Problem.Chains[l]
		for t, o := range options {
			if x := other.Plan[l][t]; x != o {
				return fmt.Sprintf("chain %s, step %d: recorded %s, now %s", c.ID, t, c.Options[o].Name(o), c.Options[x].Name(x))
			}
		}
	}
	return difference(reflect.ValueOf(r.Result), reflect.ValueOf(*other), "")
}

// Name is the label of option number index, or its number if it has none.
func (o *Option) Name(index int) string {
	if o.Label != "" {
		return o.Label
	}
	return fmt.Sprintf("option %d", index)
}
