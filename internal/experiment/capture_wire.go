package experiment

import (
	"cmp"
	"slices"

	"cosim/internal/record/capture"
	"cosim/network"
)

// wireCapture writes the sealed frames on all links. A frame is written when
// it is known what became of it on a link, in the order of the times at which
// frames left the sending end.
type wireCapture struct {
	spans   frameSpans
	file    *capture.File
	written int64
	held    []*onWire
	open    map[uint32]*onWire // whose fate is open, by their place in the network
	spare   []*onWire
	data    []byte
}

// onWire is a frame on a link.
type onWire struct {
	network.Way
	atNS    int64 // of its last bit at the sending end, or of its drop
	comment string
	settled bool
}

func newWireCapture(spans frameSpans) *wireCapture {
	return &wireCapture{spans: spans, open: map[uint32]*onWire{}}
}

func (c *wireCapture) hold(w network.Way, atNS int64) *onWire {
	h := &onWire{}
	if n := len(c.spare); n > 0 {
		h, c.spare = c.spare[n-1], c.spare[:n-1]
	}
	*h = onWire{Way: w, atNS: atNS}
	c.held = append(c.held, h)
	return h
}

// passed is told of a frame that a queue begins to send.
func (c *wireCapture) passed(p network.Pass) { c.open[p.Place] = c.hold(p.Way, p.DepartNS) }

// fated is told what became of a frame on a link.
func (c *wireCapture) fated(f network.Fate) {
	h := c.open[f.Place]
	switch {
	case f.Mark == network.Injected || f.Mark == network.Untouched && !f.Dropped:
	case f.Dropped && h == nil: // refused, or never in service
		h = c.hold(f.Way, f.AtNS)
		h.say("not sent: " + f.Reason.String())
	case f.Dropped && f.AtNS < h.atNS: // the link broke under it
		h.atNS = f.AtNS
		h.say("not sent: " + f.Reason.String())
	case f.Dropped:
		h.say("dropped: " + f.Reason.String())
	default:
		h.say("then " + f.Mark.String() + " by an adversary")
	}
	if f.Dropped || f.Mark == network.Untouched || f.Mark == network.Delayed { // the end of a pass
		h.settled = true
		delete(c.open, f.Place)
		return
	}
	forged := c.hold(f.Way, f.AtNS)
	forged.say("adversary: " + f.Mark.String())
	forged.settled = true
}

func (h *onWire) say(comment string) {
	if h.comment != "" {
		comment = h.comment + ", " + comment
	}
	h.comment = comment
}

// settle writes what left before toNS, up to the first frame whose fate is open:
// no step after that brings an earlier one.
func (c *wireCapture) settle(toNS int64) error {
	n := 0
	for c.sort(); n < len(c.held) && c.held[n].settled && c.held[n].atNS < toNS; n++ {
		if err := c.write(c.held[n]); err != nil {
			return err
		}
	}
	c.spare = append(c.spare, c.held[:n]...)
	c.held = c.held[:copy(c.held, c.held[n:])]
	return c.file.Pace()
}

// writeAll also writes what is under way.
func (c *wireCapture) writeAll() error {
	c.sort()
	for _, h := range c.held {
		if err := c.write(h); err != nil {
			return err
		}
	}
	return nil
}

func (c *wireCapture) sort() {
	slices.SortStableFunc(c.held, func(a, b *onWire) int { return cmp.Compare(a.atNS, b.atNS) })
}

func (c *wireCapture) write(h *onWire) error {
	if !c.spans.have(h.atNS) {
		return nil
	}
	direction := capture.Outbound
	if h.Queue%2 == 1 {
		direction = capture.Inbound
	}
	ip := capture.Header{
		From: capture.AddressOf(int(h.From)), To: capture.AddressOf(int(h.To)),
		TTL: uint8(network.DefaultTTL - h.Hops), ID: uint16(h.ID),
	}
	c.data = capture.AppendUDP(c.data[:0], ip, capture.Q3PPort, h.Payload)
	c.written++
	return c.file.Packet(&capture.Packet{
		Interface: int(h.Queue.Link()), AtNS: h.atNS, ID: h.ID, Direction: direction, Comment: h.comment, Data: c.data,
	})
}
