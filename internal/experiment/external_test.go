package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	cosync "cosim/sync"
)

func TestMistakesInFederatesAreFound(t *testing.T) {
	text := `name: t
case: ieee39
attach: {certificate: c.pem}
federates:
  - name: grid
    replaces: grid
  - name: a.b
    replaces: gird
    on_lost: holds
  - name: pv
    on_lost: fallback
    connect:
      - {from: pv.power, to: grid}
      - {from: pw.power, to: grid.injection}
  - {name: second, replaces: grid, deadline: -3s}
  - {name: idle, parameters: {droop: 0.05}}
  - {replaces: scada}
`
	_, err := Load(fileOf(t, text), Overrides{})
	var mistakes Mistakes
	if !errors.As(err, &mistakes) {
		t.Fatal(err)
	}
	got := err.Error()
	for _, want := range []string{
		`:3:23: certificate and key belong together`,
		`:5:11: name "grid" is that of a built-in federate; to take its place, choose another name and say replaces: grid`,
		`:7:11: name "a.b" holds a dot, slash or space`,
		`:8:15: no built-in federate "gird"; did you mean "grid"?`,
		`:9:14: on_lost is "holds"; did you mean "hold"?`,
		`:11:14: fallback is the built-in federate that is replaced; pv replaces none`,
		`:13:30: to is "grid", expected a federate and its port, such as grid.frequency`,
		`:14:16: no federate "pw"; did you mean "pv"?`,
		`:15:30: two federates replace grid`,
		`:15:46: deadline: found -3s, expected a duration that is not negative`,
		`:16:5: idle neither replaces a federate nor connects to one`,
		`:17:5: name is missing: it is what the federate connects as`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if len(mistakes) != 12 {
		t.Errorf("%d mistakes:\n%s", len(mistakes), got)
	}
	_, err = Load("S-2", Overrides{Set: []string{"attach.listen=127.0.0.1:1"}})
	if err == nil || !strings.Contains(err.Error(), "attach has no effect without federates") {
		t.Errorf("error %v", err)
	}
}

// outside runs d while programs of its own process play its federates. Those
// are made by play once their run waits for them.
func outside(t *testing.T, d *Definition, codec *ws.Codec, o RunOptions, play map[string]cosync.Federate) (*Result, error) {
	t.Helper()
	var ended []chan error
	started := map[string]bool{}
	o.OnWait = func(names, urls []string) {
		for i, name := range names {
			if f := play[name]; f != nil && !started[name] {
				started[name] = true
				e := make(chan error, 1)
				ended = append(ended, e)
				go func() { e <- client.Run(context.Background(), urls[i], f, client.Options{Codec: codec, Patience: -1}) }()
			}
		}
	}
	res, err := Run(context.Background(), d, o)
	for _, e := range ended {
		if err := <-e; err != nil && !errors.Is(err, errDies) {
			t.Error(err)
		}
	}
	return res, err
}

var errDies = errors.New("dies")

// disguised is a federate that goes by another name, and dies at a time.
type disguised struct {
	cosync.Federate
	name string
	dies cosync.Time // 0: never
}

func (r *disguised) Describe() cosync.Description {
	d := r.Federate.Describe()
	d.Name = r.name
	return d
}

func (r *disguised) Step(s *cosync.Step) error {
	if r.dies > 0 && s.From >= r.dies {
		return errDies
	}
	return r.Federate.Step(s)
}

// anotherGrid is the grid of an experiment, for use outside of it.
func anotherGrid(t *testing.T, d *Definition, dies cosync.Time) cosync.Federate {
	t.Helper()
	fed, err := build(d)
	if err != nil {
		t.Fatal(err)
	}
	return &disguised{fed.find("grid"), "my-grid", dies}
}

// recorded reads the files that say what happened.
func recorded(t *testing.T, dir string) (series, events string) {
	t.Helper()
	var text [2]string
	for i, name := range []string{"series.parquet", "events.parquet"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(b)
	}
	return text[0], text[1]
}

// The same grid in process, over WebSocket as text and as bytes, and lost on
// the way with the built-in one in reserve: the recording is one, byte for
// byte.
func TestGridFromOutsideLeavesNoTrace(t *testing.T) {
	sets := append([]string{"attach.listen=127.0.0.1:0", "federates=[{name: my-grid, replaces: grid, on_lost: fallback, deadline: 60s}]"}, short...)
	if testing.Short() {
		sets = append(sets, "duration=25s")
	}
	inside := load(t, "S-2", sets[2:]...)
	res, err := Run(context.Background(), inside, RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	wantSeries, wantEvents := recorded(t, res.Dir)
	for name, test := range map[string]struct {
		codec *ws.Codec
		dies  cosync.Time
	}{
		"JSON": {ws.JSON, 0}, "CBOR": {ws.CBOR, 0}, "lost at 12.34 s": {ws.CBOR, 12340 * cosync.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			d := load(t, "S-2", sets...)
			var lost []cosync.Loss
			o := RunOptions{Out: t.TempDir(), OnLost: func(l cosync.Loss) { lost = append(lost, l) }}
			res, err := outside(t, d, test.codec, o, map[string]cosync.Federate{"my-grid": anotherGrid(t, inside, test.dies)})
			if err != nil {
				t.Fatal(err)
			}
			series, events := recorded(t, res.Dir)
			if series != wantSeries || test.dies == 0 && events != wantEvents {
				t.Errorf("series the same: %v, events: %v", series == wantSeries, events == wantEvents)
			}
			if test.dies == 0 {
				return
			}
			if len(lost) != 1 || lost[0].At != test.dies || lost[0].Federate != "grid" || !strings.Contains(lost[0].Err.Error(), "my-grid") {
				t.Errorf("lost %v", lost)
			}
			if text := exported(t, res.Dir); !strings.Contains(text, "federate-lost,grid") || !strings.Contains(text, "standby: failed") {
				t.Error("the loss is not in the record")
			}
		})
	}
}

// exported returns the events of a run as CSV.
func exported(t *testing.T, dir string) string {
	t.Helper()
	if _, err := Export([]string{dir}, true); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "events*.csv"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// droop answers the frequency with power at a bus.
type droop struct {
	name, bus string
	gain      float64 // kW/Hz
	dies      cosync.Time
}

func (f *droop) Describe() cosync.Description {
	return cosync.Description{
		Name: f.name, Step: 20 * cosync.Millisecond,
		Inputs:  []cosync.Port{{Name: "frequency", Unit: "mHz", Elements: []string{"coi"}, Subset: true}},
		Outputs: []cosync.Port{{Name: "power", Unit: "kW", Elements: []string{f.bus}}},
	}
}
func (f *droop) Init([]cosync.Signal) error { return nil }
func (f *droop) Close() error               { return nil }
func (f *droop) Step(s *cosync.Step) error {
	if f.dies > 0 && s.From >= f.dies {
		return errDies
	}
	s.Out[0].Values[0] = -f.gain * s.In[0].Values[0] / 1000
	return nil
}

// market gives two orders at half a second, one of which nothing obeys.
type market struct{}

func (market) Init([]cosync.Signal) error { return nil }
func (market) Close() error               { return nil }
func (market) Describe() cosync.Description {
	return cosync.Description{Name: "market", Step: 100 * cosync.Millisecond, Outputs: []cosync.Port{{Name: "orders", Kind: cosync.Events}}}
}

func (market) Step(s *cosync.Step) error {
	if s.From == 500*cosync.Millisecond {
		s.Out[0].Events = append(s.Out[0].Events,
			cosync.Event{At: s.From, Type: "shed", Element: "block/16", Value: 50},
			cosync.Event{At: s.From, Type: "shed", Element: "block/99", Value: 50})
	}
	return nil
}

// Who is wired to the grid's orders commands it beside the IEDs.
func TestAFederateOutsideOrdersTheGrid(t *testing.T) {
	d := load(t, "S-2", "attach.listen=127.0.0.1:0", "duration=1s", "disturbances.contingencies.count=0",
		"federates=[{name: market, connect: [{from: market.orders, to: grid.orders}]}]")
	var called []cosync.Time // in steps from
	count := watch(func(f *cosync.Frame) {
		i, _ := f.Index("grid.reserve")
		if j := slices.Index(f.Outputs[i].Port.Elements, "block/16"); f.Outputs[i].Values[j] == 50 {
			called = append(called, f.From)
		}
	})
	res, err := outside(t, d, ws.JSON, RunOptions{Out: t.TempDir(), Observers: []cosync.Observer{count}}, map[string]cosync.Federate{"market": market{}})
	if err != nil {
		t.Fatal(err)
	}
	if len(called) != 50 || called[0] != 500*cosync.Millisecond {
		t.Errorf("the block is called in %d steps of 50: %v", len(called), called)
	}
	if text := exported(t, res.Dir); strings.Count(text, "order-refused,block/99") != 1 {
		t.Errorf("the order to nobody is not refused once")
	}
}

// nadir is the deepest frequency of a run with two batteries of the given gain.
func nadir(t *testing.T, gain float64, dies cosync.Time, onLost string) (float64, error) {
	t.Helper()
	list := make([]string, 2)
	play := map[string]cosync.Federate{}
	for i, bus := range []string{"bus/15", "bus/16"} {
		name := fmt.Sprintf("b%d", i)
		list[i] = fmt.Sprintf("{name: %s, on_lost: %s, connect: [{from: grid.frequency, to: %s.frequency}, {from: %s.power, to: grid.injection}]}", name, onLost, name, name)
		play[name] = &droop{name, bus, gain, 0}
	}
	play["b1"].(*droop).dies = dies
	d := load(t, "S-2", append([]string{"attach.listen=127.0.0.1:0", "federates=[" + strings.Join(list, ", ") + "]"}, short...)...)
	d.Duration = 15 * time.Second
	d.Disturb = Disturbances{Scheduled: []Scheduled{{At: 2 * time.Second, Kind: kindLoadStep, Bus: 15, SizeMW: 200, Duration: 10 * time.Second}}}
	w := &lowest{}
	_, err := outside(t, d, ws.CBOR, RunOptions{Observers: []cosync.Observer{w}}, play)
	return w.hz, err
}

type lowest struct{ hz float64 }

func (w *lowest) Begin(*cosync.Frame) error { return nil }
func (w *lowest) End(error) error           { return nil }
func (w *lowest) Observe(f *cosync.Frame) error {
	i, _ := f.Index("grid.frequency")
	w.hz = min(w.hz, f.Outputs[i].Values[0])
	return nil
}

func TestBatteriesFromOutsideCarryTheFrequency(t *testing.T) {
	none, err := nadir(t, 0, 0, lostAbort)
	if err != nil {
		t.Fatal(err)
	}
	both, err := nadir(t, 1e6, 0, lostAbort)
	if err != nil {
		t.Fatal(err)
	}
	if !(none < -0.01 && math.Abs(both) < 0.9*math.Abs(none)) {
		t.Errorf("lowest frequency %v Hz without and %v Hz with batteries", none, both)
	}
	// One that is lost before the load step and held leaves half of it.
	one, err := nadir(t, 1e6, cosync.Second, lostHold)
	if err != nil {
		t.Fatal(err)
	}
	if !(none < one && one < both) {
		t.Errorf("lowest frequency %v Hz without, %v Hz with one and %v Hz with both", none, one, both)
	}
	if _, err = nadir(t, 1e6, cosync.Second, lostAbort); err == nil || !strings.Contains(err.Error(), "sync: b1, step 50 at 1s: ws: b1 (127.0.0.1:") {
		t.Errorf("error %v", err)
	}
}

func TestFederateIsToldWhatTheExperimentExpects(t *testing.T) {
	for _, test := range []struct {
		federate *droop
		wire     string
		says     string
	}{
		{&droop{"b", "bus/99", 0, 0}, "{from: b.power, to: grid.injection}", `no bus for element "bus/99"`},
		{&droop{"b", "bus/15", 0, 0}, "{from: b.powr, to: grid.injection}", `expected an output "powr"`},
		{&droop{"b", "bus/15", 0, 0}, "{from: grid.frequency, to: b.frequenc}", `expected an input "frequenc"`},
	} {
		d := load(t, "S-2", "attach.listen=127.0.0.1:0", "duration=1s", "disturbances.contingencies.count=0", "federates=[{name: b, connect: ["+test.wire+"]}]")
		ctx, cancel := context.WithCancel(context.Background())
		var told error
		_, err := Run(ctx, d, RunOptions{OnWait: func(_, urls []string) {
			told = client.Run(ctx, urls[0], test.federate, client.Options{Patience: -1})
			cancel()
		}})
		if told == nil || !strings.Contains(told.Error(), test.says) {
			t.Errorf("told %v", told)
		}
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "still waiting for b") {
			t.Errorf("error %v", err)
		}
	}
}

func TestSlipsInPortsOfBuiltInFederatesShowBeforeAnybodyConnects(t *testing.T) {
	d := load(t, "S-2", "attach.listen=127.0.0.1:0", "federates=[{name: b, connect: [{from: grid.freqency, to: b.f}, {from: b.p, to: scada.frames}]}]")
	_, err := Run(context.Background(), d, RunOptions{OnWait: func([]string, []string) { t.Error("it waits") }})
	for _, says := range []string{`grid has no output "freqency"; did you mean "frequency"?`, `scada has no input "frames"`} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v", err)
		}
	}
}

