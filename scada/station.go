package scada

import (
	"time"

	"cosim/scada/iec104"
)

// station is a 104 outstation, an IED or a gateway, and its connection to one
// operator's control centre with the sequence numbers of both ends.
type station struct {
	name       string
	commonAddr uint16
	centre     iec104.Association
	field      iec104.Association
	// unackedNS is when the oldest I frame arrived at the centre that no frame
	// has acknowledged; never when there is none.
	unackedNS int64
	image     []*chain // PMU chains whose values a gateway has seen
}

// connection is that of an outstation to an operator.
type connection struct {
	operator int
	node     string
}

// epoch is what simulated time 0 is on the clock of the time tags.
var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

func timeTag(atNS int64) iec104.CP56Time2a {
	return iec104.TimeTag(epoch.Add(time.Duration(atNS)))
}

// tagTime is the time of a tag in ns of simulated time, cut to milliseconds.
func tagTime(tag iec104.CP56Time2a) (atNS int64, ok bool) {
	t, ok := tag.Time()
	return t.Sub(epoch).Nanoseconds(), ok
}

// stationAt is the station of a node, which is numbered like it, on its
// connection to an operator.
func (s *System) stationAt(operator int, node string) *station {
	at := connection{operator, node}
	if st := s.stations[at]; st != nil {
		return st
	}
	st := &station{name: node, commonAddr: s.commonAddr[node], unackedNS: never}
	s.stations[at] = st
	return st
}

// commonAddresses numbers the nodes from 1 in the order of the configuration.
func commonAddresses(nodes []Node) map[string]uint16 {
	addr := make(map[string]uint16, len(nodes))
	for i, n := range nodes {
		addr[n.Name] = uint16(i + 1)
	}
	return addr
}

// sample makes a PMU's outstation measure and send.
func (s *System) sample(c *chain, atNS int64) error {
	if len(s.in.SampleFreqHz) == 0 {
		return nil
	}
	// The noise is drawn whatever the plan says, so that it is the same in
	// every experiment.
	p, noise := &s.cfg.Controller, s.noise[c.element]
	freq := s.in.SampleFreqHz[c.element] + p.PMUNoiseHz*noise.NormFloat64()
	volt := s.in.SampleVoltagePU[c.element] + p.PMUNoisePU*noise.NormFloat64()
	t := s.openTask(c, atNS)
	s.tracer.triggered(s, t, freq, volt)
	if t.decided {
		return nil
	}
	tag := timeTag(atNS)
	s.objects = append(s.objects[:0],
		iec104.FloatObject(c.ioa, float32(freq), 0).At(tag),
		iec104.FloatObject(c.ioa+1, float32(volt), 0).At(tag))
	payload, err := c.station.field.AppendI(s.arena.carve(c.octets), &iec104.ASDU{
		Type: c.asdu, Cause: iec104.Spontaneous, CommonAddr: c.station.commonAddr, Objects: s.objects,
	})
	if err != nil {
		return err
	}
	t.attempts = 1
	m := s.newMessage(message{
		kind: measurement, chain: c, task: t, payload: payload,
		route: &c.forward[s.atGateway[c.index].Route], mode: s.atGateway[c.index].Mode,
	})
	_, err = s.forward(m, 0, atNS)
	return err
}

// enterGateway takes a measurement at its first gateway, which knows its route
// and mode from the last order, and reports whether it goes on.
func (s *System) enterGateway(m *message) bool {
	c := m.chain
	s.lastValue[c.index] = m.payload
	opt := s.atGateway[c.index]
	m.task.mode, m.task.route = opt.Mode, opt.Route
	s.tracer.entered(s, m, opt)
	if opt.Off {
		m.task.obstacle(Deactivated)
		s.tracer.held(s, m.task, m.route, len(m.route.nodes)-1-m.route.hops, Deactivated, s.nowNS)
		return false
	}
	m.route, m.mode = &c.forward[opt.Route], opt.Mode
	if s.knownDown(m.route) {
		m.task.obstacle(LinkDown)
		s.tracer.held(s, m.task, m.route, len(m.route.nodes)-1-m.route.hops, LinkDown, s.nowNS)
		return false
	}
	return true
}

