package iec104

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// The least of the pcap format (little-endian, microseconds, Ethernet, IPv4,
// TCP) that reading the recorded session and handing frames to tshark takes.
const (
	pcapMagic    = 0xa1b2c3d4
	pcapHeader   = 24
	recordHeader = 16
	ethernet     = 14
)

// segment is the payload of one TCP packet.
type segment struct {
	fromPort, toPort uint16
	payload          []byte
}

// readSegments returns the packets with payload in the order of recording.
func readSegments(t testing.TB, pcap []byte) []segment {
	t.Helper()
	if len(pcap) < pcapHeader || binary.LittleEndian.Uint32(pcap) != pcapMagic {
		t.Fatal("not a little-endian pcap file")
	}
	var list []segment
	for b := pcap[pcapHeader:]; len(b) > 0; {
		n := binary.LittleEndian.Uint32(b[8:])
		ip := b[recordHeader+ethernet : recordHeader+n]
		b = b[recordHeader+n:]
		ip = ip[:binary.BigEndian.Uint16(ip[2:])]
		tcp := ip[4*int(ip[0]&0x0f):]
		if payload := tcp[4*int(tcp[12]>>4):]; len(payload) > 0 {
			list = append(list, segment{binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:]), payload})
		}
	}
	return list
}

// writeSegments is a recording of one TCP connection.
func writeSegments(list []segment) []byte {
	var out bytes.Buffer
	le := func(v ...any) {
		for _, x := range v {
			binary.Write(&out, binary.LittleEndian, x) // a bytes.Buffer takes all
		}
	}
	le(uint32(pcapMagic), uint16(2), uint16(4), uint32(0), uint32(0), uint32(1<<16), uint32(1))
	sent := map[uint16]uint32{}
	for i, s := range list {
		const headers = ethernet + 20 + 20
		le(uint32(1767323045), uint32(i), uint32(headers+len(s.payload)), uint32(headers+len(s.payload)))
		packet := make([]byte, headers, headers+len(s.payload))
		packet[12] = 0x08 // IPv4
		ip, tcp := packet[ethernet:], packet[ethernet+20:]
		ip[0], ip[8], ip[9] = 0x45, 64, 6
		binary.BigEndian.PutUint16(ip[2:], uint16(40+len(s.payload)))
		copy(ip[12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
		binary.BigEndian.PutUint16(tcp, s.fromPort)
		binary.BigEndian.PutUint16(tcp[2:], s.toPort)
		binary.BigEndian.PutUint32(tcp[4:], 1+sent[s.fromPort])
		binary.BigEndian.PutUint32(tcp[8:], 1+sent[s.toPort])
		tcp[12], tcp[13] = 5<<4, 0x18 // header length; PSH, ACK
		binary.BigEndian.PutUint16(tcp[14:], 0xffff)
		out.Write(append(packet, s.payload...))
		sent[s.fromPort] += uint32(len(s.payload))
	}
	return out.Bytes()
}

// splitFrames cuts a stream into frames.
func splitFrames(stream []byte) ([][]byte, error) {
	var frames [][]byte
	for len(stream) > 0 {
		n, err := FrameLen(stream)
		if err != nil {
			return frames, err
		}
		if n == 0 || n > len(stream) {
			return frames, fmt.Errorf("%d octets left over", len(stream))
		}
		frames, stream = append(frames, stream[:n]), stream[n:]
	}
	return frames, nil
}

func TestPcapReadsBackWhatIsWritten(t *testing.T) {
	want := []segment{{1, 2, []byte("there")}, {2, 1, []byte("and back")}, {1, 2, []byte("again")}}
	if got := readSegments(t, writeSegments(want)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read %v, wrote %v", got, want)
	}
}
