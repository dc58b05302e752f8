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

// decades places labelled ticks at 1, 10, 100 …, with 2 and 5 between where
// there are few, and plain ticks at the other digits.
type decades struct{}

// Ticks implements gonum's Ticker.
func (decades) Ticks(least, greatest float64) []gonum.Tick {
	from, to := int(math.Floor(math.Log10(least))), int(math.Ceil(math.Log10(greatest)))
	few := math.Log10(greatest/least) < 2.6
	var out []gonum.Tick
	for e := from; e <= to; e++ {
		for digit := 1.0; digit < 10; digit++ {
			v := scaled(digit, e)
			if v < least*(1-1e-9) || v > greatest*(1+1e-9) {
				continue
			}
			t := gonum.Tick{Value: v}
			if digit == 1 || few && (digit == 2 || digit == 5) {
				t.Label = decimal(v, e)
			}
			out = append(out, t)
		}
	}
	return out
}

// decimal writes a digit at the place of 10^exponent: as a number where it is
// short, else as a power.
func decimal(v float64, exponent int) string {
	if exponent < -4 || exponent > 5 {
		return "1e" + number(float64(exponent), 0)
	}
	return number(v, max(0, -exponent))
}

// names are the ticks of an axis of names.
type names []Name

// Ticks implements gonum's Ticker.
func (n names) Ticks(least, greatest float64) []gonum.Tick {
	out := make([]gonum.Tick, 0, len(n))
	for _, name := range n {
		if name.At >= least && name.At <= greatest {
			out = append(out, gonum.Tick{Value: name.At, Label: name.Text})
		}
	}
	return out
}

// unlabelled keeps the ticks and leaves out what they say.
type unlabelled struct{ gonum.Ticker }

// Ticks implements gonum's Ticker.
func (u unlabelled) Ticks(least, greatest float64) []gonum.Tick {
	out := u.Ticker.Ticks(least, greatest)
	for i := range out {
		if out[i].Label != "" {
			out[i].Label = " " // a labelled tick is a long one, and carries the grid
		}
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
