package federates

import (
	"fmt"
	"strings"

	"cosim/network"
	cosync "cosim/sync"
)

// overloadedS stands for the wait without end at an overloaded queue: what
// federates publish is finite.
const overloadedS = 3600

// headerBytes of UDP over IPv4 come on top of every payload.
const headerBytes = 28

// Network is the federate of the classical network. A message's To is a
// source route ("GW1>RTU30>IED-gen-30"); what it carries is opaque.
type Network struct {
	engine  *network.Engine
	step    cosync.Time
	every   cosync.Time
	nodes   []network.Node
	classes map[string]uint8
	routes  map[string]network.RouteID
	links   map[string]network.LinkID
	queues  []network.QueueID
	names   []string // of queues
	stats   []network.QueueStats
}

// NewNetwork makes the federate around an engine for cfg. classes maps a
// message's class to that of the queues. The figures of the queues of the
// links in watch, and the balance of messages, are published at multiples of
// every.
func NewNetwork(engine *network.Engine, cfg network.Config, classes map[string]int, watch []string, step, every cosync.Time) (*Network, error) {
	n := &Network{
		engine: engine, step: step, every: every, nodes: cfg.Nodes,
		classes: map[string]uint8{}, routes: map[string]network.RouteID{}, links: map[string]network.LinkID{},
	}
	for name, c := range classes {
		if c < 0 || c >= network.MaxClasses {
			return nil, fmt.Errorf("network: traffic class %d of %s is outside [0, %d]", c, name, network.MaxClasses-1)
		}
		n.classes[name] = uint8(c)
	}
	ends := map[string]network.Link{}
	for i, l := range cfg.Links {
		n.links[l.Name] = network.LinkID(i)
		ends[l.Name] = l
	}
	for _, name := range watch {
		l, ok := ends[name]
		if !ok {
			return nil, fmt.Errorf("network: no link %q to watch", name)
		}
		id := network.QueueID(2 * n.links[name])
		n.queues = append(n.queues, id, id+1)
		n.names = append(n.names, "queue/"+l.A+">"+l.B, "queue/"+l.B+">"+l.A)
	}
	n.stats = make([]network.QueueStats, len(n.queues))
	return n, nil
}

// Ports of Network.
const (
	networkFrames = iota // in
	networkFibre
)

const (
	networkDeliveries = iota // out
	networkCommands
	networkDrops
	networkUtilization
	networkWait
	networkKingman
	networkBalance
	networkAttacks
	networkMarked
)

// Describe implements sync.Federate.
func (n *Network) Describe() cosync.Description {
	return cosync.Description{
		Name: "network",
		Step: n.step,
		Inputs: []cosync.Port{
			networkFrames: {Name: "frames", Kind: cosync.Messages, Direct: true},
			networkFibre:  {Name: "fibre", Kind: cosync.Events, Direct: true, Optional: true},
		},
		Outputs: []cosync.Port{
			networkDeliveries:  {Name: "deliveries", Kind: cosync.Messages},
			networkCommands:    {Name: "commands", Kind: cosync.Messages},
			networkDrops:       {Name: "drops", Kind: cosync.Messages},
			networkUtilization: {Name: "utilization", Kind: cosync.Vector, Unit: "1", Elements: n.names},
			networkWait:        {Name: "wait", Kind: cosync.Vector, Unit: "s", Elements: n.names},
			networkKingman:     {Name: "kingman_wait", Kind: cosync.Vector, Unit: "s", Elements: n.names},
			networkBalance:     {Name: "balance", Kind: cosync.Vector, Unit: "1", Elements: balanceElements},
			networkAttacks:     {Name: "attacks", Kind: cosync.Vector, Unit: "1", Elements: attackElements},
			networkMarked:      {Name: "marked", Kind: cosync.Messages},
		},
	}
}

// balanceElements are the terms of sent + added = delivered + dropped + in
// flight, of routed messages and of background packets.
var balanceElements = []string{
	"routed/sent", "routed/added", "routed/delivered", "routed/dropped", "routed/in-flight",
	"background/sent", "background/added", "background/delivered", "background/dropped", "background/in-flight",
}

