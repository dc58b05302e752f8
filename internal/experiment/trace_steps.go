package experiment

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cosim/federates"
	"cosim/network"
	"cosim/scada"
)

// steps puts what happened to a task, to the links of its routes and to its
// chain's plan into words, in the order of time.
func (t *tracer) steps(f *followed) []TraceStep {
	type timed struct {
		atNS int64
		step TraceStep
	}
	var all []timed
	add := func(atNS int64, s TraceStep) {
		s.AtS = inSeconds(atNS)
		all = append(all, timed{atNS, s})
	}
	for _, b := range t.outages(f) {
		since := ""
		if b.fromNS < f.triggerNS {
			since = fmt.Sprintf(" since %s", at(b.fromNS))
		}
		add(max(b.fromNS, f.triggerNS), TraceStep{What: "link-down", Where: b.link, Text: "the link is down" + since})
		if b.toNS <= t.end(f) {
			add(b.toNS, TraceStep{What: "link-up", Where: b.link, Text: "the link is up again"})
		}
	}
	for _, p := range t.changes(f) {
		add(p.atNS, t.planStep(f, p))
	}
	w := wording{t, f, map[*byte]bool{}}
	for i := range f.happened {
		if s, ok := w.step(&f.happened[i]); ok {
			add(f.happened[i].atNS, s)
		}
	}
	slices.SortStableFunc(all, func(a, b timed) int { return cmp.Compare(a.atNS, b.atNS) })
	steps := make([]TraceStep, len(all))
	for i := range all {
		steps[i] = all[i].step
	}
	return steps
}

// end is up to when a task's trace goes.
func (t *tracer) end(f *followed) int64 {
	end := f.deadlineNS + aftermathNS
	if f.ended != nil && f.ended.Outcome == scada.Success {
		end = f.ended.DecidedNS
	}
	for i := range f.happened {
		end = max(end, f.happened[i].atNS)
	}
	return end
}

// outages are the breaks of links of the chain's routes during the trace.
func (t *tracer) outages(f *followed) []outage {
	var of []outage
	for _, b := range t.breaks {
		if b.toNS > f.triggerNS && b.fromNS <= t.end(f) && slices.ContainsFunc(t.cfg.Chains[f.chain].Routes, func(r []string) bool { return t.uses(r, b.link) }) {
			of = append(of, b)
		}
	}
	return of
}

// uses says whether a route goes over a link.
func (t *tracer) uses(route []string, link string) bool {
	for _, l := range t.cfg.Links {
		if l.Name != link {
			continue
		}
		for i := 1; i < len(route); i++ {
			a, b := route[i-1], route[i]
			if a == l.A && b == l.B || a == l.B && b == l.A {
				return true
			}
		}
	}
	return false
}

// changes are those of the chain's plan that came while the task was under way,
// and the first one after.
func (t *tracer) changes(f *followed) []planChange {
	var of []planChange
	over := f.triggerNS
	if f.ended != nil {
		over = f.ended.DecidedNS
	}
	centre, gateway := false, false // told of one after the end
	for _, p := range t.plans[f.chain] {
		if p.atNS < f.triggerNS || p.atNS > t.end(f) {
			continue
		}
		told := &centre
		if p.gateway != "" {
			told = &gateway
		}
		if p.atNS > over && *told {
			continue
		}
		*told = p.atNS > over
		of = append(of, p)
	}
	return of
}

func (t *tracer) planStep(f *followed, p planChange) TraceStep {
	s := TraceStep{What: "plan", Where: t.centre(f), Text: "the plan is now " + t.option(f, p.option)}
	if p.gateway != "" {
		s.What, s.Where, s.Text = "gateway", p.gateway, "the gateway has the order: "+t.option(f, p.option)
	}
	return s
}

// centre is the control centre's node.
func (t *tracer) centre(f *followed) string {
	r := t.cfg.Chains[f.chain].Routes[0]
	if t.up(f) {
		return r[len(r)-1]
	}
	return r[0]
}

func (t *tracer) up(f *followed) bool {
	return t.cfg.Classes[t.cfg.Chains[f.chain].Task].Direction == scada.Up
}

func (t *tracer) option(f *followed, o scada.Option) string {
	if o.Off {
		return "off"
	}
	return o.Mode.String() + " on " + strings.Join(t.cfg.Chains[f.chain].Routes[o.Route], ">")
}

// queue is "CC>GW1", the way of a queue.
func (t *tracer) queue(q network.QueueID) string {
	l := t.cfg.Links[q.Link()] // the network's are in the same order
	if q%2 == 0 {
		return l.A + ">" + l.B
	}
	return l.B + ">" + l.A
}

// wording puts what happened into words.
type wording struct {
	*tracer
	task *followed
	sent map[*byte]bool // payloads
}

