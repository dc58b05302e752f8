package scada

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"cosim/internal/rng"
	"cosim/scada/q3p"
)

const (
	ms        = int64(1e6)
	second    = int64(1e9)
	testStep  = 10 * ms
	testDelay = ms // of a leg
)

// testAreas is the layout of the 39-bus case: PMUs, generators and blocks by
// gateway.
var testAreas = []struct{ pmus, gens, blocks []int }{
	{[]int{4, 31, 39}, []int{31, 39}, []int{4, 8}},
	{[]int{32, 33, 34}, []int{32, 33, 34}, []int{15, 20}},
	{[]int{16, 35, 36}, []int{35, 36}, []int{16, 24}},
	{[]int{30, 37, 38}, []int{30, 37, 38}, []int{3, 29}},
}

var testInertiaS = map[int]float64{30: 42, 31: 30.3, 32: 35.8, 33: 28.6, 34: 26, 35: 34.8, 36: 26.4, 37: 24.3, 38: 34.5, 39: 500}

// testConfig is the 39-bus case with two routes a chain and blocks of 32.5 %
// of 550 MW an area.
func testConfig() Config {
	var c Config
	node := func(name, kind string) {
		for _, n := range c.Nodes {
			if n.Name == name {
				return
			}
		}
		c.Nodes = append(c.Nodes, Node{name, kind})
	}
	link := func(a, b string, quantum bool) {
		for _, l := range c.Links {
			if l.A == a && l.B == b {
				return
			}
		}
		c.Links = append(c.Links, Link{a + "-" + b, a, b, quantum})
	}
	node("CC", ControlCentre)
	for i := range testAreas {
		gw := fmt.Sprintf("GW%d", i+1)
		node(gw, Gateway)
		link("CC", gw, true)
	}
	for i := range testAreas {
		link(fmt.Sprintf("GW%d", i+1), fmt.Sprintf("GW%d", (i+1)%4+1), true)
	}
	for i, area := range testAreas {
		gw, next := fmt.Sprintf("GW%d", i+1), fmt.Sprintf("GW%d", (i+1)%4+1)
		at := func(task, kind string, bus int) (id, ied string) {
			rtu := fmt.Sprintf("RTU%d", bus)
			ied = fmt.Sprintf("IED-%s-%d", kind, bus)
			node(rtu, RTU)
			node(ied, Device)
			link(gw, rtu, false)
			link(rtu, ied, false)
			routes := [][]string{{"CC", gw, rtu, ied}, {"CC", next, gw, rtu, ied}}
			if task == TaskPMU {
				routes = [][]string{reversed(routes[0]), reversed(routes[1])}
			}
			id = fmt.Sprintf("%s/%d", kind, bus)
			c.Chains = append(c.Chains, Chain{ID: fmt.Sprintf("%s-%d", task, bus), Task: task, Element: id, Routes: routes})
			return id, ied
		}
		for _, bus := range area.pmus {
			id, ied := at(TaskPMU, "pmu", bus)
			c.PMUs = append(c.PMUs, PMU{id, bus, ied})
		}
		for _, bus := range area.gens {
			id, ied := at(TaskAGC, "gen", bus)
			at(TaskAVR, "gen", bus)
			c.Generators = append(c.Generators, Generator{ID: id, Bus: bus, IED: ied, InertiaS: testInertiaS[bus], VoltagePU: 1})
		}
		for _, bus := range area.blocks {
			id, ied := at(TaskShed, "block", bus)
			c.Blocks = append(c.Blocks, Block{id, bus, ied, gw, 0.325 * 550 / 2})
		}
		c.Chains = append(c.Chains, Chain{
			ID: fmt.Sprintf("interrogation-%d", i+1), Task: TaskInterrogation,
			Element: fmt.Sprintf("gateway/%d", i+1), Routes: [][]string{{"CC", gw}, {"CC", next, gw}},
		})
	}
	return c
}

// tester is what the world needs of a test, ordinary or rapid's.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// fakePool is a pool with a level that its test sets. Key that was not drawn or
// is released cannot be read.
type fakePool struct {
	stream   *rand.ChaCha8
	level    int64
	next     int64
	waitNS   int64
	drawn    map[int64][]byte // by offset, ranges as they were drawn
	released map[int64]bool   // by octet
	taken    int64
}

func newFakePool(name string, level int64) *fakePool {
	return &fakePool{stream: rng.Source(1, name), level: level, drawn: map[int64][]byte{}, released: map[int64]bool{}}
}

func (p *fakePool) Available(DrawRequest) int64 { return p.level }

