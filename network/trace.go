package network

// Pass is a routed packet's way through a queue and over the link behind it.
type Pass struct {
	Way
	// When it came, when its service began and ended, when it is at the far end
	// unless the link breaks or loses it.
	EnqueuedNS, ServedNS, DepartNS, ArriveNS int64
}

// Way is a routed packet on a link, or before it.
type Way struct {
	ID uint64 // of the packet
	// Place tells it from copies of the same ID; it is another's once the packet
	// has left the network.
	Place    uint32
	Queue    QueueID
	Hops     int // made before
	From, To NodeID
	Payload  []byte
}

// Fate is what became of a routed packet at the end of a link, or before it.
// What is Dropped without a Pass was never in service. A Mark tells of an
// adversary: Tampered and Replayed come before the fate of the packet itself,
// Payload and AtNS are those of what the adversary sends on; Delayed is the end
// of its pass; Injected has had none. Untouched means that it has arrived.
type Fate struct {
	Way
	AtNS    int64
	Mark    Mark
	Dropped bool
	Reason  Reason // of the drop
}

// OnPass has f told of every routed packet whose service at a queue begins; it
// is called before the first advance, and changes nothing.
func (e *Engine) OnPass(f func(Pass)) { e.passed = f }

// OnFate has f told of every routed packet that a link brings to its far end, or
// does not; it is called before the first advance, and changes nothing.
func (e *Engine) OnFate(f func(Fate)) { e.fated = f }

func (p *packet) way(place uint32, q *queue) Way {
	return Way{p.id, place, q.id, int(p.hops), p.from, p.to, p.payload}
}

// fate tells that packet i has come to the end of a link, or what was done to
// it there.
func (e *Engine) fate(i uint32, q *queue, atNS int64, m Mark) {
	if e.fated != nil {
		e.fated(Fate{Way: e.packets[i].way(i, q), AtNS: atNS, Mark: m})
	}
}