// sleeper is late once.
type sleeper struct{ droop }

func (f *sleeper) Step(s *cosync.Step) error {
	if s.Seq == 3 {
		time.Sleep(3500 * time.Millisecond)
	}
	return f.droop.Step(s)
}

func TestStallsAreTold(t *testing.T) {
	t.Parallel()
	d := load(t, "S-2", "attach.listen=127.0.0.1:0", "duration=1s", "disturbances.contingencies.count=0", "federates=[{name: b, connect: [{from: grid.frequency, to: b.frequency}]}]")
	var told []string
	res, err := outside(t, d, ws.JSON, RunOptions{Out: t.TempDir(), OnStall: func(s cosync.Stall) { told = append(told, s.String()) }},
		map[string]cosync.Federate{"b": &sleeper{droop{"b", "bus/15", 0, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	timing, err := os.ReadFile(filepath.Join(res.Dir, "timing.json"))
	if err != nil {
		t.Fatal(err)
	}
	const says = "waiting for b: step 3 at 60ms asked 2"
	if len(told) != 1 || !strings.HasPrefix(told[0], says) || !strings.Contains(string(timing), says) {
		t.Errorf("told %v, recorded %s", told, timing)
	}
}

func TestExamplesOfFederatesAreValid(t *testing.T) {
	files, err := filepath.Glob("../../federates/ws/examples/*/*.yaml")
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if d := load(t, file); len(d.Federates) != 1 {
			t.Errorf("%s: %d federates", file, len(d.Federates))
		}
	}
}

func TestDocumentedFederatesAreValid(t *testing.T) {
	text, err := os.ReadFile("../../docs/federates.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```yaml\n")
	if len(blocks) != 5 {
		t.Fatalf("%d examples", len(blocks)-1)
	}
	for i, block := range blocks[1:] {
		example, _, _ := strings.Cut(block, "```")
		if !strings.HasPrefix(example, "name:") {
			example = "name: t\ncase: ieee39\n" + example
		}
		d := load(t, fileOf(t, example))
		if len(d.Federates) != 1 {
			t.Errorf("example %d has %d federates", i, len(d.Federates))
		}
	}
}