// step is false where another one says it.
func (w *wording) step(h *happening) (TraceStep, bool) {
	s := TraceStep{Frame: h.frame}
	switch {
	case h.trace != nil:
		return w.scada(h.trace, s)
	case h.pass != nil:
		p := h.pass
		s.What, s.Where, s.WaitS = "queue", w.queue(p.Queue), inSeconds(p.ServedNS-p.EnqueuedNS)
		s.Text = fmt.Sprintf("waits %s, is sent in %s, %s on the link", span(p.ServedNS-p.EnqueuedNS), span(p.DepartNS-p.ServedNS), span(p.ArriveNS-p.DepartNS))
	case h.drop != nil:
		d := h.drop
		s.What, s.Where, s.Cause = "drop", w.engine.NodeName(d.Node), d.Reason.String()
		if d.Link != network.NoLink {
			s.Where = w.engine.LinkName(d.Link)
		}
		s.Text = fmt.Sprintf("frame %d is lost: %s", d.ID, dropWords[d.Reason.String()])
	case h.grid != nil:
		w.grid(h.grid, &s)
	default:
		s.What, s.Where, s.Text = "attack", "adversary", fmt.Sprintf("has %s frame %d on the way", attackWords[h.mark], h.frame)
	}
	return s, true
}

// dropWords say how a frame was lost.
var dropWords = map[string]string{
	network.Overflow.String():    "the queue is full",
	network.LinkDown.String():    "the link is down",
	network.Lost.String():        "noise on the link",
	network.TTLExceeded.String(): "too many hops",
	network.NoRoute.String():     "no way is up",
	network.Intercepted.String(): "an adversary removed it",
}

// attackWords say what an adversary did to a frame.
var attackWords = map[string]string{
	network.Tampered.String(): "tampered with", network.Replayed.String(): "replayed",
	network.Injected.String(): "injected", network.Delayed.String(): "delayed",
}

// supply is "pool CC-GW1", or the store of S-1.
func (t *tracer) supply(link string) string {
	if s := t.def.Keys; s.Supply == SupplyStore && t.def.centreLinks()[link] {
		return fmt.Sprintf("store %s (refilled every %v)", link, s.Store.Period)
	}
	return "pool " + link
}

func (w *wording) scada(x *scada.Trace, s TraceStep) (TraceStep, bool) {
	s.What, s.Where, s.Message, s.Bits, s.Cause = string(x.Kind), x.Node, x.Message, x.Bits, string(x.Cause)
	switch x.Kind {
	case scada.TraceTrigger:
		s.Where, s.Text = w.trigger(x)
	case scada.TraceAttempt:
		s.Where, s.Text = w.centre(w.task), fmt.Sprintf("no answer yet: attempt %d, %s", x.Count, w.option(w.task, x.Option))
		return s, x.Count > 1
	case scada.TraceHeld:
		s.Text = "sends nothing: the chain is switched off"
		if x.Cause == scada.LinkDown {
			s.Text = "sends nothing: knows that link " + x.Link + " is down"
		}
	case scada.TraceKey:
		s.OffsetBits, s.WaitS = x.OffsetBits, inSeconds(x.WaitNS)
		s.Text = fmt.Sprintf("%s bit of key from %s at offset %s, %s", grouped(x.Bits), w.supply(x.Link), grouped(x.OffsetBits), waited(x))
	case scada.TraceShort:
		s.Text = fmt.Sprintf("%s needs %s bit of key, %s gives %s", x.Option.Mode, grouped(x.Bits), w.supply(x.Link), grouped(x.HeldBits))
	case scada.TraceFrame:
		w.frame(x, &s)
	case scada.TraceDrop:
		s.Where, s.Text = x.Leg, fmt.Sprintf("frame %d is lost: %s", x.Frame, x.Reason)
		return s, w.engine == nil
	case scada.TraceOpened:
		s.Text = fmt.Sprintf("frame %d: tag and replay window let it pass", x.Frame)
	case scada.TraceRefused:
		s.Text = fmt.Sprintf("frame %d is %s: %s", x.Frame, x.Verdict, x.Reason)
	case scada.TraceEntered:
		s.Text = "the gateway's order is " + w.option(w.task, x.Option)
	case scada.TraceApplied:
		s.Text = fmt.Sprintf("frame %d is %s", x.Frame, x.Verdict)
		return s, !slices.ContainsFunc(w.task.happened, func(h happening) bool { return h.grid != nil && h.frame == x.Frame })
	case scada.TraceHeard:
		s.Where, s.Text = w.centre(w.task), fmt.Sprintf("in use: %.4f Hz, %.4f p.u.", x.Values[0], x.Values[1])
		if !x.Newest {
			s.Text = "not in use: a newer measurement has arrived"
		}
	case scada.TraceOutcome:
		s.Where, s.Text = "task", outcomeWords(x.Ended)
	}
	return s, true
}

func outcomeWords(e *scada.TaskEvent) string {
	if e.Outcome == scada.Failure {
		return "failed: " + string(e.Cause)
	}
	text := "success after " + span(e.LatencyNS)
	if e.Degraded {
		text += ", in a mode weaker than wished"
	}
	return text
}

