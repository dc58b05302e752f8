package quantum

import "math"

// kalman is an extended Kalman filter on the state [G, Δα, K]: the key rate,
// the deviation of the attenuation, and the key distilled since the last
// observation. With D = e^(−Δt/τ_α), A = e^(−λ_GΔt) and Ḡ(·) the rate model,
//
//	Δα' = D·Δα + σ_α·sqrt(1−D²)·ξ₁
//	G'  = A·G + (1−A)·Ḡ(Δα') + σ_G·Ḡ(Δα')·sqrt(1−A²)·ξ₂
//	K'  = K + (G + G')·Δt/2
//
// which are the link's own equations, so that the filter errs only by its
// linearisation of Ḡ. That is done in the logarithm, ln Ḡ(x+δ) ≈ ln Ḡ(x) − κδ,
// and the mean of Ḡ over a Gaussian Δα is taken as that of the lognormal. A
// filter on [G, K] alone [13] would hold Ḡ constant and be biased some ten
// steps ahead.
//
// K is observed without error. A step in which the link was up only in part is
// predicted, not corrected.
//
// While the link is down the time to repair is what the uniform duration
// leaves; breaks to come are not foreseen (2·10⁻⁴ in a second at the default
// rate).
type kalman struct {
	cfg               LinkConfig
	model             Model
	stepNS            int64
	stepS             float64
	attenuation, rate ouStep
	x                 filterState
	down, aboveBound  bool
	downS             float64 // how long the link has been down
}

// filterState is the mean and covariance of [G, Δα, K].
type filterState struct {
	g, d, k                float64
	gg, gd, dd, gk, dk, kk float64
}

func newKalman(cfg LinkConfig, stepNS int64) (*kalman, error) {
	model, err := cfg.RateModel()
	if err != nil {
		return nil, err
	}
	stepS := float64(stepNS) / 1e9
	f := &kalman{
		cfg: cfg, model: model, stepNS: stepNS, stepS: stepS,
		attenuation: newOUStep(1/cfg.AttenuationTauS, stepS),
		rate:        newOUStep(cfg.OURate, stepS),
	}
	// The stationary distribution, G following Ḡ with its own lag left out.
	f.x.dd = cfg.AttenuationSigmaDBPerKM * cfg.AttenuationSigmaDBPerKM
	target, slope := f.target(0, f.x.dd)
	relative := cfg.OUSigmaRel * target
	f.x.g, f.x.gd, f.x.gg = target, slope*f.x.dd, slope*slope*f.x.dd+relative*relative
	return f, nil
}

// target returns the mean of Ḡ and its slope by Δα at a Gaussian Δα.
func (f *kalman) target(d, variance float64) (mean, slope float64) {
	const delta = 1e-4 // dB/km
	_, g0 := f.model.Rate(f.cfg.lossDB(d-delta), 0)
	_, g1 := f.model.Rate(f.cfg.lossDB(d+delta), 0)
	if g0 <= 0 || g1 <= 0 {
		return 0, 0
	}
	kappa := math.Log(g0/g1) / (2 * delta)
	mean = math.Sqrt(g0*g1) * math.Exp(kappa*kappa*variance/2)
	return mean, -kappa * mean
}

// predict moves the state one step on.
func (f *kalman) predict(x filterState) filterState {
	D, A, h := f.attenuation.decay, f.rate.decay, f.stepS/2
	sigma := f.cfg.AttenuationSigmaDBPerKM * f.attenuation.noise

	var y filterState
	y.d = D * x.d
	y.dd = D*D*x.dd + sigma*sigma
	gd, dk := D*x.gd, D*x.dk // of the old G and K with the new Δα

	target, slope := f.target(y.d, y.dd)
	B := (1 - A) * slope
	noise := f.cfg.OUSigmaRel * target * f.rate.noise
	y.g = A*x.g + (1-A)*target
	y.gd = A*gd + B*y.dd
	y.gg = A*A*x.gg + 2*A*B*gd + B*B*y.dd + noise*noise
	cross := A*x.gg + B*gd // of the old and the new G
	gk := A*x.gk + B*dk    // of the new G with the old K

	y.k = x.k + h*(x.g+y.g)
	y.gk = gk + h*(cross+y.gg)
	y.dk = dk + h*(gd+y.gd)
	y.kk = x.kk + 2*h*(x.gk+gk) + h*h*(x.gg+2*cross+y.gg)
	return y
}

