package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// manyRuns writes a sweep of 200 short runs.
func manyRuns(t *testing.T) (file string) {
	t.Helper()
	data, err := filepath.Abs("../../internal/sweep/testdata")
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "many.yaml")
	text := fmt.Sprintf("experiments: [%s/pair.yaml, %[1]s/other.yaml]\nseeds: 1..25\nset: {case: %[1]s/pair, duration: 30s}\nvary: {quantum.break_rate_hz: [0.01, 0.02, 0.05, 0.1]}\n", data)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// started is a command in a process of its own.
type started struct {
	*exec.Cmd
	out bytes.Buffer
}

func start(t *testing.T, args ...string) *started {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &started{Cmd: &exec.Cmd{Path: self, Args: append([]string{"cosim"}, args...)}}
	file, err := os.CreateTemp(t.TempDir(), "said")
	if err != nil {
		t.Fatal(err)
	}
	p.Stdout, p.Stderr = &p.out, file
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() }) // unless it has ended
	return p
}

// said is what it has written to stderr so far.
func (p *started) said() string {
	text, _ := os.ReadFile(p.Stderr.(*os.File).Name())
	return string(text)
}

// until waits for something to become true, while the process goes on.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited a minute for ", what)
		}
	}
}

// resultsIn counts the lines of each run in a sweep's journal.
func resultsIn(dir string) map[string]int {
	text, _ := os.ReadFile(filepath.Join(dir, "results.jsonl"))
	count := map[string]int{}
	for line := range strings.Lines(string(text)) {
		if id, rest, ok := strings.Cut(strings.TrimPrefix(line, `{"run":"`), `"`); ok && rest != "" && strings.HasPrefix(line, `{"run":`) {
			count[id]++
		}
	}
	return count
}

func sameTables(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{"results.parquet", "summary.json"} {
		x, errX := os.ReadFile(filepath.Join(a, name))
		y, errY := os.ReadFile(filepath.Join(b, name))
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			t.Errorf("%s of %d bytes is not that of %d bytes (%v, %v)", name, len(x), len(y), errX, errY)
		}
	}
}

// Two worker processes make 200 runs, and one of them is killed on the way: all
// results, none twice, and the same as without workers. The sweep itself is
// killed on the way as well.
func TestSweepOutlivesKills(t *testing.T) {
	file, base := manyRuns(t), t.TempDir()
	alone, many := filepath.Join(base, "alone"), filepath.Join(base, "many")
	if p := start(t, "sweep", file, "--quiet", "--out", alone); p.Wait() != nil {
		t.Fatal(p.said())
	}
	sweep := func() (p *started, address string) {
		p = start(t, "sweep", file, "--quiet", "--out", many, "--parallel", "0", "--listen", "127.0.0.1:0", "--lease", "1s")
		until(t, "the address", func() bool {
			var whole bool
			_, address, _ = strings.Cut(p.said(), "--nats ")
			address, _, whole = strings.Cut(address, "\n")
			return whole
		})
		return p, address
	}
	first, address := sweep()
	victim, steady := start(t, "worker", "--nats", address, "--parallel", "1"), start(t, "worker", "--nats", address, "--parallel", "1")
	until(t, "30 results", func() bool { return len(resultsIn(many)) >= 30 })
	_ = victim.Process.Kill() // SIGKILL
	_ = victim.Wait()
	until(t, "60 results", func() bool { return len(resultsIn(many)) >= 60 })
	_ = first.Process.Kill()
	_ = first.Wait()
	_ = steady.Process.Kill() // the address is another one now
	_ = steady.Wait()
	before := len(resultsIn(many))
	if before >= 200 {
		t.Fatal("nothing was left to go on with")
	}

	second, address := sweep()
	third, fourth := start(t, "worker", "--nats", address, "--parallel", "1"), start(t, "worker", "--nats", address, "--parallel", "1")
	until(t, "20 more results", func() bool { return len(resultsIn(many)) >= before+20 })
	_ = third.Process.Kill()
	_ = third.Wait()
	if err := second.Wait(); err != nil {
		t.Fatal(err, second.said())
	}
	if err := fourth.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := fourth.Wait(); err != nil {
		t.Errorf("a worker that is interrupted: %v, %s", err, fourth.said())
	}
	results := resultsIn(many)
	if len(results) != 200 {
		t.Errorf("%d results, want 200", len(results))
	}
	for id, n := range results {
		if n != 1 {
			t.Errorf("%s has %d results", id, n)
		}
	}
	sameTables(t, many, alone)
}
