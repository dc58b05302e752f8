package capture

import (
	"encoding/binary"
	"net/netip"
)

// Address is one of IPv4.
type Address [4]byte

// String returns "10.0.0.1".
func (a Address) String() string { return netip.AddrFrom4(a).String() }

// AddressOf is the made-up address of the i-th node, from 0 on: 10.0.0.1,
// 10.0.0.2, …
func AddressOf(node int) Address {
	return Address{10, byte((node + 1) >> 16), byte((node + 1) >> 8), byte(node + 1)}
}

// Header is what differs between IPv4 headers.
type Header struct {
	From, To Address
	TTL      uint8
	ID       uint16
}

// Segment is what differs between TCP headers.
type Segment struct {
	FromPort, ToPort uint16
	Seq, Ack         uint32
}

// Sizes of headers, and numbers of the protocols.
const (
	ipBytes  = 20
	udpBytes = 8
	tcpBytes = 20

	protocolTCP = 6
	protocolUDP = 17
)

// AppendUDP appends a datagram from a port to the same one.
func AppendUDP(dst []byte, h Header, port uint16, payload []byte) []byte {
	dst, start := h.append(dst, protocolUDP, udpBytes+len(payload))
	dst = binary.BigEndian.AppendUint16(dst, port)
	dst = binary.BigEndian.AppendUint16(dst, port)
	dst = binary.BigEndian.AppendUint16(dst, uint16(udpBytes+len(payload)))
	dst = append(append(dst, 0, 0), payload...)
	sum := h.checksum(protocolUDP, dst[start:])
	if sum == 0 {
		sum = 0xffff // 0 says that there is none
	}
	binary.BigEndian.PutUint16(dst[start+6:], sum)
	return dst
}

// AppendTCP appends a segment with the flags PSH and ACK.
func AppendTCP(dst []byte, h Header, s Segment, payload []byte) []byte {
	dst, start := h.append(dst, protocolTCP, tcpBytes+len(payload))
	dst = binary.BigEndian.AppendUint16(dst, s.FromPort)
	dst = binary.BigEndian.AppendUint16(dst, s.ToPort)
	dst = binary.BigEndian.AppendUint32(dst, s.Seq)
	dst = binary.BigEndian.AppendUint32(dst, s.Ack)
	const flags, window = 0x18, 0xffff
	dst = append(dst, tcpBytes/4<<4, flags)
	dst = binary.BigEndian.AppendUint16(dst, window)
	dst = append(append(dst, 0, 0, 0, 0), payload...)
	binary.BigEndian.PutUint16(dst[start+16:], h.checksum(protocolTCP, dst[start:]))
	return dst
}

// append appends the header of a packet with length octets behind it, and says
// where those begin.
func (h Header) append(dst []byte, protocol byte, length int) (_ []byte, start int) {
	ip := len(dst)
	dst = append(dst, 4<<4|ipBytes/4, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(ipBytes+length))
	dst = binary.BigEndian.AppendUint16(dst, h.ID)
	dst = append(dst, 0, 0, h.TTL, protocol, 0, 0)
	dst = append(append(dst, h.From[:]...), h.To[:]...)
	binary.BigEndian.PutUint16(dst[ip+10:], fold(sum(0, dst[ip:])))
	return dst, len(dst)
}

// checksum is that of UDP and TCP, over the addresses too.
func (h Header) checksum(protocol byte, content []byte) uint16 {
	s := sum(uint32(protocol)+uint32(len(content)), h.From[:])
	return fold(sum(sum(s, h.To[:]), content))
}

// sum adds up 16 bits at a time (RFC 1071).
func sum(s uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}

func fold(s uint32) uint16 {
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}
