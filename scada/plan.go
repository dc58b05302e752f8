package scada

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Option is what the plan says of one chain.
type Option struct {
	Route int // index in Chain.Routes
	Mode  Mode
	Off   bool
}

// staticPlan is the first route and the static mode of every chain.
func staticPlan(chains []chain) []Option {
	plan := make([]Option, len(chains))
	for i := range chains {
		plan[i].Mode = chains[i].StaticMode
	}
	return plan
}

// Plan is the control centre's plan, an option a chain in their order. The
// caller must not change it.
func (s *System) Plan() []Option { return s.plan }

// SetPlan replaces the plan. A command's option holds for whatever is sent from
// now on; a measurement's takes effect once its gateway has obeyed an order, a
// Q3P control message that is sent along the new route and repeated until the
// gateway answers. Before the first step the plan holds everywhere at once.
func (s *System) SetPlan(plan []Option) error {
	if len(plan) != len(s.chains) {
		return fmt.Errorf("scada: a plan of %d options for %d chains", len(plan), len(s.chains))
	}
	for i, o := range plan {
		c := &s.chains[i]
		switch {
		case o.Route < 0 || o.Route >= len(c.Routes):
			return fmt.Errorf("scada: chain %s has no route %d", c.ID, o.Route)
		case !o.Mode.Valid() || o.Mode < c.MinMode:
			return fmt.Errorf("scada: chain %s: mode %v is weaker than %v", c.ID, o.Mode, c.MinMode)
		}
	}
	s.tracer.planned(s, plan)
	copy(s.plan, plan)
	if !s.started {
		copy(s.atGateway, plan)
	}
	s.ordersDue = true
	return nil
}

// optionOf is the option by which the messages of c travel now.
func (s *System) optionOf(c *chain) Option {
	if c.up {
		return s.atGateway[c.index]
	}
	return s.plan[c.index]
}

// orderLatency is how long an order is repeated before a new one is made.
const orderLatency = time.Second

// sendOrders tells gateways of uplinks whose option is not the planned one and
// that have no order under way.
func (s *System) sendOrders() error {
	if !s.ordersDue {
		return nil
	}
	s.ordersDue = false
	for i := range s.chains {
		c := &s.chains[i]
		if !c.up || s.plan[i] == s.obeyed[i] {
			continue
		}
		s.ordersDue = true
		if o := s.orders[i]; o != nil && !o.over {
			if o.payloadIs(s.plan[i]) {
				continue
			}
			o.over = true // overtaken by a newer plan
		}
		o := &pending{
			chain: c, kind: order, payload: s.orderPayload(i),
			waitNS:     s.cfg.Controller.RetransmitAfter.Nanoseconds(),
			deadlineNS: s.nowNS + orderLatency.Nanoseconds(),
		}
		s.orders[i] = o
		s.pending = append(s.pending, o)
		if err := s.attempt(o, s.nowNS); err != nil {
			return err
		}
	}
	return nil
}

// An order is chain u16, a running number u32, route u8, mode u8 with 0x80 for
// off. The number lets a gateway ignore an order that a newer one overtook.
const orderSize = 8

func (s *System) orderPayload(i int) []byte {
	s.orderNumber++
	b := binary.BigEndian.AppendUint16(s.arena.carve(orderSize), uint16(i))
	b = binary.BigEndian.AppendUint32(b, s.orderNumber)
	return append(b, optionBytes(s.plan[i])...)
}

func optionBytes(o Option) []byte {
	mode := byte(o.Mode)
	if o.Off {
		mode |= 0x80
	}
	return []byte{byte(o.Route), mode}
}

func (p *pending) payloadIs(o Option) bool { return optionIn(p.payload) == o }

func optionIn(order []byte) Option {
	mode := order[orderSize-1]
	return Option{Route: int(order[orderSize-2]), Mode: Mode(mode &^ 0x80), Off: mode&0x80 != 0}
}

// obeyOrder changes an uplink's option at its gateway, and says so.
func (s *System) obeyOrder(m *message) error {
	i := m.chain.index
	if n := binary.BigEndian.Uint32(m.payload[2:]); n > s.lastOrder[i] {
		s.lastOrder[i] = n
		s.atGateway[i] = optionIn(m.payload)
		s.tracer.atGateway(s, m)
	}
	return s.answer(m, orderAnswer, m.payload)
}

// orderObeyed notes at the centre that a gateway obeyed.
func (s *System) orderObeyed(m *message) {
	m.pending.over = true
	s.obeyed[m.chain.index] = optionIn(m.payload)
}

// addOrderRoutes makes, for each option of an uplink, the way from the control
// centre to the gateway where measurements enter, and back: the uplink's way
// without the leg between gateway and IED.
func (s *System) addOrderRoutes() {
	s.orderRoutes = make([][]route, len(s.chains))
	for i := range s.chains {
		c := &s.chains[i]
		if !c.up {
			continue
		}
		for r := range c.back {
			way, answer := c.back[r], c.forward[r]
			way.legs, answer.legs = way.legs[:way.hops], answer.legs[1:]
			// Hops between trusted nodes are single links.
			way.links, answer.links = way.links[:way.hops], answer.links[len(answer.links)-way.hops:]
			way.back = &answer
			s.orderRoutes[i] = append(s.orderRoutes[i], way)
		}
	}
}
