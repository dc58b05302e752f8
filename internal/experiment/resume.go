package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"cosim/internal/record"
	"cosim/internal/record/parquet"
	cosync "cosim/sync"
)

// past is a run that is repeated: to continue it, to see it again without those
// who took part from outside, or to go another way from some time on. Its
// methods are good for nil, which repeats nothing.
type past struct {
	dir     string
	until   cosync.Time // what was from here on does not count; 0: all counts
	resume  bool        // the run's own folder is continued
	alone   bool        // external federates take no part
	tape    *tape       // nil: nothing came from outside
	chain   *record.ChainReader
	over    bool  // the chain has been checked to its end
	checked int64 // digests, the start included
}

// openPast opens a run's folder and the definition that it was made from.
func openPast(dir string, until cosync.Time, o Overrides) (*past, *Definition, error) {
	if !record.IsRun(dir) {
		return nil, nil, NoRunError{Dir: dir}
	}
	d, err := Load(filepath.Join(dir, record.ManifestName), o)
	if err != nil {
		return nil, nil, err
	}
	m, err := readManifest(dir)
	if err != nil {
		return nil, nil, err
	}
	if now, err := d.caseHash(); err != nil {
		return nil, nil, err
	} else if now != m.CaseHash {
		return nil, nil, fmt.Errorf("experiment: the data of case %s are not those that %s was made with", d.Case, dir)
	}
	p := &past{dir: filepath.Clean(dir), until: until}
	if p.tape, err = openTape(dir, until); err != nil {
		return nil, nil, err
	}
	p.chain, err = record.OpenChain(dir)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, record.ErrNoHeader) {
		p.over, err = true, nil
	}
	return p, d, err
}

func (p *past) close() {
	if p == nil {
		return
	}
	if p.chain != nil {
		_ = p.chain.Close()
	}
	if p.tape != nil {
		_ = p.tape.reader.Close()
	}
}

// behind says that the repetition has not caught up with the run.
func (p *past) behind() bool { return p != nil && !p.over }

func (p *past) cuts() map[int]int {
	if p == nil || p.tape == nil {
		return nil
	}
	return p.tape.cuts
}

// awaits says whether the i-th federate's program is to take part.
func (p *past) awaits(i int) bool {
	return p == nil || !p.alone && (p.tape == nil || i >= len(p.tape.lost) || !p.tape.lost[i])
}

// failure is why a repetition had to end, apart from the run's own errors.
func (p *past) failure() error {
	if p.tape == nil {
		return nil
	}
	p.tape.mu.Lock()
	defer p.tape.mu.Unlock()
	return p.tape.failure
}

// cast gives the external federates their parts: the programs that take part,
// by place in d.Federates, and what the tape has of them.
func (p *past) cast(d *Definition, live []cosync.Federate) ([]cosync.Federate, error) {
	parts := slices.Clone(live)
	if p == nil || p.tape == nil {
		if p != nil && p.alone {
			return nil, fmt.Errorf("experiment: %s has no %s: nobody had connected when it ended", p.dir, record.BoundaryName)
		}
		return parts, nil
	}
	if !slices.EqualFunc(d.Federates, p.tape.outside, func(x External, o record.Outsider) bool { return x.Name == o.Name }) {
		return nil, fmt.Errorf("experiment: %s has other external federates", p.dir)
	}
	for i, o := range p.tape.outside {
		if parts[i] != nil && !sameDescription(parts[i].Describe(), o.About) {
			return nil, fmt.Errorf("experiment: %s does not describe itself as it did in %s", o.Name, p.dir)
		}
		parts[i] = &played{tape: p.tape, place: i, about: o.About, live: parts[i]}
	}
	return parts, nil
}

// sameDescription compares what is left of descriptions in a file.
func sameDescription(a, b cosync.Description) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// observers are those that a repetition needs before and after all others.
func (p *past) observers(d *Definition, fed *federation) (first, last []cosync.Observer) {
	if p == nil || p.tape == nil {
		return nil, nil
	}
	return []cosync.Observer{p.tape}, []cosync.Observer{newOperator(p.tape.orders, d, fed)}
}

// record opens the folder that the run is recorded in.
func (p *past) record(dir string, m *Manifest, columns []record.Column) (*record.Writer, error) {
	if p == nil || !p.resume {
		w, err := record.Create(dir, m, columns)
		if err != nil {
			return nil, createError(dir, err)
		}
		return w, nil
	}
	return record.Continue(dir, columns)
}

// ErrComplete says that there is nothing to resume.
var ErrComplete = errors.New("the run is complete")

// RepeatOptions say how a recorded run is repeated.
type RepeatOptions struct {
	RunOptions
	// Listen is where external federates connect, in place of the run's own
	// address.
	Listen string
	// Watch, if any, gives the repetition an observer before it starts.
	Watch func(d *Definition) cosync.Observer
	// Unlike lets external federates answer otherwise than they did. The
	// recorded answers hold as far as they go.
	Unlike bool
}

// run carries out the repetition.
func (o *RepeatOptions) run(ctx context.Context, p *past, d *Definition) (*Result, error) {
	if p.tape != nil {
		p.tape.differ = o.Unlike
	}
	run := o.RunOptions
	run.past = p
	if o.Watch != nil {
		run.Observers = append(slices.Clone(run.Observers), o.Watch(d))
	}
	res, err := Run(ctx, d, run)
	if res != nil {
		res.Checked = p.checked
	}
	var diverged *DivergenceError
	switch failure := p.failure(); {
	case errors.As(err, &diverged): // what was found is not the run's
		return nil, diverged
	case err != nil && failure == errRecordEnds:
		return res, failure
	case err != nil && failure != nil:
		return nil, failure
	}
	return res, err
}

func (o *RepeatOptions) overrides() Overrides {
	if o.Listen == "" {
		return Overrides{}
	}
	return Overrides{Set: []string{fmt.Sprintf("attach.listen=%q", o.Listen)}}
}

// Resume continues a run that was killed or interrupted, or failed, in its
// folder. It simulates from the start and holds every step against the record;
// external federates connect again and are taken along. What it leaves is what
// the uninterrupted run would have left.
func Resume(ctx context.Context, dir string, o RepeatOptions) (*Result, error) {
	p, d, err := openPast(dir, 0, o.overrides())
	defer p.close()
	if err != nil {
		return nil, err
	}
	if complete(dir) {
		return nil, fmt.Errorf("experiment: %s: %w", dir, ErrComplete)
	}
	p.resume, o.Out = true, filepath.Dir(p.dir)
	return o.run(ctx, p, d)
}

// complete says whether a run has all its files.
func complete(dir string) bool {
	for _, name := range []string{parquet.SeriesName, parquet.EventsName, record.TimingName} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	s, err := readSummary(dir)
	return err == nil && s.Complete
}

// Replay repeats a run without those who took part from outside, and holds
// every step against the record; Out names the folder for another recording of
// it, if one is wanted. Of a run that was not complete it repeats what was
// recorded, if anything came from outside.
func Replay(ctx context.Context, dir string, o RepeatOptions) (*Result, error) {
	p, d, err := openPast(dir, 0, Overrides{})
	defer p.close()
	if err != nil {
		return nil, err
	}
	if o.Out != "" && samePlace(filepath.Join(o.Out, d.RunName()), dir) {
		return nil, fmt.Errorf("experiment: the replay would replace %s; give another folder", dir)
	}
	p.alone = true
	return o.run(ctx, p, d)
}

func samePlace(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX == nil && errY == nil {
		return os.SameFile(x, y)
	}
	return filepath.Clean(a) == filepath.Clean(b)
}
