package metrics

import (
	"math"
	"testing"

	"cosim/internal/rng"
)

func near(t *testing.T, what string, got Number, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= tolerance) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestDescribeByHand(t *testing.T) {
	got := Describe([]float64{9, 2, 4, 5, 4, math.NaN(), 4, 5, 7})
	if got.N != 8 {
		t.Errorf("n = %d", got.N)
	}
	near(t, "mean", got.Mean, 5, 0)
	near(t, "sd", got.SD, 2.138089935299395, 1e-14) // √(32/7)
	// t(0.975; 7) = 2.364624 from tables; 2.364624 · 2.138090 / √8 = 1.787488
	near(t, "low", got.CI95Low, 5-1.787488, 1e-6)
	near(t, "high", got.CI95High, 5+1.787488, 1e-6)
	near(t, "min", got.Min, 2, 0)
	near(t, "q1", got.Q1, 4, 0)
	near(t, "median", got.Median, 4.5, 0)
	near(t, "q3", got.Q3, 5.5, 0) // place 0.75 · 7 = 5.25 between 5 and 7
	near(t, "max", got.Max, 9, 0)
}

// Half-widths of n = 2, 6, 30, 101 runs with SD 1: t(0.975; n-1) of printed
// tables over √n.
func TestIntervalFollowsStudentsTables(t *testing.T) {
	for n, quantile := range map[int]float64{2: 12.7062, 6: 2.5706, 30: 2.0452, 101: 1.9840} {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = float64(i)
		}
		got := Describe(xs)
		half := float64(got.CI95High-got.CI95Low) / 2
		near(t, "t quantile", Number(half/float64(got.SD)*math.Sqrt(float64(n))), quantile, 1e-4)
	}
}

func TestFewRunsLeaveTheIntervalUndefined(t *testing.T) {
	if s := Describe(nil); s.N != 0 || s.Mean.Defined() || s.Median.Defined() {
		t.Errorf("%+v", s)
	}
	if s := Describe([]float64{3}); s.N != 1 || s.Mean != 3 || s.Median != 3 || s.Q1 != 3 || s.SD.Defined() || s.CI95Low.Defined() {
		t.Errorf("%+v", s)
	}
}

func TestQuantileInterpolatesLinearly(t *testing.T) {
	sorted := []float64{1, 2, 3, 4}
	for q, want := range map[float64]float64{0: 1, 0.25: 1.75, 0.5: 2.5, 0.75: 3.25, 0.9: 3.7, 1: 4} {
		near(t, "quantile", Quantile(sorted, q), want, 1e-15)
	}
}

// Of 4000 samples of five normal values the interval must hold the mean in
// 95 %, within three standard errors (0.34 % each). With the normal quantile
// in place of Student's it would be 87.8 %.
func TestIntervalCoversTheMeanAsOftenAsItSays(t *testing.T) {
	r := rng.Stream(1, "coverage")
	const samples = 4000
	covered := 0
	xs := make([]float64, 5)
	for range samples {
		for i := range xs {
			xs[i] = 0.26 + 0.04*r.NormFloat64()
		}
		if d := Describe(xs); d.CI95Low <= 0.26 && 0.26 <= d.CI95High {
			covered++
		}
	}
	rate := float64(covered) / samples
	t.Logf("covered %.2f %%", 100*rate)
	if math.Abs(rate-0.95) > 3*math.Sqrt(0.95*0.05/samples) {
		t.Errorf("covered %.2f %%, want 95 %%", 100*rate)
	}
}

func TestPairedUsesCommonSeeds(t *testing.T) {
	a := []Run{{1, 10}, {2, 20}, {3, 30}, {9, 1e6}}
	b := []Run{{3, 33}, {7, -1e6}, {1, 11}, {2, 22}}
	got := Paired(a, b) // differences 1, 2, 3
	if got.N != 3 {
		t.Fatalf("n = %d", got.N)
	}
	near(t, "mean", got.Mean, 2, 0)
	near(t, "sd", got.SD, 1, 1e-15)
	near(t, "low", got.CI95Low, 2-4.302653/math.Sqrt(3), 1e-6) // t(0.975; 2) = 4.302653
}

func TestPairedIntervalIsNarrowForCommonDisturbances(t *testing.T) {
	r := rng.Stream(1, "pairs")
	var a, b []Run
	var bs []float64
	for seed := range uint64(30) {
		common := 0.1 * r.NormFloat64()
		a = append(a, Run{seed, common})
		b = append(b, Run{seed, common - 0.02 + 0.005*r.NormFloat64()})
		bs = append(bs, b[seed].Value)
	}
	d, alone := Paired(a, b), Describe(bs)
	if !(d.CI95Low < -0.02 && -0.02 < d.CI95High) || d.CI95High >= 0 {
		t.Errorf("difference in [%v, %v], want it around -0.02", d.CI95Low, d.CI95High)
	}
	if width := float64((d.CI95High - d.CI95Low) / (alone.CI95High - alone.CI95Low)); width > 0.1 {
		t.Errorf("the paired interval is %.2f of the unpaired one", width)
	}
}
