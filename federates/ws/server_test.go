package ws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	"cosim/sync"
)

func TestServerSaysWhyItRefuses(t *testing.T) {
	h := open(t, ws.Config{Stop: campaign, Federates: []ws.Expected{{Name: "a", Token: token}, {Name: "b"}}, Origins: []string{"https://lab.example"}})
	for _, test := range []struct {
		path   string
		header map[string]string
		status int
		says   string
	}{
		{"/v1/schema.json", nil, 200, `"$schema"`},
		{"/", nil, 404, "/v1/federates/{name}"},
		{"/v1/federates/a", nil, 401, "Authorization: Bearer"},
		{"/v1/federates/a", map[string]string{"Authorization": "Bearer " + token[1:]}, 401, "token"},
		{"/v1/federates/a", map[string]string{"Authorization": "Basic " + token}, 401, "token"},
		{"/v1/federates/c", nil, 401, "token"}, // which names there are is not told
		{"/v1/federates/c", map[string]string{"Authorization": "Bearer "}, 401, "token"},
		{"/v1/federates/a", map[string]string{"Authorization": "bearer " + token}, 426, "expected a WebSocket"},
		{"/v1/federates/b", nil, 426, "expected a WebSocket"},
		{"/v1/federates/b", map[string]string{"Origin": "https://evil.example"}, 403, "origin"},
		{"/v1/federates/b", map[string]string{"Origin": "https://127.0.0.1.evil.example"}, 403, "origin"},
		{"/v1/federates/b", map[string]string{"Origin": "null"}, 403, "origin"},
		{"/v1/federates/b", map[string]string{"Origin": "https://lab.example"}, 426, "WebSocket"},
		{"/v1/federates/b", map[string]string{"Origin": "http://localhost:3000"}, 426, "WebSocket"},
		{"/v1/federates/b", map[string]string{"Connection": "Upgrade", "Upgrade": "websocket"}, 400, "expected sub-protocol cosim.v1.json or cosim.v1.cbor"},
		{"/v1/federates/b", map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Protocol": "cosim.v2.json"}, 400, `got ["cosim.v2.json"]`},
	} {
		status, text := get(t, h, test.path, test.header)
		if status != test.status || !strings.Contains(text, test.says) {
			t.Errorf("%s %v: %d %s; want %d with %q", test.path, test.header, status, text, test.status, test.says)
		}
	}
	// The address has had a dozen refusals; soon it has had too many.
	for range 20 {
		if status, _ := get(t, h, "/v1/federates/a", nil); status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("whoever guesses may go on guessing")
}

func get(t *testing.T, h *house, path string, header map[string]string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+h.at+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range header {
		r.Header.Set(key, value)
	}
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestUnknownNameIsToldTheOthersWithoutTokens(t *testing.T) {
	h := open(t, ws.Config{Federates: []ws.Expected{{Name: "battery"}, {Name: "pv"}}})
	if status, text := get(t, h, "/v1/federates/batery", nil); status != 404 || !strings.Contains(text, `no federate "batery" is expected; there is battery, pv`) {
		t.Errorf("%d %s", status, text)
	}
}

// refusedHello returns what a hello is told.
func refusedHello(t *testing.T, expected ws.Expected, d sync.Description) error {
	t.Helper()
	h := open(t, ws.Config{Stop: campaign, Federates: []ws.Expected{expected}})
	return client.Run(context.Background(), h.url(expected.Name), described{d}, client.Options{Patience: -1})
}

// described is a federate that never gets to act.
type described struct{ d sync.Description }

func (f described) Describe() sync.Description { return f.d }
func (f described) Init([]sync.Signal) error   { return nil }
func (f described) Step(*sync.Step) error      { return nil }
func (f described) Close() error               { return nil }

func TestHelloMustFit(t *testing.T) {
	good := (&adder{name: "b", step: 10 * sync.Millisecond}).Describe()
	grid := good
	grid.Name = "grid"
	for name, test := range map[string]struct {
		spoil func(d *sync.Description)
		as    *sync.Description
		says  string
	}{
		"name":          {func(d *sync.Description) { d.Name = "c" }, nil, `expected "b" as in the address, got "c"`},
		"step":          {func(d *sync.Description) { d.Step = 0 }, nil, `step_ns: expected more than 0 (or "step":"event" for a federate that names its own times), got 0`},
		"wake":          {func(d *sync.Description) { d.Inputs[0].Wake = &sync.Wake{} }, nil, `input in: expected no wake, for without "step":"event"`},
		"wake output":   {func(d *sync.Description) { d.ByEvent, d.Outputs[0].Wake = true, &sync.Wake{} }, nil, "belong to inputs"},
		"wake element":  {func(d *sync.Description) { d.ByEvent, d.Inputs[0].Wake = true, &sync.Wake{Elements: []string{"c"}} }, nil, `input in: expected a wake for some of its elements a, b, got "c"`},
		"wake level":    {func(d *sync.Description) { d.ByEvent, d.Inputs[1].Wake = true, &sync.Wake{Levels: []float64{1}} }, nil, "input mail: expected a wake without elements and levels"},
		"kind":          {func(d *sync.Description) { d.Outputs[0].Kind = 9 }, nil, `output out: expected kind vector, messages or events, got "kind 9"`},
		"no elements":   {func(d *sync.Description) { d.Outputs[0].Elements = nil }, nil, "output out: expected elements"},
		"elements":      {func(d *sync.Description) { d.Inputs[1].Elements = []string{"x"} }, nil, "input mail: expected no unit, elements or subset"},
		"elements same": {func(d *sync.Description) { d.Outputs[0].Elements = []string{"x", "x"} }, nil, `expected elements that differ, got "x" twice`},
		"ports same":    {func(d *sync.Description) { d.Outputs[2].Name = "mail" }, nil, `outputs: expected names that differ, got "mail"`},
		"direct output": {func(d *sync.Description) { d.Outputs[0].Direct = true }, nil, "belong to inputs"},
		"other step":    {func(d *sync.Description) { d.Step *= 2 }, &grid, "step_ns: expected 10000000 as of grid, got 20000000"},
		"fewer":         {func(d *sync.Description) { d.Outputs = d.Outputs[:2] }, &grid, "expected the outputs of grid, out, mail, news; news is missing"},
		"more":          {func(d *sync.Description) { d.Outputs = append(d.Outputs, sync.Port{Name: "x", Kind: sync.Events}) }, &grid, "expected the outputs of grid alone"},
		"other unit":    {func(d *sync.Description) { d.Outputs[0].Unit = "kW" }, &grid, `output out: expected unit "MW", got "kW"`},
		"other input":   {func(d *sync.Description) { d.Inputs[0].Elements = []string{"b", "a"} }, &grid, "input in: expected the 2 elements a, b in this order, got 2: b, a"},
	} {
		d := (&adder{name: "b", step: 10 * sync.Millisecond}).Describe()
		test.spoil(&d)
		err := refusedHello(t, ws.Expected{Name: "b", InPlaceOf: test.as}, d)
		var e *ws.Error
		if !errors.As(err, &e) || e.Code != ws.CodeDescription || !strings.Contains(e.Message, test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	checked := ws.Expected{Name: "b", Check: func(sync.Description) error { return errors.New("the grid has no bus 99") }}
	if err := refusedHello(t, checked, good); err == nil || !strings.Contains(err.Error(), "no bus 99") {
		t.Errorf("error %v", err)
	}
}

func TestOneInThePlaceOfAnotherGoesByItsName(t *testing.T) {
	grid := (&adder{name: "grid", step: 10 * sync.Millisecond}).Describe()
	h := open(t, ws.Config{Stop: campaign, Federates: []ws.Expected{{Name: "my-grid", InPlaceOf: &grid}}})
	own := &adder{name: "my-grid", step: 10 * sync.Millisecond}
	d := own.Describe()
	d.Inputs = append(d.Inputs[1:2], sync.Port{Name: "more", Kind: sync.Events, Optional: true}) // mail, and one of its own
	ended := h.join("my-grid", &disguised{own, d}, client.Options{})
	h.await(t)
	e := h.Federates()[0]
	if got := e.Describe(); got.Name != "grid" || len(got.Inputs) != 4 || got.Inputs[3].Name != "more" {
		t.Errorf("description %+v", got)
	}
	if _, err := run([]sync.Federate{e}, nil, sync.Options{Stop: campaign}); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// disguised describes itself otherwise.
type disguised struct {
	*adder
	d sync.Description
}

func (f *disguised) Describe() sync.Description { return f.d }
func (f *disguised) Step(s *sync.Step) error {
	own := *s
	own.In = []sync.Signal{{}, s.In[0], {}}
	return f.adder.Step(&own)
}

func TestBeforeTheRunANameIsFreeAgainWhenItsPeerLeaves(t *testing.T) {
	h := open(t, ws.Config{Stop: campaign, Federates: []ws.Expected{{Name: "a"}, {Name: "b"}}})
	first := &villain{t: t, house: h, adder: &adder{name: "a", step: 10 * sync.Millisecond}}
	first.enter("")
	first.cut()
	federates, connections := adders(2)
	var missing []string
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var ended []<-chan error
	err := h.Await(ctx, func(names []string) {
		missing = append(missing, strings.Join(names, "+"))
		switch len(names) {
		case 2: // once the first one's leaving is noticed
			ended = append(ended, h.join("a", federates[0], client.Options{}))
		case 1:
			if len(ended) == 1 {
				ended = append(ended, h.join("b", federates[1], client.Options{}))
			}
		}
	})
	if err != nil {
		t.Fatal(err, missing)
	}
	if _, err := run([]sync.Federate{h.Federates()[0], h.Federates()[1]}, connections, sync.Options{Stop: campaign}); err != nil {
		t.Error(err)
	}
	for _, e := range ended {
		if err := <-e; err != nil {
			t.Error(err)
		}
	}
}

func TestAwaitEnds(t *testing.T) {
	h := open(t, ws.Config{Federates: []ws.Expected{{Name: "a"}, {Name: "b"}}})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	err := h.Await(ctx, func([]string) {})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "still waiting for a, b") {
		t.Errorf("error %v", err)
	}
	go h.Interrupt()
	if err := h.Await(context.Background(), func([]string) {}); err == nil {
		t.Error("no error")
	}
}

// An interrupt ends a step under way at once, whatever its deadline, and the
// peer still hears that the run is over.
func TestInterruptEndsAStep(t *testing.T) {
	h := open(t, ws.Config{Stop: campaign, Federates: []ws.Expected{{Name: "b", Deadline: time.Hour}}})
	v := &villain{t: t, house: h, adder: &adder{name: "b", step: 10 * sync.Millisecond}}
	stopped := make(chan bool, 1)
	go func() {
		v.enter("")
		v.behave(5)
		h.Interrupt()
		stopped <- v.receive(&ws.Stop{})
		v.cut()
	}()
	h.await(t)
	if _, err := run([]sync.Federate{h.Federates()[0]}, nil, sync.Options{Stop: campaign}); err == nil || !strings.Contains(err.Error(), "b, step 5") {
		t.Errorf("error %v", err)
	}
	if !<-stopped {
		t.Error("the peer did not hear of it")
	}
}

// Several that hang are found in one deadline, not one after the other.
func TestHangingPeersShareTheirDeadline(t *testing.T) {
	const n = 5
	c := ws.Config{Stop: campaign}
	for i := range n {
		c.Federates = append(c.Federates, ws.Expected{Name: fmt.Sprint("f", i), Deadline: 500 * time.Millisecond})
	}
	h := open(t, c)
	var federates []sync.Federate
	var tolerated []sync.Tolerance
	ended := make(chan bool)
	for i, e := range h.Federates() {
		v := &villain{t: t, house: h, adder: &adder{name: e.Name(), step: 10 * sync.Millisecond}}
		go func() {
			v.enter("")
			if v.behave(3); i > 0 {
				v.listen()
			} else {
				v.finish()
			}
			v.cut()
			ended <- true
		}()
		federates = append(federates, e)
		tolerated = append(tolerated, sync.Tolerance{Federate: e.Name()})
	}
	h.await(t)
	w := &lossWitness{}
	begun := time.Now()
	if _, err := run(federates, nil, sync.Options{Stop: campaign, Tolerated: tolerated, Observers: []sync.Observer{w}}); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 1500*time.Millisecond {
		t.Errorf("took %v", took)
	}
	if len(w.lost) != n-1 {
		t.Errorf("lost %v", w.lost)
	}
	for range n {
		<-ended
	}
}

func TestStallReportSaysWhatIsKnownOfThePeer(t *testing.T) {
	h := open(t, ws.Config{Stop: campaign, Federates: []ws.Expected{{Name: "b", Grace: 20 * time.Second}}})
	v := &villain{t: t, house: h, adder: &adder{name: "b", step: 10 * sync.Millisecond}}
	var reports []string
	seen := make(chan bool, 10)
	ended := make(chan bool)
	go func() {
		v.enter("")
		v.behave(3)
		<-seen // connected
		v.cut()
		<-seen
		v.enter(v.resume)
		v.behave(-2)
		v.cut()
		ended <- true
	}()
	h.await(t)
	_, err := run([]sync.Federate{h.Federates()[0]}, nil, sync.Options{Stop: campaign, StallAfter: 50 * time.Millisecond, OnStall: func(s sync.Stall) {
		reports = append(reports, s.String())
		seen <- true
	}})
	<-ended
	all := strings.Join(reports, "\n")
	if err != nil || !strings.Contains(all, "waiting for b: step 3 at 30ms asked ") || !strings.Contains(all, "(connected from 127.0.0.1:") || !strings.Contains(all, "(its connection broke ") {
		t.Errorf("error %v, reports:\n%s", err, all)
	}
}

func TestThousandFederatesConnectAndStep(t *testing.T) {
	const n = 1000
	c := ws.Config{Stop: 5 * 10 * sync.Millisecond}
	for i := range n {
		c.Federates = append(c.Federates, ws.Expected{Name: fmt.Sprint("f", i), Deadline: time.Minute})
	}
	h := open(t, c)
	var federates []sync.Federate
	var ended []<-chan error
	for _, e := range h.Federates() {
		federates = append(federates, e)
		ended = append(ended, h.join(e.Name(), &ringFederate{e.Name()}, client.Options{Patience: time.Minute}))
	}
	h.await(t)
	connections := make([]sync.Connection, n)
	for i := range n {
		connections[i] = sync.Connection{From: fmt.Sprintf("f%d.out", i), To: fmt.Sprintf("f%d.in", (i+1)%n)}
	}
	if _, err := run(federates, connections, sync.Options{Stop: c.Stop}); err != nil {
		t.Error(err)
	}
	for _, e := range ended {
		if err := <-e; err != nil {
			t.Error(err)
		}
	}
}

// A server that is started anew with the secret of before knows the tokens that
// it gave, and those of no other run or name.
func TestTokensOfAKilledRunAreKnownAgain(t *testing.T) {
	enter := func(secret, name, resume string) (token string, told error) {
		h := open(t, ws.Config{Stop: campaign, Secret: []byte(secret), Federates: []ws.Expected{{Name: "a"}, {Name: "b"}}})
		v := &villain{t: t, house: h, adder: &adder{name: name, step: 10 * sync.Millisecond}}
		v.enter(resume)
		v.cut()
		return v.resume, v.told
	}
	token, told := enter("the secret of this run", "a", "")
	if told != nil {
		t.Fatal(told)
	}
	if again, told := enter("the secret of this run", "a", token); told != nil || again == "" {
		t.Errorf("not known again: %v", told)
	}
	for name, secret := range map[string]string{"a": "the secret of another run", "b": "the secret of this run"} {
		_, told := enter(secret, name, token)
		var e *ws.Error
		if !errors.As(told, &e) || e.Code != ws.CodeBadResume || !strings.Contains(e.Message, "one of another run") {
			t.Errorf("%s with %s: %v", name, secret, told)
		}
	}
}
