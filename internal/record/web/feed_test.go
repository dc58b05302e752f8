package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	cosync "cosim/sync"
)

// actor is a federate that publishes what a test says.
type actor struct {
	about cosync.Description
	step  func(s *cosync.Step)
}

func (a *actor) Describe() cosync.Description { return a.about }
func (a *actor) Init([]cosync.Signal) error   { return nil }
func (a *actor) Close() error                 { return nil }
func (a *actor) Step(s *cosync.Step) error {
	a.step(s)
	return nil
}

// small is a run of one link, two chains and a grid that swings.
func small() (Scene, []cosync.Federate) {
	scene := Scene{
		Run: "S-9-1", StopS: 10, SafeHz: 0.05, DecisionNS: int64(100 * cosync.Millisecond),
		Links:  []Link{{Name: "CC-GW1", A: "CC", B: "GW1", Quantum: true, AtCentre: true, SafeBits: 100}},
		Chains: []Chain{{ID: "pmu-1", Mode: "aes-wc"}, {ID: "agc-1", Mode: "otp"}},
	}
	vector := func(name, unit string, elements ...string) cosync.Port {
		return cosync.Port{Name: name, Kind: cosync.Vector, Unit: unit, Elements: elements}
	}
	events := func(name string) cosync.Port { return cosync.Port{Name: name, Kind: cosync.Events} }
	step := 10 * cosync.Millisecond
	grid := &actor{about: cosync.Description{Name: "grid", Step: step, Outputs: []cosync.Port{vector("frequency", "Hz", "coi", "gen/1")}}, step: func(s *cosync.Step) {
		s.Out[0].Values[0] = 0
		if s.From == 5*cosync.Second+step {
			s.Out[0].Values[0] = -0.07 // between two rows
		}
	}}
	scada := &actor{about: cosync.Description{Name: "scada", Step: step, Outputs: []cosync.Port{
		events("tasks"), events("plan"), vector("pool", "bit", "pool/CC-GW1"), vector("consumed", "bit", "pool/CC-GW1"),
		vector("generated", "bit", "pool/CC-GW1"), vector("decision", "1", "objective", "bound", "gap", "evaluations", "nodes", "slack_bits"),
	}}}
	scada.step = func(s *cosync.Step) {
		s.Out[2].Values[0], s.Out[3].Values[0], s.Out[4].Values[0] = 1000-float64(s.From/cosync.Second), 50, 200
		if s.From%cosync.Second != 0 {
			return
		}
		detail := "pmu aes-wc"
		if s.From == 7*cosync.Second {
			detail = "pmu aes-wc link-down"
			s.Out[1].Events = append(s.Out[1].Events, cosync.Event{At: s.From, Type: "plan", Element: "pmu-1", Value: 1, Detail: "aes"})
		}
		s.Out[0].Events = append(s.Out[0].Events, cosync.Event{At: s.From, Type: "task", Element: "pmu-1", Detail: detail})
	}
	quantum := &actor{about: cosync.Description{Name: "quantum", Step: 100 * cosync.Millisecond, Outputs: []cosync.Port{
		events("fibre"), events("blocks"), vector("state", "1", "link/CC-GW1"),
	}}, step: func(s *cosync.Step) {
		s.Out[1].Events = append(s.Out[1].Events, cosync.Event{At: s.From, Type: "key-block", Element: "CC-GW1"})
		if s.From == 3*cosync.Second {
			s.Out[0].Events = append(s.Out[0].Events, cosync.Event{At: s.From, Type: "link-down", Element: "CC-GW1"})
			s.Out[2].Values[0] = 1
		}
	}}
	return scene, []cosync.Federate{grid, scada, quantum}
}

