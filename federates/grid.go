package federates

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cosim/grid"
	"cosim/scada"
	cosync "cosim/sync"
)

// Grid is the federate of the power system. Its units, blocks and breakers obey
// the orders that their IEDs pass on.
type Grid struct {
	sim   *grid.Simulator
	cfg   GridConfig
	gens  map[string]int // element ("gen/30") → generator
	block map[string]int // element ("block/8") → block
	pmus  []int          // buses

	pending []pendingCommand // to act at the next substep
	actions []gridAction     // of the timeline, in order of time
	called  []float64        // MW by block
	since   []cosync.Time    // when the block was called, while it is

	busHz, busPU, genHz, mechanical []float64
	power, voltage                  []setPoint // by generator

	trace func(GridTrace) // nil unless the run is traced

	injections []gridInjection // by input, from gridInjected on
}

// gridInjection is power put in from outside, by bus.
type gridInjection struct {
	port  cosync.Port
	buses []int
	mw    []float64
}

// GridConfig says what of the grid the federation measures and commands.
type GridConfig struct {
	Step, SubStep cosync.Time
	// Every is how often mechanical powers and the power balance are published.
	Every      cosync.Time
	PMUs       []scada.PMU
	Generators []scada.Generator
	Blocks     []scada.Block
	// BlockDuration is how long a called block lasts before it returns by
	// itself; 0 means for ever.
	BlockDuration cosync.Time
	Steps         []GridLoadStep
	Trips         []GridTrip
}

// GridLoadStep is a step of load over [From, To). With ReleaseReserve all
// called blocks return when it ends.
type GridLoadStep struct {
	From, To       cosync.Time
	Bus            int
	SizeMW         float64
	ReleaseReserve bool
}

// GridTrip takes the generator at a bus, or a branch, out of service.
type GridTrip struct {
	At     cosync.Time
	Bus    int
	Branch string
}

type pendingCommand struct {
	at cosync.Time
	scada.Command
	operator bool   // see Operate
	frame    string // that brought it, as an order's Detail
}

type gridAction struct {
	at    cosync.Time
	do    func() error
	event cosync.Event
}

// NewGrid makes the federate; it adds the blocks to sim.
func NewGrid(sim *grid.Simulator, cfg GridConfig) (*Grid, error) {
	g := &Grid{sim: sim, cfg: cfg, gens: map[string]int{}, block: map[string]int{}}
	for _, x := range cfg.Generators {
		i, ok := sim.GenIndex(strconv.Itoa(x.Bus))
		if !ok {
			return nil, fmt.Errorf("grid: no generator at bus %d for %s", x.Bus, x.ID)
		}
		g.gens[x.ID] = i
	}
	var blocks []grid.Block
	for i, b := range cfg.Blocks {
		bus, ok := sim.BusIndex(strconv.Itoa(b.Bus))
		if !ok {
			return nil, fmt.Errorf("grid: no bus %d for %s", b.Bus, b.ID)
		}
		blocks = append(blocks, grid.Block{Bus: bus, CapacityMW: b.CapacityMW})
		g.block[b.ID] = i
	}
	if len(blocks) > 0 {
		sim.AddBlocks(blocks)
	}
	for _, p := range cfg.PMUs {
		i, ok := sim.BusIndex(strconv.Itoa(p.Bus))
		if !ok {
			return nil, fmt.Errorf("grid: no bus %d for %s", p.Bus, p.ID)
		}
		g.pmus = append(g.pmus, i)
	}
	c := sim.Case()
	g.called, g.since = make([]float64, len(cfg.Blocks)), make([]cosync.Time, len(cfg.Blocks))
	g.busHz, g.busPU = make([]float64, len(c.Buses)), make([]float64, len(c.Buses))
	g.genHz, g.mechanical = make([]float64, len(c.Gens)), make([]float64, len(c.Gens))
	g.power, g.voltage = make([]setPoint, len(c.Gens)), make([]setPoint, len(c.Gens))
	return g, g.plan()
}

