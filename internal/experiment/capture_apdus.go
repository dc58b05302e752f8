package experiment

import (
	"encoding/binary"
	"fmt"

	"cosim/internal/record/capture"
	"cosim/network"
	"cosim/scada"
	"cosim/scada/iec104"
)

// masterPort is the TCP port of control centres, made up like the connection.
const masterPort = 49152

// apduCapture writes the APDUs that 104's ends exchange, before they are sealed,
// as if each connection were one of TCP on which nothing is lost.
type apduCapture struct {
	spans       frameSpans
	file        *capture.File
	written     int64
	address     map[string]capture.Address
	connections map[[2]string]*apduConnection // by control centre and outstation
	data        []byte
	comment     []byte
	err         error
}

// apduConnection has what each end has sent: the centre's first.
type apduConnection [2]struct {
	octets uint32 // in the capture
	next   uint16 // N(S) of its next I frame
}

func newAPDUCapture(spans frameSpans, nodes []network.Node) *apduCapture {
	c := &apduCapture{spans: spans, address: map[string]capture.Address{}, connections: map[[2]string]*apduConnection{}}
	for i, n := range nodes {
		c.address[n.Name] = capture.AddressOf(i)
	}
	return c
}

// uttered is told of an APDU that is sent.
func (c *apduCapture) uttered(u *scada.Utterance) {
	ends, from := [2]string{u.From, u.To}, 0
	if u.Uplink {
		ends, from = [2]string{u.To, u.From}, 1
	}
	conn := c.connections[ends]
	if conn == nil {
		conn = &apduConnection{}
		c.connections[ends] = conn
	}
	again := conn.repeats(from, u.Payload)
	if c.err != nil || !c.spans.have(u.AtNS) {
		return
	}
	ports := [2]uint16{masterPort, iec104.Port}
	ip := capture.Header{From: c.address[u.From], To: c.address[u.To], TTL: network.DefaultTTL, ID: uint16(u.Frame)}
	c.data = capture.AppendTCP(c.data[:0], ip, capture.Segment{
		FromPort: ports[from], ToPort: ports[1-from],
		Seq: 1 + conn[from].octets, Ack: 1 + conn[1-from].octets,
	}, u.Payload)
	conn[from].octets += uint32(len(u.Payload))
	c.comment = fmt.Appendf(c.comment[:0], "%s: %s", u.Chain, u.Message)
	if again {
		c.comment = append(c.comment, ", again"...)
	}
	c.written++
	c.err = c.file.Packet(&capture.Packet{AtNS: u.AtNS, ID: u.Frame, Comment: string(c.comment), Data: c.data})
}

// repeats says whether an I frame was sent before.
func (c *apduConnection) repeats(from int, apdu []byte) bool {
	control := binary.LittleEndian.Uint16(apdu[2:])
	if control&1 == 1 {
		return false // S or U
	}
	sent, e := control>>1, &c[from]
	if int16((sent-e.next)<<1) < 0 { // on the circle of 2¹⁵ numbers
		return true
	}
	e.next = sent + 1
	return false
}

func (c *apduCapture) pace() error {
	if c.err != nil {
		return c.err
	}
	return c.file.Pace()
}
