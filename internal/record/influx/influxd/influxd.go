// Package influxd runs a real InfluxDB 1.8 for integration tests: the program
// that make setup builds from source.
package influxd

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Database is made at the start; it is also the bucket.
const Database = "cosim"

// Server is a running database. Its data outlive Kill and Start.
type Server struct {
	URL   string
	Token string // user:password; empty unless Secured

	t       testing.TB
	dir     string
	command *exec.Cmd
	exited  chan struct{}
}

// New starts a server that lives until the test ends. A program that is missing
// fails the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir()}
	port, backup := freePort(t), freePort(t)
	s.URL = "http://127.0.0.1:" + port
	s.configure(port, backup, false)
	t.Cleanup(s.Kill)
	s.Start()
	s.Query(`CREATE DATABASE "` + Database + `"`)
	return s
}

// Secure makes an administrator and starts the server again so that it asks
// for a token.
func (s *Server) Secure() {
	s.t.Helper()
	s.Query(`CREATE USER "admin" WITH PASSWORD 'secret' WITH ALL PRIVILEGES`)
	s.Kill()
	u, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	s.configure(u.Port(), freePort(s.t), true)
	s.Token = "admin:secret"
	s.Start()
}

func (s *Server) configure(port, backup string, auth bool) {
	s.t.Helper()
	text := fmt.Sprintf(`reporting-disabled = true
bind-address = "127.0.0.1:%s"
[meta]
  dir = %q
[data]
  dir = %q
  wal-dir = %q
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:%s"
  auth-enabled = %t
  log-enabled = false
[monitor]
  store-enabled = false
`, backup, filepath.Join(s.dir, "meta"), filepath.Join(s.dir, "data"), filepath.Join(s.dir, "wal"), port, auth)
	if err := os.WriteFile(filepath.Join(s.dir, "influxdb.conf"), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// program finds what make setup has built, from any folder of the repository.
func program(t testing.TB) string {
	t.Helper()
	const name = ".cache/influxdb-1.8.10/influxd"
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if path := filepath.Join(dir, name); exists(path) {
			return path
		}
		if exists(filepath.Join(dir, "go.mod")) {
			t.Fatalf("%s is missing: make setup builds it", name)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Start starts the server, or starts it again, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.command = exec.Command(program(s.t), "-config", filepath.Join(s.dir, "influxdb.conf"))
	s.command.Stdout, s.command.Stderr = log, log
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited, command := make(chan struct{}), s.command
	s.exited = exited
	go func() { _ = command.Wait(); close(exited) }()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		answer, err := http.Get(s.URL + "/ping")
		if err == nil {
			answer.Body.Close()
			return
		}
		select {
		case <-exited:
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			s.t.Fatalf("influxd has ended:\n%s", text)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("influxd does not answer: %v", err)
		}
	}
}

// Kill ends the server as a crash would.
func (s *Server) Kill() {
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill()
	<-s.exited
	s.command = nil
}

// Series is a table of an answer.
type Series struct {
	Name    string            `json:"name"`
	Tags    map[string]string `json:"tags"`
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"`
}

// Query asks in InfluxQL; a mistake in the question fails the test.
func (s *Server) Query(question string) []Series {
	s.t.Helper()
	all, err := s.Ask(question)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// Ask is Query with the mistake as an error.
func (s *Server) Ask(question string) ([]Series, error) {
	form := url.Values{"db": {Database}, "q": {question}, "epoch": {"ns"}}
	request, err := http.NewRequest(http.MethodPost, s.URL+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if s.Token != "" {
		request.Header.Set("Authorization", "Token "+s.Token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error   string `json:"error"`
		Results []struct {
			Error  string   `json:"error"`
			Series []Series `json:"series"`
		} `json:"results"`
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	if err := d.Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w in %s", question, err, body)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("%s: %s", question, answer.Error)
	}
	var all []Series
	for _, r := range answer.Results {
		if r.Error != "" {
			return nil, fmt.Errorf("%s: %s", question, r.Error)
		}
		all = append(all, r.Series...)
	}
	return all, nil
}

// Number is the only value of an answer, 0 if there is none.
func (s *Server) Number(question string) float64 {
	s.t.Helper()
	all := s.Query(question)
	if len(all) == 0 {
		return 0
	}
	if len(all) != 1 || len(all[0].Values) != 1 || len(all[0].Columns) != 2 {
		s.t.Fatalf("%s: expected one value, got %v", question, all)
	}
	x, ok := all[0].Values[0][1].(float64)
	if !ok {
		s.t.Fatalf("%s: %v is no number", question, all[0].Values[0][1])
	}
	return x
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
