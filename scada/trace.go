package scada

import (
	"slices"

	"cosim/scada/q3p"
)

// TraceKind says what a Trace tells.
type TraceKind string

// Kinds of Trace, with the fields that they use besides AtNS, NowNS, Task and
// Chain.
const (
	TraceTrigger TraceKind = "trigger" // a task was opened: Reason (by whom), Option, DeadlineNS, Values (asked for or measured, MW missing for a call)
	TraceAttempt TraceKind = "attempt" // the centre sends: Option, Count
	TraceHeld    TraceKind = "held"    // nothing was sent: Node, Cause, Link
	TraceKey     TraceKind = "key"     // drawn for a leg: Node, Link, Bits, OffsetBits, WaitNS, Ahead
	TraceShort   TraceKind = "short"   // a pool could not give it: Node, Link, Bits, HeldBits, Option
	TraceFrame   TraceKind = "frame"   // sent: Frame, Message, Leg, Node, Option, Payload, WaitNS, ServiceNS
	TraceDrop    TraceKind = "drop"    // lost: Frame, Message, Leg, Reason, Cause
	TraceOpened  TraceKind = "opened"  // tag and replay window let it pass: Frame, Message, Node
	TraceRefused TraceKind = "refused" // they did not: Frame, Message, Node, Verdict, Reason
	TraceEntered TraceKind = "entered" // the gateway gave a measurement its way: Node, Option
	TraceApplied TraceKind = "applied" // an IED judged a frame: Frame, Message, Node, Verdict
	TraceHeard   TraceKind = "heard"   // a measurement came into use, or not: Values, Newest
	TraceOutcome TraceKind = "outcome" // the task ended: Ended
	TracePlan    TraceKind = "plan"    // the plan of the chain changed: Option
	TraceGateway TraceKind = "gateway" // the gateway has the changed plan: Node, Option
)

// Trace is one thing that happened to a task, or to the plan of a chain. Task
// leads through all that one trigger caused, Frame on into the network and to
// the IEDs.
type Trace struct {
	Kind       TraceKind
	AtNS       int64
	NowNS      int64  // start of the step in which it came out
	Task       uint64 // 0: none
	Chain      int    // index in Config.Chains
	Frame      uint64
	Message    string // "command"
	Leg        string // "GW1>RTU30>IED30"
	Node, Link string
	Option     Option
	DeadlineNS int64
	Count      int
	Bits       int64
	HeldBits   int64 // that the pool would have given
	OffsetBits int64
	WaitNS     int64 // for key
	ServiceNS  int64 // of the ends of the leg, WaitNS included
	Ahead      bool  // for a later leg, while the message is under way
	Newest     bool
	Values     [2]float64
	Cause      Cause
	Verdict    Verdict
	Reason     string
	Payload    []byte // never written again
	Ended      *TaskEvent
}

// Who triggers a task.
const (
	ByPeriod    = "periodic"
	ByPoisson   = "poisson"
	ByEmergency = "emergency" // the controller's own logic
	ByDemand    = "demand"    // System.Trigger
)

var messageNames = [...]string{
	measurement: "measurement", command: "command", confirmation: "confirmation", answer: "answer",
	termination: "termination", receipt: "receipt", clock: "clock", order: "order", orderAnswer: "order answer",
}

// Trace has f told what happens to every task. It is called before the first
// step, and changes nothing. What f is given holds during the call.
func (s *System) Trace(f func(*Trace)) {
	s.tracer = &tracer{tell: f}
	for _, a := range s.associations {
		if a.pool != nil {
			link := s.cfg.Links[a.channel.ID-1].Name // channels are numbered like links
			a.pool = tracedPool{a.pool, link, s.tracer}
		}
	}
}

// tracer tells of a run. Its methods are good for nil, which tells nothing.
type tracer struct {
	tell  func(*Trace)
	draws []Trace // of the leg that is being sealed
	toNS  int64   // end of the last step: the plan may change between two
}

// tracedPool notes what is drawn.
type tracedPool struct {
	KeyPool
	link   string
	tracer *tracer
}

func (p tracedPool) Draw(r DrawRequest, bits int) (q3p.Key, int64, error) {
	key, waitNS, err := p.KeyPool.Draw(r, bits)
	if err == nil {
		p.tracer.draws = append(p.tracer.draws, Trace{
			Kind: TraceKey, AtNS: r.AtNS, Node: r.By, Link: p.link, Bits: int64(bits), OffsetBits: key.Offset, WaitNS: waitNS,
		})
	}
	return key, waitNS, err
}

// of tells x of a message.
func (t *tracer) of(s *System, m *message, x Trace) {
	if m.task == nil {
		return
	}
	x.Message, x.Option.Mode = messageNames[m.kind], m.mode
	t.task(s, m.task, x)
}

func (t *tracer) task(s *System, of *task, x Trace) {
	x.NowNS, x.Task, x.Chain = s.nowNS, of.id, of.chain.index
	t.tell(&x)
}

func (t *tracer) triggered(s *System, of *task, a, b float64) {
	if t == nil {
		return
	}
	by := ByEmergency
	switch class := s.cfg.Classes[of.chain.Task]; {
	case class.Trigger == Periodic:
		by = ByPeriod
	case class.Trigger == Poisson:
		by = ByPoisson
	case slices.Contains(s.demands, demand{of.chain, a}):
		by = ByDemand
	default:
		b = s.controllerOf(of.chain).emergency.deficit
	}
	t.task(s, of, Trace{
		Kind: TraceTrigger, AtNS: of.triggerNS, Reason: by, Option: s.optionOf(of.chain),
		DeadlineNS: of.deadlineNS, Values: [2]float64{a, b},
	})
}

