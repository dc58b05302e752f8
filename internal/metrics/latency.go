package metrics

import (
	"math"
	"math/bits"
	"slices"
	"strings"
)

const (
	perOctave = 128 // bins an octave
	bins      = (63-7)*perOctave + perOctave
)

// Histogram estimates quantiles of non-negative durations in fixed memory
// (58 kB). Below 256 ns each integer has its own bin; above, an octave has 128
// bins of equal width, so that a bin's middle is within 1/256 = 0.39 % of
// every value in it (the scheme of G. Tene's HdrHistogram). Bins are found by
// integer arithmetic, and counts merge exactly: the result depends neither on
// order nor on machine.
//
// The q-quantile is the smallest value with at least ⌈q n⌉ values at or below
// it (the inverse of the empirical distribution). The zero value is ready for
// use.
type Histogram struct {
	counts [bins]int64
	n      int64
	lowest int64
	most   int64
}

// Add counts a duration; a negative one counts as 0.
func (h *Histogram) Add(durationNS int64) {
	d := max(0, durationNS)
	h.counts[bin(d)]++
	if h.n == 0 || d < h.lowest {
		h.lowest = d
	}
	h.most = max(h.most, d)
	h.n++
}

// Merge adds the counts of o.
func (h *Histogram) Merge(o *Histogram) {
	if o.n == 0 {
		return
	}
	for i, c := range o.counts {
		h.counts[i] += c
	}
	if h.n == 0 || o.lowest < h.lowest {
		h.lowest = o.lowest
	}
	h.most = max(h.most, o.most)
	h.n += o.n
}

// Count is the number of durations.
func (h *Histogram) Count() int64 { return h.n }

// MaxS is the largest duration in seconds, exactly; Undefined without any.
func (h *Histogram) MaxS() Number { return h.QuantileS(1) }

// QuantileS is the q-quantile in seconds; the extremes are exact. Undefined
// without durations.
func (h *Histogram) QuantileS(q float64) Number {
	if h.n == 0 {
		return Undefined
	}
	rank := int64(math.Ceil(q * float64(h.n)))
	if rank <= 1 {
		return Number(float64(h.lowest) / 1e9)
	}
	if rank >= h.n {
		return Number(float64(h.most) / 1e9)
	}
	i := 0
	for below := h.counts[0]; below < rank; below += h.counts[i] {
		i++
	}
	middle := min(max(middle(i), float64(h.lowest)), float64(h.most))
	return Number(middle / 1e9)
}

// bin numbers the bins in the order of their values.
func bin(d int64) int {
	octave := max(0, bits.Len64(uint64(d))-8)
	return octave*perOctave + int(d>>octave)
}

// middle is the mean of the first and last integer of a bin.
func middle(bin int) float64 {
	octave := max(0, bin/perOctave-1)
	width := int64(1) << octave
	first := int64(bin-octave*perOctave) << octave
	return float64(first) + float64(width-1)/2
}

// Latency keeps a histogram for each class of task, from trigger to actuation,
// of the messages that were delivered in time. The zero value is ready for use.
type Latency struct{ classes map[string]*classLatency }

type classLatency struct {
	histogram  Histogram
	violations int64
}

// Add counts the latency of a message that was delivered in time.
func (l *Latency) Add(class string, latencyNS int64) { l.of(class).histogram.Add(latencyNS) }

// Violate counts a message that was not delivered within its limit, though
// nothing else stopped it.
func (l *Latency) Violate(class string) { l.of(class).violations++ }

func (l *Latency) of(class string) *classLatency {
	c := l.classes[class]
	if c == nil {
		if l.classes == nil {
			l.classes = map[string]*classLatency{}
		}
		c = &classLatency{}
		l.classes[class] = c
	}
	return c
}

// ClassLatency are the figures of latency of one class.
type ClassLatency struct {
	Class      string `json:"class"`
	Delivered  int64  `json:"delivered"`
	Violations int64  `json:"violations"` // too late; not in the quantiles
	P50S       Number `json:"p50_s"`
	P95S       Number `json:"p95_s"`
	P99S       Number `json:"p99_s"`
	MaxS       Number `json:"max_s"`
}

// ByClass gives the figures of each class, sorted by its name.
func (l *Latency) ByClass() []ClassLatency {
	list := []ClassLatency{}
	for class, c := range l.classes { // sorted below
		h := &c.histogram
		list = append(list, ClassLatency{class, h.n, c.violations, h.QuantileS(0.5), h.QuantileS(0.95), h.QuantileS(0.99), h.MaxS()})
	}
	slices.SortFunc(list, func(a, b ClassLatency) int { return strings.Compare(a.Class, b.Class) })
	return list
}
