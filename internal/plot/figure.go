package plot

import (
	"errors"
	"fmt"
	"math"
)

// Figure is a title over panels, one below the other, with a common legend at
// the right. A label that appears in several panels has one colour and one
// place in the legend.
type Figure struct {
	Title  string
	Note   string // a smaller line below the title
	Panels []Panel
}

// Panel is one system of axes. What comes first is drawn first, below the
// rest: spans, levels, lines, marks.
type Panel struct {
	X, Y   Axis
	Spans  []Span
	Levels []Level
	Lines  []Line
	Marks  []Mark
}

// Axis names a quantity and its unit. From and To bound it; where they are
// equal, the data do.
type Axis struct {
	Quantity string
	Unit     string
	From, To float64
}

func (a Axis) label() string {
	if a.Unit == "" {
		return a.Quantity
	}
	return a.Quantity + " / " + a.Unit
}

func (a Axis) fixed() bool { return a.From != a.To }

// Line is a trace through (X[i], Y[i]); a value that is NaN or infinite is a
// gap. Lines without a label are not in the legend.
type Line struct {
	Label string
	Role  Role
	X, Y  []float64
}

// Role says how much a line wants to be seen.
type Role int

// The roles of lines.
const (
	Ordinary Role = iota // a colour of its own
	Main                 // black and thick, above the others
	Context              // thin and grey, below the others
)

// Span shades the panel between two places on the x axis.
type Span struct {
	From, To float64
	Label    string
}

// Level is a horizontal line, for example a limit, with its name on it.
type Level struct {
	Y    float64
	Name string
}

// Mark is a ring around a point with a text beside it.
type Mark struct {
	X, Y float64
	Text string
}

func (f *Figure) validate() error {
	if len(f.Panels) == 0 {
		return errors.New("plot: a figure needs a panel")
	}
	var errs []error
	for i := range f.Panels {
		p := &f.Panels[i]
		for _, l := range p.Lines {
			if len(l.X) != len(l.Y) {
				errs = append(errs, fmt.Errorf("plot: panel %d: line %q has %d x and %d y", i, l.Label, len(l.X), len(l.Y)))
			}
		}
		for _, v := range []float64{p.X.From, p.X.To, p.Y.From, p.Y.To} {
			if !finite(v) {
				errs = append(errs, fmt.Errorf("plot: panel %d: an axis ends at %g", i, v))
			}
		}
		if p.X.From > p.X.To || p.Y.From > p.Y.To {
			errs = append(errs, fmt.Errorf("plot: panel %d: an axis ends before it begins", i))
		}
	}
	return errors.Join(errs...)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
