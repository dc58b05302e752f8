package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosim/federates/ws/client"
	cosync "cosim/sync"
)

// integrator is an external federate whose answers depend on all it has heard.
type integrator struct{ sum float64 }

func (f *integrator) Describe() cosync.Description {
	return cosync.Description{
		Name: "integrator", Step: 10 * cosync.Millisecond,
		Inputs:  []cosync.Port{{Name: "frequency", Unit: "Hz", Elements: []string{"coi"}, Subset: true}},
		Outputs: []cosync.Port{{Name: "power", Unit: "MW", Elements: []string{"bus/16"}}},
	}
}
func (f *integrator) Init([]cosync.Signal) error { return nil }
func (f *integrator) Close() error               { return nil }
func (f *integrator) Step(s *cosync.Step) error {
	f.sum += s.In[0].Values[0]
	s.Out[0].Values[0] = -f.sum
	return nil
}

// integrate is a program of its own: it takes part in the run at the address.
func integrate() {
	if err := client.Run(context.Background(), os.Args[1], &integrator{}, client.Options{Patience: -1}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process is a command of this test program in a process of its own.
type process struct {
	*exec.Cmd
	said  bytes.Buffer
	ended chan error
}

// begin starts `cosim args`. A federate that it waits for is started as well.
func begin(t *testing.T, args ...string) *process {
	t.Helper()
	return meeting(t, func(url string) (part func()) {
		federate := &exec.Cmd{Path: os.Args[0], Args: []string{"integrator", url}}
		if err := federate.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return func() {}
		}
		return func() { _ = federate.Wait() } // it hangs up, or is hung up on
	}, args...)
}

// meeting starts `cosim args`, and tells meet where it first waits for a
// federate; when it has ended they part.
func meeting(t *testing.T, meet func(url string) (part func()), args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: &exec.Cmd{Path: self, Args: append([]string{"cosim"}, args...)}, ended: make(chan error, 1)}
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		var part func()
		lines := bufio.NewScanner(io.TeeReader(stderr, &p.said))
		for lines.Scan() {
			if _, url, waits := strings.Cut(lines.Text(), "connect to "); waits && part == nil {
				part = meet(url)
			}
		}
		err := p.Wait()
		if part != nil {
			part()
		}
		p.ended <- err
	}()
	return p
}

// kill kills it after some time, unless it has ended.
func (p *process) kill(after time.Duration) {
	select {
	case err := <-p.ended:
		p.ended <- err
	case <-time.After(after):
		_ = p.Process.Kill() // SIGKILL
	}
}

// wait returns how it ended.
func (p *process) wait() error {
	err := <-p.ended
	p.ended <- err
	return err
}

var keptFiles = []string{"manifest.yaml", "run.log", "chain.log", "boundary.log", "series.parquet", "events.parquet", "summary.json"}

// TestRunKilledAtAnyMomentIsResumed kills the program 20 times at random, and
// every second resumption too, and lets it resume.
func TestRunKilledAtAnyMomentIsResumed(t *testing.T) {
	rnd := rand.New(rand.NewPCG(20, 9))
	for _, variant := range []struct {
		name  string
		kills int
		args  []string
	}{
		{"S-2", 9, []string{"S-2", "--set", "duration=40s", "--set", "disturbances.contingencies.count=1", "--set", "disturbances.contingencies.earliest=5s", "--set", "disturbances.contingencies.duration=15s", "--set", "disturbances.surges.duration=10s"}},
		{"S-3", 4, []string{"S-3", "--set", "duration=20s", "--set", "disturbances.contingencies.count=0", "--set", "disturbances.surges.count=0"}},
		{"external", 7, []string{"S-2", "--listen", "127.0.0.1:0", "--set", "duration=10s", "--set", "disturbances.contingencies.count=0", "--set", "federates=[{name: integrator, connect: [{from: grid.frequency, to: integrator.frequency}, {from: integrator.power, to: grid.injection}]}]"}},
	} {
		t.Run(variant.name, func(t *testing.T) {
			command := func(out string) []string {
				return append([]string{"run", "--quiet", "--out", out}, variant.args...)
			}
			experiment, base := variant.args[0], t.TempDir()
			whole := begin(t, command(filepath.Join(base, "whole"))...)
			want := filepath.Join(base, "whole", experiment+"-1")
			awaitFile(t, filepath.Join(want, "run.log"), whole)
			start := time.Now()
			if err := whole.wait(); err != nil {
				t.Fatal(err, whole.said.String())
			}
			length := time.Since(start)
			for i := range variant.kills {
				var p *process
				var dir string
				for killed := false; !killed; { // it may be faster than the first was
					out := filepath.Join(base, fmt.Sprint(i))
					dir = filepath.Join(out, experiment+"-1")
					if err := os.RemoveAll(out); err != nil {
						t.Fatal(err)
					}
					p = begin(t, command(out)...)
					awaitFile(t, filepath.Join(dir, "run.log"), p)
					p.kill(time.Duration(rnd.Float64() * float64(length)))
					killed = p.wait() != nil
				}
				if i%2 == 1 {
					p = begin(t, "resume", "--quiet", dir)
					p.kill(time.Duration(rnd.Float64() * 1.5 * float64(length)))
					_ = p.wait() // killed or not
				}
				p = begin(t, "resume", "--quiet", dir)
				if err := p.wait(); err != nil {
					t.Fatalf("kill %d: %v\n%s", i, err, &p.said)
				}
				compareFiles(t, dir, want)
			}
		})
	}
}

func awaitFile(t *testing.T, path string, p *process) {
	t.Helper()
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		select {
		case err := <-p.ended:
			t.Fatalf("ended without %s: %v\n%s", path, err, &p.said)
		case <-time.After(time.Millisecond):
		}
	}
}

func compareFiles(t *testing.T, dir, want string) {
	t.Helper()
	for _, name := range keptFiles {
		x, errX := os.ReadFile(filepath.Join(dir, name))
		y, errY := os.ReadFile(filepath.Join(want, name))
		if !bytes.Equal(x, y) || os.IsNotExist(errX) != os.IsNotExist(errY) {
			t.Errorf("%s: %s of %d bytes is not that of %d bytes (%v, %v)", dir, name, len(x), len(y), errX, errY)
		}
	}
}
