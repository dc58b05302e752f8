//go:build integration

package main

import (
	"context"
	"fmt"
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

// survivors take part in a run with the integrator of this package, in several
// languages, and outlive the program that simulates.
var survivors = map[string]func(ctx context.Context, t *testing.T, url string) <-chan error{
	"Go": func(ctx context.Context, _ *testing.T, url string) <-chan error {
		ended := make(chan error, 1)
		again := func() cosync.Federate { return &integrator{} }
		go func() { ended <- client.Run(ctx, url, again(), client.Options{Patience: time.Minute, Again: again}) }()
		return ended
	},
	"Python": func(ctx context.Context, t *testing.T, url string) <-chan error {
		return startSurvivor(ctx, t, "python3", "testdata/survivors/integrator.py", url)
	},
	"JavaScript": func(ctx context.Context, t *testing.T, url string) <-chan error {
		return startSurvivor(ctx, t, "node", "testdata/survivors/integrator.mjs", url)
	},
}

func startSurvivor(ctx context.Context, t *testing.T, interpreter, program, url string) <-chan error {
	t.Helper()
	c := exec.CommandContext(ctx, interpreter, program)
	c.Env = append(os.Environ(), "COSIM_URL="+url, "PYTHONPATH=../../federates/ws/python", "PYTHONDONTWRITEBYTECODE=1")
	var said strings.Builder
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		err := c.Wait()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, &said)
		}
		ended <- err
	}()
	return ended
}

// A program that takes part stays alive while cosim is killed (-9) at a random
// moment, and again while it catches up. It finds the run that is resumed, is
// taken through it, and the run ends with the bytes of one that nothing
// happened to.
func TestIntegrationFederatesOutliveAKilledRun(t *testing.T) {
	args := []string{
		"S-2", "--listen", "127.0.0.1:0", "--set", "duration=8s", "--set", "disturbances.contingencies.count=0", "--set", "disturbances.surges.count=0",
		"--set", "disturbances.scheduled=[{at: 1s, kind: load-step, bus: 15, size_mw: 200, duration: 5s}]",
		"--set", "federates=[{name: integrator, grace: 10s, connect: [{from: grid.frequency, to: integrator.frequency}, {from: integrator.power, to: grid.injection}]}]",
	}
	base := t.TempDir()
	url := make(chan string, 1)
	tell := func(at string) func() { url <- at; return func() {} }
	ignore := func(string) func() { return func() {} }
	run := func(out string) *process {
		return meeting(t, tell, append([]string{"run", "--quiet", "--out", out}, args...)...)
	}
	start := time.Now()
	whole := run(filepath.Join(base, "whole"))
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	honest := survivors["Go"](ctx, t, <-url)
	if err := whole.wait(); err != nil {
		t.Fatal(err, whole.said.String())
	}
	if err := <-honest; err != nil {
		t.Fatal(err)
	}
	length, want := time.Since(start), filepath.Join(base, "whole", "S-2-1")
	if _, err := os.Stat(filepath.Join(want, "attach.json")); err == nil {
		t.Error("a complete run still has a door")
	}
	rnd := rand.New(rand.NewPCG(20, 11))
	for language, survive := range survivors {
		t.Run(language, func(t *testing.T) {
			for i := range 6 {
				dir := filepath.Join(base, language+fmt.Sprint(i), "S-2-1")
				var ended <-chan error
				for killed := false; !killed; { // it may be faster than the kill
					if err := os.RemoveAll(dir); err != nil {
						t.Fatal(err)
					}
					p := run(filepath.Dir(dir))
					ended = survive(ctx, t, <-url)
					awaitFile(t, filepath.Join(dir, "attach.json"), p)
					p.kill(time.Duration(rnd.Float64() * float64(length) / 2))
					if killed = p.wait() != nil; !killed {
						<-ended
					}
				}
				for range rnd.IntN(3) {
					p := meeting(t, ignore, "resume", "--quiet", dir)
					p.kill(time.Duration(rnd.Float64() * float64(length) / 2))
					if p.wait() == nil {
						break
					}
				}
				p := meeting(t, tell, "resume", "--quiet", dir)
				for done := false; !done; {
					select {
					case err := <-p.ended:
						if err != nil {
							t.Fatalf("kill %d: %v\n%s", i, err, &p.said)
						}
						done = true
					case err := <-ended:
						if err != nil {
							t.Errorf("kill %d: %v", i, err)
						}
						ended = nil
					case <-time.After(2 * time.Second):
						if ended != nil {
							continue
						}
						// It was told of the end, and cosim was killed before that was on disk.
						ended = survive(ctx, t, <-url)
					}
				}
				if ended != nil {
					if err := <-ended; err != nil {
						t.Errorf("kill %d: %v", i, err)
					}
				}
				if len(url) > 0 {
					<-url
				}
				compareFiles(t, dir, want)
			}
		})
	}
}
