package terminal

import (
	"fmt"
	"math"
	"strings"

	"cosim/internal/plot"
)

// Of a long answer the swings at its beginning are drawn apart.
const (
	swingS      = 10.0
	manySwingsS = 1.5 * swingS
	// coloured is the number of generators that can be told apart.
	coloured = 12
)

// Figure draws the frequencies: the centre of inertia with its extreme, and
// the generators around it.
func (s *Step) Figure() *plot.Figure {
	last := s.endS()
	f := &plot.Figure{
		Title: typeset(fmt.Sprintf("%s: %s", s.Case.Name, s.what())),
		Note: typeset(fmt.Sprintf("%s; RoCoF %s Hz/s (500 ms), end %s Hz",
			model(s.Options), signed(s.RoCoF500msHzS, 4), signed(s.EndHz, 4))),
	}
	if last < manySwingsS {
		p := s.panel(true)
		p.X.To = last
		f.Panels = []plot.Panel{s.marked(p)}
		return f
	}
	whole, swings := s.marked(s.panel(false)), s.panel(true)
	whole.X.To, swings.X.To = last, swingS
	whole.Spans = []plot.Span{{To: swingS, Label: fmt.Sprintf("first %g s, below", swingS)}}
	f.Panels = []plot.Panel{whole, swings}
	return f
}

// panel draws the frequencies, generators in grey or, if they are few, in
// colours of their own; of many the one that goes farthest has a colour.
func (s *Step) panel(colours bool) plot.Panel {
	p := plot.Panel{
		X: plot.Axis{Quantity: "time", Unit: "s"},
		Y: plot.Axis{Quantity: "frequency deviation Δf", Unit: "Hz"},
	}
	names := s.genNames()
	running := 0
	for g := range s.Case.Gens {
		if s.runs(g) {
			running++
		}
	}
	for g := range s.Case.Gens {
		if !s.runs(g) {
			continue
		}
		line := plot.Line{Role: plot.Context, X: s.TimeS, Y: make([]float64, len(s.TimeS))}
		for k := range line.Y {
			line.Y[k] = s.GenFreqHz[k][g]
		}
		switch {
		case colours && running <= coloured:
			line.Label, line.Role = "generator "+names[g], plot.Ordinary
		case colours && s.Case.Gens[g].Bus == s.MaxGenBus:
			line.Label, line.Role = "generator "+names[g]+", widest", plot.Ordinary
		case running > coloured:
			line.Label = "generators"
		}
		p.Lines = append(p.Lines, line)
	}
	p.Lines = append(p.Lines, plot.Line{Label: "centre of inertia", Role: plot.Main, X: s.TimeS, Y: s.COIFreqHz})
	return p
}

func (s *Step) runs(gen int) bool { return s.Case.Gens[gen].InService && !s.tripped(gen) }

func (s *Step) marked(p plot.Panel) plot.Panel {
	if math.Abs(s.NadirHz) > 0 {
		p.Marks = []plot.Mark{{
			X: s.NadirAtS, Y: s.NadirHz,
			Text: typeset(fmt.Sprintf("%s %s Hz at %.2f s", s.extreme(), signed(s.NadirHz, 4), s.NadirAtS)),
		}}
	}
	return p
}

// typeset gives numbers below zero a true minus sign.
func typeset(s string) string { return strings.ReplaceAll(s, " -", " −") }
