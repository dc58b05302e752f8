package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"cosim/internal/metrics"
)

// count is "1 run", "30 runs".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(int64(n)) + " " + noun + "s"
}

// thousands groups digits: 84,213.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// runsText says over how many runs a figure is: "30 runs each", or by
// experiment where they differ.
func (s *study) runsText() string {
	n, same := len(s.groups[0].runs), true
	var list []string
	for _, g := range s.groups {
		same = same && len(g.runs) == n
		list = append(list, fmt.Sprintf("%s of %s", count(len(g.runs), "run"), g.label))
	}
	switch {
	case len(s.groups) == 1:
		return "n = " + count(n, "run")
	case same:
		return fmt.Sprintf("n = %s each", count(n, "run"))
	}
	return "n = " + strings.Join(list, ", ")
}

// shownText says which runs a figure draws.
func (s *study) shownText() string {
	if s.single() {
		return fmt.Sprintf("n = 1 run (seed %d).", s.seed)
	}
	n := 0
	for _, g := range s.groups {
		if g.shown != nil {
			n++
		}
	}
	if n == 1 {
		return fmt.Sprintf("One of the runs: seed %d.", s.seed)
	}
	return fmt.Sprintf("The runs of seed %d, one an experiment.", s.seed)
}

func fixed(n metrics.Number, digits int) string {
	if !n.Defined() {
		return "–"
	}
	return strings.Replace(fmt.Sprintf("%.*f", digits, float64(n)), "-", "−", 1)
}

// percent writes a share in percent with as many digits as tell it from 0 and
// from 100 %.
func percent(share float64) string {
	missing := min(share, 1-share)
	digits := 1
	for f := 0.005; digits < 4 && missing > 0 && missing < f/10; f /= 10 {
		digits++
	}
	if share == 0 || share == 1 {
		digits = 0
	}
	return fmt.Sprintf("%.*f %%", digits, 100*share)
}

// step writes a step of time: "100 ms".
func step(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return fmt.Sprintf("%g ms", float64(d)/float64(time.Millisecond))
}

// three writes three digits: "18.3".
func three(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
