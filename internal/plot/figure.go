package plot

import (
	"errors"
	"fmt"
	"math"
)

// Figure is a title over panels, one below the other or in columns, with a
// common legend. A label that appears in several panels has one look and one
// place in the legend.
type Figure struct {
	Title   string
	Note    string // a smaller line below the title
	Panels  []Panel
	Columns int // panels side by side, row after row; 0 means 1
	Legend  Place
	// Looks gives labels their looks by their place here, whether they are drawn
	// or not, so that a label looks the same in several figures. Others follow.
	Looks []Look
}

// Look is that of a label.
type Look struct {
	Label string
	RGB   uint32 // 0xRRGGBB; 0: the next colour
	Plain bool   // areas without hatching, because the colours differ in lightness
}

// Place is where the legend stands.
type Place int

// The places of a legend.
const (
	Right Place = iota
	Above       // in lines below the note; names of levels then stand beside the panels
)

// Panel is one system of axes. What comes first is drawn first, below the
// rest: spans, levels, shapes, lines, marks.
type Panel struct {
	Title    string
	X, Y     Axis
	HeightCM float64 // of the whole panel; 0: as fits most
	Spans    []Span
	Levels   []Level
	Shapes   []Shape
	Lines    []Line
	Marks    []Mark
}

// Axis names a quantity and its unit. From and To bound it; where they are
// equal, the data do.
type Axis struct {
	Quantity string
	Unit     string
	From, To float64
	Log      bool   // logarithmic; the data are above 0
	Names    []Name // in place of numbers
	Bare     bool   // without numbers and names: a neighbour has them
	Ticks    int    // about so many; 0: as many as fit most
}

// Name is a place on an axis of names.
type Name struct {
	At   float64
	Text string
}

func (a Axis) label() string {
	if a.Quantity == "" {
		return a.Unit
	}
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
	Dashed               // a colour and dashes of its own: for few lines, told apart in grey too
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
		for _, a := range []Axis{p.X, p.Y} {
			if a.Log && a.fixed() && a.From <= 0 {
				errs = append(errs, fmt.Errorf("plot: panel %d: a logarithmic axis begins at %g", i, a.From))
			}
		}
		if p.X.From > p.X.To || p.Y.From > p.Y.To {
			errs = append(errs, fmt.Errorf("plot: panel %d: an axis ends before it begins", i))
		}
	}
	return errors.Join(errs...)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
