package web

import "math"

// history holds rows of a run of any length in bounded memory: when it is full,
// pairs in its older half become one, so that the past grows coarser the older
// it is, and the newer half is exact. A frequency keeps the larger deviation of
// a pair, a pool the lower level: what a person looks for is never lost.
type history struct {
	frequencies int // columns of which the larger magnitude is kept; of the others the lower value
	width       int
	room        int // rows, even
	times       []int64
	values      []float32
	total       int // rows ever added
}

func newHistory(frequencies, pools, room int) *history {
	return &history{frequencies: frequencies, width: frequencies + pools, room: room}
}

func (h *history) add(atNS int64, row []float32) {
	if len(h.times) == h.room {
		h.halve()
	}
	h.times = append(h.times, atNS)
	h.values = append(h.values, row...)
	h.total++
}

// halve merges pairs in the older half.
func (h *history) halve() {
	half := h.room / 2
	kept := 0
	for i := 0; i < half; i += 2 {
		h.times[kept] = h.times[i+1]
		h.merge(h.values[kept*h.width:][:h.width], h.row(i), h.row(i+1))
		kept++
	}
	h.times = append(h.times[:kept], h.times[half:]...)
	h.values = append(h.values[:kept*h.width], h.values[half*h.width:]...)
}

func (h *history) row(i int) []float32 { return h.values[i*h.width:][:h.width] }

// merge puts what is to be kept of two rows into dst, which may be one of them.
func (h *history) merge(dst, a, b []float32) {
	for j := range dst {
		switch {
		case j >= h.frequencies:
			dst[j] = min(a[j], b[j])
		case math.Abs(float64(a[j])) > math.Abs(float64(b[j])):
			dst[j] = a[j]
		default:
			dst[j] = b[j]
		}
	}
}

// since is where the rows from the n-th on begin, of those ever added; whole
// says that they are no longer all there, and that all rows are meant.
func (h *history) since(n int) (from int, whole bool) {
	missing := h.total - n
	if n < 0 || missing > h.room/2 || missing > len(h.times) {
		return 0, true
	}
	return len(h.times) - missing, false
}
