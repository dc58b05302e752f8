package network

// entry is a packet in a queue or on the wire behind it.
type entry struct {
	enqueuedAt int64
	serviceNS  int64
	departAt   int64 // last bit leaves the queue
	arriveAt   int64 // last bit reaches the far end
	bits       int32
	packet     int32 // index into the engine's packets, or background
	class      uint8
	lost       bool
}

const background int32 = -1

// ring is a first-in-first-out buffer with a power-of-two capacity. Positions
// count up for ever.
type ring struct {
	buf        []entry
	head, tail uint64
}

func (r *ring) len() int { return int(r.tail - r.head) }

func (r *ring) at(pos uint64) *entry { return &r.buf[pos&uint64(len(r.buf)-1)] }

func (r *ring) push(e entry) {
	if r.len() == len(r.buf) {
		r.grow()
	}
	r.buf[r.tail&uint64(len(r.buf)-1)] = e
	r.tail++
}

func (r *ring) pop() entry {
	e := *r.at(r.head)
	r.head++
	return e
}

func (r *ring) grow() {
	bigger := make([]entry, max(8, 2*len(r.buf)))
	for pos := r.head; pos != r.tail; pos++ {
		bigger[pos&uint64(len(bigger)-1)] = *r.at(pos)
	}
	r.buf = bigger
}