func (p *fakePool) Draw(_ DrawRequest, bits int) (q3p.Key, int64, error) {
	if int64(bits) > p.level {
		return q3p.Key{}, 0, fmt.Errorf("fake pool: %w", ErrNoKey)
	}
	k := q3p.Key{Offset: p.next, Bytes: make([]byte, bits/8)}
	p.stream.Read(k.Bytes)
	p.next += int64(bits)
	p.level -= int64(bits)
	p.taken += int64(bits)
	for i := range k.Bytes {
		p.drawn[k.Offset+int64(8*i)] = k.Bytes[i : i+1]
	}
	return k, p.waitNS, nil
}

func (p *fakePool) Key(offset int64, n int) ([]byte, error) {
	var key []byte
	for o := offset; o < offset+int64(n); o += 8 {
		if p.drawn[o] == nil || p.released[o] {
			return nil, fmt.Errorf("fake pool: no key at %d", o)
		}
		key = append(key, p.drawn[o]...)
	}
	return key, nil
}

func (p *fakePool) Release(offset int64, n int) {
	for o := offset; o < offset+int64(n); o += 8 {
		p.released[o] = true
		delete(p.drawn, o)
	}
}

// world is a system with a network of fixed delays, pools and a one-mass grid.
type world struct {
	t     tester
	sys   *System
	ieds  map[string]*IED
	pools map[string]*fakePool
	cfg   Config
	grid  oneMass

	nowNS   int64
	flying  []flyingFrame
	broken  map[string]bool // links by name
	delayNS int64
	// spoil may change a frame at delivery, or drop it by returning false.
	spoil func(f *Frame) bool

	in      Input
	out     Output
	tasks   []TaskEvent
	refused []Refusal
	frames  int
	obeyed  []obeyed
	sent    []Frame
	keep    bool // sent frames
}

type flyingFrame struct {
	arriveNS int64
	frame    Frame
}

type obeyed struct {
	AtNS int64
	Command
}

const plenty = int64(1) << 40

func newWorld(t tester, cfg Config, level int64) *world {
	t.Helper()
	w := &world{t: t, cfg: cfg.Resolved(), pools: map[string]*fakePool{}, broken: map[string]bool{}, delayNS: testDelay}
	pools := map[string]KeyPool{}
	for _, l := range cfg.Links {
		if l.Quantum {
			w.pools[l.Name] = newFakePool(l.Name, level)
			pools[l.Name] = w.pools[l.Name]
		}
	}
	stream := func(name string) *rand.Rand { return rng.Stream(7, name) }
	var err error
	if w.sys, err = New(cfg, pools, stream); err != nil {
		t.Fatal(err)
	}
	if w.ieds, err = NewIEDs(cfg, PresharedSecret(stream("scada/psk"))); err != nil {
		t.Fatal(err)
	}
	w.grid = newOneMass(&w.cfg)
	return w
}

func (w *world) runFor(d time.Duration) {
	w.t.Helper()
	for end := w.nowNS + d.Nanoseconds(); w.nowNS < end; {
		w.step()
	}
}

// step runs scada, network and grid over one step, in this order.
func (w *world) step() {
	w.t.Helper()
	w.grid.samples(&w.in)
	if err := w.sys.Step(w.nowNS, w.nowNS+testStep, &w.in, &w.out); err != nil {
		w.t.Fatal(err)
	}
	if c := w.sys.Counts(); c.Triggered != c.Succeeded+c.Failed+c.Open {
		w.t.Fatalf("at %v: %+v does not add up", time.Duration(w.nowNS), c)
	}
	w.tasks = append(w.tasks, w.out.Tasks...)
	w.refused = append(w.refused, w.out.Refusals...)
	w.in = Input{SampleFreqHz: w.in.SampleFreqHz, SampleVoltagePU: w.in.SampleVoltagePU}
	w.frames += len(w.out.Frames)
	last := w.nowNS
	for _, f := range w.out.Frames {
		if f.AtNS < last || f.AtNS >= w.nowNS+testStep {
			w.t.Fatalf("frame %d at %d, after one at %d in the step from %d", f.ID, f.AtNS, last, w.nowNS)
		}
		last = f.AtNS
	}
	for _, f := range w.out.Frames {
		if w.keep {
			w.sent = append(w.sent, f)
		}
		w.flying = append(w.flying, flyingFrame{f.AtNS + f.ServiceNS + w.delayNS, f})
	}
	w.nowNS += testStep
	w.carry()
	w.grid.step(float64(testStep) / 1e9)
}