// applied takes what an IED made of a frame, and lets its outstation confirm.
func (s *System) applied(a *Applied) error {
	f := s.sent.find(a.ID)
	if f == nil {
		return nil // not one of ours, or long ago
	}
	m := f.message
	s.tracer.applied(s, m, a)
	switch {
	case a.Verdict == Rejected:
		if m.task != nil {
			m.task.obstacle(TagRejected)
		}
		return nil
	case a.Verdict == Duplicate:
		return s.repeat(m, f.leg)
	case m.kind == receipt:
		return s.receiveAtStation(m)
	case m.kind != command:
		return nil
	}
	s.settle(m.task, m, a.AtNS)
	if err := s.receiveAtStation(m); err != nil {
		return err
	}
	return s.reply(m, confirmation, iec104.ActivationCon)
}

// receiveAtStation counts a frame that reached the field's end.
func (s *System) receiveAtStation(m *message) error {
	if err := s.apdu.Decode(m.payload); err != nil {
		return err
	}
	m.chain.station.field.Receive(&s.apdu)
	return nil
}

// reply sends the APDU that was last decoded back under another cause of
// transmission: the mirrored confirmation or termination of a command.
func (s *System) reply(m *message, kind messageKind, cause iec104.Cause) error {
	asdu := s.apdu.ASDU
	asdu.Cause = cause
	payload, err := m.chain.station.field.AppendI(s.arena.carve(len(m.payload)), &asdu)
	if err != nil {
		return err
	}
	return s.answer(m, kind, payload)
}

// answer sends payload back on the way and in the mode that m came. Want of
// key is mended by the sender's next attempt, which repeats the answers.
func (s *System) answer(m *message, kind messageKind, payload []byte) error {
	r := s.newMessage(message{
		kind: kind, chain: m.chain, task: m.task, pending: m.pending, payload: payload,
		route: m.route.back, mode: m.mode,
	})
	m.answers = append(m.answers, r)
	sent, err := s.forward(r, 0, s.nowNS)
	if !sent && r.task != nil {
		r.task.obstacle(NoKey)
	}
	return err
}

// interrogated answers an interrogation at its gateway: confirmation, the
// values last seen there as type 13, termination.
func (s *System) interrogated(m *message) error {
	if err := s.receiveAtStation(m); err != nil {
		return err
	}
	st := m.chain.station
	if err := s.reply(m, answer, iec104.ActivationCon); err != nil {
		return err
	}
	if err := s.answerValues(m, st); err != nil {
		return err
	}
	if err := s.apdu.Decode(m.payload); err != nil {
		return err
	}
	return s.reply(m, termination, iec104.ActivationTerm)
}

// valuesPerAPDU keeps an answer of type 13, 8 octets a value, within 253.
const valuesPerAPDU = 28

// answerValues sends the newest values of the PMUs behind a gateway.
func (s *System) answerValues(m *message, st *station) error {
	s.objects = s.objects[:0]
	for _, c := range st.image {
		if s.lastValue[c.index] == nil {
			continue
		}
		if err := s.apdu.Decode(s.lastValue[c.index]); err != nil {
			return err
		}
		s.objects = append(s.objects, s.apdu.ASDU.Objects...)
	}
	for rest := s.objects; len(rest) > 0; {
		n := min(len(rest), valuesPerAPDU)
		asdu := iec104.ASDU{Type: iec104.MMeNc1, Cause: iec104.Interrogated, CommonAddr: st.commonAddr, Objects: rest[:n]}
		payload, err := st.field.AppendI(s.arena.carve(12+8*n), &asdu)
		if err != nil {
			return err
		}
		if err := s.answer(m, answer, payload); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// clockSet confirms a clock synchronisation at its gateway.
func (s *System) clockSet(m *message) error {
	if err := s.receiveAtStation(m); err != nil {
		return err
	}
	return s.reply(m, answer, iec104.ActivationCon)
}
