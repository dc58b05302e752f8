package ws_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"cosim/federates/ws"
	"cosim/sync"
)

// languages other than Go that have a client: the program that plays the
// tests' adder, and the Debian package of what runs it.
var languages = []struct{ name, interpreter, from, adder string }{
	{"Python", "python3", "python3", "testdata/peers/adder.py"},
	{"JavaScript", "node", "nodejs", "testdata/peers/adder.mjs"},
}

// program is a federate in a process of its own.
type program struct {
	cmd      *exec.Cmd
	out, err bytes.Buffer
}

// starter starts the adder of one language.
type starter func(url string, env []string, args ...string) *program

// eachLanguage runs a test in all of them.
func eachLanguage(t *testing.T, test func(t *testing.T, start starter)) {
	t.Helper()
	for i := range languages {
		inLanguage(t, i, test)
	}
}

// inLanguage runs a test in one. Where it is missing the test is skipped, but
// never in CI.
func inLanguage(t *testing.T, i int, test func(t *testing.T, start starter)) {
	t.Helper()
	l := languages[i]
	t.Run(l.name, func(t *testing.T) {
		path, err := exec.LookPath(l.interpreter)
		if err != nil {
			missing := t.Skipf
			if os.Getenv("CI") == "true" {
				missing = t.Fatalf
			}
			missing("%s is missing (apt-get install %s): %v", l.interpreter, l.from, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		t.Cleanup(cancel)
		test(t, func(url string, env []string, args ...string) *program {
			p := &program{cmd: exec.CommandContext(ctx, path, append([]string{l.adder}, args...)...)}
			p.cmd.Env = append(os.Environ(), "COSIM_URL="+url, "PYTHONPATH=python", "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
			p.cmd.Env = append(p.cmd.Env, env...)
			p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
			if err := p.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
			return p
		})
	})
}

// says checks how a program ended and what it printed.
func (p *program) says(t *testing.T, well bool, out, err string) {
	t.Helper()
	ended := p.cmd.Wait()
	if (ended == nil) != well || p.out.String() != out || !strings.Contains(p.err.String(), err) || well && p.err.Len() > 0 {
		t.Errorf("ended %v, says %q, expected %q; errors, expected %q:\n%s", ended, &p.out, out, err, &p.err)
	}
}

// amongAdders runs three adders, of which the second connects from elsewhere.
func amongAdders(t *testing.T, h *house, stop sync.Time) (string, error) {
	t.Helper()
	federates, connections := adders(3)
	h.await(t)
	federates[1] = h.Federates()[0]
	return run(federates, connections, sync.Options{Stop: stop})
}

// inProcess is what three adders leave behind.
func inProcess(t *testing.T, stop sync.Time) string {
	t.Helper()
	federates, connections := adders(3)
	want, err := run(federates, connections, sync.Options{Stop: stop})
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// Numbers, messages and events come through as they are, and the welcome with
// a seed that no double holds.
func TestClientsInOtherLanguagesLeaveNoTrace(t *testing.T) {
	const stop, seed = 3 * sync.Second, 1<<64 - 1
	want := inProcess(t, stop)
	eachLanguage(t, func(t *testing.T, start starter) {
		h := open(t, ws.Config{Run: "swap", Seed: seed, Stop: stop, Federates: []ws.Expected{{Name: "b", Token: token, Parameters: map[string]string{"droop": "0.05"}}}})
		p := start(h.url("b"), []string{"COSIM_TOKEN=" + token})
		got, err := amongAdders(t, h, stop)
		if err != nil || got != want {
			t.Errorf("fingerprint %s instead of %s, error %v", got, want, err)
		}
		p.says(t, true, "seed 18446744073709551615 droop 0.05\nclosed\nend\n", "")
	})
}

// The way that pages in a browser take, with the WebSocket that Node has for
// tests.
func TestClientForBrowsersLeavesNoTrace(t *testing.T) {
	const stop = sync.Second
	want := inProcess(t, stop)
	const javaScript = 1
	inLanguage(t, javaScript, func(t *testing.T, start starter) {
		h := open(t, ws.Config{Run: "swap", Stop: stop, Federates: []ws.Expected{{Name: "b"}}})
		p := start(h.url("b"), []string{"COSIM_BROWSER=1", "NODE_OPTIONS=--experimental-websocket --no-warnings"})
		got, err := amongAdders(t, h, stop)
		if err != nil || got != want {
			t.Errorf("fingerprint %s instead of %s, error %v", got, want, err)
		}
		p.says(t, true, "seed 0 droop undefined\nclosed\nend\n", "")
	})
}

// shears pass bytes on and cut each connection after a drawn number of them,
// wherever in a frame that is. The first connection is spared until it is
// welcome.
type shears struct {
	listener net.Listener
	mu       stdsync.Mutex
	random   *rand.Rand
	cuts     int
	busy     stdsync.WaitGroup
}

func newShears(t *testing.T, to string) *shears {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &shears{listener: listener, random: rand.New(rand.NewPCG(3, 5))}
	s.busy.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			s.busy.Go(func() { s.pass(in, to) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); s.busy.Wait() })
	return s
}

func (s *shears) pass(in net.Conn, to string) {
	out, err := net.Dial("tcp", to)
	if err != nil {
		_ = in.Close()
		return
	}
	s.mu.Lock()
	there, back := 300+s.random.Int64N(20000), 300+s.random.Int64N(20000)
	if s.cuts == 0 {
		there, back = there+4000, back+4000
	}
	s.cuts++
	s.mu.Unlock()
	var one stdsync.WaitGroup
	for _, way := range []struct {
		to, from net.Conn
		most     int64
	}{{out, in, there}, {in, out, back}} {
		one.Go(func() {
			_, _ = io.CopyN(way.to, way.from, way.most)
			_ = in.Close()
			_ = out.Close()
		})
	}
	one.Wait()
}

// Whenever the connection breaks, no step is lost and none is made twice.
func TestClientsInOtherLanguagesComeBack(t *testing.T) {
	const stop = 3 * sync.Second
	want := inProcess(t, stop)
	eachLanguage(t, func(t *testing.T, start starter) {
		h := open(t, ws.Config{Stop: stop, Federates: []ws.Expected{{Name: "b", Grace: 20 * time.Second, Deadline: 20 * time.Second}}})
		s := newShears(t, h.at)
		start("ws://"+s.listener.Addr().String()+"/v1/federates/b", nil)
		got, err := amongAdders(t, h, stop)
		if err != nil || got != want {
			t.Errorf("fingerprint %s instead of %s, error %v", got, want, err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.cuts < 6 {
			t.Errorf("only %d connections", s.cuts)
		}
	})
}

// What may not be sent is not: the program says what is wrong, and the master
// hears it.
func TestClientsInOtherLanguagesRefuseTheirOwnMistakes(t *testing.T) {
	mistakes := map[string]string{
		"nan":      "step 5: out, b: expected a finite number, got ",
		"infinite": "step 5: news[0], value: expected a finite number, got ",
		"short":    "step 5: out: expected 2 values, got 1",
		"word":     "step 5: out, a: expected a number, got ",
		"port":     "step 5: expected the outputs out, mail, news, got ",
		"late":     "step 5: mail[0]: expected at_ns in [50000000, 60000000), got 60000000",
		"key":      "step 5: news[0]: unknown key ",
		"text":     "step 5: mail[0]: expected a payload of bytes",
		"number":   " of outputs, got 5",
		"raise":    "Error: no licence",
		"start":    "Error: no licence",
	}
	eachLanguage(t, func(t *testing.T, start starter) {
		houses, programs := map[string]*house{}, map[string]*program{}
		for wrong := range mistakes { // they take longer to start than to run
			houses[wrong] = open(t, ws.Config{Stop: sync.Second, Federates: []ws.Expected{{Name: "b"}}})
			programs[wrong] = start(houses[wrong].url("b"), nil, wrong)
		}
		for wrong, says := range mistakes {
			_, err := amongAdders(t, houses[wrong], sync.Second)
			var told *ws.Error
			if !errors.As(err, &told) || told.Code != ws.CodeFailed || !strings.Contains(told.Message, says) {
				t.Errorf("%s: the master heard %v", wrong, err)
			}
			p := programs[wrong]
			if p.cmd.Wait() == nil || !strings.Contains(p.err.String(), says) || !strings.HasSuffix(p.out.String(), "closed\n") {
				t.Errorf("%s: the program says %s, %s", wrong, &p.out, &p.err)
			}
		}
	})
}

// Programs say what they were told, and end.
func TestClientsInOtherLanguagesSayWhatTheyWereTold(t *testing.T) {
	certificate, key := certify(t, t.TempDir())
	listening := ws.Listening{Address: "127.0.0.1:0", Certificate: certificate, Key: key}
	eachLanguage(t, func(t *testing.T, start starter) {
		h := open(t, ws.Config{Stop: sync.Second, Federates: []ws.Expected{
			{Name: "b", Token: token}, {Name: "c", Check: func(sync.Description) error { return errors.New("expected an output µ") }},
		}})
		start(h.url("b"), nil).says(t, false, "closed\n", "401 Unauthorized: expected the federate's token")
		start(h.url("b"), []string{"COSIM_TOKEN=wrong"}).says(t, false, "closed\n", "401 Unauthorized: expected the federate's token")
		start(h.url("c"), nil).says(t, false, "closed\n", "the master says description: expected an output µ")
		start("ws://127.0.0.1:1/v1/federates/b", []string{"COSIM_PATIENCE=0.2"}).says(t, false, "closed\n", "ConnectionLost")

		open := open(t, ws.Config{Stop: sync.Second, Federates: []ws.Expected{{Name: "b"}}})
		start(open.url("d"), nil).says(t, false, "closed\n", `404 Not Found: no federate "d" is expected; there is b`)
		listener, err := listening.Listen()
		if err != nil {
			t.Fatal(err)
		}
		web := ws.HTTPServer(open.Server)
		web.ErrorLog = silent
		done := make(chan struct{})
		go func() { defer close(done); _ = web.Serve(listener) }()
		defer func() { _ = web.Close(); <-done }()
		start(listening.URL(listener, "b"), nil).says(t, false, "closed\n", "self")
		p := start(listening.URL(listener, "b"), []string{"COSIM_CA=" + certificate})
		got, err := amongAdders(t, open, sync.Second)
		if err != nil || got != inProcess(t, sync.Second) {
			t.Errorf("encrypted: %v", err)
		}
		_ = p.cmd.Wait() // what it printed says how
		if !strings.HasSuffix(p.out.String(), "closed\nend\n") {
			t.Errorf("encrypted: %s, %s", &p.out, &p.err)
		}
	})
}
