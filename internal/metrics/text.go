package metrics

import (
	"fmt"
	"math"
	"strings"
)

// Text writes a mean with its interval to two significant digits of the
// interval's half width. Without an interval, or where all runs agree, it writes
// the mean alone. Values are multiplied by scale; a signed mean has its plus.
func (s Sample) Text(scale float64, signed bool) string {
	if s.N == 0 || !s.Mean.Defined() {
		return "–"
	}
	mean, half := scale*float64(s.Mean), scale*float64(s.CI95High-s.Mean)
	shown := Significant(mean)
	if s.CI95High.Defined() && half > max(1e-9, 1e-6*math.Abs(mean)) {
		digits := decimals(half)
		shown = fmt.Sprintf("%.*f ± %.*f", digits, mean, digits, half)
	}
	if signed && mean > 0 && shown != "0" {
		return "+" + shown
	}
	return shown
}

// decimals are those that show two digits of x, at most 6.
func decimals(x float64) int {
	d := 0
	for x < 10 && d < 6 {
		x *= 10
		d++
	}
	return d
}

// Significant writes four digits, or all of a whole number. What rounding left
// of a zero is one.
func Significant(x float64) string {
	if math.Abs(x) < 1e-9 || x == math.Trunc(x) {
		return fmt.Sprintf("%.0f", math.Trunc(x))
	}
	s := fmt.Sprintf("%.4g", x)
	if strings.Contains(s, "e+") {
		return fmt.Sprintf("%.0f", x)
	}
	return s
}
