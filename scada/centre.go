package scada

import (
	"cosim/scada/iec104"
)

// pending is an exchange that the control centre keeps up until it is answered
// or its time is over: a command, an interrogation, or an order to a gateway.
type pending struct {
	chain      *chain
	task       *task // nil for an order
	kind       messageKind
	payload    []byte
	last       *message // the newest attempt
	nextNS     int64
	waitNS     int64
	deadlineNS int64
	over       bool
}

// command opens a task of c and sends its set point or command.
func (s *System) command(c *chain, value float64, atNS int64) error {
	t := s.openTask(c, atNS)
	s.tracer.triggered(s, t, value, 0)
	if t.decided {
		return nil
	}
	s.objects = append(s.objects[:0], commandObject(c, value).At(timeTag(atNS)))
	payload, err := c.station.centre.AppendI(s.arena.carve(c.octets), &iec104.ASDU{
		Type: c.asdu, Cause: iec104.Activation, CommonAddr: c.station.commonAddr, Objects: s.objects,
	})
	if err != nil {
		return err
	}
	c.station.unackedNS = never
	p := &pending{
		chain: c, task: t, kind: command, payload: payload,
		waitNS: s.cfg.Controller.RetransmitAfter.Nanoseconds(), deadlineNS: t.deadlineNS,
	}
	s.pending = append(s.pending, p)
	return s.attempt(p, atNS)
}

// commandObject is the information object of a command of c.
func commandObject(c *chain, value float64) iec104.Object {
	switch c.asdu {
	case iec104.CScNa1:
		return iec104.SingleObject(c.ioa, value != 0, 0)
	case iec104.CDcNa1:
		state := iec104.DoubleOff
		if value != 0 {
			state = iec104.DoubleOn
		}
		return iec104.DoubleObject(c.ioa, state, 0)
	case iec104.CIcNa1:
		return iec104.QualifierObject(0, iec104.StationInterrogation)
	}
	return iec104.FloatObject(c.ioa, float32(value), 0)
}

// attempt sends what is pending, at first or again. On the route and in the
// mode of the last attempt the same frame goes out and costs no key.
func (s *System) attempt(p *pending, atNS int64) error {
	p.nextNS = atNS + p.waitNS
	p.waitNS *= 2
	opt := s.plan[p.chain.index]
	way := s.wayOf(p, opt)
	if p.task != nil {
		p.task.attempts++
		p.task.mode, p.task.route = opt.Mode, opt.Route
	}
	s.tracer.attempted(s, p, opt, atNS)
	switch {
	case opt.Off && p.kind != order:
		p.task.obstacle(Deactivated)
		s.tracer.held(s, p.task, way, 0, Deactivated, atNS)
		return nil
	case s.knownDown(way):
		s.tracer.held(s, p.task, way, 0, LinkDown, atNS)
		if p.task != nil {
			p.task.obstacle(LinkDown)
		}
		return nil
	}
	if p.last == nil || p.last.route != way || p.last.mode != opt.Mode {
		p.last = s.newMessage(message{
			kind: p.kind, chain: p.chain, task: p.task, pending: p,
			payload: p.payload, route: way, mode: opt.Mode,
		})
	}
	sent, err := s.forward(p.last, 0, atNS)
	if !sent && p.task != nil {
		p.task.obstacle(NoKey)
	}
	return err
}

func (s *System) wayOf(p *pending, opt Option) *route {
	if p.kind == order {
		return &s.orderRoutes[p.chain.index][opt.Route]
	}
	return &p.chain.forward[opt.Route]
}

// retry sends again what is unanswered, and forgets what is over.
func (s *System) retry() error {
	if len(s.pending) == 0 {
		return nil
	}
	kept := s.pending[:0]
	for _, p := range s.pending {
		if p.over || p.deadlineNS <= s.nowNS {
			p.over = true
			continue
		}
		kept = append(kept, p)
	}
	clear(s.pending[len(kept):])
	s.pending = kept
	for _, p := range s.pending {
		if p.nextNS <= s.nowNS {
			if err := s.attempt(p, s.nowNS); err != nil {
				return err
			}
		}
	}
	return nil
}

// answered takes the answer to a command or interrogation at the centre.
func (s *System) answered(m *message, atNS int64) error {
	if err := s.receiveAtCentre(m, atNS); err != nil {
		return err
	}
	if m.kind == answer {
		return nil
	}
	if m.pending != nil {
		m.pending.over = true
	}
	switch {
	case m.kind == termination:
		s.settle(m.task, m, atNS)
	case m.chain.Task == TaskShed:
		s.controllerOf(m.chain).acknowledged(m.chain.element, float64(s.apdu.ASDU.Objects[0].Float()))
	}
	return nil
}

