package outstation

import (
	"encoding/binary"
	"os"
	"slices"
	"testing"

	"cosim/scada/iec104"
)

// recordedMaster are the frames of the master in the recorded session of
// lib60870-C (little-endian pcap, Ethernet, IPv4, TCP to port 2404).
func recordedMaster(t *testing.T) (frames [][]byte) {
	t.Helper()
	pcap, err := os.ReadFile("../../../scada/iec104/testdata/lib60870_session_basic.pcap")
	if err != nil {
		t.Fatal(err)
	}
	for b := pcap[24:]; len(b) > 0; {
		n := 16 + binary.LittleEndian.Uint32(b[8:])
		ip := b[16+14 : n]
		b = b[n:]
		tcp := ip[4*int(ip[0]&0x0f) : binary.BigEndian.Uint16(ip[2:])]
		payload := tcp[4*int(tcp[12]>>4):]
		if binary.BigEndian.Uint16(tcp[2:]) != 2404 {
			continue
		}
		for len(payload) > 0 {
			size, err := iec104.FrameLen(payload)
			if err != nil {
				t.Fatal(err)
			}
			frames, payload = append(frames, payload[:size]), payload[size:]
		}
	}
	return frames
}

// The frames of another implementation's master are answered; only what they
// acknowledge is set to what this station has sent.
func TestARecordedMasterIsAnswered(t *testing.T) {
	p := newPlant(t)
	p.cfg.CommonAddr = 1
	m := p.connect(t, "lib60870")
	for _, frame := range recordedMaster(t) {
		frame = slices.Clone(frame)
		if frame[2]&3 != 3 { // I or S
			copy(frame[4:6], m.assoc.AppendS(nil)[4:6])
		}
		if err := m.s.receive(m.now, frame); err != nil {
			t.Fatalf("% x: %v", frame, err)
		}
		for len(m.s.out) > 0 {
			n, err := iec104.FrameLen(m.s.out)
			if err != nil {
				t.Fatal(err)
			}
			var a iec104.APDU
			if err := a.Decode(m.s.out[:n]); err != nil {
				t.Fatal(err)
			}
			m.assoc.Receive(&a)
			m.got, m.s.out = append(m.got, tell(&a)), m.s.out[n:]
		}
	}
	m.expect("STARTDT con", "M_EI_NA_1 cot 4",
		"C_IC_NA_1 cot 7",
		"M_SP_NA_1 cot 20 101=0x0", "M_DP_NA_1 cot 20 201=0x0", "M_ST_NA_1 cot 20 301=0", "M_BO_NA_1 cot 20 401=0",
		"M_ME_NA_1 cot 20 501=0", "M_ME_NB_1 cot 20 601=0", "M_ME_NC_1 cot 20 701=0 702=0 703=0 … 40",
		"C_IC_NA_1 cot 10",
		"C_TS_TA_1 cot 7")
}
