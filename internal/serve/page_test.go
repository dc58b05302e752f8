package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosim/internal/experiment"
	"cosim/internal/record/web"
	cosync "cosim/sync"
)

// streamed reads the stream of a run to its end: the last of each thing.
func (s *service) streamed(run string) web.Message {
	s.t.Helper()
	res, err := http.Get(s.url + "/v1/runs/" + run + "/stream")
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var all web.Message
	for d := json.NewDecoder(bufio.NewReader(res.Body)); d.More(); {
		var m struct {
			web.Message
			Rows [][]float64 `json:"rows"`
		}
		if err := d.Decode(&m); err != nil {
			s.t.Fatal(err)
		}
		all.AtS, all.Status = m.AtS, m.Status
		all.Entries = append(all.Entries, m.Entries...)
		if m.Scene != nil {
			all.Scene = m.Scene
		}
		if m.Figures != nil {
			all.Figures = m.Figures
		}
	}
	return all
}

// What the page says at the end is what the summary says.
func TestThePagesFiguresAreThoseOfTheSummary(t *testing.T) {
	s := serving(t, Config{Experiment: "S-3", Overrides: experiment.Overrides{Set: []string{
		"duration=10s", "disturbances.contingencies.count=0", "disturbances.scheduled=[{at: 3s, kind: link-break, link: CC-GW1, duration: 4s}]",
	}}})
	s.until(done)
	m, f := s.streamed("current"), s.current().result.Summary
	g := m.Figures
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9*math.Abs(want) {
			t.Errorf("%s is %v on the page and %v in the summary", name, got, want)
		}
	}
	near("success", float64(g.Succeeded)/float64(g.Decided), float64(f.Tasks.PSucc))
	near("strict success", float64(g.Strict)/float64(g.Decided), float64(f.Tasks.PSuccStrict))
	near("Δf max", g.DFMaxHz, float64(f.Grid.DeltaFMaxHz))
	near("its time", g.DFMaxAtS, float64(f.Grid.DeltaFMaxAtS))
	near("key use at the centre", g.UsedCentre/g.MadeCentre, float64(f.Keys.UseCentre))
	near("key use", g.UsedAll/g.MadeAll, float64(f.Keys.UseAll))
	near("lowest pool", g.LowestBits, float64(f.Keys.LowestPoolBits))
	near("decisions", float64(g.Decisions), float64(f.Decisions.Count))
	if f.Keys.LowestPool != "pool/"+g.Lowest || m.AtS != 10 || !m.Status.Ended || m.Status.State != done {
		t.Errorf("%+v at %v: %+v", g, m.AtS, m.Status)
	}
	if n := m.Scene.Nodes[len(m.Scene.Nodes)-1]; len(m.Scene.Nodes) != 23 || n.Name != "RTU39" || n.Area != "area-1" || len(n.Holds) != 2 {
		t.Errorf("%d nodes, the last %+v", len(m.Scene.Nodes), n)
	}
}

// Chains of S-1 draw from stores, which are empty long before their pools.
func TestTheLogOfS1TellsItsStores(t *testing.T) {
	s := serving(t, Config{Experiment: "S-1", Overrides: experiment.Overrides{Set: []string{"duration=10s", "disturbances.contingencies.count=0"}}})
	s.until(done)
	stores := 0
	for _, e := range s.streamed("current").Entries {
		if e.Alert && e.Type == "pool-below-safe" && e.Detail == "store" && !e.Over {
			stores++
		}
	}
	if stores != 4 {
		t.Errorf("%d stores are told to be below K_safe, want those of four links", stores)
	}
}

func TestThePagesOperatorsAreThoseOfTheSummary(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: experiment.Overrides{Case: "ieee118", Set: []string{
		"duration=5s", "disturbances.contingencies.count=0", "disturbances.scheduled=[{at: 2s, kind: link-break, link: CC1-GW1, duration: 2s}]",
	}}})
	s.until(done)
	m, f := s.streamed("current"), s.current().result.Summary
	x := m.Figures.Fairness
	if x == nil || len(x.Operators) != 4 || len(m.Scene.Operators) != 4 {
		t.Fatalf("operators %v: %+v", m.Scene.Operators, x)
	}
	if math.Abs(x.Mean-float64(f.Fairness.Mean)) > 1e-12 || x.Lowest != float64(f.Fairness.Min) {
		t.Errorf("F_K is %v, at least %v on the page and %v, %v in the summary", x.Mean, x.Lowest, f.Fairness.Mean, f.Fairness.Min)
	}
	for i, o := range f.Operators {
		if now := x.Operators[i]; m.Scene.Operators[i] != o.Operator || now.Succeeded != o.Successes || float64(now.Succeeded)/float64(now.Decided) != float64(o.PSucc) {
			t.Errorf("%s: %+v on the page, %+v in the summary", m.Scene.Operators[i], now, o)
		}
	}
}

