package scada

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// trigger is the next time at which a chain's task falls due.
type trigger struct {
	chain    *chain
	dueNS    int64
	periodNS int64      // of a periodic one
	rateHz   float64    // of a Poisson one
	stream   *rand.Rand // its own, so that nothing else moves it
}

const never = math.MaxInt64

// advance sets the trigger after the one just due.
func (t *trigger) advance() {
	if t.stream != nil {
		// At least 1 ns, so that two tasks never share their time.
		// At most a century, so that times do not overflow.
		t.dueNS += int64(min(max(1, t.stream.ExpFloat64()/t.rateHz*1e9), 3e18))
		return
	}
	t.dueNS += t.periodNS
}

// addTriggers gives each chain of a periodic or Poisson class its trigger.
func (s *System) addTriggers(stream func(string) *rand.Rand) {
	peers, nth := map[string]int{}, map[string]int{}
	for i := range s.chains {
		peers[s.chains[i].Task]++
	}
	for i := range s.chains {
		c := &s.chains[i]
		class := s.cfg.Classes[c.Task]
		t := trigger{chain: c, dueNS: class.Phase.Nanoseconds()}
		switch class.Trigger {
		case Periodic:
			t.periodNS = class.Period.Nanoseconds()
			if class.Stagger {
				t.dueNS += t.periodNS * int64(nth[c.Task]) / int64(peers[c.Task])
			}
		case Poisson:
			t.rateHz, t.stream = class.RateHz, stream("scada/"+c.ID)
			t.advance()
		default:
			continue
		}
		nth[c.Task]++
		s.triggers = append(s.triggers, t)
	}
	s.noteNextDue()
}

func (s *System) noteNextDue() {
	s.nextDueNS = never
	for i := range s.triggers {
		s.nextDueNS = min(s.nextDueNS, s.triggers[i].dueNS)
	}
}

// fireTriggers opens the tasks due before toNS, in the order of their times
// and, at one time, of their chains.
func (s *System) fireTriggers(toNS int64) error {
	if s.nextDueNS >= toNS {
		return nil
	}
	s.due = s.due[:0]
	for i := range s.triggers {
		for t := &s.triggers[i]; t.dueNS < toNS; t.advance() {
			s.due = append(s.due, dueTask{t.dueNS, t.chain})
		}
	}
	slices.SortStableFunc(s.due, func(a, b dueTask) int { return cmp.Compare(a.atNS, b.atNS) })
	for _, d := range s.due {
		if err := s.start(d.chain, d.atNS); err != nil {
			return err
		}
	}
	s.noteNextDue()
	return nil
}

type dueTask struct {
	atNS  int64
	chain *chain
}

// start opens a task of c and sends what it asks for.
func (s *System) start(c *chain, atNS int64) error {
	switch c.Task {
	case TaskPMU:
		return s.sample(c, atNS)
	case TaskAGC:
		return s.command(c, s.controllerOf(c).agcSetpointMW(c.element, atNS), atNS)
	case TaskAVR:
		return s.command(c, s.controllerOf(c).avrSetpointPU(c.element), atNS)
	case TaskInterrogation:
		return s.command(c, 0, atNS)
	}
	return nil
}