// carry delivers what arrives before the end of the step.
func (w *world) carry() {
	kept := w.flying[:0]
	for _, fl := range w.flying {
		f := fl.frame
		if fl.arriveNS >= w.nowNS {
			kept = append(kept, fl)
			continue
		}
		if l := w.cut(f.Route); l != "" {
			w.in.Drops = append(w.in.Drops, Drop{fl.arriveNS, f.ID, DropLinkDown})
			continue
		}
		if w.spoil != nil && !w.spoil(&f) {
			w.in.Drops = append(w.in.Drops, Drop{fl.arriveNS, f.ID, DropOverflow})
			continue
		}
		w.handOver(fl.arriveNS, f)
	}
	w.flying = kept
}

func (w *world) handOver(atNS int64, f Frame) {
	nodes := strings.Split(f.Route, ">")
	end := nodes[len(nodes)-1]
	ied := w.ieds[end]
	if ied == nil {
		w.in.Deliveries = append(w.in.Deliveries, Delivery{atNS, f.ID, end, nodes[0], f.Payload})
		return
	}
	c, verdict, _ := ied.Receive(nodes[0], f.Payload)
	if verdict == Valid && c.Kind != "" {
		w.obeyed = append(w.obeyed, obeyed{atNS, c})
		w.grid.obey(c)
	}
	w.in.Applied = append(w.in.Applied, Applied{atNS, f.ID, end, verdict})
}

// cut is the first broken link on a route.
func (w *world) cut(path string) string {
	nodes := strings.Split(path, ">")
	for i := 1; i < len(nodes); i++ {
		for _, l := range w.cfg.Links {
			joins := l.A == nodes[i-1] && l.B == nodes[i] || l.B == nodes[i-1] && l.A == nodes[i]
			if joins && w.broken[l.Name] {
				return l.Name
			}
		}
	}
	return ""
}

func (w *world) breakLink(name string, broken bool) {
	w.broken[name] = broken
	w.in.LinkEvents = append(w.in.LinkEvents, LinkEvent{w.nowNS, name, !broken})
}

// of lists the decided tasks of one class.
func (w *world) of(class string) (list []TaskEvent) {
	for _, e := range w.tasks {
		if e.Class == class {
			list = append(list, e)
		}
	}
	return list
}

// oneMass is a grid of one inertia with a governor of one lag and droop.
type oneMass struct {
	nominalHz, massMWsPerHz, dampingMWPerHz, droopMWPerHz float64

	freqHz, governorMW, loadMW float64
	agcMW, calledMW, voltagePU map[string]float64 // by element
	baseVoltagePU              float64
	maxDeviationHz, minFreqHz  float64
	generators                 map[int]string // by bus
	buses                      []int          // of the PMUs
}

func newOneMass(cfg *Config) oneMass {
	h := 0.0
	g := oneMass{
		nominalHz: cfg.NominalFreqHz, dampingMWPerHz: 130, droopMWPerHz: 2740,
		freqHz: cfg.NominalFreqHz, minFreqHz: cfg.NominalFreqHz, baseVoltagePU: 1,
		agcMW: map[string]float64{}, calledMW: map[string]float64{}, voltagePU: map[string]float64{}, generators: map[int]string{},
	}
	for _, gen := range cfg.Generators {
		h += gen.InertiaS
		g.generators[gen.Bus] = gen.ID
	}
	for _, p := range cfg.PMUs {
		g.buses = append(g.buses, p.Bus)
	}
	g.massMWsPerHz = 2 * h * cfg.BaseMVA / cfg.NominalFreqHz
	return g
}

func (g *oneMass) samples(in *Input) {
	in.SampleFreqHz, in.SampleVoltagePU = in.SampleFreqHz[:0], in.SampleVoltagePU[:0]
	for _, bus := range g.buses {
		in.SampleFreqHz = append(in.SampleFreqHz, g.freqHz)
		in.SampleVoltagePU = append(in.SampleVoltagePU, g.baseVoltagePU+g.voltagePU[g.generators[bus]])
	}
}

func (g *oneMass) obey(c Command) {
	switch c.Kind {
	case TaskAGC:
		g.agcMW[c.Element] = c.Value
	case TaskAVR:
		g.voltagePU[c.Element] = c.Value
	case TaskShed:
		g.calledMW[c.Element] = c.Value
	}
}

func (g *oneMass) step(dt float64) {
	sum := func(m map[string]float64) (s float64) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			s += m[k]
		}
		return s
	}
	dev := g.freqHz - g.nominalHz
	g.governorMW += dt / 0.5 * (sum(g.agcMW) - g.droopMWPerHz*dev - g.governorMW)
	g.freqHz += dt * (g.governorMW + sum(g.calledMW) - g.loadMW - g.dampingMWPerHz*dev) / g.massMWsPerHz
	g.maxDeviationHz = max(g.maxDeviationHz, max(dev, -dev))
	g.minFreqHz = min(g.minFreqHz, g.freqHz)
}