// A disturbed run leaves what its replay, and another run with the same orders,
// leave.
func TestDisturbancesAreRecordedAndRepeated(t *testing.T) {
	out := t.TempDir()
	s := serving(t, Config{Experiment: "S-2", Overrides: quiet("8s"), Out: out, RealTime: 4})
	s.until(running)
	orders := []string{
		`{"kind":"link-break","link":"CC-GW2","duration_s":1.5}`,
		`{"kind":"attenuation-surge","link":"CC-GW1","db":3,"duration_s":2}`,
		`{"kind":"load-step","bus":16,"size_mw":200,"duration_s":3}`,
		`{"kind":"attack","link":"CC-GW3","attack":"tamper","from":"CC","probability":0.5,"duration_s":2}`,
	}
	for _, body := range orders {
		s.call("POST", "/v1/runs/current/disturbances", body, 200)
	}
	s.call("POST", "/v1/runs/current/pause", "", 200)
	s.call("POST", "/v1/runs/current/disturbances", `{"kind":"attack","link":"GW3-RTU16","attack":"drop","probability":1,"duration_s":1}`, 202)
	s.call("POST", "/v1/runs/current/pace", `{"real_time":0}`, 200)
	s.call("POST", "/v1/runs/current/resume", "", 200)
	s.until(done)
	dir := filepath.Join(out, "S-2-1")
	events := eventsOf(t, dir)
	for _, want := range []string{
		"operator-link-break,CC-GW2", "link-down,CC-GW2", "link-up,CC-GW2", "operator-attenuation-surge,CC-GW1", "operator-load-step,bus/16", "load-step-end,bus/16",
		"operator-attack,CC-GW3", "attack=tamper from=CC probability=0.5", "operator-attack,GW3-RTU16",
	} {
		if !strings.Contains(events, want) {
			t.Errorf("no %s in the record", want)
		}
	}
	again := t.TempDir()
	if _, err := experiment.Replay(context.Background(), dir, experiment.RepeatOptions{RunOptions: experiment.RunOptions{Out: again}}); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"run.log", "chain.log", "boundary.log", "summary.json"} {
		a, errA := os.ReadFile(filepath.Join(dir, file))
		b, errB := os.ReadFile(filepath.Join(again, "S-2-1", file))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs in the replay: %v, %v", file, errA, errB)
		}
	}
	s.call("POST", "/v1/runs/current/disturbances", orders[0], 409)
	s.call("POST", "/v1/runs/current/pace", `{"real_time":1}`, 409)
}

func TestDisturbancesThatMakeNoSenseAreRefused(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: quiet("100s"), RealTime: 1})
	s.until(running)
	for body, want := range map[string]string{
		`{"kind":"fire","duration_s":1}`:                                      "kind is",
		`{"kind":"link-break","link":"CC-GW9","duration_s":1}`:                "no link",
		`{"kind":"link-break","link":"GW4-RTU3","duration_s":1}`:              "no link",
		`{"kind":"link-break","link":"CC-GW1","duration_s":1e300}`:            "duration_s",
		`{"kind":"link-break","link":"CC-GW1","duration_s":-1}`:               "duration",
		`{"kind":"load-step","bus":999,"size_mw":1,"duration_s":1}`:           `bus/999`,
		`{"kind":"link-break","link":"CC-GW1","duration_s":1,"colour":"red"}`: "unknown field",
		`{"kind":"attenuation-surge","link":"CC-GW1","duration_s":1}`:         "db is 0",
	} {
		if text := toJSON(t, s.call("POST", "/v1/runs/current/disturbances", body, 400)); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %q", body, text, want)
		}
	}
	for _, body := range []string{
		`{"kind":"attack","link":"CC-GW1","attack":"steal","probability":1,"duration_s":1}`, `{"kind":"attack","link":"CC-GW1","attack":"drop","duration_s":1}`,
		`{"kind":"attack","link":"CC-GW1","attack":"drop","probability":1,"from":"GW2","duration_s":1}`,
	} {
		s.call("POST", "/v1/runs/current/disturbances", body, 409)
	}
	for _, body := range []string{`{}`, `{"real_time":-1}`, `{"real_time":1e-9}`, `{"real_time":1e12}`, `{"pace":1}`} {
		s.call("POST", "/v1/runs/current/pace", body, 400)
	}
	if v := s.call("POST", "/v1/runs/current/pace", `{"real_time":20}`, 200); v["real_time"] != 20.0 {
		t.Errorf("%v", v)
	}
}

