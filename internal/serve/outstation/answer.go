package outstation

import (
	"slices"
	"time"

	"cosim/scada/iec104"
)

// serve answers the application data at hand.
func (s *session) serve(now time.Time, frame []byte) {
	a := &s.apdu.ASDU
	c, ok := controls[a.Type]
	switch {
	case !ok:
		s.reject(frame, iec104.UnknownType)
	case !slices.Contains(c.causes, a.Cause):
		s.reject(frame, iec104.UnknownCause)
	case a.CommonAddr != s.station.cfg.CommonAddr && !(c.broadcast && a.CommonAddr == broadcastAddr):
		s.reject(frame, iec104.UnknownCommonAddr)
	case !c.object && a.Objects[0].IOA != 0:
		s.reject(frame, iec104.UnknownObjectAddr)
	default:
		s.obey(now, frame, a)
	}
}

func (s *session) obey(now time.Time, frame []byte, a *iec104.ASDU) {
	switch a.Type {
	case iec104.CIcNa1:
		s.interrogation(a)
	case iec104.CCiNa1:
		s.counterInterrogation(a)
	case iec104.CRdNa1:
		t, o, ok := s.station.cfg.Image.read(a.Objects[0].IOA)
		if !ok {
			s.reject(frame, iec104.UnknownObjectAddr)
			return
		}
		s.send(iec104.ASDU{Type: t, Cause: iec104.Request, Test: a.Test, Originator: a.Originator, Objects: []iec104.Object{o}})
	case iec104.CCsNa1:
		t, ok := a.Objects[0].Time.Time()
		set := s.station.cfg.SetClock
		s.confirm(a, ok && set != nil && (a.Test || set(t) == nil))
	case iec104.CTsTa1:
		s.confirm(a, true)
	default:
		s.command(now, frame, a)
	}
}

// mirror is the ASDU at hand as an answer.
func mirror(a *iec104.ASDU, cause iec104.Cause, positive bool) iec104.ASDU {
	m := *a
	m.Cause, m.Negative = cause, !positive
	m.Objects = slices.Clone(a.Objects)
	return m
}

// confirm answers an activation or a deactivation.
func (s *session) confirm(a *iec104.ASDU, positive bool) {
	cause := iec104.ActivationCon
	if a.Cause == iec104.Deactivation {
		cause = iec104.DeactivationCon
	}
	s.send(mirror(a, cause, positive))
}

// interrogation answers C_IC: of the station, or of a group.
func (s *session) interrogation(a *iec104.ASDU) {
	qoi := a.Objects[0].Qualifier
	group := int(qoi) - int(iec104.StationInterrogation)
	if !s.begins(a, group >= 0 && group <= 16) {
		return
	}
	s.answerAll(a, s.station.cfg.Image.snapshot(group, iec104.Interrogated+iec104.Cause(group)))
}

// counterInterrogation answers C_CI: it reads, freezes or resets counters, of
// all or of a group.
func (s *session) counterInterrogation(a *iec104.ASDU) {
	qcc := a.Objects[0].Qualifier
	request, freeze := qcc&0x3f, qcc>>6
	if !s.begins(a, request >= 1 && request <= iec104.CounterInterrogation) {
		return
	}
	group := int(request) % int(iec104.CounterInterrogation)
	s.answerAll(a, s.station.cfg.Image.count(group, freeze, iec104.CounterRequested+iec104.Cause(group)))
}

// begins confirms an interrogation, or the end of one that is under way; false
// when there is nothing to answer.
func (s *session) begins(a *iec104.ASDU, known bool) bool {
	under := s.interrogates[a.Type]
	if a.Cause == iec104.Deactivation {
		if under {
			s.drop(a.Type)
		}
		s.confirm(a, under)
		return false
	}
	s.confirm(a, known && !under)
	return known && !under
}

// drop takes back what waits of an interrogation.
func (s *session) drop(t iec104.TypeID) {
	delete(s.interrogates, t)
	s.waiting = slices.DeleteFunc(s.waiting, func(w answer) bool {
		return w.reject == nil && (w.ends && w.asdu.Type == t || answers(t, &w.asdu))
	})
}

// answers says whether an ASDU carries values for an interrogation of type t.
func answers(t iec104.TypeID, a *iec104.ASDU) bool {
	if t == iec104.CIcNa1 {
		return a.Cause >= iec104.Interrogated && a.Cause < iec104.CounterRequested
	}
	return a.Cause >= iec104.CounterRequested && a.Cause <= iec104.CounterRequested+4
}

// answerAll sends values and ends the interrogation.
func (s *session) answerAll(a *iec104.ASDU, values []iec104.ASDU) {
	for _, v := range values {
		v.Originator, v.Test = a.Originator, a.Test
		s.send(v)
	}
	s.interrogates[a.Type] = true
	s.send(mirror(a, iec104.ActivationTerm, true))
	s.waiting[len(s.waiting)-1].ends = true
}

// command selects, executes or cancels.
func (s *session) command(now time.Time, frame []byte, a *iec104.ASDU) {
	o := a.Objects[0]
	c := s.station.commands[o.IOA]
	if c == nil || !c.accepts(a.Type) {
		s.reject(frame, iec104.UnknownObjectAddr)
		return
	}
	if a.Cause == iec104.Deactivation {
		s.confirm(a, s.station.release(o.IOA, s, now))
		return
	}
	v, ok := c.value(a.Type, o)
	switch {
	case !ok:
		s.confirm(a, false)
	case a.Test: // confirmed, and nothing happens
		s.confirm(a, true)
		if !o.Selects() {
			s.send(mirror(a, iec104.ActivationTerm, true))
		}
	case o.Selects():
		s.confirm(a, s.station.choose(o.IOA, s, a.Type, v, now))
	default:
		s.confirm(a, s.station.claim(c, s, a.Type, v, now) && s.execute(a, Order{o.IOA, v, s.master}))
	}
}

// execute hands an order on; its end is reported when it was carried out.
func (s *session) execute(a *iec104.ASDU, o Order) bool {
	if len(s.orders) >= maxOrders {
		return false
	}
	s.lastOrder++
	id, finished := s.lastOrder, s.finished
	s.orders[id] = mirror(a, iec104.ActivationTerm, true)
	done := func() {
		select {
		case finished <- id: // has room for every order under way
		default: // one that was finished twice
		}
	}
	if err := s.station.cfg.Operate(o, done); err != nil {
		delete(s.orders, id)
		return false
	}
	return true
}

// terminate reports that an order was carried out.
func (s *session) terminate(now time.Time, id uint64) error {
	if a, ok := s.orders[id]; ok {
		delete(s.orders, id)
		s.send(a)
	}
	return s.advance(now)
}
