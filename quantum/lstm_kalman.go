package quantum

import "math"

// lstmKalman is the extended Kalman filter with a recurrent network beside it
// that hears what the filter did not expect [11-16]. The filter knows the link
// as it is by default: its innovations are then white, and nothing is to be
// learnt from them. A surge of attenuation, which it does not know, shows as a
// run of innovations of one sign, from which the network, trained on links
// with such surges, tells how far the filter's state is off and how far its
// variance can be trusted:
//
//	G  + y₀·√P_G   Δα + y₁·σ_α   variances · e^(y₂)
//
// are what predictions start from; the filter itself goes on undisturbed.
//
// The paper lets the network predict the rate itself and corrects it by the
// filter (12)-(14). Both would then hear the same data: of the rate alone that
// changes nothing, for the key of a step is counted without error, and of what
// matters ten steps ahead, the attenuation, it makes the filter too sure
// (docs/forecast.md has figures).
type lstmKalman struct {
	*kalman
	net  *lstm
	step lstmStep
}

// Inputs and outputs of the network, and bounds of both.
const (
	lstmInputs  = 2 // innovation, part of the step without light
	lstmOutputs = 3 // y₀, y₁, y₂

	mostInnovation = 10.0
	mostShift      = 10.0
	leastLogVar    = -1.0
	mostLogVar     = 5.0
	innovationUnit = 3.0 // the network is given thirds of it
)

func (f *lstmKalman) Observe(o Observation) {
	features(f.step.in, f.observe(o), o, f.stepNS)
	f.net.forward(&f.step, f.step.h, f.step.c)
}

// features sets the network's input.
func features(in []float64, innovation float64, o Observation, stepNS int64) {
	in[0] = clamp(innovation, -mostInnovation, mostInnovation) / innovationUnit
	in[1] = 1 - float64(o.UpNS)/float64(stepNS)
}

func clamp(x, low, high float64) float64 { return math.Max(low, math.Min(high, x)) }

func (f *lstmKalman) Forecast(dst []Prediction) {
	x, y := f.x, f.step.y
	unitG, unitD := f.units()
	x.g = math.Max(0, x.g+clamp(y[0], -mostShift, mostShift)*unitG)
	x.d += clamp(y[1], -mostShift, mostShift) * unitD
	f.forecast(x, dst)
	factor := math.Exp(clamp(y[2], leastLogVar, mostLogVar))
	for i := range dst {
		dst[i].RateVar *= factor
		dst[i].KeyBitsVar *= factor
	}
}

// units of the shifts: the deviation of G one step ahead, and that of Δα.
func (f *kalman) units() (g, d float64) {
	return math.Sqrt(f.predict(f.x).gg), f.cfg.AttenuationSigmaDBPerKM
}
