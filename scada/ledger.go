package scada

// task is one trigger on its way to an outcome.
type task struct {
	id         uint64
	chain      *chain
	triggerNS  int64
	deadlineNS int64
	decided    bool
	cause      Cause // the last obstacle
	mode       Mode
	route      int
	attempts   int
	keyBits    int
	askedBits  int
}

// obstacle notes what last stood in the task's way. It fails the task only if
// the deadline passes: a frame may be lost and another get through.
func (t *task) obstacle(c Cause) { t.cause = c }

// ledger keeps every task from its trigger to its one outcome.
type ledger struct {
	counts Counts
	free   []task
	// queues hold the open tasks, one queue a latency, so that each is in the
	// order of its deadlines.
	queues []deadlineQueue
}

type deadlineQueue struct {
	latencyNS int64
	tasks     []*task
	head      int
}

// openTask triggers a task of c at atNS.
func (s *System) openTask(c *chain, atNS int64) *task {
	l := &s.ledger
	if len(l.free) == 0 {
		l.free = make([]task, 64)
	}
	t := &l.free[0]
	l.free = l.free[1:]
	opt := s.optionOf(c)
	l.counts.Triggered++
	l.counts.Open++
	*t = task{
		id: uint64(l.counts.Triggered), chain: c,
		triggerNS: atNS, deadlineNS: atNS + c.Latency.Nanoseconds(),
		mode: opt.Mode, route: opt.Route,
		askedBits: c.forward[opt.Route].hops * s.policy.DrawBits(c.Mode, 8*c.octets, false),
	}
	s.out.Key = append(s.out.Key, KeyMove{Operator: c.operator, TriggerNS: atNS, AskedBits: c.exchanged() * t.askedBits})
	if opt.Off {
		s.fail(t, Deactivated, atNS)
		return t
	}
	l.enqueue(t)
	return t
}

// exchanged is how many messages of its length a task of c takes: commands are
// confirmed, interrogations confirmed and ended (the values between are few and
// not counted).
func (c *chain) exchanged() int {
	switch {
	case c.up:
		return 1
	case c.Task == TaskInterrogation:
		return 3
	}
	return 2
}

func (l *ledger) enqueue(t *task) {
	latency := t.deadlineNS - t.triggerNS
	for i := range l.queues {
		if l.queues[i].latencyNS == latency {
			l.queues[i].tasks = append(l.queues[i].tasks, t)
			return
		}
	}
	l.queues = append(l.queues, deadlineQueue{latencyNS: latency, tasks: []*task{t}})
}

// expire fails the tasks whose deadline lies before nowNS; all deliveries
// before nowNS have been seen.
func (s *System) expire(nowNS int64) {
	for i := range s.ledger.queues {
		q := &s.ledger.queues[i]
		for ; q.head < len(q.tasks); q.head++ {
			t := q.tasks[q.head]
			if t.deadlineNS >= nowNS {
				break
			}
			if !t.decided {
				if t.cause == "" {
					t.cause = Late
				}
				s.fail(t, t.cause, t.deadlineNS)
			}
			q.tasks[q.head] = nil
		}
		if q.head == len(q.tasks) || q.head > 256 && 2*q.head > len(q.tasks) {
			q.tasks = q.tasks[:copy(q.tasks, q.tasks[q.head:])]
			q.head = 0
		}
	}
}

// settle ends a task by the delivery of m at atNS.
func (s *System) settle(t *task, m *message, atNS int64) {
	if t == nil || t.decided || atNS > t.deadlineNS {
		return
	}
	t.mode = m.mode
	if m.mode < t.chain.MinMode {
		t.obstacle(TagRejected)
		return
	}
	s.ledger.counts.Succeeded++
	e := s.conclude(t, Success, atNS)
	e.LatencyNS = atNS - t.triggerNS
	e.Degraded = m.mode < t.chain.Mode
	e.Strict = m.mode >= t.chain.StaticMode
}

func (s *System) fail(t *task, c Cause, atNS int64) {
	s.ledger.counts.Failed++
	s.conclude(t, Failure, atNS).Cause = c
}

// conclude books the one outcome of t; the event is the caller's to complete
// before the next.
func (s *System) conclude(t *task, o Outcome, atNS int64) *TaskEvent {
	t.decided = true
	s.ledger.counts.Open--
	c := t.chain
	s.out.Tasks = append(s.out.Tasks, TaskEvent{
		TaskID: t.id, Chain: c.index, ChainID: c.ID, Class: c.Task, Element: c.Element, Priority: c.Priority,
		TriggerNS: t.triggerNS, DecidedNS: atNS, Outcome: o,
		Mode: t.mode, Route: t.route, Attempts: t.attempts, KeyBits: t.keyBits, KeyAskedBits: t.askedBits,
	})
	return &s.out.Tasks[len(s.out.Tasks)-1]
}

// Counts is the state of the ledger.
func (s *System) Counts() Counts { return s.ledger.counts }
