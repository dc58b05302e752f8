package mosaik_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cosim/federates/mosaik"
	"cosim/sync"
)

// script answers one request after another. What it returns goes out as the
// bytes of a reply, with %d for the request's id; "" sends nothing.
type script func(t testing.TB, function string, arguments []json.RawMessage) string

// peer waits on a port of its own and plays a script.
func peer(t testing.TB, play script) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			var length [4]byte
			if _, err := io.ReadFull(conn, length[:]); err != nil {
				return
			}
			frame := make([]byte, binary.BigEndian.Uint32(length[:]))
			if _, err := io.ReadFull(conn, frame); err != nil {
				return
			}
			var message, call []json.RawMessage
			var function string
			var arguments []json.RawMessage
			if json.Unmarshal(frame, &message) == nil && string(message[0]) != "0" {
				play(t, "reply", message) // to what the script asked
				continue
			}
			if len(message) != 3 || json.Unmarshal(message[2], &call) != nil ||
				json.Unmarshal(call[0], &function) != nil || json.Unmarshal(call[1], &arguments) != nil {
				t.Errorf("the master sent %s", frame)
				return
			}
			if function == "stop" {
				return
			}
			reply := play(t, function, arguments)
			if reply == "" {
				continue
			}
			reply = strings.ReplaceAll(reply, "ID", string(message[1]))
			if !strings.HasPrefix(reply, "\x7f") { // raw otherwise
				reply = string(binary.BigEndian.AppendUint32(nil, uint32(len(reply)))) + reply
			} else {
				reply = reply[1:]
			}
			if _, err := conn.Write([]byte(reply)); err != nil {
				return
			}
		}
	}()
	return listener.Addr().String()
}

const metaOf = `[1, ID, {"api_version": "%s", "type": "%s", "models": {"M": {"public": true, "params": ["a"], "attrs": ["x", "y"]}}}]`

// good is a simulator with one entity that is stepped every second; other
// takes over where it returns an answer.
func good(kind string, other func(function string, time int64, arguments []json.RawMessage) string) script {
	return func(_ testing.TB, function string, arguments []json.RawMessage) string {
		var at int64
		if function == "step" {
			_ = json.Unmarshal(arguments[0], &at)
		}
		if reply := other(function, at, arguments); reply != "" {
			return strings.TrimPrefix(reply, "-")
		}
		switch function {
		case "init":
			return fmt.Sprintf(metaOf, "3.0", kind)
		case "create":
			return `[1, ID, [{"eid": "E", "type": "M"}]]`
		case "step":
			if kind == "event-based" {
				return `[1, ID, null]`
			}
			return fmt.Sprintf(`[1, ID, %d]`, at+1)
		case "get_data":
			return `[1, ID, {"E": {"x": 1.5}}]`
		}
		return `[1, ID, null]`
	}
}

func config(address string) mosaik.Config {
	return mosaik.Config{
		Name: "sim", Connect: address, Step: sync.Second, Stop: 10 * sync.Second, Resolution: sync.Second, Deadline: 2 * time.Second,
		Models:  []mosaik.Model{{Name: "M", Number: 1}},
		Inputs:  []mosaik.Port{{Name: "in", Unit: "1", Elements: []mosaik.Element{{Name: "u", Attribute: "E.y"}}, Peers: []string{"ramp.out"}}},
		Outputs: []mosaik.Port{{Name: "out", Unit: "1", Attribute: "x"}},
	}
}

// ramp is a federate whose output changes every third second.
type ramp struct{}

func (*ramp) Describe() sync.Description {
	return sync.Description{Name: "ramp", Step: sync.Second, Outputs: []sync.Port{{Name: "out", Unit: "1", Elements: []string{"u"}}}}
}
func (*ramp) Init([]sync.Signal) error { return nil }
func (*ramp) Close() error             { return nil }
func (*ramp) Step(s *sync.Step) error {
	s.Out[0].Values[0] = float64(s.To / sync.Second / 3)
	return nil
}

// watch notes an output of each step.
type watch struct {
	port string
	rows []string
}

func (w *watch) Begin(*sync.Frame) error { return nil }
func (w *watch) End(error) error         { return nil }
func (w *watch) Observe(f *sync.Frame) error {
	i, _ := f.Index(w.port)
	w.rows = append(w.rows, fmt.Sprint(f.Outputs[i].Values))
	return nil
}