// simulate runs a federation with a feed and more observers.
func simulate(t *testing.T, stop cosync.Time, more ...cosync.Observer) *Feed {
	t.Helper()
	scene, federates := small()
	f := NewFeed(scene)
	m, err := cosync.New(federates, nil, cosync.Options{Stop: stop, Observers: append([]cosync.Observer{f}, more...)})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFeedKeepsWhatAPageShows(t *testing.T) {
	f := simulate(t, 10*cosync.Second)
	m := f.take(&cursor{rows: -1}, Status{})
	if m.AtS != 10 || m.Scene == nil || len(m.Rows.times) != 101 || m.Scene.Pools[0] != "CC-GW1" {
		t.Fatalf("at %v s, %d rows, scene %+v", m.AtS, len(m.Rows.times), m.Scene)
	}
	if peak := m.Rows.values[51*3]; peak != -0.07 {
		t.Errorf("the row at 5.1 s has %v Hz, want the peak between two rows", peak)
	}
	g := m.Figures
	if g.Decided != 10 || g.Succeeded != 9 || g.Strict != 9 || g.Causes["link-down"] != 1 || g.DFMaxHz != 0.07 ||
		g.UsedCentre != 50 || g.MadeAll != 200 || g.Lowest != "CC-GW1" || g.LowestBits != 0 || g.Decisions != 100 {
		t.Errorf("%+v", g)
	}
	if c := m.Chains[0]; c.Route != 1 || c.Mode != "aes" || c.Failed != 1 || c.Cause != "link-down" {
		t.Errorf("%+v", c)
	}
	if m.Links[0].State != 1 {
		t.Errorf("%+v", m.Links)
	}
	var said []string
	for _, e := range m.Entries {
		said = append(said, e.Type)
	}
	if text := strings.Join(said, " "); text != "link-down frequency-out-of-band plan failures" {
		t.Errorf("entries %s", text)
	}
}

func TestACursorIsToldOnlyWhatIsNew(t *testing.T) {
	f := simulate(t, cosync.Second)
	c := cursor{rows: -1}
	if f.take(&c, Status{}) == nil {
		t.Fatal("nothing at first")
	}
	if m := f.take(&c, Status{}); m != nil {
		t.Errorf("told again: %+v", m)
	}
}

func TestAStreamTellsARunToItsEnd(t *testing.T) {
	f := simulate(t, 10*cosync.Second)
	var asked atomic.Int64
	status := func() Status { return Status{State: "running", Ended: asked.Add(1) > 3} }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.Stream(w, r, status) }))
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := 0
	var last Message
	for d := json.NewDecoder(res.Body); d.More(); lines++ {
		var m struct {
			Message
			Rows [][]float64 `json:"rows"`
		}
		if err := d.Decode(&m); err != nil {
			t.Fatal(err)
		}
		if lines == 0 && (m.Scene == nil || !m.Whole || len(m.Rows) != 101) {
			t.Errorf("first line has %d rows", len(m.Rows))
		}
		last = m.Message
	}
	if lines != 2 || !last.Status.Ended { // nothing has changed between
		t.Errorf("%d lines, the last %+v", lines, last.Status)
	}
}

// A browser that takes nothing holds its own stream up, and not the run.
func TestASlowBrowserHoldsNothingUp(t *testing.T) {
	scene, federates := small()
	f := NewFeed(scene)
	w := &stuck{taken: make(chan struct{}), released: make(chan struct{})}
	ended := make(chan struct{})
	connect := atBegin(func() {
		go func() {
			defer close(ended)
			f.Stream(w, httptest.NewRequest("GET", "/", nil), func() Status { return Status{Ended: true} })
		}()
		<-w.taken
	})
	m, err := cosync.New(federates, nil, cosync.Options{Stop: 20 * cosync.Second, Observers: []cosync.Observer{f, connect}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(context.Background()); err != nil { // ends although the browser has taken nothing
		t.Fatal(err)
	}
	select {
	case <-ended:
		t.Error("the stream was not held up")
	default:
	}
	close(w.released)
	<-ended
}

// stuck is the connection of a browser that takes nothing until it is released.
type stuck struct {
	httptest.ResponseRecorder
	taken, released chan struct{}
	once            sync.Once
}

func (w *stuck) Write(b []byte) (int, error) {
	w.once.Do(func() { close(w.taken) })
	<-w.released
	return len(b), nil
}

func (w *stuck) Header() http.Header { return http.Header{} }

// atBegin is an observer that does something at the first frame.
type atBegin func()

func (do atBegin) Begin(*cosync.Frame) error { do(); return nil }
func (atBegin) Observe(*cosync.Frame) error  { return nil }
func (atBegin) End(error) error              { return nil }

func TestThePageUsesNothingFromElsewhere(t *testing.T) {
	answer := httptest.NewRecorder()
	Assets().ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	policy := answer.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	for path, want := range map[string]int{"/page/app.js": 200, "/page/uplot/LICENSE": 200, "/page/none.js": 404, "/page/../feed.go": 404, "/x": 404} {
		answer := httptest.NewRecorder()
		Assets().ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		if answer.Code != want && !(want == 404 && answer.Code/100 == 3) {
			t.Errorf("%s: status %d, want %d", path, answer.Code, want)
		}
		if strings.HasSuffix(path, "app.js") && !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/javascript") {
			t.Errorf("%s is %s", path, answer.Header().Get("Content-Type"))
		}
	}
}

func BenchmarkFeed(b *testing.B) {
	scene, federates := small()
	f := NewFeed(scene)
	m, err := cosync.New(federates, nil, cosync.Options{Stop: cosync.Time(b.N) * 100 * cosync.Millisecond, Observers: []cosync.Observer{f}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	if err := m.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
}