// correct takes in that K is known to be bits.
func (x *filterState) correct(bits float64) {
	if x.kk > 0 {
		gain, miss := 1/x.kk, bits-x.k
		x.g += x.gk * gain * miss
		x.d += x.dk * gain * miss
		x.gg -= x.gk * x.gk * gain
		x.gd -= x.gk * x.dk * gain
		x.dd -= x.dk * x.dk * gain
		x.gg, x.dd = math.Max(0, x.gg), math.Max(0, x.dd)
		x.g = math.Max(0, x.g)
	}
}

// restart begins the count of K anew, known to be zero.
func (x *filterState) restart() { x.k, x.gk, x.dk, x.kk = 0, 0, 0, 0 }

func (f *kalman) Observe(o Observation) { f.observe(o) }

// observe takes in an observation and returns the innovation: by how many
// deviations the key of the step differed from what was expected; 0 where
// nothing could be learnt.
func (f *kalman) observe(o Observation) (innovation float64) {
	f.x = f.predict(f.x)
	switch {
	case o.AboveBound:
		// The rate is zero by definition and says nothing of the attenuation.
		f.x.g, f.x.gg, f.x.gd = 0, 0, 0
	case o.UpNS == f.stepNS:
		if f.x.kk > 0 {
			innovation = (o.KeyBits - f.x.k) / math.Sqrt(f.x.kk)
		}
		f.x.correct(o.KeyBits)
	}
	f.x.restart()
	f.aboveBound, f.down = o.AboveBound, o.Down
	if o.Down {
		f.downS = math.Min(f.downS, 1e6) + float64(f.stepNS-o.UpNS)/1e9
	} else {
		f.downS = 0
	}
	return innovation
}

func (f *kalman) Forecast(dst []Prediction) { f.forecast(f.x, dst) }

// forecast from the state x.
func (f *kalman) forecast(x filterState, dst []Prediction) {
	for i := range dst {
		x = f.predict(x)
		switch {
		case f.aboveBound:
			dst[i] = Prediction{}
		case f.down:
			dst[i] = f.afterRepair(x, float64(i+1)*f.stepS)
		default:
			dst[i] = Prediction{x.g, x.gg, x.k, x.kk}
		}
	}
}

// afterRepair is the prediction for a link that has been down for downS: the
// remaining time to repair is uniform over what is left of its duration.
func (f *kalman) afterRepair(x filterState, horizonS float64) Prediction {
	low := math.Max(0, f.cfg.BreakDurationS[0]-f.downS)
	high := f.cfg.BreakDurationS[1] - f.downS
	if high <= low || horizonS <= low {
		return Prediction{} // not due yet, or an outage longer than any we know
	}
	// Mean and mean square of the time up, max(0, horizon − R), R ~ U(low, high).
	end := math.Min(horizonS, high)
	a, b := horizonS-low, horizonS-end
	repaired := (end - low) / (high - low) // (a − b)/(high − low)
	up := (a + b) / 2 * repaired
	up2 := (a*a + a*b + b*b) / 3 * repaired
	mean, share := x.k/horizonS, up/horizonS
	return Prediction{
		RateBPS:    repaired * x.g,
		RateVar:    repaired*x.gg + repaired*(1-repaired)*x.g*x.g,
		KeyBits:    mean * up,
		KeyBitsVar: mean*mean*math.Max(0, up2-up*up) + x.kk*share*share,
	}
}
