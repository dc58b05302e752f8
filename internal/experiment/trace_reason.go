package experiment

import (
	"fmt"
	"slices"
	"strings"

	"cosim/network"
	"cosim/scada"
)

// why says in a sentence or two what a person needs to know of a failure.
func (t *tracer) why(f *followed) string {
	said := ""
	switch f.ended.Cause {
	case scada.LinkDown:
		said = t.whyLink(f)
	case scada.NoKey:
		said = t.whyKey(f)
	case scada.Late:
		said = t.whyLate(f)
	case scada.QueueDrop:
		said = t.whyQueue(f)
	case scada.TagRejected:
		said = t.whyRejected(f)
	case scada.Deactivated:
		said = t.whyOff(f)
	}
	if n := f.ended.Attempts; n > 1 {
		said += fmt.Sprintf("; none of %d attempts came through by %s", n, at(f.deadlineNS))
	}
	return said
}

// lastOf is the last thing that happened before the task was decided and that
// want accepts.
func (f *followed) lastOf(want func(*happening) bool) *happening {
	for i := len(f.happened) - 1; i >= 0; i-- {
		if h := &f.happened[i]; h.atNS <= f.recordedNS && want(h) {
			return h
		}
	}
	return nil
}

// whyLink: which link, since when, and when the plan led around it.
func (t *tracer) whyLink(f *followed) string {
	h := f.lastOf(func(h *happening) bool {
		return h.drop != nil || h.trace != nil && h.trace.Cause == scada.LinkDown && (h.trace.Kind == scada.TraceHeld || t.engine == nil)
	})
	if h == nil {
		return "a frame was lost on a link"
	}
	link, said := "", ""
	switch {
	case h.drop != nil && h.drop.Link != network.NoLink:
		link = t.engine.LinkName(h.drop.Link)
		said = fmt.Sprintf("frame %d was lost there at %s", h.frame, at(h.atNS))
		if r := h.drop.Reason; r == network.Intercepted || r == network.Lost {
			return fmt.Sprintf("frame %d was lost on link %s at %s: %s", h.frame, link, at(h.atNS), dropWords[r.String()])
		}
	case h.drop != nil:
		return fmt.Sprintf("frame %d was lost at %s at %s: %s", h.frame, t.engine.NodeName(h.drop.Node), at(h.atNS), dropWords[h.drop.Reason.String()])
	case h.trace.Kind == scada.TraceHeld:
		link, said = h.trace.Link, fmt.Sprintf("%s knew, and sent nothing at %s", h.trace.Node, at(h.atNS))
	default:
		return fmt.Sprintf("frame %d was lost on %s at %s: %s", h.frame, h.trace.Leg, at(h.atNS), h.trace.Reason)
	}
	return fmt.Sprintf("link %s was down%s: %s%s", link, t.downSpan(link, h.atNS), said, t.ledAround(f, link))
}

// downSpan is " from 258.18 s to 262.90 s", of a break at a time.
func (t *tracer) downSpan(link string, atNS int64) string {
	for _, b := range t.breaks {
		if b.link != link || b.fromNS > atNS || b.toNS < atNS {
			continue
		}
		if b.toNS == never {
			return " from " + at(b.fromNS)
		}
		return fmt.Sprintf(" from %s to %s", at(b.fromNS), at(b.toNS))
	}
	return ""
}

// ledAround says when the plan left a link that was down, and when the gateway
// of a measurement knew.
func (t *tracer) ledAround(f *followed, link string) string {
	if len(t.cfg.Chains[f.chain].Routes) < 2 || t.def.Reconfigure.Solver == SolverNone && len(t.plans[f.chain]) == 0 {
		return "; the plan never changes in this run"
	}
	from := f.triggerNS
	for _, b := range t.breaks {
		if b.link == link && b.toNS > f.triggerNS && b.fromNS <= f.recordedNS {
			from = b.fromNS
			break
		}
	}
	avoids := func(p planChange) bool {
		return p.atNS >= from && !p.option.Off && !t.uses(t.cfg.Chains[f.chain].Routes[p.option.Route], link)
	}
	planned := slices.IndexFunc(t.plans[f.chain], func(p planChange) bool { return p.gateway == "" && avoids(p) })
	if planned < 0 {
		return "; the plan did not lead around it in time"
	}
	said := fmt.Sprintf("; the plan led around it at %s", at(t.plans[f.chain][planned].atNS))
	if !t.up(f) {
		return said
	}
	told := slices.IndexFunc(t.plans[f.chain], func(p planChange) bool { return p.gateway != "" && avoids(p) })
	if told < 0 {
		return said + ", the order had not reached the gateway a second later"
	}
	p := t.plans[f.chain][told]
	return said + fmt.Sprintf("; %s had the order at %s", p.gateway, at(p.atNS))
}

func (t *tracer) whyKey(f *followed) string {
	h := f.lastOf(func(h *happening) bool { return h.trace != nil && h.trace.Kind == scada.TraceShort })
	if h == nil {
		return "a pool on the route could not give the key"
	}
	x := h.trace
	said := fmt.Sprintf("%s could give %s bit at %s; the %s in %s needs %s", t.supply(x.Link), grouped(x.HeldBits), at(x.AtNS), x.Message, x.Option.Mode, grouped(x.Bits))
	if safe := t.safeBits(x.Link); safe > 0 && !t.highest(f) {
		said += fmt.Sprintf(" (%s bit are kept for the highest priority)", grouped(safe))
	}
	if down := t.downSpan(x.Link, x.AtNS); down != "" {
		said += "; its link was down" + down
	}
	return said
}

