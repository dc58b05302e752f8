package metrics

import "testing"

func TestIntervalShowsTheDigitsThatCount(t *testing.T) {
	for _, tc := range []struct {
		values []float64
		scale  float64
		signed bool
		want   string
	}{
		{nil, 1, false, "–"},
		{[]float64{0.72034}, 1, false, "0.7203"},
		{[]float64{84213}, 1, false, "84213"},
		{[]float64{1, 1}, 1, false, "1"},
		{[]float64{0, 0, 0}, 1, true, "0"},
		{[]float64{47568, 47568}, 1, true, "+47568"},
		{[]float64{0.1 + 0.2, 0.3}, 1, false, "0.3"}, // differ by rounding
		{[]float64{1e-17}, 1, true, "0"},
		{[]float64{10, 12, 14}, 1, false, "12.0 ± 5.0"},
		{[]float64{1000, 1200, 1400}, 1, true, "+1200 ± 497"},
		{[]float64{0.010, 0.011, 0.012}, 1000, false, "11.0 ± 2.5"},
		{[]float64{0.00010, 0.00011, 0.00012}, 1, false, "0.000110 ± 0.000025"},
		{[]float64{0.99972, 0.99974, 0.99976}, 1, false, "0.999740 ± 0.000050"}, // what is missing to 1 counts
	} {
		if got := Describe(tc.values).Text(tc.scale, tc.signed); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.values, got, tc.want)
		}
	}
}
