package scada

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"cosim/scada/iec104"
	"cosim/scada/q3p"
)

// System is the SCADA side of one run: outstations, gateways, control centre.
// It is not safe for concurrent use.
type System struct {
	cfg    Config
	policy q3p.KeyPolicy

	chains       []chain
	stations     map[connection]*station
	commonAddr   map[string]uint16
	associations map[[2]string]*association // by the ends of a leg, from and to
	blockChains  []*chain                   // of each block, nil without one
	byID         map[string]*chain

	ledger      ledger
	triggers    []trigger
	nextDueNS   int64
	demands     []demand
	pending     []*pending
	controllers []controller // an operator
	pmuChains   []*chain     // of each PMU, nil without one
	noise       []*rand.Rand // a PMU
	lastValue   [][]byte     // newest APDU of a PMU chain at its gateway

	// Plan of the centre, options in force at the gateways of uplinks, and
	// what the centre knows of the latter.
	plan, atGateway, obeyed []Option
	orders                  []*pending
	orderRoutes             [][]route
	orderNumber             uint32
	lastOrder               []uint32
	ordersDue               bool

	linkIndex map[string]int
	news      []linkNews
	down      []bool
	anyDown   bool
	unacked   []unacked

	sent       flights
	nextFrame  uint64
	horizonNS  int64 // for how long a sent frame is remembered
	nextTidyNS int64
	nowNS      int64
	started    bool
	in         *Input
	out        *Output
	arena      arena
	messages   []message
	plain      []byte
	apdu       iec104.APDU
	objects    []iec104.Object
	due        []dueTask
	replan     func(nowNS int64) error
	tracer     *tracer          // nil unless the run is traced
	utter      func(*Utterance) // nil unless the run is captured
}

// demand is a task asked for by Trigger.
type demand struct {
	chain *chain
	value float64
}

// New prepares a run of cfg. Pools are named like the quantum links; stream
// gives the named random streams of the run's seed: "scada/psk", for each
// Poisson chain "scada/<id>", for each PMU "scada/noise/<id>".
func New(cfg Config, pools map[string]KeyPool, stream func(name string) *rand.Rand) (*System, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, err
	}
	s := &System{
		cfg: cfg.Resolved(), stations: map[connection]*station{}, associations: map[[2]string]*association{},
		byID: map[string]*chain{}, linkIndex: map[string]int{}, sent: flights{first: 1},
	}
	s.policy = q3p.KeyPolicy{RekeyMessages: s.cfg.Crypto.RekeyMessages, SessionKeyBits: 128}
	s.commonAddr = commonAddresses(s.cfg.Nodes)
	if err := s.addChains(pools, PresharedSecret(stream("scada/psk"))); err != nil {
		return nil, err
	}
	s.addOrderRoutes()
	s.bindElements()
	s.addControllers()
	for _, p := range s.cfg.PMUs {
		s.noise = append(s.noise, stream("scada/noise/"+p.ID))
	}
	s.addTriggers(stream)
	for i, l := range s.cfg.Links {
		s.linkIndex[l.Name] = i
	}
	n := len(s.chains)
	s.down = make([]bool, len(s.cfg.Links))
	s.lastValue, s.lastOrder, s.orders = make([][]byte, n), make([]uint32, n), make([]*pending, n)
	s.plan, s.atGateway, s.obeyed = staticPlan(s.chains), staticPlan(s.chains), staticPlan(s.chains)
	for i := range s.chains {
		s.horizonNS = max(s.horizonNS, 2*s.chains[i].Latency.Nanoseconds())
	}
	return s, nil
}

// bindElements tells chains their elements' indices, blocks and PMUs their
// chains and gateways the PMUs that they see.
func (s *System) bindElements() {
	index := map[string]int{}
	for i, p := range s.cfg.PMUs {
		index[TaskPMU+p.ID] = i
	}
	for i, g := range s.cfg.Generators {
		index[TaskAGC+g.ID], index[TaskAVR+g.ID] = i, i
	}
	for i, b := range s.cfg.Blocks {
		index[TaskShed+b.ID] = i
	}
	s.blockChains, s.pmuChains = make([]*chain, len(s.cfg.Blocks)), make([]*chain, len(s.cfg.PMUs))
	for i := range s.chains {
		c := &s.chains[i]
		s.byID[c.ID] = c
		c.element = index[c.Task+c.Element]
		switch c.Task {
		case TaskShed:
			s.blockChains[c.element] = c
		case TaskPMU:
			s.pmuChains[c.element] = c
			gateway := s.stationAt(c.operator, c.forward[0].legs[0].via.to)
			gateway.image = append(gateway.image, c)
		}
	}
}