// plan turns the timeline into actions.
func (g *Grid) plan() error {
	for _, s := range g.cfg.Steps {
		actions, err := g.loadStep(s)
		if err != nil {
			return err
		}
		g.actions = append(g.actions, actions[0], actions[1])
	}
	for _, t := range g.cfg.Trips {
		a, err := g.trip(t)
		if err != nil {
			return err
		}
		g.actions = append(g.actions, a)
	}
	slices.SortStableFunc(g.actions, func(a, b gridAction) int { return int(a.at - b.at) })
	return nil
}

// loadStep is the beginning and the end of a step of load.
func (g *Grid) loadStep(s GridLoadStep) (actions [2]gridAction, err error) {
	bus, ok := g.sim.BusIndex(strconv.Itoa(s.Bus))
	if !ok {
		return actions, fmt.Errorf("grid: load step at bus %d, which does not exist", s.Bus)
	}
	element := fmt.Sprintf("bus/%d", s.Bus)
	actions[0] = gridAction{s.From, func() error {
		g.sim.AddLoadMW(bus, s.SizeMW, 0)
		return nil
	}, cosync.Event{At: s.From, Type: "load-step", Element: element, Value: s.SizeMW}}
	actions[1] = gridAction{s.To, func() error {
		g.sim.AddLoadMW(bus, -s.SizeMW, 0)
		if s.ReleaseReserve {
			g.release()
		}
		return nil
	}, cosync.Event{At: s.To, Type: "load-step-end", Element: element, Value: -s.SizeMW}}
	return actions, nil
}

// schedule adds an action behind those of the same time.
func (g *Grid) schedule(a gridAction) {
	i, _ := slices.BinarySearchFunc(g.actions, a.at, func(x gridAction, at cosync.Time) int { return cmp.Compare(x.at, at+1) })
	g.actions = slices.Insert(g.actions, i, a)
}

func (g *Grid) trip(t GridTrip) (gridAction, error) {
	if t.Branch != "" {
		i, ok := g.sim.BranchIndex(t.Branch)
		if !ok {
			return gridAction{}, fmt.Errorf("grid: no branch %q to trip", t.Branch)
		}
		return gridAction{
			t.At, func() error { return g.sim.TripBranch(i) },
			cosync.Event{At: t.At, Type: "branch-trip", Element: "branch/" + t.Branch},
		}, nil
	}
	i, ok := g.sim.GenIndex(strconv.Itoa(t.Bus))
	if !ok {
		return gridAction{}, fmt.Errorf("grid: no generator at bus %d to trip", t.Bus)
	}
	return gridAction{
		t.At, func() error { return g.sim.TripGenerator(i) },
		cosync.Event{At: t.At, Type: "generator-trip", Element: fmt.Sprintf("gen/%d", t.Bus)},
	}, nil
}

// release lets all called blocks return.
func (g *Grid) release() {
	for i := range g.called {
		g.call(i, 0, 0)
	}
}

// returnBlocks lets those return that have lasted their time.
func (g *Grid) returnBlocks(t cosync.Time) {
	for i, mw := range g.called {
		if mw > 0 && g.cfg.BlockDuration > 0 && t-g.since[i] >= g.cfg.BlockDuration {
			g.call(i, 0, t)
		}
	}
}

// call sets what block i gives. Its time runs from the first call, not from
// later ones that change the amount.
func (g *Grid) call(i int, mw float64, t cosync.Time) {
	if g.called[i] == 0 {
		g.since[i] = t
	}
	g.sim.SetBlockMW(i, mw)
	g.called[i] = min(max(0, mw), g.cfg.Blocks[i].CapacityMW)
}

// Ports of Grid.
const ( // in
	gridOrders   = iota
	gridInjected // and all that follow
)

