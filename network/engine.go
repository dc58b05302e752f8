package network

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Engine is a network in simulated time. It is not for concurrent use.
type Engine struct {
	now    int64
	seq    uint64
	events eventHeap
	stream func(name string) *rand.Rand

	nodes         []string
	byName        map[string]NodeID
	links         []string
	linkByName    map[string]LinkID
	queues        []queue
	router        *router
	routes        []route
	convergenceNS int64

	packets []packet
	free    []uint32
	unsent  int64 // packets whose time of sending is to come

	deliveries  []Delivery
	drops       []Drop
	balance     Balance
	attacks     []*attack
	attackStats AttackStats
	passed      func(Pass) // nil unless the run is traced or captured
	fated       func(Fate) // nil unless it is captured
}

// New builds the network at time 0, all links up. The function stream returns
// a new generator of the named stream, the same numbers for the same name
// each time it is called.
func New(cfg Config, stream func(name string) *rand.Rand) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		stream:        stream,
		byName:        make(map[string]NodeID, len(cfg.Nodes)),
		linkByName:    make(map[string]LinkID, len(cfg.Links)),
		queues:        make([]queue, 0, 2*len(cfg.Links)),
		routes:        make([]route, 1), // RouteID 0 means none
		convergenceNS: toNS(cfg.ConvergenceS),
	}
	for i := range cfg.Nodes {
		e.nodes = append(e.nodes, cfg.Nodes[i].Name)
		e.byName[cfg.Nodes[i].Name] = NodeID(i)
	}
	processing := make([]variate, len(cfg.Nodes))
	for i := range cfg.Nodes {
		processing[i] = newVariate(cfg.Nodes[i].ProcessingS*1e9, cfg.Nodes[i].ProcessingShape.or(Deterministic))
	}
	windowS := cfg.WindowS
	if windowS == 0 {
		windowS = 1
	}
	for i := range cfg.Links {
		l := &cfg.Links[i]
		e.links = append(e.links, l.label())
		e.linkByName[l.label()] = LinkID(i)
		a, b := e.byName[l.A], e.byName[l.B]
		e.addQueue(l, toNS(windowS), a, b, processing)
		e.addQueue(l, toNS(windowS), b, a, processing)
	}
	e.router = newRouter(len(e.nodes), e.queues)
	for _, a := range cfg.Attacks {
		e.addAttack(a)
	}
	return e, nil
}

// addQueue makes the egress queue of one direction.
func (e *Engine) addQueue(l *Link, windowNS int64, from, to NodeID, processing []variate) {
	name := "network/" + l.label() + "/" + e.nodes[from] + "/"
	q := queue{
		id:           QueueID(len(e.queues)),
		from:         from,
		to:           to,
		nsPerBit:     1e9 / l.RateBPS,
		delayNS:      l.delayNS(),
		processing:   &processing[from],
		receiving:    &processing[to],
		loss:         l.Loss,
		limitPackets: l.Queue.LimitPackets,
		limitBits:    8 * int64(l.Queue.LimitBytes),
		scheduler:    newScheduler(&l.Queue),
		up:           true,
		nextAt:       never,
		window:       newWindow(windowNS),
	}
	switch {
	case q.limitPackets == 0 && q.limitBits == 0:
		q.limitPackets, q.limitBits = DefaultLimitPackets, never
	case q.limitPackets == 0:
		q.limitPackets = math.MaxInt
	case q.limitBits == 0:
		q.limitBits = never
	}
	if q.processing.kind != drawDeterministic || q.receiving.kind != drawDeterministic {
		q.processes = e.stream(name + "processing")
	}
	if l.Loss > 0 {
		q.losses = e.stream(name + "loss")
	}
	if l.ExtraDelay != nil {
		q.extra = newExtraDelay(l.ExtraDelay, e.stream("network/"+l.label()+"/extra-delay"))
	}
	for i := range l.Background {
		t := &l.Background[i]
		if t.RateBPS > 0 && (t.From == "" || t.From == e.nodes[from]) {
			s := fmt.Sprintf("%sbackground/%d/", name, i)
			q.sources = append(q.sources, newSource(t, e.stream(s+"arrivals"), e.stream(s+"sizes")))
		}
	}
	if len(q.sources) > 0 {
		q.pickNext()
	}
	e.queues = append(e.queues, q)
}

