package metrics

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

func TestFairnessRecordHasMeanMedianMinimumAndDeviation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(0.25, 1), 1, 200).Draw(t, "indices")
		var r FairnessRecord
		sum, lowest := 0.0, 1.0
		for _, x := range xs {
			r.Add(x)
			sum += x
			lowest = min(lowest, x)
		}
		s := r.Summary()
		if math.Abs(float64(s.Mean)-sum/float64(len(xs))) > 1e-12 || float64(s.Min) != lowest {
			t.Fatalf("mean %v and minimum %v of %v", s.Mean, s.Min, xs)
		}
		if want := stat.PopStdDev(xs, nil); math.Abs(float64(s.SD)-want) > 1e-12 {
			t.Fatalf("deviation %v of %v, want %v", s.SD, xs, want)
		}
		below, above := 0, 0
		for _, x := range xs {
			if x < float64(s.Median)-fairnessBin {
				below++
			}
			if x > float64(s.Median)+fairnessBin {
				above++
			}
		}
		if 2*below > len(xs) || 2*above > len(xs) {
			t.Fatalf("median %v: %d below and %d above of %d", s.Median, below, above, len(xs))
		}
	})
}

func TestFairnessIsUndefinedWhereNothingWasAdded(t *testing.T) {
	var r FairnessRecord
	if s := r.Summary(); s.Median.Defined() || s.Mean.Defined() || s.Min.Defined() || s.SD.Defined() {
		t.Errorf("%+v", s)
	}
}

func TestOperatorsHaveFiguresOfTheirOwn(t *testing.T) {
	var tasks TaskCounter
	for i := range 4 {
		tasks.Trigger("pmu")
		cause := None
		if i == 0 {
			cause = NoKey
		}
		tasks.Decide(Task{Class: "pmu", Cause: cause, Mode: OTP, Wished: OTP, Static: OTP})
	}
	s := NewSummary("S-2", "ieee118", 1)
	common := len(s.Figures())
	s.Operators = []OperatorSummary{
		SummarizeOperator("TSO", &tasks, 1000, 250),
		SummarizeOperator("DSO", &tasks, 1000, 1200), // another route cost more
		SummarizeOperator("idle", &TaskCounter{}, 0, 0),
	}
	got := map[string]Number{}
	for _, f := range s.Figures() {
		got[f.Key] = f.Value
	}
	for key, want := range map[string]Number{
		"operator_p_succ/TSO": 0.75, "operator_key_share/TSO": 0.25, "operator_key_share/DSO": 1,
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	if got["operator_key_share/idle"].Defined() || len(s.Figures()) != common+3+2*3 {
		t.Errorf("%d figures, %d without operators: %v", len(s.Figures()), common, got)
	}
}
