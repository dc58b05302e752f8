package metrics

import "math"

// OperatorSummary are the figures of one of several operators.
type OperatorSummary struct {
	Operator string `json:"operator"`
	TaskFigures
	KeyAskedBits   int64 `json:"key_asked_bits"`   // of its tasks in their wished modes
	KeyGrantedBits int64 `json:"key_granted_bits"` // drawn for them
	// KeyShare is granted / asked over the whole run, at most 1: what s_a is
	// over a window.
	KeyShare Number `json:"key_share"`
}

// SummarizeOperator reads an operator's counters.
func SummarizeOperator(name string, t *TaskCounter, askedBits, grantedBits int64) OperatorSummary {
	return OperatorSummary{
		Operator: name, TaskFigures: t.Total(), KeyAskedBits: askedBits, KeyGrantedBits: grantedBits,
		KeyShare: ratio(math.Min(float64(grantedBits), float64(askedBits)), float64(askedBits)),
	}
}

// FairnessRecord describes F_K over a run in constant memory: mean, standard
// deviation and minimum exactly, the median to half of fairnessBin.
type FairnessRecord struct {
	bins     [1/fairnessBin + 1]int64
	n        int64
	sum, min float64
	// Mean so far and Σ (x − mean)², after Welford (Technometrics 4, 1962).
	mean, squares float64
}

// fairnessBin is the width of a bin of the histogram.
const fairnessBin = 1e-4

// Add takes the index at one time, between 0 and 1.
func (r *FairnessRecord) Add(index float64) {
	r.bins[int(min(max(index, 0), 1)/fairnessBin+0.5)]++
	if r.n == 0 || index < r.min {
		r.min = index
	}
	r.n++
	r.sum += index
	d := index - r.mean
	r.mean += d / float64(r.n)
	r.squares += d * (index - r.mean)
}

// Summary is undefined throughout where nothing was added.
func (r *FairnessRecord) Summary() FairnessSummary {
	if r.n == 0 {
		return FairnessSummary{Median: Undefined, Mean: Undefined, Min: Undefined, SD: Undefined}
	}
	s := FairnessSummary{Mean: Number(r.sum / float64(r.n)), Min: Number(r.min), SD: Number(math.Sqrt(r.squares / float64(r.n)))}
	below := int64(0)
	for i, n := range r.bins {
		if below += n; 2*below >= r.n {
			s.Median = Number(float64(i) * fairnessBin)
			break
		}
	}
	return s
}
