package quantum

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Link is one QKD link, advanced on a fixed grid of steps.
//
// At the grid points the processes are exact, whatever the step:
//
//	Δα   Ornstein-Uhlenbeck, stationary N(0, σ_α²), correlation time τ_α
//	Ḡ    target rate of the rate model at the loss (α0+Δα)·L, [1-3]
//	G    Ornstein-Uhlenbeck about Ḡ at rate λ_G, stationary deviation σ_G·Ḡ, [4]
//
// G is never below zero, and zero where Ḡ is: above the error bound no key is
// secret. Inside a step G is the straight line between its values at the two
// ends (the mean of the process given both), and the key of the step is the
// integral of that line over the time the link is up, which is exact, since
// breaks and repairs have exact times. While the link is down G goes on.
//
// All random numbers are drawn by grid point and break. How often and how far
// a caller advances, and what becomes of the key, changes none of them.
type Link struct {
	cfg          LinkConfig
	model        Model
	stepNS       int64
	disturbances []Disturbance

	attenuation, rate           ouStep
	attenuationNoise, rateNoise *rand.Rand
	outages                     outages

	nowNS       int64
	delta       float64 // Δα, dB/km
	qber        float64
	targetBPS   float64 // Ḡ
	rateBPS     float64 // G
	down        bool
	downUntilNS int64 // meaningful while down
	aboveBound  bool  // as last reported

	pendingBits float64 // distilled, but short of a block
	last        Observation
	blocks      []Delivery
	events      []Event
}

// Delivery is distilled key that becomes available at AtNS.
type Delivery struct {
	AtNS   int64
	Blocks int
	Bits   int64 // Blocks times the block size
}

// EventKind says what happened to a link.
type EventKind uint8

// What can happen to a link.
const (
	EventBreak   EventKind = iota // the fibre is cut
	EventRepair                   // the fibre is whole again
	EventNoYield                  // the error rate rose above the bound: no secret key
	EventYield                    // the error rate fell below the bound again
)

// String is the name under which the event is recorded.
func (k EventKind) String() string {
	switch k {
	case EventBreak:
		return "break"
	case EventRepair:
		return "repair"
	case EventNoYield:
		return "no-yield"
	case EventYield:
		return "yield"
	}
	return fmt.Sprintf("EventKind(%d)", uint8(k))
}

// Event of a link at its exact time.
type Event struct {
	AtNS int64
	Kind EventKind
	QBER float64 // at the last grid point
}

// NewLink makes a link at time zero, in its stationary state, on a grid of
// stepNS. Each random process has its own stream, asked for by name:
// "attenuation", "rate" and "breaks".
func NewLink(cfg LinkConfig, stepNS int64, ds []Disturbance, stream func(name string) *rand.Rand) (*Link, error) {
	if err := errors.Join(cfg.Validate(), validateDisturbances(ds)); err != nil {
		return nil, err
	}
	if stepNS <= 0 {
		return nil, fmt.Errorf("quantum: step of a link must be positive, is %d ns", stepNS)
	}
	model, err := cfg.RateModel()
	if err != nil {
		return nil, err
	}
	stepS := float64(stepNS) / 1e9
	l := &Link{
		cfg: cfg, model: model, stepNS: stepNS, disturbances: ds,
		attenuation:      newOUStep(1/cfg.AttenuationTauS, stepS),
		rate:             newOUStep(cfg.OURate, stepS),
		attenuationNoise: stream("attenuation"),
		rateNoise:        stream("rate"),
	}
	l.outages = newOutages(&l.cfg, ds, stream("breaks"))
	l.delta = cfg.AttenuationSigmaDBPerKM * l.attenuationNoise.NormFloat64()
	l.setTarget(0)
	l.rateBPS = math.Max(0, l.targetBPS*(1+cfg.OUSigmaRel*l.rateNoise.NormFloat64()))
	return l, nil
}

// Disturb adds a disturbance from the present on at the earliest.
func (l *Link) Disturb(d Disturbance) error {
	if err := validateDisturbances([]Disturbance{d}); err != nil {
		return err
	}
	if d.FromNS < l.nowNS {
		return fmt.Errorf("quantum: a disturbance from %d ns on, when it is %d ns already", d.FromNS, l.nowNS)
	}
	l.disturbances = append(l.disturbances, d)
	if d.Break {
		l.outages.schedule(outage{d.FromNS, d.ToNS})
	}
	return nil
}

// Advance moves the link to the last grid point at or before toNS and makes
// Blocks and Events anew. Events lie in [before, toNS): what happens at the
// very end belongs to the next advance.
func (l *Link) Advance(toNS int64) {
	l.blocks, l.events = l.blocks[:0], l.events[:0]
	for l.nowNS+l.stepNS <= toNS {
		l.step()
	}
}

