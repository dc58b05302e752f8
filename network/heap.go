package network

// event is one entry of the heap. The kind stands in the highest byte of key
// and so decides between events of one instant before the sequence number.
type event struct {
	at  int64
	key uint64
	idx uint32 // packet, link, queue or attack, by kind
	gen uint32 // generation of the packet or wake-up, or the link's new state
}

const (
	evLink     uint64 = iota // a link goes up or down
	evConverge               // routing learns of it
	evArrive                 // a packet comes to the end of a link
	evResume                 // the same for one that the adversary let go on
	evWake                   // a queue that is not fifo serves the next packet
	evInject                 // the adversary injects a packet
	evSend                   // a node sends a packet
)

const kindShift = 56

func (e *event) kind() uint64 { return e.key >> kindShift }

func (e *event) before(f *event) bool {
	return e.at < f.at || e.at == f.at && e.key < f.key
}

// eventHeap is a 4-ary heap: half as deep as a binary one, and the four
// children of a node share one or two cache lines.
type eventHeap []event

func (h *eventHeap) push(e event) {
	s := append(*h, e)
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = e
	*h = s
}

func (h *eventHeap) pop() event {
	s := *h
	top := s[0]
	last := s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	i := 0
	for {
		first := 4*i + 1
		if first >= len(s) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(s)); c++ {
			if s[c].before(&s[least]) {
				least = c
			}
		}
		if !s[least].before(&last) {
			break
		}
		s[i] = s[least]
		i = least
	}
	if len(s) > 0 {
		s[i] = last
	}
	return top
}
