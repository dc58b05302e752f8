package network

import (
	"math"
	"math/rand/v2"
)

// queue is the egress queue of one direction of a link, its server, and the
// wire behind it.
//
// Under fifo a packet's departure is known when it arrives (Lindley's
// recursion, departure = max(arrival, previous departure) + service), so the
// queue needs no events of its own. Under the other disciplines packets wait
// in a scheduler until the server is free.
type queue struct {
	// What every packet touches comes first.

	// nextAt is the earliest arrival of the sources, that of sources[next].
	nextAt int64
	next   int
	// line holds, in order of departure: [head, served) propagating,
	// [served, tail) in service or, under fifo, waiting.
	line       ring
	served     uint64
	freeAt     int64 // the server has nothing more to do
	lastArrive int64
	bitsInside int64 // waiting and in service
	id         QueueID
	from, to   NodeID
	up         bool

	nsPerBit     float64
	delayNS      int64
	processing   *variate   // of the sending node
	receiving    *variate   // of the receiving node, before a delivery
	processes    *rand.Rand // nil when both are deterministic
	losses       *rand.Rand // nil without loss
	loss         float64
	extra        *extraDelay
	scheduler    *scheduler // nil under fifo
	limitPackets int
	limitBits    int64
	attacks      []*attack
	sources      []source

	// Background packets, by what became of them.
	backgroundSent, backgroundDelivered, backgroundDropped int64

	window window
	stats  QueueStats
}

// catchUp makes everything happen at this queue that lies at or before t and
// needs no event: background arrivals, departures, ends of propagation.
func (q *queue) catchUp(e *Engine, t int64) {
	for q.nextAt <= t {
		at, s := q.nextAt, &q.sources[q.next]
		if q.scheduler != nil {
			q.serveUntil(e, at)
		}
		q.settle(at)
		bits := min(max(1, s.bits.draw(s.sizes)), math.MaxInt32)
		q.backgroundSent++
		if reason, ok := q.offer(e, at, bits, 0, background, s.class); !ok {
			q.stats.Drops[reason]++
			q.backgroundDropped++
		}
		s.advance()
		q.pickNext()
	}
	if q.scheduler != nil {
		q.serveUntil(e, t)
	}
	q.settle(t)
}

func (q *queue) pickNext() {
	q.next, q.nextAt = 0, q.sources[0].nextAt
	for i := 1; i < len(q.sources); i++ {
		if q.sources[i].nextAt < q.nextAt {
			q.next, q.nextAt = i, q.sources[i].nextAt
		}
	}
}

// settle lets packets depart and reach the far end, up to and at t.
func (q *queue) settle(t int64) {
	for q.served != q.line.tail {
		ent := q.line.at(q.served)
		if ent.departAt > t {
			break
		}
		q.stats.depart(ent)
		q.bitsInside -= int64(ent.bits)
		q.served++
	}
	for q.line.head != q.served {
		ent := q.line.at(q.line.head)
		if ent.arriveAt > t {
			break
		}
		if ent.packet == background {
			if ent.lost {
				q.stats.Drops[Lost]++
				q.backgroundDropped++
			} else {
				q.backgroundDelivered++
			}
		}
		q.line.head++
	}
}

// offer hands a packet to the queue at time at, up to which the queue has
// caught up. It returns the reason when the packet is dropped.
func (q *queue) offer(e *Engine, at int64, bits float64, cryptoNS int64, packet int32, class uint8) (Reason, bool) {
	service := bits * q.nsPerBit
	if q.processes != nil {
		service += q.processing.draw(q.processes)
	} else {
		service += q.processing.mean
	}
	serviceNS := int64(service+0.5) + cryptoNS
	q.window.add(at, serviceNS)
	q.stats.Class[class].Arrivals++
	if !q.up {
		return LinkDown, false
	}
	ent := entry{enqueuedAt: at, serviceNS: serviceNS, bits: int32(bits), packet: packet, class: class}
	if q.full(&ent) {
		return Overflow, false
	}
	q.stats.enter(at)
	q.bitsInside += int64(ent.bits)
	switch {
	case q.scheduler == nil:
		q.begin(e, ent, max(at, q.freeAt))
	case q.freeAt <= at:
		q.begin(e, ent, at)
	default:
		q.scheduler.push(ent)
	}
	return 0, true
}

// full tells whether a packet would have to wait and has no room to.
func (q *queue) full(ent *entry) bool {
	if q.freeAt <= ent.enqueuedAt {
		return false
	}
	if q.scheduler != nil {
		waiting, bits := q.scheduler.backlog(ent.class)
		return waiting >= q.limitPackets || bits+int64(ent.bits) > q.limitBits
	}
	waiting := int(q.line.tail-q.served) - 1
	bits := q.bitsInside - int64(q.line.at(q.served).bits)
	return waiting >= q.limitPackets || bits+int64(ent.bits) > q.limitBits
}

// begin puts a packet into service at time at, which fixes when it departs
// and when it arrives.
func (q *queue) begin(e *Engine, ent entry, at int64) {
	ent.departAt = at + ent.serviceNS
	q.freeAt = ent.departAt
	ent.arriveAt = ent.departAt + q.delayNS
	if q.extra != nil {
		ent.arriveAt += q.extra.at(ent.departAt)
	}
	ent.arriveAt = max(ent.arriveAt, q.lastArrive)
	q.lastArrive = ent.arriveAt
	ent.lost = q.losses != nil && q.losses.Float64() < q.loss
	q.line.push(ent)
	if ent.packet == background {
		return
	}
	p := &e.packets[ent.packet]
	if e.passed != nil {
		e.passed(Pass{p.way(uint32(ent.packet), q), ent.enqueuedAt, at, ent.departAt, ent.arriveAt})
	}
	p.lost = ent.lost
	arrival := ent.arriveAt
	if !p.lost && q.to == p.to {
		arrival += q.receivingNS()
	}
	e.schedule(arrival, evArrive, uint32(ent.packet), p.gen)
}

// receivingNS is the processing time at the receiver.
func (q *queue) receivingNS() int64 {
	if q.processes != nil {
		return int64(q.receiving.draw(q.processes) + 0.5)
	}
	return int64(q.receiving.mean + 0.5)
}

// breakDown takes the link down at t: what waits and what is on the wire is
// lost.
func (q *queue) breakDown(e *Engine, t int64) {
	q.catchUp(e, t)
	if q.served != q.line.tail {
		serving := q.line.at(q.served)
		q.stats.BusyNS += t - (serving.departAt - serving.serviceNS)
	}
	for q.line.len() > 0 {
		q.discard(e, q.line.pop())
	}
	q.served = q.line.head
	if q.scheduler != nil {
		for class := range q.scheduler.waiting {
			for q.scheduler.waiting[class].len() > 0 {
				q.discard(e, q.scheduler.pop(class))
			}
		}
		q.scheduler.reset()
	}
	q.stats.clear(t)
	q.bitsInside, q.freeAt, q.lastArrive = 0, t, t
	q.up = false
}

func (q *queue) discard(e *Engine, ent entry) {
	if ent.packet != background {
		e.drop(uint32(ent.packet), LinkDown, q)
		return
	}
	q.stats.Drops[LinkDown]++
	q.backgroundDropped++
}