func waited(x *scada.Trace) string {
	switch {
	case x.Ahead:
		return "ahead of the frame"
	case x.WaitNS > 0:
		return "after " + span(x.WaitNS)
	}
	return "at once"
}

func (w *wording) frame(x *scada.Trace, s *TraceStep) {
	s.WaitS = inSeconds(x.WaitNS)
	hop := x.Leg[strings.LastIndex(x.Leg, ">")+1:]
	again := ""
	if w.sent[&x.Payload[0]] {
		again = " again"
	}
	w.sent[&x.Payload[0]] = true
	s.Text = fmt.Sprintf("frame %d to %s%s: %s, %d octets, %s", x.Frame, hop, again, x.Message, len(x.Payload), w.protection(x))
	if work := x.ServiceNS - x.WaitNS; work >= 1000 {
		s.Text += ", " + span(work) + " of ciphering"
	}
}

// protection is the cipher of a leg: beyond the last gateway a key shared
// beforehand.
func (w *wording) protection(x *scada.Trace) string {
	nodes := strings.Split(x.Leg, ">")
	for _, l := range w.cfg.Links {
		if l.Quantum && len(nodes) == 2 && (l.A == nodes[0] && l.B == nodes[1] || l.B == nodes[0] && l.A == nodes[1]) {
			return x.Option.Mode.String()
		}
	}
	return "pre-shared key"
}

// trigger says who wants what, and where.
func (w *wording) trigger(x *scada.Trace) (where, text string) {
	c := &w.cfg.Chains[x.Chain]
	class := w.cfg.Classes[c.Task]
	where = w.centre(w.task)
	switch c.Task {
	case scada.TaskPMU:
		where = c.Routes[0][0]
		text = fmt.Sprintf("measures %.4f Hz, %.4f p.u.", x.Values[0], x.Values[1])
	case scada.TaskInterrogation:
		text = "asks for all values"
	default:
		text = "wants " + w.wish(c.Task, c.Element, x.Values[0])
	}
	switch x.Reason {
	case scada.ByPeriod:
		text += fmt.Sprintf(" (every %v)", class.Period)
	case scada.ByPoisson:
		text += fmt.Sprintf(" (Poisson, %v a second)", class.RateHz)
	case scada.ByEmergency:
		text += fmt.Sprintf(" (emergency logic: %.0f MW are missing)", x.Values[1])
	case scada.ByDemand:
		text += " (asked for)"
	}
	return where, text
}

// wish is what a command asks of an element, with its bus.
func (w *wording) wish(task, element string, value float64) string {
	switch task {
	case scada.TaskAGC:
		return fmt.Sprintf("power set point %+.3f MW at %s%s", value, element, w.bus(element))
	case scada.TaskAVR:
		return fmt.Sprintf("voltage set point %+.5f p.u. at %s%s", value, element, w.bus(element))
	case scada.TaskShed:
		return fmt.Sprintf("%.1f MW from %s%s", value, element, w.bus(element))
	case scada.TaskBreaker:
		state := "open"
		if value != 0 {
			state = "closed"
		}
		return fmt.Sprintf("%s %s", element, state)
	}
	return element
}

func (w *wording) bus(element string) string {
	for _, g := range w.cfg.Generators {
		if g.ID == element {
			return fmt.Sprintf(" (bus %d)", g.Bus)
		}
	}
	for _, b := range w.cfg.Blocks {
		if b.ID == element {
			return fmt.Sprintf(" (bus %d)", b.Bus)
		}
	}
	return ""
}

func (w *wording) grid(x *federates.GridTrace, s *TraceStep) {
	if x.Obeyed {
		s.What, s.Where, s.Text = "obeyed", "grid", "acts: "+w.wish(x.Command.Kind, x.Command.Element, x.Command.Value)
		return
	}
	s.What, s.Where = "judged", x.Node
	switch {
	case x.Verdict == scada.Rejected:
		s.Text, s.Cause = fmt.Sprintf("frame %d is rejected: %s", x.Frame, x.Reason), string(scada.TagRejected)
	case x.Verdict == scada.Duplicate:
		s.Text = fmt.Sprintf("frame %d is a duplicate: obeyed before", x.Frame)
	case x.Command.Kind == "":
		s.Text = fmt.Sprintf("frame %d: tag and replay window let it pass, it asks for nothing new", x.Frame)
	default:
		s.Text = fmt.Sprintf("frame %d: tag and replay window let it pass", x.Frame)
	}
}

// span is a duration for people.
func span(ns int64) string {
	switch {
	case ns == 0:
		return "0 ms"
	case ns < 1e6:
		return strconv.FormatFloat(float64(ns)/1e6, 'f', 3, 64) + " ms"
	case ns < 1e9:
		return strconv.FormatFloat(float64(ns)/1e6, 'f', 1, 64) + " ms"
	}
	return strconv.FormatFloat(float64(ns)/1e9, 'f', 2, 64) + " s"
}

// at is a time for people.
func at(ns int64) string { return strconv.FormatFloat(float64(ns)/1e9, 'f', 2, 64) + " s" }

// grouped writes 84,213.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
