package experiment

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	cosync "cosim/sync"
)

// relay is a federate with all kinds of ports, which passes on what it reads.
type relay struct {
	dies cosync.Time // 0: never
}

func (relay) Describe() cosync.Description {
	return cosync.Description{
		Name: "relay", Step: 100 * cosync.Millisecond,
		Inputs: []cosync.Port{
			{Name: "in", Unit: "MW", Elements: []string{"a", "b"}}, {Name: "mail", Kind: cosync.Messages, Direct: true}, {Name: "news", Kind: cosync.Events, Direct: true},
		},
		Outputs: []cosync.Port{{Name: "out", Unit: "MW", Elements: []string{"a", "b"}}, {Name: "mail", Kind: cosync.Messages}, {Name: "news", Kind: cosync.Events}},
	}
}
func (relay) Init([]cosync.Signal) error { return nil }
func (relay) Close() error               { return nil }
func (r relay) Step(s *cosync.Step) error {
	if r.dies > 0 && s.From >= r.dies {
		return errDies
	}
	copy(s.Out[0].Values, s.In[0].Values)
	s.Out[1].Messages = append(s.Out[1].Messages, s.In[1].Messages...)
	s.Out[2].Events = append(s.Out[2].Events, s.In[2].Events...)
	return nil
}

// checked plays a federate of this process against a check, and returns what
// that printed.
func checked(t *testing.T, f cosync.Federate, codec *ws.Codec) (faults int, said string) {
	t.Helper()
	lines, out := io.Pipe()
	played := make(chan error, 1)
	var all bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		first := make([]byte, 200)
		n, _ := lines.Read(first)
		all.Write(first[:n])
		url := strings.TrimSpace(strings.TrimPrefix(string(first[:n]), "connect to "))
		go func() { played <- client.Run(context.Background(), url, f, client.Options{Codec: codec}) }()
		_, _ = io.Copy(&all, lines)
	}()
	faults, err := CheckFederate(context.Background(), out, CheckOptions{Name: "relay", Listen: "127.0.0.1:0", Duration: 2 * time.Second, Patience: 10 * time.Second})
	if err != nil {
		t.Error(err)
	}
	_ = out.Close()
	<-read
	if err := <-played; err != nil && !errors.Is(err, errDies) {
		t.Error(err)
	}
	return faults, all.String()
}

func TestGoodFederatePassesInEitherEncoding(t *testing.T) {
	for _, codec := range []*ws.Codec{ws.JSON, ws.CBOR} {
		faults, said := checked(t, relay{}, codec)
		if faults != 0 || strings.Count(said, "\nok ") != len(checkParts) {
			t.Errorf("%s: %d faults:\n%s", codec.Protocol(), faults, said)
		}
	}
}

// byEvent is the relay woken by its messages alone; it names times ahead.
type byEvent struct{ relay }

func (f byEvent) Describe() cosync.Description {
	d := f.relay.Describe()
	d.Step, d.ByEvent = 0, true
	d.Inputs[1].Wake = &cosync.Wake{}
	return d
}

func (f byEvent) Step(s *cosync.Step) error {
	s.Next = s.From + 700*cosync.Millisecond
	return f.relay.Step(s)
}

func TestGoodEventSteppedFederatePassesInEitherEncoding(t *testing.T) {
	for _, codec := range []*ws.Codec{ws.JSON, ws.CBOR} {
		faults, said := checked(t, byEvent{}, codec)
		if faults != 0 || strings.Count(said, "\nok ") != len(checkParts) || !strings.Contains(said, "hello            acts when it says; ") {
			t.Errorf("%s: %d faults:\n%s", codec.Protocol(), faults, said)
		}
	}
}

func TestLostFederateIsNotAskedForMore(t *testing.T) {
	faults, said := checked(t, relay{dies: 500 * cosync.Millisecond}, ws.CBOR)
	if faults != 1 || !strings.Contains(said, "FAULT  stale inputs     step 5, 500ms to 600ms: failed: dies\n") ||
		!strings.HasSuffix(said, "\nnot played: ping, comes back, lost answer, to the end\n") {
		t.Errorf("%d faults:\n%s", faults, said)
	}
}

func TestInterruptedCheckEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := CheckFederate(ctx, io.Discard, CheckOptions{Name: "relay", Listen: "127.0.0.1:0", Duration: time.Second, Patience: time.Minute})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestFramesAreFound(t *testing.T) {
	const upgrade = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
	for name, test := range map[string]struct {
		data string
		want []string
	}{
		"none":      {"", nil},
		"handshake": {upgrade, nil},
		"masked":    {upgrade + "\x81\x83\x01\x02\x03\x04" + "`\x60\x60", []string{"abc"}},
		"pieces":    {"\x01\x01a\x89\x00\x80\x01b\x81\x01c", []string{"ab", "c"}},
		"half":      {"\x81\x01a\x81\x05ab", []string{"a"}},
		"half head": {"\x81\x01a\x81\x7f\x00", []string{"a"}},
		"long":      {"\x82\x7e\x00\x7e" + strings.Repeat("x", 126), []string{strings.Repeat("x", 126)}},
	} {
		var got []string
		for _, m := range messagesOf([]byte(test.data)) {
			got = append(got, string(m))
		}
		if strings.Join(got, "|") != strings.Join(test.want, "|") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Whatever comes, what is found in it is no longer than it.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x81\x83\x01\x02\x03\x04abc\x01\x01a\x80\x00"))
	f.Add([]byte("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n\x88\x82"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sum := 0
		for _, x := range framesOf(data) {
			sum += 2 + len(x.payload)
		}
		if sum > len(data) {
			t.Errorf("%d bytes of %d", sum, len(data))
		}
		messagesOf(data)
		refusalIn(data)
	})
}
