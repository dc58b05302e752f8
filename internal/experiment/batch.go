package experiment

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"cosim/internal/metrics"

	cosync "cosim/sync"
)

// BatchOptions say how several runs of one experiment are carried out.
type BatchOptions struct {
	RunOptions
	// Parallel is how many runs go on at a time; less than 1 means 1, and so do
	// external federates, which can take part in one run at a time.
	Parallel int
	// Watch, if any, gives each run observers of its own before it starts; a run
	// for which it fails is not carried out.
	Watch func(d *Definition) ([]cosync.Observer, error)
	// Done, if any, hears of each ended run, one at a time, in the order in
	// which they end.
	Done func(*Result, error)
}

// Batch runs d with the seeds d.Seed, d.Seed+1, …: the same definition and
// disturbances of their own. The results stand in the order of the seeds,
// whatever the order in which they ended; a run that failed has its error
// joined into Batch's, and no result if it left none.
func Batch(ctx context.Context, d *Definition, runs int, o BatchOptions) ([]*Result, error) {
	results := make([]*Result, runs)
	if len(d.Federates) > 0 {
		o.Parallel = 1
	}
	var mu sync.Mutex
	err := each(ctx, runs, o.Parallel, func(i int) error {
		one := *d
		one.Seed = d.Seed + uint64(i)
		res, err := o.run(ctx, &one)
		if err != nil && runs > 1 {
			err = fmt.Errorf("seed %d: %w", one.Seed, err)
		}
		results[i] = res
		if o.Done != nil {
			mu.Lock()
			defer mu.Unlock()
			o.Done(res, err)
		}
		return err
	})
	return results, err
}

// run carries out one run with its own observers.
func (o BatchOptions) run(ctx context.Context, d *Definition) (*Result, error) {
	if o.Watch != nil {
		own, err := o.Watch(d)
		if err != nil {
			return nil, err
		}
		o.Observers = slices.Concat(o.Observers, own)
	}
	return Run(ctx, d, o.RunOptions)
}

func summariesOf(results []*Result) []*metrics.Summary {
	var list []*metrics.Summary
	for _, r := range results {
		if r != nil {
			list = append(list, r.Summary)
		}
	}
	return list
}