// safeBits is the reserve of a link's pool.
func (t *tracer) safeBits(link string) int64 {
	for _, l := range t.def.quantumLinks() {
		if c := t.def.poolConfig(l); l.Name == link && c.EnforceSafe {
			return c.SafeBits
		}
	}
	return 0
}

func (t *tracer) highest(f *followed) bool {
	return !slices.ContainsFunc(t.cfg.Chains, func(c scada.Chain) bool { return c.Priority > t.cfg.Chains[f.chain].Priority })
}

// whyLate: where the time went.
func (t *tracer) whyLate(f *followed) string {
	var longest int64
	what := ""
	more := func(ns int64, where string) {
		if ns > longest {
			longest, what = ns, where
		}
	}
	for i := range f.happened {
		switch h := &f.happened[i]; {
		case h.atNS > f.deadlineNS:
		case h.pass != nil:
			q := t.queue(h.pass.Queue)
			more(h.pass.ServedNS-h.pass.EnqueuedNS, "waiting in the queue "+q)
			more(h.pass.DepartNS-h.pass.ServedNS, "being sent at "+q)
			more(h.pass.ArriveNS-h.pass.DepartNS, "on the link "+q)
			more(t.heldUp(f, h), "with an adversary behind "+q)
		case h.trace != nil && h.trace.Kind == scada.TraceFrame:
			more(h.trace.WaitNS, "waiting for key at "+h.trace.Node)
			more(h.trace.ServiceNS-h.trace.WaitNS, "ciphering at "+h.trace.Node)
		}
	}
	allowed := span(f.deadlineNS - f.triggerNS)
	said := fmt.Sprintf("it was still under way when its %s were over", allowed)
	if end := t.arrival(f); end > 0 {
		said = fmt.Sprintf("it took %s, %s were allowed", span(end-f.triggerNS), allowed)
	}
	if what != "" {
		said += fmt.Sprintf("; the longest part, %s, %s", span(longest), what)
	}
	return said
}

// heldUp is how long an adversary delayed the frame of a pass.
func (t *tracer) heldUp(f *followed, pass *happening) int64 {
	for i := range f.happened {
		if h := &f.happened[i]; h.mark == network.Delayed.String() && h.frame == pass.frame {
			last := slices.IndexFunc(f.happened, func(x happening) bool { return x.pass != nil && x.frame == pass.frame && x.atNS > pass.atNS })
			if last < 0 {
				return h.atNS - pass.pass.ArriveNS
			}
		}
	}
	return 0
}

// arrival is when the message of the task itself reached its end, too late; 0
// if it did not.
func (t *tracer) arrival(f *followed) int64 {
	c := &t.cfg.Chains[f.chain]
	for i := range f.happened {
		h := &f.happened[i]
		switch {
		case h.atNS <= f.deadlineNS:
		case h.grid != nil && !h.grid.Obeyed && h.grid.Verdict == scada.Valid:
			return h.atNS
		case h.trace != nil && h.trace.Kind == scada.TraceOpened && h.trace.Node == t.centre(f) && (t.up(f) || c.Task == scada.TaskInterrogation && h.trace.Message == "termination"):
			return h.atNS
		}
	}
	return 0
}

func (t *tracer) whyQueue(f *followed) string {
	h := f.lastOf(func(h *happening) bool { return h.drop != nil })
	if h == nil {
		return "a queue was full"
	}
	if h.drop.Reason != network.Overflow || h.drop.Link == network.NoLink {
		return fmt.Sprintf("frame %d was lost at %s at %s: %s", h.frame, t.engine.NodeName(h.drop.Node), at(h.atNS), dropWords[h.drop.Reason.String()])
	}
	return fmt.Sprintf("the queue of %s at link %s was full at %s: frame %d was dropped", t.engine.NodeName(h.drop.Node), t.engine.LinkName(h.drop.Link), at(h.atNS), h.frame)
}

func (t *tracer) whyRejected(f *followed) string {
	h := f.lastOf(func(h *happening) bool {
		return h.grid != nil && h.grid.Verdict == scada.Rejected || h.trace != nil && h.trace.Kind == scada.TraceRefused && h.trace.Verdict == scada.Rejected
	})
	if h == nil {
		return "a receiver refused the frame"
	}
	node, reason := "", ""
	if h.grid != nil {
		node, reason = h.grid.Node, h.grid.Reason
	} else {
		node, reason = h.trace.Node, h.trace.Reason
	}
	said := fmt.Sprintf("%s refused frame %d at %s (%s)", node, h.frame, at(h.atNS), strings.TrimPrefix(reason, "scada: "+node+": "))
	for i := range f.happened {
		if m := f.happened[i]; m.mark != "" && m.frame == h.frame {
			return said + ": an adversary had " + attackWords[m.mark] + " it on the way"
		}
	}
	return said
}

// whyOff: since when, and whether it came back.
func (t *tracer) whyOff(f *followed) string {
	since, back := "", ""
	for _, p := range t.plans[f.chain] {
		switch {
		case t.up(f) == (p.gateway == ""): // what counts for measurements is the gateway's order
		case p.option.Off && p.atNS <= f.recordedNS && (since == "" || back != ""):
			since, back = " since "+at(p.atNS), ""
		case !p.option.Off && since != "" && back == "":
			back = "; it was on again at " + at(p.atNS)
			if p.atNS <= f.triggerNS {
				since, back = "", ""
			}
		}
	}
	return "the plan had switched the chain off" + since + back
}
