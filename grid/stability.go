package grid

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// maxGrowthPerS is the growth of a mode from which on a model is refused. A
// mode at the limit grows by 6 % in ten minutes, which no answer shows. Below
// it lie rounding (1e-14 1/s in the zero eigenvalues that angle references and
// integrators leave) and barely damped swings that are the truth about a case
// (2e-5 1/s after the trip of unit 18 of the 118 buses); trips that break a
// system lie far above (0.26 1/s after that of branch 19-20 of the 39 buses
// with AVR).
const maxGrowthPerS = 1e-4

// UnstableError says that a linear model has a mode that grows by itself. A
// simulation of it would soon show nothing but that mode's exponential.
type UnstableError struct {
	// Out names what events have taken out: "generator 30", "branch 19-20".
	Out        []string
	GrowthPerS float64 // real part of the eigenvalue that grows fastest
	FreqHz     float64 // 0 for a mode that does not oscillate
	// Participants are the buses of the generators that make the mode, the
	// greatest share first.
	Participants []string
	// AGCGainPerS is above 0 if without AGC all modes decay.
	AGCGainPerS float64
}

func (e *UnstableError) Error() string {
	after, cause := "", "the system is unstable"
	if len(e.Out) > 0 {
		after = "after the trip of " + strings.Join(e.Out, " and ") + " "
	}
	if e.AGCGainPerS > 0 {
		cause = fmt.Sprintf("the AGC gain of %g 1/s makes the system unstable", e.AGCGainPerS)
	}
	mode := "a mode without oscillation"
	if e.FreqHz > 0 {
		mode = fmt.Sprintf("a mode of %.2g Hz", e.FreqHz)
	}
	who := "generators"
	if len(e.Participants) == 1 {
		who = "generator"
	}
	return fmt.Sprintf("grid: %s%s: %s grows by %.2g /s (%s %s)", after, cause, mode, e.GrowthPerS, who,
		strings.Join(e.Participants, ", "))
}

// checkStable returns an [*UnstableError] if a mode of m closed over AGC
// grows by more than maxGrowthPerS. Reserve blocks need no look: they feed the
// system and do not answer to it.
func (m *linear) checkStable(t topology) error {
	_, a := closeLoops(m, shape{})
	growth, err := spectralAbscissa(a)
	if err != nil || growth <= maxGrowthPerS {
		return err
	}
	e := &UnstableError{Out: t.describe(m.c)}
	if m.opt.AGC != nil {
		open := mat.DenseCopyOf(m.a)
		m.inCOIFrame(open)
		if growth, err := spectralAbscissa(open); err == nil && growth <= maxGrowthPerS {
			e.AGCGainPerS = m.opt.AGC.GainPerS
		}
	}
	modes, err := m.closedModes(a)
	if err != nil {
		return err
	}
	worst := &modes.Modes[0]
	for i := range modes.Modes {
		if modes.Modes[i].Real > worst.Real {
			worst = &modes.Modes[i]
		}
	}
	e.GrowthPerS, e.FreqHz = worst.Real, worst.FreqHz
	const most, least = 4, 0.05
	for i, g := range worst.Generators() {
		if i == 0 || i < most && g.Share >= least {
			e.Participants = append(e.Participants, g.Bus)
		}
	}
	return e
}

// spectralAbscissa returns the greatest real part of the eigenvalues of a.
func spectralAbscissa(a *mat.Dense) (float64, error) {
	var eig mat.Eigen
	if !eig.Factorize(a, mat.EigenNone) {
		return 0, errNoEigenvalues
	}
	greatest := math.Inf(-1)
	for _, lambda := range eig.Values(nil) {
		greatest = math.Max(greatest, real(lambda))
	}
	return greatest, nil
}

var errNoEigenvalues = errors.New("grid: eigenvalues did not converge")

// closedModes decomposes the matrix of closeLoops without blocks.
func (m *linear) closedModes(a *mat.Dense) (*Modes, error) {
	names := append([]string(nil), m.layout.names...)
	if m.opt.AGC != nil {
		for u := range m.machines {
			if m.present[u] && m.machines[u].governor {
				names = append(names, "AGC "+m.c.Gens[u].Bus)
			}
		}
	}
	same := mat.NewDense(len(names), len(names), nil)
	for i := range names {
		same.Set(i, i, 1)
	}
	return m.decompose(a, same, same, names)
}

// describe names what is out.
func (t topology) describe(c *Case) []string {
	var out []string
	for g, is := range t.gens {
		if is {
			out = append(out, "generator "+c.Gens[g].Bus)
		}
	}
	for k, is := range t.branches {
		if is {
			out = append(out, "branch "+c.Branches[k].ID)
		}
	}
	return out
}

// The deviations up to which the linear model is used as a measure of size.
const (
	// LinearRangeHz is a speed or frequency deviation. Droop of 5 % asks a
	// governor for a third of its rating at 1 Hz, more than units hold ready;
	// under-frequency load shedding acts by then (49 Hz in Europe, 59.5 Hz in
	// North America); and a rotor that swings by 1 Hz once a second does so by
	// 57°, where the sine of the angle is far from a line. The model has no
	// limits, no relays and no sine.
	LinearRangeHz = 1.0
	// LinearRangePU is a voltage deviation. Powers go with V² = 1 + 2ΔV + ΔV²:
	// at 0.2 the square left out is a tenth of what is kept. Under-voltage
	// protection of units and motors acts in the same region.
	LinearRangePU = 0.2
)

// BeyondLinear tells whether deviations of this size, in Hz and p.u., lie
// outside the range in which a linear model is meaningful ([LinearRangeHz],
// [LinearRangePU]). Of such an answer the direction may be right, the size is
// not. What is not a number lies outside.
func BeyondLinear(maxHz, maxDeltaVPU float64) bool {
	return !(math.Abs(maxHz) <= LinearRangeHz && math.Abs(maxDeltaVPU) <= LinearRangePU)
}