// attackElements are what adversaries did so far, by kind.
var attackElements = []string{"tampered", "replayed", "injected", "delayed", "dropped"}

// Init implements sync.Federate.
func (n *Network) Init(out []cosync.Signal) error {
	n.publish(out)
	return nil
}

// Step implements sync.Federate.
func (n *Network) Step(s *cosync.Step) error {
	for _, e := range s.In[networkFibre].Events {
		if err := n.befall(e); err != nil {
			return err
		}
	}
	for i := range s.In[networkFrames].Messages {
		if err := n.send(&s.In[networkFrames].Messages[i]); err != nil {
			return err
		}
	}
	if err := n.engine.Advance(int64(s.To)); err != nil {
		return err
	}
	n.deliver(s.Out)
	for _, d := range n.engine.Drops() {
		s.Out[networkDrops].Messages = append(s.Out[networkDrops].Messages, cosync.Message{
			At: cosync.Time(d.AtNS), ID: d.ID, Class: d.Reason.String(),
		})
	}
	if s.To%n.every == 0 {
		n.publish(s.Out)
	}
	return nil
}

// befall does to a link what happened to its fibre.
func (n *Network) befall(e cosync.Event) error {
	link, ok := n.links[e.Element]
	switch {
	case !ok:
		return nil
	case e.Type == EventLinkUp, e.Type == EventLinkDown:
		return n.engine.SetLink(int64(e.At), link, e.Type == EventLinkUp)
	case e.Type == OperatorPrefix+Attack:
		return n.suffer(e)
	}
	return nil
}

func (n *Network) send(m *cosync.Message) error {
	route, ok := n.routes[m.To]
	if !ok {
		var err error
		route, err = n.engine.Route(strings.Split(m.To, ">")...)
		if err != nil {
			return err
		}
		n.routes[m.To] = route
	}
	return n.engine.Send(network.Packet{
		AtNS: int64(m.At), ID: m.ID, Class: n.classes[m.Class], Route: route,
		SizeBits: 8 * (headerBytes + len(m.Payload)), Payload: m.Payload,
	})
}

func (n *Network) deliver(out []cosync.Signal) {
	for _, d := range n.engine.Deliveries() {
		to := n.nodes[d.To]
		port := networkDeliveries
		if to.Kind == network.IED {
			port = networkCommands
		}
		out[port].Messages = append(out[port].Messages, cosync.Message{
			At: cosync.Time(d.AtNS), ID: d.ID, From: n.nodes[d.From].Name, To: to.Name, Payload: d.Payload,
		})
		if d.Mark != network.Untouched { // for the metrics; no receiver may read it
			out[networkMarked].Messages = append(out[networkMarked].Messages, cosync.Message{
				At: cosync.Time(d.AtNS), ID: d.ID, From: n.nodes[d.From].Name, To: to.Name, Class: d.Mark.String(),
			})
		}
	}
}

// publish writes the figures of the watched queues: utilization and mean wait
// since they were last written, and Kingman's estimate of the wait from the
// sliding window.
func (n *Network) publish(out []cosync.Signal) {
	for i, q := range n.queues {
		now := n.engine.QueueStats(q)
		window := now.Sub(n.stats[i])
		n.stats[i] = now
		total := window.Total()
		out[networkUtilization].Values[i] = window.Utilization()
		out[networkWait].Values[i] = total.MeanWaitS()
		out[networkKingman].Values[i] = min(overloadedS, n.engine.MeasuredLoad(q).WaitS())
	}
	a := n.engine.AttackStats()
	for i, count := range []int64{a.Tampered, a.Replayed, a.Injected, a.Delayed, a.Dropped} {
		out[networkAttacks].Values[i] = float64(count)
	}
	routed, background := n.engine.Conservation()
	for i, b := range []network.Balance{routed, background} {
		v := out[networkBalance].Values[5*i:]
		v[0], v[1], v[2], v[3], v[4] = float64(b.Sent), float64(b.Added), float64(b.Delivered), float64(b.Dropped), float64(b.InFlight)
	}
}

// Close implements sync.Federate.
func (n *Network) Close() error { return nil }
