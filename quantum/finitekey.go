package quantum

import "math"

// oneDecoy is BB84 with one decoy state and a finite key, after Rusca, Boaron,
// Grünenfelder, Martin and Zbinden, Appl. Phys. Lett. 112, 171104 (2018)
// (arXiv:1801.03443), with Hoeffding's bound on every count. Of a block of n_Z
// sifted bits
//
//	ℓ = s_Z0 + s_Z1·(1 − h(φ_Z)) − f_EC·n_Z·h(E_Z) − 6·log2(19/ε_sec) − log2(2/ε_cor)
//
// are secret: s_Z0 and s_Z1 bound from below how many of them had no photon
// and one, φ_Z their phase errors from above, estimated in the other basis.
// With τ_n = Σ_k p_k·e^(−k)·kⁿ/n! and counts n_k^± = e^k/p_k·(n_k ± √(N/2·ln(19/ε_sec)))
//
//	s_0 ≥ τ_0/(μ−ν)·(μ·n_ν⁻ − ν·n_μ⁺)
//	s_0 ≤ 2·(τ_0·e^k/p_k·(m_k + δ(m)) + δ(n))
//	s_1 ≥ τ_1·μ/(ν·(μ−ν))·(n_ν⁻ − ν²/μ²·n_μ⁺ − (μ²−ν²)/μ²·s_0/τ_0)
//	φ_Z ≤ v_1/s_X1 + γ,  v_1 ≤ τ_1/(μ−ν)·(m_μ⁺ − m_ν⁻)
//
// of n clicks and m errors. That ε_sec is 19 times the probability of each
// failure counts the bounds that one decoy needs (A24, A25 there); γ is that of
// Lim, Curty, Walenta, Xu and Zbinden, Phys. Rev. A 89, 022307 (2014), (5), and
// keeps their 21, the count for two decoys.
//
// The rate is that of blocks one after another; how long one takes to fill is
// no part of it.
type oneDecoy struct {
	gains
	pulseRateHz, leakage float64
	DecoyConfig
	levels     [2]level // signal, weak
	tau0, tau1 float64  // probability that a pulse has no photon, one
	confidence float64  // ln(19/ε_sec)
	overhead   float64  // bits that a block loses whatever its size
}

// level is one intensity: its share, and e^k/p_k.
type level struct{ intensity, share, weight float64 }

// Parts into which the probability of failure is split, with one decoy and, in
// γ, with two.
const (
	failures      = 19
	phaseFailures = 21
)

func newOneDecoy(c LinkConfig) oneDecoy {
	d := c.Decoy
	m := oneDecoy{gains: c.gains(), pulseRateHz: c.PulseRateHz, leakage: c.ErrorCorrectionEfficiency, DecoyConfig: d}
	for i, l := range []level{{intensity: d.SignalIntensity, share: d.SignalShare}, {intensity: d.WeakIntensity, share: 1 - d.SignalShare}} {
		l.weight = math.Exp(l.intensity) / l.share
		m.levels[i] = l
		m.tau0 += l.share * math.Exp(-l.intensity)
		m.tau1 += l.share * math.Exp(-l.intensity) * l.intensity
	}
	m.confidence = math.Log(failures / d.SecrecyEpsilon)
	m.overhead = 6*math.Log2(failures/d.SecrecyEpsilon) + math.Log2(2/d.CorrectnessEpsilon)
	return m
}

func (m oneDecoy) Rate(lossDB, qberAdd float64) (qber, rateBPS float64) {
	clicks, errors, all := m.shares(lossDB, qberAdd)
	if all == 0 {
		return 0.5, 0
	}
	secret, _, _ := m.secret(clicks, errors)
	return errors[0] + errors[1], m.sifted(all) * secret
}

// shares are the parts that the two intensities have in the clicks and, wrong,
// in the errors of a block, and the probability that a pulse clicks.
func (m oneDecoy) shares(lossDB, qberAdd float64) (clicks, errors [2]float64, all float64) {
	eta := m.transmittance(lossDB)
	for i, l := range m.levels {
		c, e := m.of(l.intensity, eta, qberAdd)
		clicks[i], errors[i] = l.share*c, l.share*e
		all += clicks[i]
	}
	for i := range clicks {
		if all > 0 {
			clicks[i], errors[i] = clicks[i]/all, errors[i]/all
		}
	}
	return clicks, errors, all
}