func (t *tracer) attempted(s *System, p *pending, opt Option, atNS int64) {
	if t != nil && p.task != nil {
		t.task(s, p.task, Trace{Kind: TraceAttempt, AtNS: atNS, Option: opt, Count: p.task.attempts})
	}
}

// held tells that a message was not sent, for a link of way if that is the cause.
func (t *tracer) held(s *System, of *task, way *route, node int, c Cause, atNS int64) {
	if t == nil || of == nil {
		return
	}
	x := Trace{Kind: TraceHeld, AtNS: atNS, Node: way.nodes[node], Cause: c}
	if i := slices.IndexFunc(way.links, func(l int) bool { return s.down[l] }); c == LinkDown && i >= 0 {
		x.Link = s.cfg.Links[way.links[i]].Name
	}
	t.task(s, of, x)
}

// drawn tells what sealing leg i of m took.
func (t *tracer) drawn(s *System, m *message, i int) {
	if t == nil {
		return
	}
	ahead := i > 0 && !m.opened[i-1]
	for _, x := range t.draws {
		x.Leg, x.Ahead = m.route.legs[i].path, ahead
		t.of(s, m, x)
	}
	t.draws = t.draws[:0]
}

func (t *tracer) short(s *System, m *message, i int, atNS, bits, held int64) {
	if t == nil {
		return
	}
	a := m.route.legs[i].via
	t.of(s, m, Trace{
		Kind: TraceShort, AtNS: atNS, Leg: m.route.legs[i].path, Node: a.from,
		Link: s.cfg.Links[a.channel.ID-1].Name, Bits: bits, HeldBits: held, Cause: NoKey,
	})
}

// sent tells of the frame that was sent last.
func (t *tracer) sent(s *System, m *message, waitNS int64) {
	if t == nil {
		return
	}
	f := &s.out.Frames[len(s.out.Frames)-1]
	t.of(s, m, Trace{
		Kind: TraceFrame, AtNS: f.AtNS, Frame: f.ID, Leg: f.Route, Node: f.From,
		WaitNS: waitNS, ServiceNS: f.ServiceNS, Payload: f.Payload,
	})
}

func (t *tracer) dropped(s *System, f *inFlight, d *Drop) {
	if t != nil {
		t.of(s, f.message, Trace{
			Kind: TraceDrop, AtNS: d.AtNS, Frame: d.ID, Leg: f.message.route.legs[f.leg].path,
			Reason: string(d.Reason), Cause: d.Reason.cause(),
		})
	}
}

func (t *tracer) opened(s *System, m *message, d *Delivery) {
	if t != nil {
		t.of(s, m, Trace{Kind: TraceOpened, AtNS: d.AtNS, Frame: d.ID, Node: d.Node})
	}
}

func (t *tracer) refused(s *System, d *Delivery, v Verdict, reason string) {
	if t == nil {
		return
	}
	if f := s.sent.find(d.ID); f != nil {
		t.of(s, f.message, Trace{Kind: TraceRefused, AtNS: d.AtNS, Frame: d.ID, Node: d.Node, Verdict: v, Reason: reason})
	}
}

func (t *tracer) entered(s *System, m *message, opt Option) {
	if t != nil {
		t.task(s, m.task, Trace{Kind: TraceEntered, AtNS: s.nowNS, Node: m.route.nodes[len(m.route.nodes)-1-m.route.hops], Option: opt})
	}
}

func (t *tracer) applied(s *System, m *message, a *Applied) {
	if t != nil {
		t.of(s, m, Trace{Kind: TraceApplied, AtNS: a.AtNS, Frame: a.ID, Node: a.IED, Verdict: a.Verdict})
	}
}

func (t *tracer) heard(s *System, m *message, sampledNS int64, freqHz, voltagePU float64) {
	if t != nil {
		newest := s.controllerOf(m.chain).pmus[m.chain.element].sampledNS == sampledNS
		t.of(s, m, Trace{Kind: TraceHeard, AtNS: s.nowNS, Values: [2]float64{freqHz, voltagePU}, Newest: newest})
	}
}

// outcomes ends a step.
func (t *tracer) outcomes(s *System, toNS int64) {
	if t == nil {
		return
	}
	t.toNS = toNS
	for i := range s.out.Tasks {
		e := &s.out.Tasks[i]
		t.tell(&Trace{Kind: TraceOutcome, AtNS: e.DecidedNS, NowNS: s.nowNS, Task: e.TaskID, Chain: e.Chain, Ended: e})
	}
}

func (t *tracer) planned(s *System, plan []Option) {
	if t == nil {
		return
	}
	now := max(s.nowNS, t.toNS)
	for i, o := range plan {
		if o != s.plan[i] {
			t.tell(&Trace{Kind: TracePlan, AtNS: now, NowNS: now, Chain: i, Option: o})
		}
	}
}

func (t *tracer) atGateway(s *System, m *message) {
	if t != nil {
		t.tell(&Trace{
			Kind: TraceGateway, AtNS: s.nowNS, NowNS: s.nowNS, Chain: m.chain.index,
			Node: m.route.legs[len(m.route.legs)-1].via.to, Option: s.atGateway[m.chain.index],
		})
	}
}