// NowNS returns the present time.
func (e *Engine) NowNS() int64 { return e.now }

// Node returns the node of a name.
func (e *Engine) Node(name string) (NodeID, bool) { id, ok := e.byName[name]; return id, ok }

// NodeName returns the name of a node.
func (e *Engine) NodeName(n NodeID) string { return e.nodes[n] }

// Link returns the link of a name.
func (e *Engine) Link(name string) (LinkID, bool) { id, ok := e.linkByName[name]; return id, ok }

// LinkName returns the name of a link.
func (e *Engine) LinkName(l LinkID) string { return e.links[l] }

// Links returns the number of links; queues are twice as many.
func (e *Engine) Links() int { return len(e.links) }

// LinkUp tells whether a link is up at present.
func (e *Engine) LinkUp(l LinkID) bool { return e.queues[2*l].up }

// QueueName names a queue by its link and sender, for example "CC-GW1/CC".
func (e *Engine) QueueName(id QueueID) string {
	return e.links[id.Link()] + "/" + e.nodes[e.queues[id].from]
}

// Send gives the network a packet to send at its time, the present or later.
func (e *Engine) Send(p Packet) error {
	if err := e.check(&p); err != nil {
		return err
	}
	i := e.allocate()
	w := &e.packets[i]
	*w = packet{
		id: p.ID, sentAt: p.AtNS, deadline: p.DeadlineNS, crypto: p.ExtraServiceNS, payload: p.Payload,
		own: w.own[:0], bits: int32(p.SizeBits), from: p.From, to: p.To, at: p.From,
		gen: w.gen, class: p.Class, ttl: p.TTL, pinned: p.Route != 0,
	}
	if w.ttl == 0 {
		w.ttl = DefaultTTL
	}
	if w.pinned {
		r := &e.routes[p.Route]
		w.from, w.to, w.at, w.path = r.from, r.to, r.from, r.path
	}
	e.unsent++
	e.schedule(p.AtNS, evSend, i, w.gen)
	return nil
}

// SetLink takes a link up or down at a time, the present or later.
func (e *Engine) SetLink(atNS int64, link LinkID, up bool) error {
	if atNS < e.now {
		return fmt.Errorf("network: link %d changes at %d ns, before the present %d ns", link, atNS, e.now)
	}
	if link < 0 || int(link) >= len(e.links) {
		return fmt.Errorf("network: link %d of %d", link, len(e.links))
	}
	state := uint32(0)
	if up {
		state = 1
	}
	e.schedule(atNS, evLink, uint32(link), state)
	return nil
}

// Advance makes everything happen that lies before toNS, the new present.
// Deliveries and drops of the last advance are gone then.
func (e *Engine) Advance(toNS int64) error {
	if toNS < e.now {
		return fmt.Errorf("network: cannot advance from %d ns back to %d ns", e.now, toNS)
	}
	e.deliveries, e.drops = e.deliveries[:0], e.drops[:0]
	for len(e.events) > 0 && e.events[0].at < toNS {
		ev := e.events.pop()
		e.now = ev.at
		e.handle(ev)
	}
	e.now = toNS
	return nil
}

// Deliveries returns what the last advance delivered, in order of time. The
// next one uses the slice anew.
func (e *Engine) Deliveries() []Delivery { return e.deliveries }

// Drops returns which routed packets the last advance dropped, in order of
// time. The next one uses the slice anew.
func (e *Engine) Drops() []Drop { return e.drops }

func (e *Engine) schedule(at int64, kind uint64, idx, gen uint32) {
	e.seq++
	e.events.push(event{at: at, key: kind<<kindShift | e.seq, idx: idx, gen: gen})
}

