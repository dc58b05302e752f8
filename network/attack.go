package network

import (
	"fmt"
	"math/rand/v2"
)

type attackKind uint8

const (
	tamper attackKind = iota
	replay
	inject
	delay
	drop
)

var attackKinds = map[string]attackKind{"tamper": tamper, "replay": replay, "inject": inject, "delay": delay, "drop": drop}

// attack is an adversary at the far end of one direction of a link.
type attack struct {
	Attack
	kind           attackKind
	queue          QueueID
	startNS, endNS int64
	rng            *rand.Rand
	// captured is what an injecting adversary saw last, path its own copy.
	captured packet
	path     []QueueID
}

// AttackStats counts what the adversaries did. Whether it succeeded is for
// the receivers to say, by the Mark of what they accepted.
type AttackStats struct {
	Tampered, Replayed, Injected, Delayed, Dropped int64
}

// AttackStats returns the counts since the start.
func (e *Engine) AttackStats() AttackStats { return e.attackStats }

// AddAttack sets an adversary on a link, from the present on at the earliest.
func (e *Engine) AddAttack(a Attack) error {
	if err := e.CheckAttack(a); err != nil {
		return err
	}
	e.addAttack(a)
	return nil
}

// CheckAttack says what is wrong with an attack on this network.
func (e *Engine) CheckAttack(a Attack) error {
	link, ok := e.linkByName[a.Link]
	if !ok {
		return fmt.Errorf("network: attack on link %q, which does not exist", a.Link)
	}
	ends := &e.queues[2*link]
	l := Link{Name: a.Link, A: e.nodes[ends.from], B: e.nodes[ends.to]}
	v := validator{links: map[string]*Link{a.Link: &l}}
	if v.attack("attack", &a); len(v.problems) > 0 {
		return v.problems[0]
	}
	return nil
}

func (e *Engine) addAttack(a Attack) {
	link := e.linkByName[a.Link]
	for dir := range QueueID(2) {
		q := &e.queues[QueueID(2*link)+dir]
		if a.From != "" && e.nodes[q.from] != a.From {
			continue
		}
		at := &attack{Attack: a, kind: attackKinds[a.Kind], queue: q.id, startNS: toNS(a.StartS), endNS: never}
		if a.EndS > 0 {
			at.endNS = toNS(a.EndS)
		}
		at.rng = e.stream(fmt.Sprintf("network/attack/%d/%s", len(e.attacks), a.Kind))
		e.attacks = append(e.attacks, at)
		q.attacks = append(q.attacks, at)
		if at.kind == inject {
			e.scheduleInjection(uint32(len(e.attacks)-1), max(e.now, at.startNS))
		}
	}
}

func (e *Engine) scheduleInjection(i uint32, after int64) {
	at := e.attacks[i]
	next := after + int64(at.rng.ExpFloat64()/at.RatePerS*1e9)
	if next < at.endNS {
		e.schedule(next, evInject, i, 0)
	}
}

// intercept lets the adversaries act on a packet that leaves the link. It
// returns false when the packet does not go on now.
func (e *Engine) intercept(i uint32, q *queue) bool {
	for _, at := range q.attacks {
		if e.now < at.startNS || e.now >= at.endNS {
			continue
		}
		if at.kind == inject {
			at.capture(&e.packets[i])
			continue
		}
		if at.rng.Float64() >= at.Probability {
			continue
		}
		switch at.kind {
		case tamper:
			e.tamper(i, q, at)
		case replay:
			e.attackStats.Replayed++
			held := toNS(at.DelayS)
			j := e.clone(e.packets[i], Replayed)
			e.fate(i, q, e.now+held, Replayed)
			e.schedule(e.now+held, evResume, j, e.packets[j].gen)
		case delay:
			e.attackStats.Delayed++
			p := &e.packets[i]
			if p.mark == Untouched {
				p.mark = Delayed
			}
			e.fate(i, q, e.now, Delayed)
			e.schedule(e.now+toNS(at.DelayS), evResume, i, p.gen)
			return false
		case drop:
			e.attackStats.Dropped++
			e.drop(i, Intercepted, q)
			return false
		}
	}
	return true
}

// tamper flips bits in a copy of the payload; the sender's stays as it is.
func (e *Engine) tamper(i uint32, q *queue, at *attack) {
	p := &e.packets[i]
	if len(p.payload) == 0 {
		return
	}
	e.attackStats.Tampered++
	changed := append([]byte(nil), p.payload...)
	// Distinct bits, so that no flip takes back another.
	n := min(max(1, at.FlipBits), 8*len(changed))
	for _, bit := range at.rng.Perm(8 * len(changed))[:n] {
		changed[bit/8] ^= 1 << (bit % 8)
	}
	p.payload, p.mark = changed, Tampered
	e.fate(i, q, e.now, Tampered)
}

// clone adds a packet equal to p but for its mark, and without a deadline. It
// has its own copy of the path, for it may outlive p.
func (e *Engine) clone(p packet, mark Mark) uint32 {
	e.balance.Added++
	j := e.allocate()
	c := &e.packets[j]
	gen, own := c.gen, c.own
	*c = p
	c.gen, c.own = gen, own
	c.own = append(c.own[:0], p.path...)
	c.path = c.own
	c.mark, c.deadline = mark, 0
	return j
}

// capture remembers a packet as a pattern for forgeries.
func (at *attack) capture(p *packet) {
	at.path = append(at.path[:0], p.path...)
	at.captured = *p
	at.captured.path, at.captured.own = at.path, nil
}

// inject sends a forged packet on from the far end of the link, as if it had
// come over it: addressed and sized like the last one seen, with random
// payload behind the bytes kept. An adversary who has seen none waits.
func (e *Engine) inject(i uint32) {
	at := e.attacks[i]
	e.scheduleInjection(i, e.now)
	if len(at.captured.path) == 0 {
		return
	}
	e.attackStats.Injected++
	forged := append([]byte(nil), at.captured.payload...)
	for b := min(at.KeepBytes, len(forged)); b < len(forged); b++ {
		forged[b] = byte(at.rng.Uint32())
	}
	j := e.clone(at.captured, Injected)
	e.packets[j].payload = forged
	e.fate(j, &e.queues[at.queue], e.now, Injected)
	e.resume(j)
}
