package network

// ClassStats counts the packets of one class at a queue.
type ClassStats struct {
	Arrivals   int64 // offered, dropped ones included
	Departures int64
	Bits       int64 // departed
	WaitNS     int64 // sum over departures, before service
	SojournNS  int64 // sum over departures, service included
}

// QueueStats is what a queue has seen since the start; the difference of two
// (Sub) is what it saw between them.
type QueueStats struct {
	AtNS   int64 // when it was taken, or the length of a difference
	Length int64 // packets waiting and in service now
	AreaNS int64 // integral of the length over time
	lastAt int64 // AreaNS is up to here
	BusyNS int64 // of the server
	Class  [MaxClasses]ClassStats
	Drops  [numReasons]int64
}

func (s *QueueStats) enter(t int64) {
	s.AreaNS += s.Length * (t - s.lastAt)
	s.lastAt = t
	s.Length++
}

func (s *QueueStats) depart(ent *entry) {
	s.AreaNS += s.Length * (ent.departAt - s.lastAt)
	s.lastAt = ent.departAt
	s.Length--
	sojourn := ent.departAt - ent.enqueuedAt
	c := &s.Class[ent.class]
	c.Departures++
	c.Bits += int64(ent.bits)
	c.SojournNS += sojourn
	c.WaitNS += sojourn - ent.serviceNS
	s.BusyNS += ent.serviceNS
}

// clear empties the queue at t.
func (s *QueueStats) clear(t int64) {
	s.AreaNS += s.Length * (t - s.lastAt)
	s.lastAt = t
	s.Length = 0
}

// Sub returns what happened after old. Length stays the present one.
func (s QueueStats) Sub(old QueueStats) QueueStats {
	s.AtNS -= old.AtNS
	for i := range s.Class {
		c, o := &s.Class[i], &old.Class[i]
		c.Arrivals -= o.Arrivals
		c.Departures -= o.Departures
		c.Bits -= o.Bits
		c.WaitNS -= o.WaitNS
		c.SojournNS -= o.SojournNS
	}
	for i := range s.Drops {
		s.Drops[i] -= old.Drops[i]
	}
	s.AreaNS -= old.AreaNS
	s.BusyNS -= old.BusyNS
	return s
}

// Total sums the classes.
func (s *QueueStats) Total() ClassStats {
	var t ClassStats
	for i := range s.Class {
		c := &s.Class[i]
		t.Arrivals += c.Arrivals
		t.Departures += c.Departures
		t.Bits += c.Bits
		t.WaitNS += c.WaitNS
		t.SojournNS += c.SojournNS
	}
	return t
}

// MeanWaitS is the mean time before service, in seconds.
func (c ClassStats) MeanWaitS() float64 { return ratio(c.WaitNS, c.Departures) / 1e9 }

// MeanSojournS is the mean time in the queue and in service, in seconds.
func (c ClassStats) MeanSojournS() float64 { return ratio(c.SojournNS, c.Departures) / 1e9 }

// MeanLength is the time average of the number waiting and in service.
func (s *QueueStats) MeanLength() float64 { return ratio(s.AreaNS, s.AtNS) }

// Utilization is the part of the time that the server was busy.
func (s *QueueStats) Utilization() float64 { return ratio(s.BusyNS, s.AtNS) }

// LittleGap is the relative difference between the mean length L, measured by
// time, and λW, throughput times mean sojourn, measured by packet. It tends
// to 0 as the time grows, unless the queue does too.
func (s *QueueStats) LittleGap() float64 {
	if s.AreaNS == 0 {
		return 0
	}
	return float64(s.Total().SojournNS-s.AreaNS) / float64(s.AreaNS)
}

func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// QueueStats returns the statistics of a queue at the present time.
func (e *Engine) QueueStats(id QueueID) QueueStats {
	q := e.upToDate(id)
	s := q.stats
	s.AtNS = e.now
	s.AreaNS += s.Length * (e.now - s.lastAt)
	s.lastAt = e.now
	if q.served != q.line.tail {
		serving := q.line.at(q.served)
		s.BusyNS += e.now - (serving.departAt - serving.serviceNS)
	}
	return s
}

// Balance is the account of the packets of one kind: nothing is created or
// lost unaccounted for.
type Balance struct {
	Sent      int64
	Added     int64 // replayed and injected by adversaries
	Delivered int64
	Dropped   int64
	InFlight  int64 // counted one by one, not computed from the others
}

// Holds tells whether sent + added = delivered + dropped + in flight.
func (b Balance) Holds() bool { return b.Sent+b.Added == b.Delivered+b.Dropped+b.InFlight }

// Conservation returns the accounts of routed and of background packets at
// the present time.
func (e *Engine) Conservation() (routed, backgroundTraffic Balance) {
	routed = e.balance
	routed.InFlight = int64(len(e.packets)-len(e.free)) - e.unsent
	var b Balance
	for i := range e.queues {
		q := e.upToDate(QueueID(i))
		b.Sent += q.backgroundSent
		b.Delivered += q.backgroundDelivered
		b.Dropped += q.backgroundDropped
		b.InFlight += q.backgroundInside()
	}
	return routed, b
}

func (q *queue) backgroundInside() int64 {
	n := q.line.background()
	if q.scheduler != nil {
		for class := range q.scheduler.waiting {
			n += q.scheduler.waiting[class].background()
		}
	}
	return n
}

func (r *ring) background() int64 {
	n := int64(0)
	for pos := r.head; pos != r.tail; pos++ {
		if r.at(pos).packet == background {
			n++
		}
	}
	return n
}

// upToDate returns the queue with everything done that lies before now. It
// stops short of now itself, whose events have yet to come.
func (e *Engine) upToDate(id QueueID) *queue {
	q := &e.queues[id]
	q.catchUp(e, e.now-1)
	return q
}
