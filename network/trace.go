package network

// Pass is a routed packet's way through a queue and over the link behind it.
type Pass struct {
	ID    uint64 // of the packet
	Queue QueueID
	// When it came, when its service began and ended, when it is at the far end
	// unless the link breaks or loses it.
	EnqueuedNS, ServedNS, DepartNS, ArriveNS int64
}

// OnPass has f told of every routed packet whose service at a queue begins; it
// is called before the first advance, and changes nothing.
func (e *Engine) OnPass(f func(Pass)) { e.passed = f }
