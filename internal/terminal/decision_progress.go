package terminal

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// DecisionProgress says every few seconds how many decisions are made: on a
// terminal in one line, which Stop clears.
type DecisionProgress struct {
	out         io.Writer
	redraw      bool
	start, said time.Time
	width       int // of what stands there now
}

// NewDecisionProgress begins now.
func NewDecisionProgress(out io.Writer) *DecisionProgress {
	_, redraw := IsTerminal(out)
	return &DecisionProgress{out: out, redraw: redraw, start: time.Now(), said: time.Now()}
}

// Done says that so many of all decisions are made.
func (p *DecisionProgress) Done(done, all int) {
	every := sayEvery
	if p.redraw {
		every = time.Second
	}
	if time.Since(p.said) < every {
		return
	}
	p.said = time.Now()
	left := time.Duration(float64(time.Since(p.start)) / float64(done) * float64(all-done))
	line := fmt.Sprintf("%3.0f %%  %d of %d decisions, %v left", 100*float64(done)/float64(all), done, all, left.Round(time.Second))
	if !p.redraw {
		fmt.Fprintln(p.out, line)
		return
	}
	fmt.Fprintf(p.out, "\r%-*s", p.width, line)
	p.width = len(line)
}

// Stop clears the line; what is printed next stands in its place.
func (p *DecisionProgress) Stop() {
	if p.redraw && p.width > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.width))
	}
}
