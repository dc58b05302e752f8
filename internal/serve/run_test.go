package serve

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosim/internal/experiment"
)

// Who only looks changes nothing: the files of a served run are those of the
// same run alone.
func TestServingChangesNoResult(t *testing.T) {
	o := quiet("5s")
	d, err := experiment.Load("S-2", o)
	if err != nil {
		t.Fatal(err)
	}
	alone, served := t.TempDir(), t.TempDir()
	if _, err := experiment.Run(context.Background(), d, experiment.RunOptions{Out: alone}); err != nil {
		t.Fatal(err)
	}
	s := serving(t, Config{IEC104: "127.0.0.1:0", Experiment: "S-2", Overrides: o, Out: served})
	s.until(done)
	for _, file := range []string{"summary.json", "series.parquet", "events.parquet", "manifest.yaml"} {
		a, errA := os.ReadFile(filepath.Join(alone, "S-2-1", file))
		b, errB := os.ReadFile(filepath.Join(served, "S-2-1", file))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if file == "manifest.yaml" { // it has the times of start and end
			continue
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs", file)
		}
	}
}

func TestARunIsPausedSteppedResumedAndStopped(t *testing.T) {
	out := t.TempDir()
	s := serving(t, Config{Experiment: "S-2", Overrides: quiet("100s"), Out: out, RealTime: 2})
	s.until(running)
	s.call("POST", "/v1/runs/current/pause", "", 200)
	time.Sleep(100 * time.Millisecond) // for the step under way
	before := s.call("GET", "/v1/runs/S-2-1", "", 200)
	if before["state"] != paused {
		t.Fatalf("%v", before)
	}
	s.call("POST", "/v1/runs/S-2-1/step", "", 200)
	want := before["at_s"].(float64) + 0.01
	var at float64
	for range 200 {
		time.Sleep(5 * time.Millisecond)
		if at = s.call("GET", "/v1/runs/S-2-1", "", 200)["at_s"].(float64); at > before["at_s"].(float64) {
			break
		}
	}
	if at < want-1e-9 || at > want+1e-9 {
		t.Errorf("after one step at %v s, want %v", at, want)
	}
	s.call("POST", "/v1/runs/S-2-1/resume", "", 200)
	s.until(running)
	s.call("POST", "/v1/runs", "", 409)
	end := s.call("POST", "/v1/runs/S-2-1/stop", "", 200)
	if end["state"] != stopped || end["error"] != nil {
		t.Errorf("%v", end)
	}
	if _, err := os.Stat(filepath.Join(out, "S-2-1", "series.parquet")); err != nil {
		t.Error(err)
	}
	s.call("POST", "/v1/runs/S-2-1/pause", "", 409)
	s.call("POST", "/v1/runs/S-2-1/fly", "", 404)
	s.call("GET", "/v1/runs/S-9-1", "", 404)
	s.call("POST", "/v1/runs", `{"seed":2}`, 201)
	s.until(running)
	if all := s.call("GET", "/v1/runs", "", 200)["runs"].([]any); len(all) != 2 {
		t.Errorf("%d runs", len(all))
	}
}

func TestARunThatCannotBeIsRefused(t *testing.T) {
	s := serving(t, Config{})
	for body, want := range map[string]string{
		``:                                          "experiment is missing",
		`{"experiment":"S-9"}`:                      `no experiment \"S-9\"`,
		`{"experiment":"/etc/passwd"}`:              "no experiment",
		`{"experiment":"S-2","case":"../x"}`:        "no case",
		`{"experiment":"S-2","colour":"red"}`:       "unknown field",
		`{"experiment":"S-2","set":["duration=x"]}`: "duration",
		`{`: "expected an object",
	} {
		v := s.call("POST", "/v1/runs", body, 400)
		if text := strings.ReplaceAll(toJSON(t, v), `\\"`, `\"`); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %q", body, text, want)
		}
	}
	s.call("GET", "/v1/iec104/points", "", 404)
	s.call("GET", "/v2", "", 404)
}
