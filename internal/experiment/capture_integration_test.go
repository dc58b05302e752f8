//go:build integration

package experiment

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"cosim/network"
	"cosim/scada/q3p"
	cosync "cosim/sync"
)

// tshark reads fields of the packets of a capture, a line a packet.
func tshark(t *testing.T, file, filter string, fields ...string) [][]string {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Fatalf("tshark is missing (apt-get install tshark): %v", err)
	}
	args := []string{"-X", "lua_script:" + filepath.Join(filepath.Dir(file), q3pName), "-N", "n", "-r", file, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-Y", filter, "-T", "fields", "-E", "separator=;"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	var complaints strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, complaints.String())
	}
	var lines [][]string
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.Split(strings.TrimSuffix(line, "\n"), ";"))
	}
	return lines
}

// complaint is what tshark finds wrong: notes, warnings and errors.
const complaint = "_ws.malformed || _ws.expert.severity >= 4194304"

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// nanoseconds reads "290.150000000".
func nanoseconds(t *testing.T, text string) int64 {
	t.Helper()
	s, ns, _ := strings.Cut(text, ".")
	return number(t, s)*1e9 + int64(math.Round(1e9*mustFloat(t, "0."+ns)))
}

func mustFloat(t *testing.T, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What tshark reads of the wire are the frames that the control centre and the
// gateways gave to the network, octet for octet, each at the time at which an
// idle queue has sent it, or later.
func TestIntegrationTsharkReadsTheFramesOfARun(t *testing.T) {
	d := besieged(t)
	sent := map[uint64]cosync.Message{}
	observer := watch(func(f *cosync.Frame) {
		i, _ := f.Index("scada.frames")
		for _, m := range f.Outputs[i].Messages {
			sent[m.ID] = m
		}
	})
	r, err := Run(context.Background(), d, RunOptions{Out: t.TempDir(), Frames: spans(t, AllFrames), Observers: []cosync.Observer{observer}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(r.Dir, framesFolder, wireName)
	for _, line := range tshark(t, file, complaint, "frame.number", "_ws.col.Info") {
		t.Errorf("tshark complains: %v", line)
	}
	links, processing := map[string]network.Link{}, map[string]float64{}
	for _, l := range d.networkConfig().Links {
		links[l.Name] = l
	}
	for _, n := range d.networkConfig().Nodes {
		processing[n.Name] = n.ProcessingS
	}
	ids := map[int64]bool{}
	idle, later := 0, 0
	for _, p := range tshark(t, file, `ip.ttl == 64 && !(frame.comment contains "adversary: ")`, "frame.packet_id", "frame.time_epoch",
		"frame.interface_name", "ip.src_host", "ip.dst_host", "udp.payload", "frame.len", "frame.comment",
		"q3p.message_id", "q3p.mode", "q3p.command", "q3p.channel", "q3p.encryption_key_id", "q3p.authentication_key_id") {
		m := sent[uint64(number(t, p[0]))]
		ids[number(t, p[0])] = true
		path := strings.Split(m.To, ">")
		if hex.EncodeToString(m.Payload) != p[5] || number(t, p[6]) != int64(28+len(m.Payload)) || p[3] != path[0] || p[4] != path[len(path)-1] {
			t.Fatalf("tshark reads %v, sent was %+v", p, m)
		}
		h, err := q3p.DecodeHeader(m.Payload)
		if want := fmt.Sprint(h.MessageID, uint8(q3p.OTP-h.Mode), uint8(h.Command), h.Channel, h.EncryptionKeyID, h.AuthKeyID); err != nil || strings.Join(p[8:], " ") != want {
			t.Fatalf("tshark reads %v, the header is %s (%v)", p[8:], want, err)
		}
		l := links[p[2]]
		if ends := [2]string{l.A, l.B}; ends != [2]string{path[0], path[1]} && ends != [2]string{path[1], path[0]} {
			t.Fatalf("frame on the way %s begins on link %s", m.To, p[2])
		}
		if strings.Contains(p[7], "not sent") {
			continue
		}
		service := int64(float64(8*(28+len(m.Payload)))*1e9/l.RateBPS + processing[path[0]]*1e9 + 0.5)
		switch wait := nanoseconds(t, p[1]) - int64(m.At) - service; {
		case wait < -1:
			t.Fatalf("%v is %d ns too early for %+v", p, -wait, m)
		case wait <= 1:
			idle++
		default:
			later++
		}
	}
	f := r.Summary.Conservation.Frames
	if int64(len(ids)) != int64(len(sent)) || int64(len(ids)) != f.Sent-r.Summary.Attacks.Replayed-r.Summary.Attacks.Injected {
		t.Errorf("tshark reads %d frames, %d were sent; the figures have %+v", len(ids), len(sent), f)
	}
	if idle < len(ids)/3 {
		t.Errorf("%d of %d frames came to an idle queue", idle, idle+later)
	}
	t.Logf("%d packets on links, %d frames, %d of them at idle queues", r.Frames.Packets, len(ids), idle)
}

// The plain capture is IEC 104 to tshark: every APDU, with the types of the
// tasks, measurements at the times of their own time tags.
func TestIntegrationTsharkReadsTheAPDUsOfARun(t *testing.T) {
	r, _ := captured(t, besieged(t), AllFrames)
	file := filepath.Join(r.Dir, framesFolder, apdusName)
	for _, line := range tshark(t, file, complaint, "frame.number", "_ws.col.Info") {
		t.Errorf("tshark complains: %v", line)
	}
	types := map[string]int{}
	for _, p := range tshark(t, file, "iec60870_104", "iec60870_asdu.typeid") {
		types[p[0]]++
	}
	total := 0
	for _, n := range types {
		total += n
	}
	if int64(total) != r.Frames.APDUs {
		t.Errorf("tshark reads %d APDUs (by type: %v), %d were written", total, types, r.Frames.APDUs)
	}
	for _, c := range r.Summary.Tasks.ByClass {
		typ := map[string]string{"pmu": "36", "interrogation": "100"}[c.Class]
		if c.Class == "pmu" && int64(types[typ]) != int64(c.Triggers) || types[typ] < int(c.Triggers) && typ != "" {
			t.Errorf("%d APDUs of type %s for %d tasks of %s", types[typ], typ, c.Triggers, c.Class)
		}
	}
	for _, typ := range []string{"", "13", "50", "103"} { // S frames, answers, set points, clocks
		if types[typ] == 0 {
			t.Errorf("no APDU of type %q: %v", typ, types)
		}
	}
	for _, p := range tshark(t, file, "iec60870_asdu.typeid == 36", "frame.time_epoch", "iec60870_asdu.cp56time") {
		tag := p[1][:len(p[1])/2] // of the first of two values, which have the same
		at, err := time.Parse("Jan _2, 2006 15:04:05.000000000 MST", tag)
		if err == nil && at.Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).Milliseconds() == nanoseconds(t, p[0])/1e6 {
			continue
		}
		t.Fatalf("a measurement of %q (%v) at %s", p[1], err, p[0])
	}
	if streams := tshark(t, file, "tcp.analysis.lost_segment || tcp.analysis.retransmission || tcp.analysis.out_of_order || tcp.analysis.ack_lost_segment", "frame.number"); len(streams) > 0 {
		t.Errorf("%d segments do not follow each other", len(streams))
	}
}
