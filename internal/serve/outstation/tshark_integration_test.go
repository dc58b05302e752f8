//go:build integration

package outstation

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cosim/scada/iec104"
)

// tap writes what passes a connection as a pcap file (little-endian, Ethernet,
// IPv4, TCP), from which tshark puts the stream together.
type tap struct {
	net.Conn
	mu   sync.Mutex
	file bytes.Buffer
	sent [2]uint32
}

func newTap(conn net.Conn) *tap {
	t := &tap{Conn: conn}
	for _, v := range []any{uint32(0xa1b2c3d4), uint16(2), uint16(4), uint32(0), uint32(0), uint32(1 << 16), uint32(1)} {
		_ = binary.Write(&t.file, binary.LittleEndian, v) // a bytes.Buffer takes all
	}
	return t
}

func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.note(1, b[:n])
	return n, err
}

func (t *tap) Write(b []byte) (int, error) {
	t.note(0, b)
	return t.Conn.Write(b)
}

// note writes a segment from the master (0) or the station (1).
func (t *tap) note(from int, payload []byte) {
	if len(payload) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	const headers = 14 + 20 + 20
	ports := [2]uint16{40000, 2404}
	p := make([]byte, headers, headers+len(payload))
	p[12] = 0x08
	ip, tcp := p[14:], p[34:]
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(40+len(payload)))
	copy(ip[12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
	binary.BigEndian.PutUint16(tcp, ports[from])
	binary.BigEndian.PutUint16(tcp[2:], ports[1-from])
	binary.BigEndian.PutUint32(tcp[4:], 1+t.sent[from])
	binary.BigEndian.PutUint32(tcp[8:], 1+t.sent[1-from])
	tcp[12], tcp[13], tcp[14], tcp[15] = 5<<4, 0x18, 0xff, 0xff
	t.sent[from] += uint32(len(payload))
	now := time.Now()
	for _, v := range []uint32{uint32(now.Unix()), uint32(now.Nanosecond() / 1000), uint32(headers + len(payload)), uint32(headers + len(payload))} {
		_ = binary.Write(&t.file, binary.LittleEndian, v)
	}
	t.file.Write(append(p, payload...))
}

func tshark(t *testing.T, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Fatalf("tshark is missing (apt-get install tshark): %v", err)
	}
	var complaints strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, complaints.String())
	}
	return string(out)
}

// A whole session over TCP, with every kind of question and answer, is read by
// an independent dissector without a complaint.
func TestIntegrationTsharkReadsASession(t *testing.T) {
	p := newPlant(t)
	p.cfg.Operate = func(_ Order, done func()) error { done(); return nil }
	address := serving(t, &Server{Station: p.Station}, nil)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	wire := newTap(conn)
	r := newRemote(t, wire)
	r.start()
	r.ask(iec104.CIcNa1, iec104.QualifierObject(0, 20))
	for r.next() != "C_IC_NA_1 cot 10" {
	}
	r.ask(iec104.CCiNa1, iec104.QualifierObject(0, 5))
	for r.next() != "C_CI_NA_1 cot 10" {
	}
	now := iec104.TimeTag(epoch)
	for i, o := range []struct {
		t iec104.TypeID
		iec104.Object
	}{
		{iec104.CCsNa1, iec104.Object{}.At(now)},
		{iec104.CTsTa1, iec104.Object{Value: 1}.At(now)},
		{iec104.CDcNa1, iec104.DoubleObject(2001, iec104.DoubleOff, iec104.Select)},
		{iec104.CScNa1, iec104.SingleObject(9999, true, 0)},
		{iec104.CScTa1, iec104.SingleObject(2001, true, iec104.Select).At(now)},
		{iec104.CSeNa1, iec104.NormalizedObject(2002, 2, 0)},
	} {
		r.ask(o.t, o.Object)
		if text := r.next(); text == "" {
			t.Fatal(i)
		}
	}
	for _, o := range []iec104.Object{iec104.DoubleObject(2001, iec104.DoubleOff, iec104.Select), iec104.DoubleObject(2001, iec104.DoubleOff, 0)} {
		r.ask(iec104.CDcNa1, o)
		r.next()
	}
	r.want("C_DC_NA_1 cot 10 2001")
	r.ask(iec104.CSeNb1, iec104.ScaledObject(2002, 3, 0))
	r.want("C_SE_NB_1 cot 7 2002", "C_SE_NB_1 cot 10 2002")
	r.ask(iec104.CSeTc1, iec104.FloatObject(2002, 3, 0).At(now))
	r.want("C_SE_TC_1 cot 7 2002", "C_SE_TC_1 cot 10 2002")
	for i := range p.values {
		p.values[i] = float64(i%2 + 1)
	}
	p.Image().Update(epoch, p.values, 0)
	for seen := map[string]bool{}; len(seen) < 7; {
		kind, _, _ := strings.Cut(r.next(), " ")
		seen[kind] = true
	}
	r.send(iec104.AppendU(nil, iec104.TestFRAct))
	for r.next() != "TESTFR con" { // the rest of the values comes before
	}
	r.send(iec104.AppendU(nil, iec104.StopDTAct))
	r.want("STOPDT con")

	file := filepath.Join(t.TempDir(), "session.pcap")
	wire.mu.Lock()
	err = os.WriteFile(file, wire.file.Bytes(), 0o600)
	wire.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	info := tshark(t, "-n", "-r", file, "-T", "fields", "-e", "_ws.col.Info")
	for _, want := range []string{
		"STARTDT con", "M_EI_NA_1", "C_IC_NA_1 ActTerm", "C_CI_NA_1 ActTerm", "C_CS_NA_1 ActCon", "C_TS_TA_1 ActCon",
		"C_SC_NA_1 UkIOA_NEGA", "C_SE_NA_1 ActCon_NEGA", "C_DC_NA_1 ActTerm", "C_SE_TC_1 ActTerm", "M_SP_TB_1 Spont", "M_DP_TB_1 Spont",
		"M_ME_TD_1 Spont", "M_ME_TE_1 Spont", "M_ME_TF_1 Spont", "M_ST_NA_1 Spont", "M_BO_NA_1 Spont", "STOPDT con",
	} {
		if !strings.Contains(info, want) {
			t.Errorf("tshark shows no %q", want)
		}
	}
	if t.Failed() {
		t.Log(info)
	}
	if bad := tshark(t, "-n", "-r", file, "-Y", "_ws.malformed || _ws.expert.severity >= 4194304"); bad != "" {
		t.Errorf("tshark complains:\n%s", bad)
	}
}