// OnPlan has f called in every step, after what happened is known and before
// anything is sent: the moment to change the plan.
func (s *System) OnPlan(f func(nowNS int64) error) { s.replan = f }

// Trigger asks for a task of a chain of a demand class at the next step: value
// is 0 or 1 for a breaker, the total in MW for a block.
func (s *System) Trigger(chainID string, value float64) error {
	c := s.byID[chainID]
	if c == nil {
		return fmt.Errorf("scada: no chain %q", chainID)
	}
	if s.cfg.Classes[c.Task].Trigger != Demand {
		return fmt.Errorf("scada: chain %s is triggered by its class", chainID)
	}
	s.demands = append(s.demands, demand{c, value})
	return nil
}

// Step advances the run over [fromNS, toNS): it takes what happened before
// fromNS, decides, and sends what is due before toNS. Steps follow each other
// without gaps. An error ends the run.
func (s *System) Step(fromNS, toNS int64, in *Input, out *Output) error {
	s.nowNS, s.in, s.out = fromNS, in, out
	out.Frames, out.Tasks, out.Refusals, out.Key = out.Frames[:0], out.Tasks[:0], out.Refusals[:0], out.Key[:0]
	if err := s.take(in); err != nil {
		return err
	}
	s.expire(fromNS)
	if !s.started {
		s.started = true
		if err := s.setClocks(); err != nil {
			return err
		}
	}
	if s.replan != nil {
		if err := s.replan(fromNS); err != nil {
			return err
		}
	}
	if err := s.decide(); err != nil {
		return err
	}
	if err := s.fireTriggers(toNS); err != nil {
		return err
	}
	s.diagnose(out)
	s.tracer.outcomes(s, toNS)
	if fromNS >= s.nextTidyNS {
		s.sent.forget(fromNS - s.horizonNS)
		s.nextTidyNS = fromNS + 1e9
	}
	return nil
}

// take reads what happened: links, losses, obeyed commands, arrivals.
func (s *System) take(in *Input) error {
	if len(in.SampleFreqHz) != len(in.SampleVoltagePU) || len(in.SampleFreqHz) != 0 && len(in.SampleFreqHz) != len(s.cfg.PMUs) {
		return fmt.Errorf("scada: samples of %d frequencies and %d voltages for %d PMUs", len(in.SampleFreqHz), len(in.SampleVoltagePU), len(s.cfg.PMUs))
	}
	s.learnLinks(in.LinkEvents)
	for i := range in.Drops {
		if f := s.sent.find(in.Drops[i].ID); f != nil && f.message.task != nil {
			f.message.task.obstacle(in.Drops[i].Reason.cause())
			s.tracer.dropped(s, f, &in.Drops[i])
		}
	}
	for i := range in.Applied {
		if err := s.applied(&in.Applied[i]); err != nil {
			return err
		}
	}
	for i := range in.Deliveries {
		if err := s.deliver(&in.Deliveries[i]); err != nil {
			return err
		}
	}
	return nil
}

// decide sends what the control centre wants at the start of the step.
func (s *System) decide() error {
	if err := s.sendOrders(); err != nil {
		return err
	}
	for i := range s.controllers {
		for _, c := range s.controllers[i].emergency.decide(s.nowNS) {
			if err := s.command(s.blockChains[c.block], c.totalMW, s.nowNS); err != nil {
				return err
			}
		}
	}
	for _, d := range s.demands {
		if err := s.command(d.chain, d.value, s.nowNS); err != nil {
			return err
		}
	}
	s.demands = s.demands[:0]
	if err := s.retry(); err != nil {
		return err
	}
	return s.acknowledgeOld()
}

func (s *System) diagnose(out *Output) {
	out.Diagnostics = out.Diagnostics[:0]
	for i := range s.controllers {
		c := &s.controllers[i]
		d := Diagnostics{
			ACEMW: c.aceMW, AGCMW: c.agcMW,
			ImbalanceMW: c.emergency.deficit, CalledMW: c.emergency.calledMW(),
		}
		d.FreqHz, d.HeardPMUs, _ = c.estimate(s.nowNS)
		out.Diagnostics = append(out.Diagnostics, d)
	}
}

// cause is what a lost frame means for its task.
func (r DropReason) cause() Cause {
	if r == DropOverflow || r == DropTTL {
		return QueueDrop
	}
	return LinkDown
}