// measured hands a measurement to the controller.
func (s *System) measured(m *message) error {
	if err := s.receiveAtCentre(m, s.nowNS); err != nil {
		return err
	}
	o := s.apdu.ASDU.Objects
	sampledNS, ok := m.task.triggerNS, true
	if s.apdu.ASDU.Type == iec104.MMeTf1 {
		sampledNS, ok = tagTime(o[0].Time)
	}
	if ok && len(o) == 2 {
		s.controllerOf(m.chain).heard(m.chain.element, sampledNS, float64(o[0].Float()), float64(o[1].Float()))
		s.tracer.heard(s, m, sampledNS, float64(o[0].Float()), float64(o[1].Float()))
	}
	return nil
}

// receiveAtCentre counts an I frame from the field, and acknowledges after W.
func (s *System) receiveAtCentre(m *message, atNS int64) error {
	if err := s.apdu.Decode(m.payload); err != nil {
		return err
	}
	st := m.chain.station
	if st.centre.Receive(&s.apdu).AckDue {
		return s.acknowledge(m.chain, atNS)
	}
	if st.unackedNS == never {
		st.unackedNS = atNS
		s.unacked = append(s.unacked, unacked{atNS, m.chain})
	}
	return nil
}

// unacked is a connection on which an acknowledgement falls due.
type unacked struct {
	sinceNS int64
	chain   *chain
}

// acknowledgeOld sends the S frames that wait since T2.
func (s *System) acknowledgeOld() error {
	n := 0
	for ; n < len(s.unacked) && s.unacked[n].sinceNS+iec104.T2.Nanoseconds() <= s.nowNS; n++ {
		if u := s.unacked[n]; u.chain.station.unackedNS == u.sinceNS {
			if err := s.acknowledge(u.chain, s.nowNS); err != nil {
				return err
			}
		}
	}
	if n > 0 {
		s.unacked = s.unacked[:copy(s.unacked, s.unacked[n:])]
	}
	return nil
}

// acknowledge sends an S frame to the station of c, on the way and in the mode
// of the plan. It is no task; one that finds no key is lost like any other.
func (s *System) acknowledge(c *chain, atNS int64) error {
	c.station.unackedNS = never
	payload := c.station.centre.AppendS(s.arena.carve(6))
	opt := s.optionOf(c)
	way := &c.forward[opt.Route]
	if c.up {
		way = &c.back[opt.Route]
	}
	if s.knownDown(way) {
		return nil
	}
	m := s.newMessage(message{kind: receipt, chain: c, payload: payload, route: way, mode: opt.Mode})
	_, err := s.forward(m, 0, s.nowNS)
	return err
}

// setClocks synchronises the clocks of the gateways, once at the start, on the
// ways of their interrogations.
func (s *System) setClocks() error {
	for i := range s.chains {
		c := &s.chains[i]
		if c.Task != TaskInterrogation {
			continue
		}
		payload, err := c.station.centre.AppendI(s.arena.carve(20), &iec104.ASDU{
			Type: iec104.CCsNa1, Cause: iec104.Activation, CommonAddr: c.station.commonAddr,
			Objects: []iec104.Object{{Time: timeTag(s.nowNS)}},
		})
		if err != nil {
			return err
		}
		opt := s.plan[c.index]
		m := s.newMessage(message{kind: clock, chain: c, payload: payload, route: &c.forward[opt.Route], mode: opt.Mode})
		if _, err := s.forward(m, 0, s.nowNS); err != nil {
			return err
		}
	}
	return nil
}

// learnLinks takes the events of links, each known LinkDetection after the
// fact.
func (s *System) learnLinks(events []LinkEvent) {
	for _, e := range events {
		if i, ok := s.linkIndex[e.Link]; ok {
			s.news = append(s.news, linkNews{e.AtNS + s.cfg.Controller.LinkDetection.Nanoseconds(), i, e.Up})
		}
	}
	n := 0
	for ; n < len(s.news) && s.news[n].knownNS <= s.nowNS; n++ {
		s.down[s.news[n].link] = !s.news[n].up
	}
	if n > 0 {
		s.news = s.news[:copy(s.news, s.news[n:])]
		s.anyDown = false
		for _, d := range s.down {
			s.anyDown = s.anyDown || d
		}
	}
}

// linkNews is an event of a link that is not yet known.
type linkNews struct {
	knownNS int64
	link    int
	up      bool
}

// knownDown reports whether a route uses a link that is known to be down:
// nobody spends key on it.
func (s *System) knownDown(r *route) bool {
	if !s.anyDown {
		return false
	}
	for _, l := range r.links {
		if s.down[l] {
			return true
		}
	}
	return false
}

// KnownDown reports whether the control centre knows that a link is down.
func (s *System) KnownDown(link string) bool {
	i, ok := s.linkIndex[link]
	return ok && s.down[i]
}
