package reconfig

import (
	"sync"
	"unsafe"
)

// slab hands out zeroed slices for one solve, which are all returned together:
// a decision every 100 ms would otherwise spend a fifth of its time on
// collecting garbage.
type slab struct {
	floats chunks[float64]
	ints   chunks[int]
	mosts  chunks[most]

	columns chunks[column]
	draws   chunks[flatDraw]
	options chunks[[]flatDraw]
	// scratch of the envelope: increments by chain, step and rank; by falling
	// share; those with a share between
	items       []increment
	order, some []int
}

type chunks[T any] struct {
	all  [][]T
	next int // chunk
	used int // of the chunk before next
}

// chunkBytes is the size of a chunk.
const chunkBytes = 1 << 17

func (c *chunks[T]) take(n int) []T {
	var element T
	size := chunkBytes / int(unsafe.Sizeof(element))
	if n > size {
		return make([]T, n)
	}
	if c.next == 0 || c.used+n > size {
		if c.next == len(c.all) {
			c.all = append(c.all, make([]T, size))
		}
		c.next++
		c.used = 0
	}
	x := c.all[c.next-1][c.used : c.used+n : c.used+n]
	c.used += n
	clear(x)
	return x
}

// append is append, with twice the room taken from here when there is none.
func (c *chunks[T]) append(x []T, v T) []T {
	if len(x) == cap(x) {
		more := c.take(2*len(x) + 8)[:len(x)]
		copy(more, x)
		x = more
	}
	return append(x, v)
}

func (c *chunks[T]) reset() { c.next, c.used = 0, 0 }

var slabs = sync.Pool{New: func() any { return new(slab) }}

func (s *slab) release() {
	s.floats.reset()
	s.ints.reset()
	s.mosts.reset()
	s.columns.reset()
	s.draws.reset()
	s.options.reset()
	slabs.Put(s)
}
