package network

// scheduler holds the packets that wait under priority or drr.
type scheduler struct {
	waiting []ring // by class
	bits    []int64
	routed  int // waiting packets that are not background

	// quanta is nil under priority. Deficit round robin: a class that the
	// round comes to gets its quantum, and sends while its deficit covers the
	// packet at its head; an empty class has no deficit.
	quanta  []int64
	deficit []int64
	current int
	granted bool

	// wakePending tells that an event stands in the heap for the end of the
	// present service; wakeGen tells it from those before a break.
	wakePending bool
	wakeGen     uint32
}

func newScheduler(c *QueueConfig) *scheduler {
	switch c.Discipline {
	case Priority:
		return &scheduler{waiting: make([]ring, MaxClasses), bits: make([]int64, MaxClasses)}
	case DRR:
		n := len(c.QuantaBits)
		s := &scheduler{waiting: make([]ring, n), bits: make([]int64, n), quanta: make([]int64, n), deficit: make([]int64, n)}
		for i, q := range c.QuantaBits {
			s.quanta[i] = int64(q)
		}
		return s
	}
	return nil
}

func (s *scheduler) lane(class uint8) int { return min(int(class), len(s.waiting)-1) }

func (s *scheduler) push(ent entry) {
	lane := s.lane(ent.class)
	s.waiting[lane].push(ent)
	s.bits[lane] += int64(ent.bits)
	if ent.packet != background {
		s.routed++
	}
}

func (s *scheduler) pop(lane int) entry {
	ent := s.waiting[lane].pop()
	s.bits[lane] -= int64(ent.bits)
	if ent.packet != background {
		s.routed--
	}
	return ent
}

func (s *scheduler) backlog(class uint8) (packets int, bits int64) {
	lane := s.lane(class)
	return s.waiting[lane].len(), s.bits[lane]
}

func (s *scheduler) empty() bool {
	for lane := range s.waiting {
		if s.waiting[lane].len() > 0 {
			return false
		}
	}
	return true
}

// choose takes the packet to serve next; there must be one.
func (s *scheduler) choose() entry {
	if s.quanta == nil {
		lane := 0
		for s.waiting[lane].len() == 0 {
			lane++
		}
		return s.pop(lane)
	}
	for {
		lane := s.current
		if waiting := &s.waiting[lane]; waiting.len() > 0 {
			if !s.granted {
				s.deficit[lane] += s.quanta[lane]
				s.granted = true
			}
			if bits := int64(waiting.at(waiting.head).bits); bits <= s.deficit[lane] {
				s.deficit[lane] -= bits
				return s.pop(lane)
			}
		} else {
			s.deficit[lane] = 0
		}
		s.current, s.granted = (lane+1)%len(s.waiting), false
	}
}

// reset forgets the rounds and the pending wake-up after a break.
func (s *scheduler) reset() {
	clear(s.deficit)
	s.current, s.granted = 0, false
	s.wakePending = false
	s.wakeGen++
}

// serveUntil starts the services that begin at or before t.
func (q *queue) serveUntil(e *Engine, t int64) {
	for q.freeAt <= t && !q.scheduler.empty() {
		q.begin(e, q.scheduler.choose(), q.freeAt)
	}
}

// wakeAtNextService sees to it that a waiting routed packet, whose arrival
// must become an event, starts its service in time.
func (q *queue) wakeAtNextService(e *Engine) {
	s := q.scheduler
	if s == nil || s.routed == 0 || s.wakePending {
		return
	}
	s.wakePending = true
	e.schedule(q.freeAt, evWake, uint32(q.id), s.wakeGen)
}