const (
	gridFrequency = iota // out
	gridBusFrequency
	gridBusVoltage
	gridPMUFrequency
	gridPMUVoltage
	gridMechanical
	gridReserve
	gridBalance
	gridEvents
)

// Describe implements sync.Federate.
func (g *Grid) Describe() cosync.Description {
	c := g.sim.Case()
	var buses, gens, pmus, blocks []string
	for i := range c.Buses {
		buses = append(buses, "bus/"+c.Buses[i].ID)
	}
	for i := range c.Gens {
		gens = append(gens, "gen/"+c.Gens[i].Bus)
	}
	for _, p := range g.cfg.PMUs {
		pmus = append(pmus, p.ID)
	}
	for _, b := range g.cfg.Blocks {
		blocks = append(blocks, b.ID)
	}
	vector := func(name, unit string, elements []string) cosync.Port {
		return cosync.Port{Name: name, Kind: cosync.Vector, Unit: unit, Elements: elements}
	}
	inputs := []cosync.Port{gridOrders: {Name: "orders", Kind: cosync.Events, Direct: true, Optional: true}}
	for i := range g.injections {
		inputs = append(inputs, g.injections[i].port)
	}
	return cosync.Description{
		Name:   "grid",
		Step:   g.cfg.Step,
		Inputs: inputs,
		Outputs: []cosync.Port{
			gridFrequency:    vector("frequency", "Hz", append([]string{"coi"}, gens...)),
			gridBusFrequency: vector("bus_frequency", "Hz", buses),
			gridBusVoltage:   vector("bus_voltage", "pu", buses),
			gridPMUFrequency: vector("pmu_frequency", "Hz", pmus),
			gridPMUVoltage:   vector("pmu_voltage", "pu", pmus),
			gridMechanical:   vector("mechanical", "MW", gens),
			gridReserve:      vector("reserve", "MW", blocks),
			gridBalance:      vector("balance", "MW", []string{"residual"}),
			gridEvents:       {Name: "events", Kind: cosync.Events},
		},
	}
}

// Inject adds an input for power in MW that is put in at buses ("bus/16") on top
// of all else, and stays until it changes. It is called before the first step.
func (g *Grid) Inject(port string, elements []string) error {
	if err := g.CanInject(elements); err != nil {
		return err
	}
	in := gridInjection{mw: make([]float64, len(elements)), port: cosync.Port{
		Name: port, Kind: cosync.Vector, Unit: "MW", Elements: elements, Direct: true,
	}}
	for _, e := range elements {
		bus, _ := g.sim.BusIndex(strings.TrimPrefix(e, "bus/"))
		in.buses = append(in.buses, bus)
	}
	g.injections = append(g.injections, in)
	return nil
}

// CanInject says which of the elements is no bus.
func (g *Grid) CanInject(elements []string) error {
	for _, e := range elements {
		id, named := strings.CutPrefix(e, "bus/")
		if _, ok := g.sim.BusIndex(id); !ok || !named {
			return fmt.Errorf("grid: no bus for element %q; expected one such as bus/%s", e, g.sim.Case().Buses[0].ID)
		}
	}
	return nil
}

// put makes the injected power what it is now.
func (in *gridInjection) put(sim *grid.Simulator, mw []float64) {
	for i, x := range mw {
		if x != in.mw[i] {
			sim.AddLoadMW(in.buses[i], in.mw[i]-x, 0)
			in.mw[i] = x
		}
	}
}

// Init implements sync.Federate.
func (g *Grid) Init(out []cosync.Signal) error {
	g.publish(out, 0)
	return nil
}

