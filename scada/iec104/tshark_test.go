//go:build integration

package iec104

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// everyFrame is each type in each form that we emit, every U function and an S
// frame, with what tshark calls them in its info column.
func everyFrame(t *testing.T) (frames [][]byte, info []string) {
	t.Helper()
	var s Association
	add := func(frame []byte, err error, want string) {
		if err != nil {
			t.Fatal(err)
		}
		frames, info = append(frames, frame), append(info, want)
	}
	for _, f := range []Function{StartDTAct, StartDTCon, TestFRAct, TestFRCon, StopDTAct, StopDTCon} {
		add(AppendU(nil, f), nil, "U ("+f.String()+")")
	}
	add(s.AppendS(nil), nil, "S (0)")
	tag := TimeTag(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))
	for _, id := range Types() {
		l := &layouts[id]
		a := ASDU{Type: id, Cause: Spontaneous, CommonAddr: 39, Objects: []Object{QualifierObject(100, 1).At(tag)}}
		switch {
		case id == MEiNa1:
			a.Cause = Initialised
		case l.single:
			a.Cause = Activation
		}
		frame, err := s.AppendI(nil, &a)
		add(frame, err, "ASDU=39 "+id.String())
		if l.single {
			a.Cause, a.Negative, a.Test = ActivationCon, true, true
			frame, err = s.AppendI(nil, &a)
			add(frame, err, id.String()+" ActCon")
			continue
		}
		for i := range 5 {
			a.Objects = append(a.Objects, QualifierObject(uint32(101+i), Invalid).At(tag))
		}
		frame, err = s.AppendI(nil, &a)
		add(frame, err, id.String())
		if l.sequenceAllowed() {
			a.Sequence = true
			frame, err = s.AppendI(nil, &a)
			add(frame, err, id.String())
		}
	}
	return frames, info
}

// tshark runs the program and returns its output by lines.
func tshark(t *testing.T, args ...string) []string {
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
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n")
}

// Notes, warnings and errors count as complaints.
const complaint = "_ws.malformed || _ws.expert.severity >= 4194304"

// On any port: the dissector is told which.
func TestIntegrationTsharkReadsEveryFrameWeEmit(t *testing.T) {
	const port, peer = 12404, 40000
	frames, info := everyFrame(t)
	var segments []segment
	for _, f := range frames {
		segments = append(segments, segment{port, peer, f})
	}
	file := filepath.Join(t.TempDir(), "frames.pcap")
	if err := os.WriteFile(file, writeSegments(segments), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-n", "-r", file, "-d", "tcp.port==12404,iec60870_104"}

	lines := tshark(t, append(args, "-T", "fields", "-e", "_ws.col.Info")...)
	if len(lines) != len(frames) {
		t.Fatalf("tshark shows %d packets of %d", len(lines), len(frames))
	}
	for i, line := range lines {
		if flat := strings.Join(strings.Fields(line), " "); !strings.Contains(flat, info[i]) {
			t.Errorf("%x: tshark reads %q, want %q", frames[i], flat, info[i])
		}
	}
	complaints := tshark(t, append(args, "-Y", complaint)...)
	for _, line := range complaints {
		t.Errorf("tshark complains: %s", line)
	}
}

// The same check does find fault with a frame whose last octet is cut off and
// with one that has an octet too many.
func TestIntegrationTsharkFindsFault(t *testing.T) {
	for _, size := range []int{-1, 1} {
		a := ASDU{Type: CSeTc1, Cause: Activation, CommonAddr: 1, Objects: []Object{{IOA: 1}}}
		frame, err := AppendI(nil, 0, 0, &a)
		if err != nil {
			t.Fatal(err)
		}
		frame = append(frame, 0)[:len(frame)+size]
		frame[1] = byte(len(frame) - 2)
		file := filepath.Join(t.TempDir(), "bad.pcap")
		if err := os.WriteFile(file, writeSegments([]segment{{12404, 40000, frame}}), 0o600); err != nil {
			t.Fatal(err)
		}
		out := tshark(t, "-n", "-r", file, "-d", "tcp.port==12404,iec60870_104", "-Y", complaint)
		if len(out) == 0 {
			t.Errorf("tshark accepts a frame of %d octets too many", size)
		}
	}
}
