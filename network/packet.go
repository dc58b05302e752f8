package network

import "fmt"

// Indices into the engine's tables.
type (
	// NodeID is the position of a node in Config.Nodes.
	NodeID int32
	// LinkID is the position of a link in Config.Links.
	LinkID int32
	// QueueID is an egress queue: 2·link for the direction from A to B,
	// 2·link+1 for the one from B to A.
	QueueID int32
	// RouteID is a route made by Engine.Route. The zero RouteID means none.
	RouteID int32
)

// Link returns the link that the queue feeds.
func (q QueueID) Link() LinkID { return LinkID(q / 2) }

// NoLink stands where no link is concerned.
const NoLink LinkID = -1

// DefaultTTL is the number of hops after which a packet is dropped, unless it
// says otherwise.
const DefaultTTL = 64

// Packet is a packet to send.
type Packet struct {
	AtNS int64
	ID   uint64
	// Class is served by priority and drr, 0 first.
	Class uint8
	// Route pins the way; without one the packet goes From → To by the least
	// delay that routing knows of.
	Route    RouteID
	From, To NodeID
	// SizeBits is the size on the wire, headers included.
	SizeBits int
	// ExtraServiceNS is added to the service at the first hop: the time to
	// encipher and verify.
	ExtraServiceNS int64
	// DeadlineNS drops the packet where it arrives later; 0 means none.
	DeadlineNS int64
	// TTL is the greatest number of hops; 0 means DefaultTTL.
	TTL uint8
	// Payload is passed on as it is and never written.
	Payload []byte
}

// Mark says what an adversary did to a packet. The receiver's stack must not
// look at it; the metrics do.
type Mark uint8

// Marks. A packet carries the last one it got, but Delayed only if no other.
const (
	Untouched Mark = iota
	Tampered
	Replayed
	Injected
	Delayed
)

// String names the mark.
func (m Mark) String() string {
	return [...]string{"untouched", "tampered", "replayed", "injected", "delayed"}[m]
}

// Delivery is a packet that has reached its destination.
type Delivery struct {
	AtNS, SentNS int64
	ID           uint64
	From, To     NodeID
	Hops         int
	Class        uint8
	Mark         Mark
	Payload      []byte
}

// Reason says why a packet was dropped.
type Reason uint8

// The reasons.
const (
	Overflow    Reason = iota // the queue was full
	LinkDown                  // the link was down, or broke under the packet
	Lost                      // the link lost it (Link.Loss)
	TTLExceeded               // it made too many hops
	NoRoute                   // no way to its destination is up
	Late                      // its deadline had passed
	Intercepted               // an adversary dropped it
	numReasons
)

// String names the reason as the recordings do.
func (r Reason) String() string {
	return [...]string{"overflow", "link-down", "loss", "ttl", "no-route", "late", "intercepted"}[r]
}

// Drop is a packet that will never be delivered.
type Drop struct {
	AtNS   int64
	ID     uint64
	Reason Reason
	// Node is where it was, or the sender's end of Link, which is NoLink when
	// no link is to blame.
	Node  NodeID
	Link  LinkID
	Class uint8
	Mark  Mark
}

// packet is a Packet on its way.
type packet struct {
	id                       uint64
	sentAt, deadline, crypto int64
	payload                  []byte
	path                     []QueueID // a pinned route, or own
	own                      []QueueID // buffer of an unpinned packet's path
	hop                      int32     // the next queue is path[hop]
	hops                     int32
	bits                     int32
	from, to, at             NodeID
	gen                      uint32 // changes when the place is used anew
	class, ttl               uint8
	mark                     Mark
	pinned, lost             bool
}

// allocate returns the index of a free packet. It may move the others.
func (e *Engine) allocate() uint32 {
	if n := len(e.free); n > 0 {
		i := e.free[n-1]
		e.free = e.free[:n-1]
		return i
	}
	e.packets = append(e.packets, packet{})
	return uint32(len(e.packets) - 1)
}

func (e *Engine) release(i uint32) {
	p := &e.packets[i]
	p.payload, p.path = nil, nil
	p.gen++
	e.free = append(e.free, i)
}

// check reports why a packet cannot be sent.
func (e *Engine) check(p *Packet) error {
	switch {
	case p.AtNS < e.now:
		return fmt.Errorf("network: packet %d sent at %d ns, before the present %d ns", p.ID, p.AtNS, e.now)
	case p.SizeBits < 1 || p.SizeBits > MaxPacketBits:
		return fmt.Errorf("network: packet %d has %d bits, outside [1, %d]", p.ID, p.SizeBits, MaxPacketBits)
	case p.Class >= MaxClasses:
		return fmt.Errorf("network: packet %d has class %d, the last is %d", p.ID, p.Class, MaxClasses-1)
	case p.Route < 0 || int(p.Route) >= len(e.routes):
		return fmt.Errorf("network: packet %d takes route %d, which does not exist", p.ID, p.Route)
	case p.ExtraServiceNS < 0 || p.ExtraServiceNS > maxNS:
		return fmt.Errorf("network: packet %d needs %d ns of extra service", p.ID, p.ExtraServiceNS)
	case p.Route == 0 && !(e.isNode(p.From) && e.isNode(p.To)):
		return fmt.Errorf("network: packet %d goes from node %d to %d of %d", p.ID, p.From, p.To, len(e.nodes))
	}
	return nil
}

func (e *Engine) isNode(n NodeID) bool { return n >= 0 && int(n) < len(e.nodes) }
