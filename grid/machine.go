package grid

import (
	"fmt"
	"math"
	"math/cmplx"
)

// machine is one synchronous machine with its controls, per unit on the
// case's base.
//
//	δ̇ = ω₀ω                                   rotor angle, rad; speed deviation
//	2Hω̇ = Pm − Pe − Dω                        swing equation
//	Tg ṗv = −pv − ω/R + Pref                   governor valve
//	T3 ṗr = −pr + (1−T2/T3) pv                 reheat
//	Pm = Pm0 + pr + (T2/T3) pv
//	T'd0 Ė'q = Efd − E'q − (xd−x'd) Id         field (with AVR)
//	TB ż = −z + (1−TA/TB)(Vref−V)              SEXS lead-lag (with AVR)
//	TE Ėfd = −Efd + K (z + (TA/TB)(Vref−V))    SEXS exciter (with AVR)
//
// with the stator, a = δ−θ being the angle over the bus,
//
//	Pe = E'q V sin a / x'd + V²/2 (1/xq − 1/x'd) sin 2a
//	Q  = E'q V cos a / x'd − V² (cos²a / x'd + sin²a / xq)
//	Id = (E'q − V cos a) / x'd
//
// The classical machine is the same with xq = x'd and constant E'q. Source:
// Kundur 1994, sections 3.6, 12.3 and 12.4; TGOV1 and SEXS as in the IEEE
// model library.
type machine struct {
	bus            int
	governor, avr  bool
	h, d           float64
	xdp, xd, xq    float64
	td0            float64
	invR           float64 // 1/R on the case's base
	tg, t2, t3     float64
	ta, tb, te, k  float64
	governorMVA    float64
	pm0            float64 // dispatch
	eq0, efd0, vr0 float64 // E'q, Efd and Vref at the power-flow solution
	delta0         float64
}

// newMachine returns the machine that delivers p+jq at its bus's voltage.
func newMachine(dyn *Dynamics, baseMVA float64, bus int, opt *Options, v complex128, s complex128) (machine, error) {
	m := machine{
		bus: bus, h: dyn.InertiaS, d: dyn.DampingPU, xdp: dyn.TransientXPU, xd: dyn.TransientXPU, xq: dyn.TransientXPU,
		pm0: real(s),
	}
	if opt.NoDamping {
		m.d = 0
	}
	if dyn.GovernorMVA > 0 && !opt.NoGovernors {
		m.governor, m.governorMVA = true, dyn.GovernorMVA
		m.invR = dyn.GovernorMVA / (baseMVA * dyn.DroopPU)
		m.tg, m.t2, m.t3 = dyn.GovernorTimeS, dyn.LeadTimeS, dyn.ReheatTimeS
	}
	if opt.AVR {
		m.avr, m.xd, m.xq, m.td0 = true, dyn.DirectXPU, dyn.QuadratureXPU, dyn.FieldTimeS
		m.ta, m.tb, m.te, m.k = dyn.ExciterLeadTimeS, dyn.ExciterLagTimeS, dyn.ExciterTimeS, dyn.ExciterGain
	}
	i := cmplx.Conj(s / v)
	m.delta0 = cmplx.Phase(v + complex(0, m.xq)*i)
	a := m.delta0 - cmplx.Phase(v)
	id := real(i)*math.Sin(m.delta0) - imag(i)*math.Cos(m.delta0)
	m.eq0 = cmplx.Abs(v)*math.Cos(a) + m.xdp*id
	m.efd0 = m.eq0 + (m.xd-m.xdp)*id
	if m.eq0 <= 0 {
		return m, fmt.Errorf("grid: unit at bus %s has no excitation at the power-flow solution (E'q %.3g pu)", dyn.Bus, m.eq0)
	}
	if m.avr {
		m.vr0 = cmplx.Abs(v) + m.efd0/m.k
	}
	return m, nil
}

// stator holds a machine's terminal powers and their partial derivatives by
// the angle over the bus, the bus voltage and E'q.
type stator struct {
	p, q       float64
	pA, pV, pE float64
	qA, qV, qE float64
	id         float64
	idA, idV   float64
	idE        float64
}

func (m *machine) stator(eq, v, a float64) stator {
	s, c := math.Sincos(a)
	saliency := 1/m.xq - 1/m.xdp
	s2, c2 := 2*s*c, c*c-s*s
	return stator{
		p:  eq*v*s/m.xdp + v*v/2*saliency*s2,
		q:  eq*v*c/m.xdp - v*v*(c*c/m.xdp+s*s/m.xq),
		pA: eq*v*c/m.xdp + v*v*saliency*c2,
		pV: eq*s/m.xdp + v*saliency*s2,
		pE: v * s / m.xdp,
		qA: -eq*v*s/m.xdp - v*v*saliency*s2,
		qV: eq*c/m.xdp - 2*v*(c*c/m.xdp+s*s/m.xq),
		qE: v * c / m.xdp,
		id: (eq - v*c) / m.xdp, idA: v * s / m.xdp, idV: -c / m.xdp, idE: 1 / m.xdp,
	}
}
