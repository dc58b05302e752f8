package report

import (
	"cosim/internal/plot"
)

// strips keep in which state every chain was, by its share of each piece of
// time.
type strips struct {
	pieceS float64
	chains map[string]*chainStrip
	events int
}

// chainStrip is one chain's: the state that it is in, since when, and the time
// in each state by piece.
type chainStrip struct {
	chainAbout
	state int
	since float64
	time  [][]float64
}

// stripPieces is in how many pieces a run is cut.
const stripPieces = 240

// The modes from strong to weak; each by the static route and by another one.
var stripStates = []plot.Look{
	{Label: "otp", RGB: 0x003A66, Plain: true},
	{Label: "otp, rerouted", RGB: 0xA34700, Plain: true},
	{Label: "aes-wc", RGB: 0x3D8FC9, Plain: true},
	{Label: "aes-wc, rerouted", RGB: 0xE69F00, Plain: true},
	{Label: "aes", RGB: 0xA9D6F2, Plain: true},
	{Label: "aes, rerouted", RGB: 0xFBE0A0, Plain: true},
	{Label: "off", RGB: 0x010101, Plain: true},
}

func newStrips(a *about) *strips {
	s := &strips{chains: map[string]*chainStrip{}, pieceS: a.Experiment.Duration.Seconds() / stripPieces}
	for _, c := range a.Experiment.Chains {
		s.chains[c.ID] = &chainStrip{chainAbout: c, state: stateOf(c.StaticMode, 0)}
	}
	return s
}

func stateOf(mode string, route int) int {
	by := 0
	if route > 0 {
		by = 1
	}
	switch mode {
	case "otp":
		return by
	case "aes-wc":
		return 2 + by
	case "aes":
		return 4 + by
	}
	return len(stripStates) - 1
}

// plan takes a change of a chain's plan.
func (s *strips) plan(t float64, chain, mode string, route int) {
	c := s.chains[chain]
	if c == nil || s.pieceS <= 0 {
		return
	}
	s.events++
	c.stay(s.pieceS, t)
	c.state = stateOf(mode, route)
}

// stay counts the time in the present state up to t.
func (c *chainStrip) stay(pieceS, t float64) {
	for c.since < t {
		i := int(c.since/pieceS + 1e-9)
		for len(c.time) <= i {
			c.time = append(c.time, make([]float64, len(stripStates)))
		}
		until := min(t, float64(i+1)*pieceS)
		if until <= c.since {
			return
		}
		c.time[i][c.state] += until - c.since
		c.since = until
	}
}

func (s *strips) close(t float64) {
	for _, c := range s.chains { // each for itself
		if s.pieceS > 0 {
			c.stay(s.pieceS, t)
		}
	}
}

// strip is the row of one or more chains together.
func (s *strips) strip(row float64, chains []*chainStrip) plot.Strip {
	out := plot.Strip{Row: row}
	for _, look := range stripStates {
		out.States = append(out.States, look.Label)
	}
	if len(chains) == 0 {
		return out
	}
	for i := range chains[0].time {
		share := make([]float64, len(stripStates))
		total := 0.0
		for _, c := range chains {
			for state, t := range c.time[i] {
				share[state] += t
				total += t
			}
		}
		for state := range share {
			share[state] /= total
		}
		out.Pieces = append(out.Pieces, plot.Piece{From: float64(i) * s.pieceS, To: min(float64(i+1)*s.pieceS, chains[0].since), Share: share})
	}
	return out
}
