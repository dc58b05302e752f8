package experiment

import (
	"context"
	"errors"
	"sync"
)

// each does what belongs to 0 … n−1, so many at a time, and joins the errors in
// that order. Nothing more is begun once ctx has ended, which is an error then.
func each(ctx context.Context, n, parallel int, do func(i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var workers sync.WaitGroup
	for range max(1, min(parallel, n)) {
		workers.Go(func() {
			for i := range next {
				errs[i] = do(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			errs[i] = ctx.Err()
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	return errors.Join(errs...)
}