// run makes a run of ten seconds with a simulator and the ramp.
func run(t *testing.T, c mosaik.Config, direct bool, observers ...sync.Observer) ([]string, error) {
	t.Helper()
	for i := range c.Inputs {
		c.Inputs[i].Direct = direct
	}
	x, err := mosaik.Start(context.Background(), c)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	var connections []sync.Connection
	if len(c.Inputs) > 0 {
		connections = append(connections, sync.Connection{From: "ramp.out", To: "sim.in"})
	}
	w := &watch{port: "sim.out"}
	m, err := sync.New([]sync.Federate{&ramp{}, x}, connections, sync.Options{Stop: c.Stop, Observers: append(observers, w)})
	if err != nil {
		t.Fatal(err)
	}
	err = m.Run(context.Background())
	return w.rows, err
}

func TestMisbehaviourIsBlamedOnTheRequest(t *testing.T) {
	at3 := func(reply string) func(string, int64, []json.RawMessage) string {
		return func(function string, at int64, _ []json.RawMessage) string {
			if function == "step" && at == 3 {
				return reply
			}
			return ""
		}
	}
	when := func(function, reply string) func(string, int64, []json.RawMessage) string {
		return func(f string, _ int64, _ []json.RawMessage) string {
			if f == function {
				return reply
			}
			return ""
		}
	}
	for name, test := range map[string]struct {
		other      func(string, int64, []json.RawMessage) string
		code, says string
	}{
		"wrong id":        {at3(`[1, 99, 4]`), mosaik.CodeWrongID, "step in step 3 at 3s: wrong-id: expected a reply to request 10, got one to 99"},
		"no JSON":         {at3(`[1, ID, Infinity]`), mosaik.CodeBadMessage, "Infinity"},
		"step in past":    {at3(`[1, ID, 3]`), mosaik.CodeBadReply, "step in step 3 at 3s: bad-reply: expected a next step later than 3, got 3"},
		"step as text":    {at3(`[1, ID, "4"]`), mosaik.CodeBadReply, `an integer or null, got "4"`},
		"no next step":    {at3(`[1, ID, null]`), mosaik.CodeBadReply, "it is time-based, got null"},
		"failure":         {at3(`[2, ID, "Traceback:\n  line 3\nValueError: no sun\n"]`), mosaik.CodeFailed, "step in step 3 at 3s: failed: ValueError: no sun"},
		"oversize":        {at3("\x7f\xff\xff\xff\xff"), mosaik.CodeTooLarge, "at most 16777216 bytes, got one of 4294967295"},
		"half a message":  {at3("\x7f\x00\x00\x00\x10[1,"), mosaik.CodeDeadline, "step in step 3 at 3s: deadline: expected a reply within 300ms, got none"},
		"a hang":          {at3("-"), mosaik.CodeDeadline, "expected a reply within 300ms"},
		"old API":         {when("init", fmt.Sprintf(metaOf, "1.0", "time-based")), mosaik.CodeVersion, "sim (127.0.0.1:"},
		"new API":         {when("init", fmt.Sprintf(metaOf, "4.0", "time-based")), mosaik.CodeVersion, "init: version: expected api_version 2 or 3, got 4.0"},
		"no type":         {when("init", fmt.Sprintf(metaOf, "3.0", "")), mosaik.CodeVersion, `got type ""`},
		"no meta":         {when("init", `[1, ID, null]`), mosaik.CodeBadReply, "expected {api_version, type, models}, got null"},
		"other model":     {when("init", `[1, ID, {"api_version": "3.0", "type": "time-based", "models": {"N": {}}}]`), mosaik.CodeEntities, `no model "M"; it has N`},
		"too many":        {when("create", `[1, ID, [{"eid": "E", "type": "M"}, {"eid": "F", "type": "M"}]]`), mosaik.CodeBadReply, "expected 1 entities of model M, got 2"},
		"other entity":    {when("create", `[1, ID, [{"eid": "F", "type": "M"}]]`), mosaik.CodeEntities, `input in: it has no attribute "E.y"; it has F.x, F.y`},
		"no setup":        {when("setup_done", `[2, ID, "AttributeError"]`), mosaik.CodeFailed, "setup_done: failed: AttributeError"},
		"value missing":   {when("get_data", `[1, ID, {"E": {}}]`), mosaik.CodeBadReply, "get_data in step 0 at 0s: bad-reply: E.x: expected a number, got nothing"},
		"value no number": {when("get_data", `[1, ID, {"E": {"x": true}}]`), mosaik.CodeBadReply, "E.x: expected a number, got true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(peer(t, good("time-based", test.other)))
			if test.code == mosaik.CodeDeadline {
				c.Deadline = 300 * time.Millisecond
			}
			start := time.Now()
			_, err := run(t, c, false)
			var told *mosaik.Error
			if !errors.As(err, &told) || told.Code != test.code || told.Simulator != "sim" || !strings.Contains(told.Error(), test.says) {
				t.Errorf("error %v", err)
			}
			if took := time.Since(start); took > 1500*time.Millisecond {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestFloodOfRequestsDoesNotPutOffTheDeadline(t *testing.T) {
	flood := "\x7f" + strings.Repeat("\x00\x00\x00\x1f"+`[0, 1, ["get_progress",[], {}]]`, 20000)
	c := config(peer(t, good("time-based", func(function string, at int64, _ []json.RawMessage) string {
		if function == "step" {
			return flood
		}
		return ""
	})))
	c.Deadline = 300 * time.Millisecond
	start := time.Now()
	_, err := run(t, c, false)
	var told *mosaik.Error
	if !errors.As(err, &told) || told.Code != mosaik.CodeDeadline || time.Since(start) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

func TestTimeBasedSimulatorIsSteppedWhenItSaidAndHoldsInBetween(t *testing.T) {
	var steps []string
	last := int64(0)
	c := config(peer(t, good("time-based", func(function string, at int64, arguments []json.RawMessage) string {
		switch function {
		case "step":
			last = at
			steps = append(steps, fmt.Sprintf("%d %s %s", at, arguments[1], arguments[2]))
			return fmt.Sprintf(`[1, ID, %d]`, at+4)
		case "get_data":
			return fmt.Sprintf(`[1, ID, {"E": {"x": %d}, "time": 7}]`, last)
		}
		return ""
	})))
	rows, err := run(t, c, true)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(rows, " "), "[0] [0] [0] [0] [4] [4] [4] [4] [8] [8]"; got != want {
		t.Errorf("outputs %s", got)
	}
	want := []string{`0 {"E":{"y":{"ramp.u":0.0}}} 10`, `4 {"E":{"y":{"ramp.u":1.0}}} 10`, `8 {"E":{"y":{"ramp.u":3.0}}} 10`}
	if !slices.Equal(steps, want) {
		t.Errorf("steps %q", steps)
	}
}

func TestEventBasedSimulatorIsSteppedWhenAnInputChangesAndWhenItSaid(t *testing.T) {
	var steps []string
	last := int64(0)
	c := config(peer(t, good("event-based", func(function string, at int64, arguments []json.RawMessage) string {
		switch function {
		case "step":
			last = at
			steps = append(steps, fmt.Sprintf("%d<%s", at, arguments[2]))
			if at == 20 {
				return `[1, ID, 25]` // within the same step of the federate
			}
		case "get_data":
			switch last {
			case 25:
				return `[1, ID, {"E": {"x": 25}, "time": 61}]` // after what is made at 50
			case 0:
				return `[1, ID, {}]`
			}
			return fmt.Sprintf(`[1, ID, {"E": {"x": %d}}]`, last)
		}
		return ""
	})))
	c.Resolution = 100 * sync.Millisecond
	rows, err := run(t, c, true)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(rows, " "), "[0] [0] [20] [20] [20] [50] [25] [25] [80] [80]"; got != want {
		t.Errorf("outputs %s", got)
	}
	if got, want := strings.Join(steps, " "), "0<9 20<29 25<29 50<59 80<89"; got != want {
		t.Errorf("steps %s", got)
	}
}

// Of two inputs in one port only the trigger wakes it; the other's changes are
// seen when it is stepped.
func TestOnlyTriggersOfAPortWakeAHybridSimulator(t *testing.T) {
	var steps []string
	c := config(peer(t, good("hybrid", func(function string, at int64, arguments []json.RawMessage) string {
		switch function {
		case "init":
			return strings.Replace(fmt.Sprintf(metaOf, "3.0", "hybrid"), `"y"]`, `"y"], "trigger": ["y"]`, 1)
		case "step":
			steps = append(steps, fmt.Sprintf("%d %s", at, arguments[1]))
			return `[1, ID, null]`
		}
		return ""
	})))
	c.Inputs[0].Elements = []mosaik.Element{{Name: "u", Attribute: "E.y"}, {Name: "w", Attribute: "E.x"}}
	x, err := mosaik.Start(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	m, err := sync.New([]sync.Federate{&twoRamps{}, x}, []sync.Connection{{From: "ramp.out", To: "sim.in"}}, sync.Options{Stop: c.Stop})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`0 {"E":{"x":{"ramp.w":0.0},"y":{"ramp.u":0.0}}}`,
		`6 {"E":{"x":{"ramp.w":6.0},"y":{"ramp.u":1.0}}}`,
	}
	if !slices.Equal(steps, want) {
		t.Errorf("steps\n%s", strings.Join(steps, "\n"))
	}
}

// twoRamps has an element that changes once and one that changes every second.
type twoRamps struct{ ramp }

func (*twoRamps) Describe() sync.Description {
	return sync.Description{Name: "ramp", Step: sync.Second, Outputs: []sync.Port{{Name: "out", Unit: "1", Elements: []string{"u", "w"}}}}
}

func (*twoRamps) Step(s *sync.Step) error {
	s.Out[0].Values[0], s.Out[0].Values[1] = float64(s.To/sync.Second/6), float64(s.To/sync.Second)
	return nil
}

// Signs and units differ between the simulator and the federation.
func TestValuesAreScaledOnTheirWay(t *testing.T) {
	var steps []string
	c := config(peer(t, good("time-based", func(function string, at int64, arguments []json.RawMessage) string {
		switch {
		case function == "reply" && at == 0:
			steps = append(steps, string(arguments[2]))
			return "-"
		case function == "step" && at == 5:
			steps = append(steps, string(arguments[1]))
			return frames(
				`[0, 0, ["get_data", [{"ramp.u": ["out"]}], {}]]`,
				`[0, 1, ["set_data", [{"sim.E": {"grid.bus/16": {"injection": 2500}}}], {}]]`,
				`[1, 14, 6]`)
		}
		return ""
	})))
	c.Inputs[0].Scale = 1000
	c.Outputs[0].Scale = -0.5
	c.Outputs = append(c.Outputs, mosaik.Port{Name: "set", Unit: "MW", Set: []string{"bus/16"}, Peers: []string{"grid.injection"}, Scale: -0.001})
	w := &watch{port: "sim.set"}
	rows, err := run(t, c, true, w)
	if err != nil {
		t.Fatal(err)
	}
	if rows[5] != "[-0.75]" || w.rows[5] != "[-2.5]" {
		t.Errorf("outputs %v and %v", rows, w.rows)
	}
	if got, want := strings.Join(steps, " "), `{"E":{"y":{"ramp.u":2000.0}}} {"ramp.u":{"out":2000.0}} null`; got != want {
		t.Errorf("the simulator is told %s", got)
	}
}

// The ramp's changes step a hybrid simulator only if its meta says so.
func TestHybridSimulatorIsSteppedWhenItSaidAndByItsTriggers(t *testing.T) {
	for lists, want := range map[string]string{
		``:                                       "0<10 1<10 7<10",
		`, "trigger": ["x"]`:                     "0<10 1<10 7<10",
		`, "trigger": ["y"]`:                     "0<0 1<1 2<2 5<5 7<7 8<8",
		`, "trigger": true`:                      "0<0 1<1 2<2 5<5 7<7 8<8",
		`, "non-trigger": ["x"]`:                 "0<0 1<1 2<2 5<5 7<7 8<8",
		`, "trigger": [], "non-trigger": ["x"]`:  "0<10 1<10 7<10",
		`, "non-trigger": ["x", "y"]`:            "0<10 1<10 7<10",
		`, "persistent": ["x"], "trigger": null`: "0<10 1<10 7<10",
	} {
		var steps []string
		c := config(peer(t, good("hybrid", func(function string, at int64, arguments []json.RawMessage) string {
			switch function {
			case "init":
				return strings.Replace(fmt.Sprintf(metaOf, "3.0", "hybrid"), `"y"]`, `"y"]`+lists, 1)
			case "step":
				steps = append(steps, fmt.Sprintf("%d<%s", at, arguments[2]))
				if at < 2 {
					return fmt.Sprintf(`[1, ID, %d]`, 6*at+1)
				}
				return `[1, ID, null]`
			}
			return ""
		})))
		if _, err := run(t, c, true); err != nil {
			t.Fatalf("%s: %v", lists, err)
		}
		if got := strings.Join(steps, " "); got != want {
			t.Errorf("%s: steps %s", lists, got)
		}
	}
}

func TestOlderSimulatorsAreSpokenToAsTheyKnow(t *testing.T) {
	for version, setup := range map[string]bool{"2.0": false, "2.2": true, "2.4.1": true} {
		var called []string
		c := config(peer(t, good("time-based", func(function string, at int64, arguments []json.RawMessage) string {
			called = append(called, fmt.Sprintf("%s/%d", function, len(arguments)))
			if function == "init" {
				return strings.ReplaceAll(fmt.Sprintf(metaOf, version, ""), `"type": "", `, "")
			}
			return ""
		})))
		if _, err := run(t, c, false); err != nil {
			t.Errorf("%s: %v", version, err)
		}
		if slices.Contains(called, "setup_done/0") != setup || !slices.Contains(called, "step/2") || slices.Contains(called, "step/3") {
			t.Errorf("%s: %v", version, called)
		}
	}
}

// frames are messages as bytes of their own.
func frames(messages ...string) string {
	b := []byte("\x7f")
	for _, m := range messages {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(m))), m...)
	}
	return string(b)
}

func TestWhatASimulatorAsksBackIsAnswered(t *testing.T) {
	var replies []string
	c := config(peer(t, good("event-based", func(function string, at int64, arguments []json.RawMessage) string {
		switch {
		case function == "reply":
			replies = append(replies, fmt.Sprintf("%s %s", arguments[1], arguments[2]))
			return "-"
		case function == "step" && at == 5:
			return frames(
				`[0, 0, ["get_progress", [], {}]]`,
				`[0, 1, ["get_data", [{"ramp.u": ["out"]}], {}]]`,
				`[0, 2, ["get_data", [{"other.u": ["out"]}], {}]]`,
				`[0, 3, ["set_event", [7], {}]]`,
				`[0, 4, ["set_event", [5], {}]]`,
				`[0, 5, ["set_data", [{"sim.E": {"grid.bus/16": {"injection": 12.5}}}], {}]]`,
				`[0, 6, ["set_data", [{"sim.E": {"grid.bus/17": {"injection": 1}}}], {}]]`,
				`[0, 7, ["get_related_entities", [], {}]]`,
				`[1, 8, null]`)
		}
		return ""
	})))
	c.Outputs = append(c.Outputs, mosaik.Port{Name: "set", Unit: "MW", Set: []string{"bus/16"}, Peers: []string{"grid.injection"}})
	w := &watch{port: "sim.set"}
	if _, err := run(t, c, true, w); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.rows, " "); got != "[0] [0] [0] [0] [0] [12.5] [12.5] [12.5] [12.5] [12.5]" {
		t.Errorf("what was set is %s", got)
	}
	want := []string{
		`0 50.0`, `1 {"ramp.u":{"out":2.0}}`, `2 "get_data: out of other.u is not among the inputs, which are out of ramp.u"`,
		`3 null`, `4 "set_event: expected a time later than 5, got 5"`,
		`5 null`, `6 "set_data: no output sets injection of grid.bus/17; set_data can write injection of grid.bus/16"`,
		`7 "get_related_entities is not supported here; get_progress, get_data, set_data and set_event are"`,
	}
	if !slices.Equal(replies, want) {
		t.Errorf("replies\n%s", strings.Join(replies, "\n"))
	}
}

func python(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/simulators.py")
	if err != nil {
		t.Fatal(err)
	}
	return path + " '" + script + "'"
}

func TestProgramIsStartedAndEnds(t *testing.T) {
	c := config("")
	c.Connect, c.Command = "", python(t)+" pv %(addr)s"
	c.Deadline = 20 * time.Second
	c.Init = map[string]any{"step_size": 2}
	c.Models = []mosaik.Model{{Name: "PV", Number: 2, Parameters: map[string]any{"peak_mw": 80, "ramp_s": 8}}}
	c.Inputs = []mosaik.Port{{Name: "in", Unit: "1", Elements: []mosaik.Element{{Name: "u", Attribute: "PV-1.limit"}}, Peers: []string{"ramp.out"}}}
	c.Outputs = []mosaik.Port{{Name: "out", Unit: "MW", Elements: []mosaik.Element{{Name: "a", Attribute: "PV-0.P"}, {Name: "b", Attribute: "PV-1.P"}, {Name: "c", Attribute: "PV-0.panel.T"}}}}
	rows, err := run(t, c, true)
	if err != nil {
		t.Fatal(err)
	}
	want := "[0 0 25] [0 0 25] [20 20 45] [20 20 45] [40 40 65] [40 40 65] [60 120 85] [60 120 85] [80 240 105] [80 240 105]"
	if got := strings.Join(rows, " "); got != want {
		t.Errorf("outputs %s", got)
	}
	c.Init["nonsense"] = 1
	if _, err = run(t, c, true); err == nil || !strings.Contains(err.Error(), "init: failed: TypeError: ") {
		t.Errorf("error %v", err)
	}
}

func TestSimulatorThatWaitsIsConnectedTo(t *testing.T) {
	words, err := mosaik.Words(python(t) + " switch --listen 127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(words[0], words[1:]...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var line bytes.Buffer
	one := make([]byte, 1)
	for !strings.HasSuffix(line.String(), "\n") {
		if _, err := out.Read(one); err != nil {
			t.Fatal(err)
		}
		line.Write(one)
	}
	c := config(strings.TrimSpace(line.String()))
	c.Deadline = 20 * time.Second
	c.Models = []mosaik.Model{{Name: "Switch", Number: 1, Parameters: map[string]any{"stage_mw": 5.0}}}
	c.Inputs, c.Outputs = nil, []mosaik.Port{{Name: "out", Unit: "MW", Attribute: "P"}}
	rows, err := run(t, c, false)
	if err != nil || rows[len(rows)-1] != "[0]" {
		t.Errorf("outputs %v, error %v", rows, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestProgramsThatDoNotComeAreToldApart(t *testing.T) {
	for command, says := range map[string]string{
		"/no/such/program %(addr)s":                                     "sim: connection: its command cannot be started",
		`sh -c "echo starting; echo 'no licence' >&2; exit 3" %(addr)s`: "the program ended with exit status 3 (its last words: no licence) before it connected",
		"sleep 30 %(addr)s":                                             "sim: deadline: expected the program to connect to 127.0.0.1:",
	} {
		c := config("")
		c.Connect, c.Command, c.Deadline = "", command, 300*time.Millisecond
		if strings.HasPrefix(command, "sh") {
			c.Deadline = 20 * time.Second
		}
		if strings.HasPrefix(command, "sleep") {
			c.Command = "sleep 30"
		}
		start := time.Now()
		_, err := mosaik.Start(context.Background(), c)
		if err == nil || !strings.Contains(err.Error(), says) || time.Since(start) > 5*time.Second {
			t.Errorf("%s, after %v: %v", command, time.Since(start), err)
		}
	}
	_, err := mosaik.Start(context.Background(), config("127.0.0.1:1"))
	if err == nil || !strings.Contains(err.Error(), "mosaik: sim: connection: dial tcp 127.0.0.1:1") {
		t.Errorf("error %v", err)
	}
}

func TestCommandsArePartedAsInAShell(t *testing.T) {
	got, err := mosaik.Words(`python  'my sim.py' "" --a="b c" %(addr)s`)
	if want := []string{"python", "my sim.py", "", "--a=b c", "%(addr)s"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	for _, wrong := range []string{"", "  ", `a "b`} {
		if got, err := mosaik.Words(wrong); err == nil {
			t.Errorf("%q gives %q", wrong, got)
		}
	}
}

func TestCancelledStartEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := config(peer(t, good("time-based", func(function string, _ int64, _ []json.RawMessage) string {
		cancel()
		return "-"
	})))
	c.Deadline = time.Minute
	if _, err := mosaik.Start(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A step with one input and one output: two requests over loopback.
func BenchmarkStep(b *testing.B) {
	c := config(peer(b, good("time-based", func(string, int64, []json.RawMessage) string { return "" })))
	c.Stop = sync.Time(b.N) * sync.Second
	x, err := mosaik.Start(context.Background(), c)
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	out := []sync.Signal{{Values: make([]float64, 1)}}
	if err := x.Init(out); err != nil {
		b.Fatal(err)
	}
	in := []sync.Signal{{Values: []float64{1}}}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		from := sync.Time(i) * sync.Second
		if err := x.Step(&sync.Step{Seq: int64(i), From: from, To: from + sync.Second, In: in, Out: out}); err != nil {
			b.Fatal(err)
		}
	}
}
