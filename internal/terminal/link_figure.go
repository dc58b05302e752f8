package terminal

import (
	"fmt"
	"math"

	"cosim/internal/experiment"
	"cosim/internal/plot"
)

// leastBPS is where the picture of rates ends: below a hundredth of a bit a
// second nobody looks.
const leastBPS = 0.01

// LinkFigure draws key rate and QBER over distance, a line a model. Real systems
// are not in it: each has another clock.
func LinkFigure(s *experiment.LinkStudy) *plot.Figure {
	c := &s.Base
	x := plot.Axis{Quantity: "fibre length", Unit: "km"}
	if n := len(s.LengthsKM); n > 1 {
		x.From, x.To = s.LengthsKM[0], s.LengthsKM[n-1]
	}
	rate := plot.Panel{X: x, Y: plot.Axis{Quantity: "key rate", Unit: "bit/s", Log: true}}
	qber := plot.Panel{X: x, Y: plot.Axis{Quantity: "QBER", Unit: "%"}, HeightCM: 5}
	for _, m := range s.Models {
		line := plot.Line{Label: m.Name, Role: plot.Dashed}
		errors := line
		for _, p := range m.Points {
			y := p.RateBPS
			if y < leastBPS {
				y = math.NaN()
			}
			line.X, line.Y = append(line.X, p.LengthKM), append(line.Y, y)
			errors.X, errors.Y = append(errors.X, p.LengthKM), append(errors.Y, 100*p.QBER)
		}
		rate.Lines, qber.Lines = append(rate.Lines, line), append(qber.Lines, errors)
	}
	return &plot.Figure{
		Title: typeset(fmt.Sprintf("%s: QKD links", s.Name)),
		Note: typeset(fmt.Sprintf("%s pulses/s, %g dB/km, detector efficiency %g, dark counts %g a gate, misalignment %g",
			thousands(int64(c.PulseRateHz)), c.AttenuationDBPerKM, c.DetectorEfficiency, c.DarkCountProb, c.Misalignment)),
		Panels: []plot.Panel{rate, qber},
	}
}