// sifted bits of the key's basis a second, of pulses that click with
// probability all.
func (m oneDecoy) sifted(all float64) float64 {
	return m.pulseRateHz * m.BasisShare * m.BasisShare * all * m.detector.live(m.pulseRateHz*all)
}

// FiniteBlockS is how long, in seconds, a finite key of configuration c takes
// to fill one of its blocks at nominal attenuation.
func FiniteBlockS(c LinkConfig) float64 {
	m := newOneDecoy(c)
	_, _, all := m.shares(c.lossDB(0), 0)
	return c.Decoy.BlockBits / m.sifted(all)
}

// secret is the secret part of a sifted bit, from the shares of the block's
// clicks and errors that the two intensities have; phase is φ_Z and single
// s_Z1/n_Z.
func (m oneDecoy) secret(clicks, errors [2]float64) (part, phase, single float64) {
	n := m.BlockBits
	other := (1 - m.BasisShare) / m.BasisShare
	key, test := m.count(clicks, errors, n), m.count(clicks, errors, n*other*other)
	s1, x1 := key.single(), test.single()
	single = math.Max(0, s1) / n
	if s1 <= 0 || x1 <= 0 {
		return 0, 0.5, single
	}
	ratio := math.Max(0, test.singleErrors()/x1)
	if ratio >= 0.5 {
		return 0, 0.5, single
	}
	phase = math.Min(0.5, ratio+m.spread(ratio, s1, x1))
	leak := m.leakage * n * binaryEntropy(errors[0]+errors[1])
	bits := key.noPhoton() + s1*(1-binaryEntropy(phase)) - leak - m.overhead
	return math.Max(0, bits) / n, phase, single
}

// spread is γ, by which the phase errors may exceed those found in the other
// basis, of c and d single photons in the two bases.
func (m oneDecoy) spread(ratio, c, d float64) float64 {
	if ratio == 0 {
		ratio = 1 / d // not one error was found: one more could have been
	}
	x := (c + d) * (1 - ratio) * ratio / (c * d)
	return math.Sqrt(x / math.Ln2 * math.Max(0, math.Log2((c+d)/(c*d*(1-ratio)*ratio)*phaseFailures*phaseFailures/(m.SecrecyEpsilon*m.SecrecyEpsilon))))
}

// count is what a block shows in one basis.
type count struct {
	m            *oneDecoy
	n, errors    [2]float64 // clicks and errors by intensity
	spreadN      float64    // δ(n)
	spreadErrors float64    // δ(m)
}

func (m *oneDecoy) count(clicks, errors [2]float64, n float64) count {
	c := count{m: m}
	wrong := 0.0
	for i := range clicks {
		c.n[i], c.errors[i] = n*clicks[i], n*errors[i]
		wrong += c.errors[i]
	}
	c.spreadN, c.spreadErrors = math.Sqrt(n/2*m.confidence), math.Sqrt(wrong/2*m.confidence)
	return c
}

// noPhoton bounds s_0 from below.
func (c *count) noPhoton() float64 {
	mu, nu := &c.m.levels[0], &c.m.levels[1]
	low := c.m.tau0 / (mu.intensity - nu.intensity) *
		(mu.intensity*nu.weight*(c.n[1]-c.spreadN) - nu.intensity*mu.weight*(c.n[0]+c.spreadN))
	return math.Max(0, low)
}

// noPhotonAtMost bounds s_0 from above.
func (c *count) noPhotonAtMost() float64 {
	least := math.Inf(1)
	for i, l := range c.m.levels {
		least = math.Min(least, 2*(c.m.tau0*l.weight*(c.errors[i]+c.spreadErrors)+c.spreadN))
	}
	return least
}

// single bounds s_1 from below.
func (c *count) single() float64 {
	mu, nu := &c.m.levels[0], &c.m.levels[1]
	square := nu.intensity * nu.intensity / (mu.intensity * mu.intensity)
	return c.m.tau1 * mu.intensity / (nu.intensity * (mu.intensity - nu.intensity)) *
		(nu.weight*(c.n[1]-c.spreadN) - square*mu.weight*(c.n[0]+c.spreadN) - (1-square)*c.noPhotonAtMost()/c.m.tau0)
}

// singleErrors bounds v_1 from above.
func (c *count) singleErrors() float64 {
	mu, nu := &c.m.levels[0], &c.m.levels[1]
	return c.m.tau1 / (mu.intensity - nu.intensity) *
		(mu.weight*(c.errors[0]+c.spreadErrors) - nu.weight*(c.errors[1]-c.spreadErrors))
}