func (l *Link) step() {
	from, to := l.nowNS, l.nowNS+l.stepNS
	l.reportBound(from)
	before := l.rateBPS

	l.delta = l.attenuation.from(l.delta, 0, l.cfg.AttenuationSigmaDBPerKM, l.attenuationNoise.NormFloat64())
	l.setTarget(to)
	// The draw is taken in any case, so that a disturbance does not shift the
	// numbers of later steps.
	xi := l.rateNoise.NormFloat64()
	l.rateBPS = 0
	if l.targetBPS > 0 {
		l.rateBPS = math.Max(0, l.rate.from(before, l.targetBPS, l.cfg.OUSigmaRel*l.targetBPS, xi))
	}

	bits, upNS := l.distil(from, to, before, l.rateBPS)
	l.pendingBits += bits
	if n := int(l.pendingBits / float64(l.cfg.BlockBits)); n > 0 {
		l.pendingBits -= float64(n) * float64(l.cfg.BlockBits)
		l.blocks = append(l.blocks, Delivery{to, n, int64(n) * int64(l.cfg.BlockBits)})
	}
	l.nowNS = to
	l.last = Observation{UpNS: upNS, KeyBits: bits, Down: l.down, AboveBound: l.targetBPS == 0}
}

// setTarget sets error rate and target rate for the grid point at atNS.
func (l *Link) setTarget(atNS int64) {
	loss, qberAdd := l.cfg.lossDB(l.delta), 0.0
	for i := range l.disturbances {
		if d := &l.disturbances[i]; d.FromNS <= atNS && atNS < d.ToNS {
			loss += d.AttenuationDB
			qberAdd += d.QBERAdd
		}
	}
	l.qber, l.targetBPS = l.model.Rate(loss, qberAdd)
}

func (l *Link) reportBound(atNS int64) {
	above := l.targetBPS == 0
	if above == l.aboveBound {
		return
	}
	l.aboveBound = above
	if above {
		l.event(atNS, EventNoYield)
	} else {
		l.event(atNS, EventYield)
	}
}

func (l *Link) event(atNS int64, kind EventKind) {
	l.events = append(l.events, Event{atNS, kind, l.qber})
}

// distil integrates the line from rate g0 at from to g1 at to over the time
// in which the link is up, and reports breaks and repairs on the way.
func (l *Link) distil(from, to int64, g0, g1 float64) (bits float64, upNS int64) {
	for t := from; t < to; {
		next := l.outages.peek()
		switch {
		case l.down && next.fromNS <= l.downUntilNS && next.fromNS < to:
			l.downUntilNS = max(l.downUntilNS, next.toNS)
			l.outages.pop()
		case l.down && l.downUntilNS >= to:
			t = to
		case l.down:
			t, l.down = l.downUntilNS, false
			l.event(t, EventRepair)
		default:
			end := min(to, next.fromNS)
			middle := float64((t-from)+(end-from)) / 2 / float64(to-from)
			bits += (g0 + (g1-g0)*middle) * float64(end-t) / 1e9
			upNS += end - t
			t = end
			if end < to {
				l.down, l.downUntilNS = true, next.toNS
				l.event(t, EventBreak)
				l.outages.pop()
			}
		}
	}
	return bits, upNS
}

// Blocks returns the key delivered by the last Advance, oldest first, each
// delivery at the end of the step that completed it. The slice is valid until
// the next Advance.
func (l *Link) Blocks() []Delivery { return l.blocks }

// Events returns what happened during the last Advance, in order of time. The
// slice is valid until the next Advance.
func (l *Link) Events() []Event { return l.events }

// NowNS is the grid point at which the link stands.
func (l *Link) NowNS() int64 { return l.nowNS }

// RateBPS is G, the rate at which the link distils key while it is up.
func (l *Link) RateBPS() float64 { return l.rateBPS }

// TargetBPS is Ḡ, to which the rate reverts.
func (l *Link) TargetBPS() float64 { return l.targetBPS }

// QBER is the quantum bit error rate, disturbances included.
func (l *Link) QBER() float64 { return l.qber }

// AttenuationDBPerKM is α0 + Δα within its bounds, without scheduled surges.
func (l *Link) AttenuationDBPerKM() float64 { return l.cfg.attenuationDBPerKM(l.delta) }

// Up says whether the fibre is whole.
func (l *Link) Up() bool { return !l.down }

// PendingBits is the distilled key that does not yet fill a block.
func (l *Link) PendingBits() float64 { return l.pendingBits }

// Observation is what the link's ends know of its last grid step, for a
// Forecaster.
func (l *Link) Observation() Observation { return l.last }