func (e *Engine) handle(ev event) {
	switch ev.kind() {
	case evLink:
		e.changeLink(LinkID(ev.idx), ev.gen == 1)
	case evConverge:
		e.router.learn(LinkID(ev.idx), ev.gen == 1)
	case evWake:
		q := &e.queues[ev.idx]
		if ev.gen == q.scheduler.wakeGen {
			q.scheduler.wakePending = false
			q.catchUp(e, e.now)
			q.wakeAtNextService(e)
		}
	case evInject:
		e.inject(ev.idx)
	default:
		// A packet lost on a broken link has left its event behind.
		if ev.gen == e.packets[ev.idx].gen {
			e.handlePacket(ev.kind(), ev.idx)
		}
	}
}

func (e *Engine) handlePacket(kind uint64, i uint32) {
	switch kind {
	case evSend:
		e.unsent--
		e.balance.Sent++
		e.forward(i)
	case evArrive:
		p := &e.packets[i]
		q := &e.queues[p.path[p.hop]]
		if p.lost {
			e.drop(i, Lost, q)
		} else if len(q.attacks) == 0 || e.intercept(i, q) {
			e.fate(i, q, e.now, Untouched)
			e.resume(i)
		}
	case evResume:
		e.resume(i)
	}
}

func (e *Engine) changeLink(l LinkID, up bool) {
	if e.LinkUp(l) == up {
		return
	}
	state := uint32(0)
	for _, id := range [2]QueueID{QueueID(2 * l), QueueID(2*l + 1)} {
		q := &e.queues[id]
		if up {
			state = 1
			q.catchUp(e, e.now)
			q.up = true
		} else {
			q.breakDown(e, e.now)
		}
	}
	e.schedule(e.now+e.convergenceNS, evConverge, uint32(l), state)
}

// resume takes a packet from the end of a link to the node there.
func (e *Engine) resume(i uint32) {
	p := &e.packets[i]
	p.at = e.queues[p.path[p.hop]].to
	p.hop++
	p.hops++
	e.forward(i)
}

// forward handles a packet at a node: it is delivered or sent on.
func (e *Engine) forward(i uint32) {
	p := &e.packets[i]
	if p.deadline > 0 && e.now > p.deadline {
		e.drop(i, Late, nil)
		return
	}
	if p.at == p.to && (!p.pinned || int(p.hop) == len(p.path)) {
		e.deliver(i)
		return
	}
	if p.ttl == 0 {
		e.drop(i, TTLExceeded, nil)
		return
	}
	p.ttl--
	if !p.pinned && !e.findPath(p) {
		e.drop(i, NoRoute, nil)
		return
	}
	q := &e.queues[p.path[p.hop]]
	q.catchUp(e, e.now)
	reason, ok := q.offer(e, e.now, float64(p.bits), p.crypto, int32(i), p.class)
	p.crypto = 0
	if !ok {
		e.drop(i, reason, q)
		return
	}
	q.wakeAtNextService(e)
}

// findPath sees to it that an unpinned packet has a next queue. Packets keep
// the path found at the sender until they stand before a link that routing
// knows to be down.
func (e *Engine) findPath(p *packet) (ok bool) {
	if len(p.path) > 0 && e.router.known[p.path[p.hop].Link()] {
		return true
	}
	p.own, ok = e.router.appendPath(p.own[:0], e.queues, p.at, p.to)
	p.path, p.hop = p.own, 0
	return ok
}

func (e *Engine) deliver(i uint32) {
	p := &e.packets[i]
	e.deliveries = append(e.deliveries, Delivery{
		AtNS: e.now, SentNS: p.sentAt, ID: p.id, From: p.from, To: p.to,
		Hops: int(p.hops), Class: p.class, Mark: p.mark, Payload: p.payload,
	})
	e.balance.Delivered++
	e.release(i)
}

// drop ends a packet; q is the queue to blame, if one is.
func (e *Engine) drop(i uint32, reason Reason, q *queue) {
	p := &e.packets[i]
	d := Drop{AtNS: e.now, ID: p.id, Reason: reason, Node: p.at, Link: NoLink, Class: p.class, Mark: p.mark}
	if q != nil {
		d.Link = q.id.Link()
		q.stats.Drops[reason]++
		if e.fated != nil {
			e.fated(Fate{Way: p.way(i, q), AtNS: e.now, Dropped: true, Reason: reason})
		}
	}
	e.drops = append(e.drops, d)
	e.balance.Dropped++
	e.release(i)
}
