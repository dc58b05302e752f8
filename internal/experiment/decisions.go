package experiment

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"cosim/federates"
	"cosim/internal/metrics"
	cosync "cosim/sync"
)

// decisions follows the reconfigurations of a run.
type decisions struct {
	gaps    metrics.Histogram // in units of 1e-9
	relaxed int64
}

// observe counts the decision of a step; v is the output scada.decision.
func (d *decisions) observe(v []float64) {
	const gap, slack = 2, 5
	d.gaps.Add(int64(v[gap] * 1e9))
	if v[slack] > 0 {
		d.relaxed++
	}
}

func (d *decisions) summary() metrics.DecisionSummary {
	return metrics.DecisionSummary{
		Count: d.gaps.Count(), Relaxed: d.relaxed,
		GapP50: d.gaps.QuantileS(0.5), GapP99: d.gaps.QuantileS(0.99), GapMax: d.gaps.MaxS(),
	}
}

// DecisionTimes are how long the decisions of a run took on the wall clock.
type DecisionTimes struct {
	P50S   float64 `json:"p50_s"`
	P99S   float64 `json:"p99_s"`
	MaxS   float64 `json:"max_s"`
	Missed int     `json:"missed"` // longer than the period
	// Bins are how the times are distributed; nil in runs of older programs.
	Bins *TimeBins `json:"bins,omitempty"`
}

// TimeBins count wall times in bins of equal width on a logarithmic scale:
// Count[i] of them were longer than UpToS[i-1] and no longer than UpToS[i]. The
// first bin is empty, the others follow each other up to the longest time.
type TimeBins struct {
	UpToS []float64 `json:"up_to_s"`
	Count []int64   `json:"count"`
}

// binsPerDecade makes bins of 12 %; 0.1 s is the end of one.
const binsPerDecade = 20

// newTimeBins counts sorted times, of which there is one at least.
func newTimeBins(sorted []time.Duration) *TimeBins {
	b := &TimeBins{}
	// Three digits are what a bin's end is worth, and read well.
	end := func(i int) float64 {
		s, _ := strconv.ParseFloat(strconv.FormatFloat(math.Pow(10, float64(i)/binsPerDecade), 'g', 3, 64), 64)
		return s
	}
	bin := int(math.Floor(binsPerDecade * math.Log10(max(1, float64(sorted[0]))/1e9)))
	for end(bin) >= sorted[0].Seconds() && sorted[0] > 0 {
		bin--
	}
	for counted := -1; counted < len(sorted); bin++ {
		b.UpToS = append(b.UpToS, end(bin))
		below, _ := slices.BinarySearchFunc(sorted, end(bin), func(t time.Duration, s float64) int {
			if t.Seconds() <= s {
				return -1
			}
			return 1
		})
		b.Count = append(b.Count, int64(below-max(0, counted)))
		counted = below
	}
	return b
}

// decisionTimes reads them from the SCADA federate; nil where nothing was
// decided.
func decisionTimes(feds []cosync.Federate, period time.Duration) *DecisionTimes {
	for _, f := range feds {
		s, ok := f.(*federates.Scada)
		if !ok {
			continue
		}
		times := slices.Clone(s.DecisionTimes())
		if len(times) == 0 {
			return nil
		}
		slices.Sort(times)
		at := func(q float64) float64 { return times[int(q*float64(len(times)-1))].Seconds() }
		late, _ := slices.BinarySearchFunc(times, period, func(a, b time.Duration) int { return cmp.Compare(a, b+1) })
		return &DecisionTimes{P50S: at(0.5), P99S: at(0.99), MaxS: at(1), Missed: len(times) - late, Bins: newTimeBins(times)}
	}
	return nil
}
