package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cosim/internal/experiment"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}

// quiet is a short S-2 without disturbances.
func quiet(duration string) experiment.Overrides {
	return experiment.Overrides{Set: []string{"duration=" + duration, "disturbances.contingencies.count=0", "disturbances.surges.count=0"}}
}

// service is a server under test, and a client of it.
type service struct {
	t *testing.T
	*Server
	url   string
	token string
	log   *safeBuffer
}

// safeBuffer takes what several goroutines log.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const (
	operatorToken = "0123456789abcdef-operator"
	centreToken   = "0123456789abcdef-centre"
	gatewayToken  = "0123456789abcdef-gateway"
)

func tokenFile(t *testing.T) string {
	file := filepath.Join(t.TempDir(), "tokens")
	text := "operator " + operatorToken + "\nCC " + centreToken + "\nGW1 " + gatewayToken + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// serving runs a server, with a first run if its configuration names one, until
// the test ends.
func serving(t *testing.T, c Config) *service {
	t.Helper()
	s := &service{t: t, log: &safeBuffer{}}
	c.HTTP, c.Log = "127.0.0.1:0", slog.New(slog.NewTextHandler(s.log, nil))
	var first *experiment.Definition
	var err error
	if c.Experiment != "" {
		if first, err = experiment.Load(c.Experiment, c.Overrides); err != nil {
			t.Fatal(err)
		}
	}
	if s.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + s.Addr()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, first) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

// call asks and decodes the answer.
func (s *service) call(method, path, body string, status int) map[string]any {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		s.t.Fatalf("%s %s: %s: %v", method, path, text, err)
	}
	if res.StatusCode != status {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, path, res.StatusCode, status, text)
	}
	return v
}

// until waits for a state of the current run.
func (s *service) until(state string) map[string]any {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if r := s.current(); r != nil {
			if v := s.call("GET", "/v1/runs/current", "", 200); v["state"] == state {
				return v
			}
		}
	}
	s.t.Fatalf("no run becomes %s: %v\n%s", state, s.call("GET", "/v1/runs/current", "", 200), s.log)
	return nil
}

// eventsOf are the recorded events of a run, as lines of CSV.
func eventsOf(t *testing.T, dir string) string {
	t.Helper()
	if _, err := experiment.Export([]string{dir}, true); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "events.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
