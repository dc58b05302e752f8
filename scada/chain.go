package scada

import (
	"fmt"

	"cosim/scada/iec104"
	"cosim/scada/q3p"
)

// chain is a Chain made ready to run.
type chain struct {
	Chain
	index    int
	operator int
	forward  []route // in the direction of the task, by option
	back     []route // the same ways in the other direction
	station  *station
	ioa      uint32 // first object address of the element at its station
	element  int    // index among PMUs, generators or blocks
	octets   int    // length of its APDU
	highest  bool   // of the highest priority
	asdu     iec104.TypeID
	up       bool
}

// ioaStep separates the object addresses of chains: chain i has the addresses
// from (i+1)·ioaStep on, so that an address names its chain.
const ioaStep = 16

// addChains makes the chains of the configuration ready, with the associations
// and stations that they need.
func (s *System) addChains(pools map[string]KeyPool, secret [32]byte) error {
	top := 0
	for _, c := range s.cfg.Chains {
		top = max(top, c.Priority)
	}
	builder := routeBuilder{system: s, pools: pools, secret: secret, links: map[[2]string]int{}, kinds: map[string]string{}}
	for i, l := range s.cfg.Links {
		builder.links[[2]string{l.A, l.B}], builder.links[[2]string{l.B, l.A}] = i, i
	}
	for _, n := range s.cfg.Nodes {
		builder.kinds[n.Name] = n.Kind
	}
	s.chains = make([]chain, len(s.cfg.Chains))
	operators := s.cfg.ChainOperators()
	for i := range s.cfg.Chains {
		c := &s.chains[i]
		class := s.cfg.Classes[s.cfg.Chains[i].Task]
		*c = chain{
			Chain: s.cfg.Chains[i], index: i, operator: operators[i], ioa: uint32(i+1) * ioaStep,
			asdu: iec104.TypeID(class.ASDUType), up: class.Direction == Up,
		}
		c.highest = c.Priority == top
		for _, nodes := range c.Routes {
			forward, err := builder.route(nodes)
			if err != nil {
				return err
			}
			back, err := builder.route(reversed(nodes))
			if err != nil {
				return err
			}
			c.forward, c.back = append(c.forward, forward), append(c.back, back)
		}
		for r := range c.forward {
			c.forward[r].back, c.back[r].back = &c.back[r], &c.forward[r]
		}
		nodes := c.Routes[0]
		end := nodes[len(nodes)-1]
		if c.up {
			end = nodes[0]
		}
		c.station = s.stationAt(c.operator, end)
		if err := c.measure(); err != nil {
			return err
		}
	}
	return nil
}

// measure finds the length of the chain's APDU by encoding one.
func (c *chain) measure() error {
	asdu := iec104.ASDU{Type: c.asdu, Objects: []iec104.Object{{IOA: c.ioa}}}
	if c.Task == TaskPMU {
		asdu.Objects = append(asdu.Objects, iec104.Object{IOA: c.ioa + 1})
	}
	b, err := iec104.AppendI(nil, 0, 0, &asdu)
	c.octets = len(b)
	return err
}

func reversed(nodes []string) []string {
	r := make([]string, len(nodes))
	for i, n := range nodes {
		r[len(nodes)-1-i] = n
	}
	return r
}

// routeBuilder makes routes and, once each, the associations under them.
type routeBuilder struct {
	system *System
	pools  map[string]KeyPool
	secret [32]byte
	links  map[[2]string]int
	kinds  map[string]string
}

func (b *routeBuilder) trusted(node string) bool {
	return b.kinds[node] == ControlCentre || b.kinds[node] == Gateway
}

func (b *routeBuilder) route(nodes []string) (route, error) {
	r := route{nodes: nodes}
	for i := 1; i < len(nodes); i++ {
		r.links = append(r.links, b.links[[2]string{nodes[i-1], nodes[i]}])
	}
	for _, part := range cut(nodes, b.trusted) {
		via, err := b.association(part[0], part[len(part)-1])
		if err != nil {
			return r, err
		}
		if via.pool != nil {
			r.hops++
		}
		r.legs = append(r.legs, leg{path: pathOf(part), via: via})
	}
	if len(r.legs) > maxLegs {
		return r, fmt.Errorf("scada: route %s has %d legs, at most %d are possible", pathOf(nodes), len(r.legs), maxLegs)
	}
	return r, nil
}

func (b *routeBuilder) association(from, to string) (*association, error) {
	s := b.system
	if a := s.associations[[2]string{from, to}]; a != nil {
		return a, nil
	}
	var a *association
	if b.trusted(from) && b.trusted(to) {
		i := b.links[[2]string{from, to}]
		link := s.cfg.Links[i]
		pool := b.pools[link.Name]
		if pool == nil {
			return nil, fmt.Errorf("scada: quantum link %s has no key pool", link.Name)
		}
		dir := q3p.Downlink
		if from != link.A {
			dir = q3p.Uplink
		}
		a = newPoolAssociation(from, to, uint16(i+1), dir, pool, s.cfg.Crypto.RekeyMessages)
		a.drawnBits = make([]int64, len(s.cfg.operatorNames()))
	} else {
		gateway, ied, dir := from, to, q3p.Downlink
		if b.trusted(to) {
			gateway, ied, dir = to, from, q3p.Uplink
		}
		var err error
		if a, err = newPresharedAssociation(from, to, dir, presharedKey(b.secret, gateway, ied)); err != nil {
			return nil, err
		}
	}
	s.associations[[2]string{from, to}] = a
	return a, nil
}
