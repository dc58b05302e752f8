package experiment

import (
	"cmp"
	"slices"
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
		return &DecisionTimes{P50S: at(0.5), P99S: at(0.99), MaxS: at(1), Missed: len(times) - late}
	}
	return nil
}