// Pages from elsewhere can neither see nor command a run.
func TestOnlyThePageItselfMayCommand(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: quiet("100s"), RealTime: 1})
	s.until(running)
	ask := func(method, path string, change func(*http.Request)) int {
		req, err := http.NewRequest(method, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	for name, x := range map[string]struct {
		method, path string
		change       func(*http.Request)
		want         int
	}{
		"own page":                {"POST", "/v1/runs/current/pause", func(r *http.Request) { r.Header.Set("Origin", s.url); r.Header.Set("Sec-Fetch-Site", "same-origin") }, 200},
		"another site":            {"POST", "/v1/runs/current/pause", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"another origin":          {"POST", "/v1/runs/current/disturbances", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		"a name that leads here":  {"GET", "/v1/runs/current/stream", func(r *http.Request) { r.Host = "evil.example" }, 403},
		"the page by such a name": {"GET", "/", func(r *http.Request) { r.Host = "evil.example" }, 403},
	} {
		if got := ask(x.method, x.path, x.change); got != x.want {
			t.Errorf("%s: status %d, want %d", name, got, x.want)
		}
	}
}

func TestAProtectedPageAsksForTheToken(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: quiet("1s"), Security: Security{TokenFile: tokenFile(t)}})
	for path, want := range map[string]int{"/": 200, "/page/app.js": 200, "/v1/runs/current/stream": 401, "/v1/runs": 401} {
		res, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, res.StatusCode, want)
		}
	}
}

func TestAStreamWithoutARunSaysSoInTime(t *testing.T) {
	s := serving(t, Config{})
	began := time.Now()
	res, err := http.Get(s.url + "/v1/runs/current/stream")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if took := time.Since(began); res.StatusCode != 204 || took > 2*beginWithin {
		t.Errorf("status %d after %v", res.StatusCode, took)
	}
}

// Runs that somebody else carries out stand on the page, and leave what they
// leave without it.
func TestRunsOfOthersAreShownAndUnchanged(t *testing.T) {
	s := serving(t, Config{Guests: true})
	alone, shown := t.TempDir(), t.TempDir()
	d, err := experiment.Load("S-2", quiet("3s"))
	if err != nil {
		t.Fatal(err)
	}
	for dir, watch := range map[string]func(*experiment.Definition) ([]cosync.Observer, error){
		alone: nil, shown: func(d *experiment.Definition) ([]cosync.Observer, error) { return []cosync.Observer{s.Host(d)}, nil },
	} {
		if _, err := experiment.Batch(context.Background(), d, 3, experiment.BatchOptions{RunOptions: experiment.RunOptions{Out: dir}, Parallel: 2, Watch: watch}); err != nil {
			t.Fatal(err)
		}
	}
	for _, run := range []string{"S-2-1", "S-2-2", "S-2-3"} {
		a, errA := os.ReadFile(filepath.Join(alone, run, "chain.log"))
		b, errB := os.ReadFile(filepath.Join(shown, run, "chain.log"))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v, %v", run, errA, errB)
		}
		if m := s.streamed(run); m.AtS != 3 || m.Scene.Run != run || m.Status.State != done {
			t.Errorf("%s: %+v", run, m.Status)
		}
	}
	if all := s.call("GET", "/v1/runs", "", 200)["runs"].([]any); len(all) != 3 {
		t.Errorf("%d runs", len(all))
	}
	s.call("POST", "/v1/runs", `{"experiment":"S-2"}`, 404)
	s.call("POST", "/v1/runs/S-2-1/stop", "", 409)
	if left := s.Drain(time.Second); left != 0 {
		t.Errorf("%d streams are left", left)
	}
}