// Step implements sync.Federate.
func (g *Grid) Step(s *cosync.Step) error {
	for _, e := range s.In[gridOrders].Events {
		g.take(e, &s.Out[gridEvents])
	}
	for i := range g.injections {
		g.injections[i].put(g.sim, s.In[gridInjected+i].Values)
	}
	for t := s.From; t < s.To; t += g.cfg.SubStep {
		for len(g.actions) > 0 && g.actions[0].at <= t {
			if err := g.actions[0].do(); err != nil {
				return err
			}
			s.Out[gridEvents].Events = append(s.Out[gridEvents].Events, g.actions[0].event)
			g.actions = g.actions[1:]
		}
		g.returnBlocks(t)
		g.obey(t, &s.Out[gridEvents])
		g.sim.Advance()
	}
	g.publish(s.Out, s.To)
	return nil
}

// take keeps an order for the next substep. One that nothing here obeys, which
// only a federate outside gives, is refused and changes nothing.
func (g *Grid) take(e cosync.Event, events *cosync.Signal) {
	c := scada.Command{Kind: e.Type, Element: e.Element, Value: e.Value}
	if err := g.obeys(c); err != nil {
		events.Events = append(events.Events, cosync.Event{At: e.At, Type: "order-refused", Element: e.Element, Value: e.Value, Detail: err.Error()})
		return
	}
	g.pending = append(g.pending, pendingCommand{at: e.At, Command: c, frame: e.Detail})
}

// obey carries out the orders that arrived by t, in order of arrival.
func (g *Grid) obey(t cosync.Time, events *cosync.Signal) {
	kept := g.pending[:0]
	for _, c := range g.pending {
		if c.at > t {
			kept = append(kept, c)
			continue
		}
		if c.operator {
			events.Events = append(events.Events, cosync.Event{At: t, Type: "operator-" + c.Kind, Element: c.Element, Value: c.Value})
		}
		g.obeyed(c, t)
		switch c.Kind {
		case scada.TaskAGC:
			g.setPower(c)
		case scada.TaskAVR:
			g.setVoltage(c)
		case scada.TaskShed:
			g.call(g.block[c.Element], c.Value, t)
		case scada.TaskBreaker:
			event := cosync.Event{At: t, Type: "breaker", Element: c.Element, Value: c.Value}
			if err := g.switchBranch(c.Element, c.Value != 0); err != nil {
				event.Type, event.Detail = "breaker-refused", err.Error()
			}
			events.Events = append(events.Events, event)
		}
	}
	g.pending = kept
}

// switchBranch opens or closes the branch of a breaker ("branch/5-6"). What the
// grid cannot do, because it is so already or would leave an island without
// inertia, changes nothing.
func (g *Grid) switchBranch(element string, closed bool) error {
	id, _ := strings.CutPrefix(element, "branch/")
	i, ok := g.sim.BranchIndex(id)
	switch {
	case !ok:
		return fmt.Errorf("grid: no branch %q", id)
	case closed:
		return g.sim.CloseBranch(i)
	}
	return g.sim.TripBranch(i)
}

func (g *Grid) publish(out []cosync.Signal, now cosync.Time) {
	g.sim.GenFreqHz(g.genHz)
	g.sim.BusFreqHz(g.busHz)
	g.sim.BusVoltagePU(g.busPU)
	out[gridFrequency].Values[0] = g.sim.COIFreqHz()
	copy(out[gridFrequency].Values[1:], g.genHz)
	copy(out[gridBusFrequency].Values, g.busHz)
	copy(out[gridBusVoltage].Values, g.busPU)
	nominal := g.sim.Case().FreqHz // a PMU reports the frequency itself
	for i, bus := range g.pmus {
		out[gridPMUFrequency].Values[i] = nominal + g.busHz[bus]
		out[gridPMUVoltage].Values[i] = g.busPU[bus]
	}
	copy(out[gridReserve].Values, g.called)
	if now%g.cfg.Every == 0 {
		g.sim.GenMechanicalMW(g.mechanical)
		out[gridBalance].Values[0] = g.sim.PowerBalanceMW()
	}
	copy(out[gridMechanical].Values, g.mechanical)
}

// Close implements sync.Federate.
func (g *Grid) Close() error { return nil }
