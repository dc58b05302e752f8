package plot

import (
	"math"
	"strconv"
	"strings"

	gonum "gonum.org/v1/plot"
)

// ticks places labelled ticks at multiples of 1, 2 or 5 times a power of ten.
type ticks struct{ about int }

// Ticks implements gonum's Ticker.
func (t ticks) Ticks(least, greatest float64) []gonum.Tick {
	step, decimals := niceStep((greatest - least) / float64(t.about))
	var out []gonum.Tick
	first, last := math.Ceil(least/step-1e-9), math.Floor(greatest/step+1e-9)
	for k := first; k <= last; k++ {
		out = append(out, gonum.Tick{Value: k * step, Label: number(k*step, decimals)})
	}
	return out
}

// niceStep returns the step nearest above a wish and the decimals it needs.
func niceStep(wish float64) (step float64, decimals int) {
	exponent := int(math.Floor(math.Log10(wish)))
	for _, digit := range []float64{1, 2, 5, 10} {
		if step = scaled(digit, exponent); step >= wish*(1-1e-9) {
			if digit == 10 {
				exponent++
			}
			break
		}
	}
	return step, max(0, -exponent)
}

// scaled is digit·10^exponent; by division where that is exact.
func scaled(digit float64, exponent int) float64 {
	if exponent < 0 {
		return digit / math.Pow10(-exponent)
	}
	return digit * math.Pow10(exponent)
}

// number writes v with a true minus sign and without a negative zero.
func number(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return strings.Replace(s, "-", "−", 1)
}
