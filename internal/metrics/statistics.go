package metrics

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Sample describes one figure over several runs.
//
//	SD     = √(Σ (x − mean)² / (n − 1))
//	CI95   = mean ± t(0.975; n − 1) SD / √n
//
// with t Student's quantile: the interval covers the expectation in 95 % of
// repetitions if the figure is normal over seeds, and nearly so for means of
// 30 runs. SD and interval are Undefined for n < 2. Quantiles interpolate
// linearly between order statistics (type 7 of Hyndman and Fan, The American
// Statistician 50, 1996).
type Sample struct {
	N        int    `json:"n"`
	Mean     Number `json:"mean"`
	SD       Number `json:"sd"`
	CI95Low  Number `json:"ci95_low"`
	CI95High Number `json:"ci95_high"`
	Min      Number `json:"min"`
	Q1       Number `json:"q1"`
	Median   Number `json:"median"`
	Q3       Number `json:"q3"`
	Max      Number `json:"max"`
}

// Describe computes a Sample. Runs in which the figure is undefined (NaN) are
// left out; N says how many remain.
func Describe(xs []float64) Sample {
	sorted := slices.DeleteFunc(slices.Clone(xs), math.IsNaN)
	slices.Sort(sorted)
	s := Sample{
		N: len(sorted), Mean: Undefined, SD: Undefined, CI95Low: Undefined, CI95High: Undefined,
		Min: Quantile(sorted, 0), Q1: Quantile(sorted, 0.25), Median: Quantile(sorted, 0.5),
		Q3: Quantile(sorted, 0.75), Max: Quantile(sorted, 1),
	}
	if s.N == 0 {
		return s
	}
	s.Mean = Number(stat.Mean(sorted, nil))
	if s.N == 1 {
		return s
	}
	s.SD = Number(stat.StdDev(sorted, nil))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(s.N - 1)}.Quantile(0.975)
	half := Number(t * stat.StdErr(float64(s.SD), float64(s.N)))
	s.CI95Low, s.CI95High = s.Mean-half, s.Mean+half
	return s
}

// Quantile is the q-quantile of sorted values by linear interpolation (type
// 7); Undefined without values.
func Quantile(sorted []float64, q float64) Number {
	if len(sorted) == 0 {
		return Undefined
	}
	place := q * float64(len(sorted)-1)
	i := int(place)
	if i >= len(sorted)-1 {
		return Number(sorted[len(sorted)-1])
	}
	return Number(sorted[i] + (place-float64(i))*(sorted[i+1]-sorted[i]))
}

// Run is a figure of the run with this seed.
type Run struct {
	Seed  uint64
	Value float64
}

// Paired describes the differences b − a over the seeds that both have. Runs
// of one seed share their disturbances, so that the differences vary less than
// the figures themselves (common random numbers), and their interval tells
// whether b differs from a. Of a seed's repetitions the last counts.
func Paired(a, b []Run) Sample {
	first := map[uint64]float64{}
	for _, r := range a {
		first[r.Seed] = r.Value
	}
	differences := map[uint64]float64{}
	for _, r := range b {
		if x, ok := first[r.Seed]; ok {
			differences[r.Seed] = r.Value - x
		}
	}
	list := make([]float64, 0, len(differences))
	for _, d := range differences { // Describe sorts
		list = append(list, d)
	}
	return Describe(list)
}
