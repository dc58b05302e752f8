package experiment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"cosim/internal/record"
	cosync "cosim/sync"
)

// Fork makes a run again up to a time and lets it go another way from there:
// with the same seed, and settings changed by set. Up to then every step is
// held against the run's record, so that a change that acts earlier is refused,
// whatever it is. Attacks that the run did not have begin at that time at the
// earliest. External federates take part as in Resume.
func Fork(ctx context.Context, dir string, at time.Duration, set []string, o RepeatOptions) (*Result, error) {
	changes := o.overrides()
	changes.Set = append(changes.Set, set...)
	p, d, err := openPast(dir, simTime(at), changes)
	defer p.close()
	if err != nil {
		return nil, err
	}
	was, err := Load(filepath.Join(dir, record.ManifestName), Overrides{})
	if err != nil {
		return nil, err
	}
	if err := checkFork(p, was, d, at, o.Out); err != nil {
		return nil, err
	}
	if p.tape != nil {
		for decision := range p.tape.cuts {
			if time.Duration(decision)*d.Reconfigure.Period >= at {
				delete(p.tape.cuts, decision)
			}
		}
	}
	res, err := o.run(ctx, p, d)
	var early *DivergenceError
	if errors.As(err, &early) {
		err = fmt.Errorf("experiment: what is changed shows in %s already (%s), before %v; a fork can change only what acts from its time on, such as attacks and scheduled disturbances",
			stepName(early.Seq, early.At), someNames(early.Outputs), at)
	}
	return res, err
}

// checkFork says what keeps d from being a fork of was, and puts off attacks
// that are new.
func checkFork(p *past, was, d *Definition, at time.Duration, out string) error {
	switch {
	case p.chain == nil:
		return fmt.Errorf("experiment: %s has no %s to hold a fork against", p.dir, record.ChainName)
	case at <= 0 || at >= was.Duration || simTime(at)%cosync.Time(p.chain.StepNS()) != 0:
		return fmt.Errorf("experiment: fork at %v, expected a time between 0 and %v, a multiple of %v", at, was.Duration, cosync.Time(p.chain.StepNS()))
	case d.Seed != was.Seed:
		return errors.New("experiment: a fork has the seed of its run")
	case samePlace(filepath.Join(out, d.RunName()), p.dir):
		return fmt.Errorf("experiment: the fork would replace %s; give another folder", p.dir)
	}
	d.Attacks = slices.Clone(d.Attacks)
	for i := range d.Attacks {
		a := &d.Attacks[i]
		if slices.Contains(was.Attacks, *a) {
			continue
		}
		a.StartS = max(a.StartS, at.Seconds())
		if a.EndS > 0 && a.EndS <= a.StartS {
			return fmt.Errorf("experiment: attacks[%d] ends at %v s, before the fork at %v", i, a.EndS, at)
		}
	}
	m, err := d.manifest()
	if err != nil {
		return err
	}
	if before, err := was.manifest(); err != nil || before.DefinitionHash == m.DefinitionHash {
		return errors.Join(errors.New("experiment: the fork changes nothing; say what with --set"), err)
	}
	return nil
}
