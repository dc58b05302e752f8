package federates

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cosim/cases"
	"cosim/grid"
	"cosim/scada"
	cosync "cosim/sync"
)

func newSimulator(t testing.TB) *grid.Simulator {
	t.Helper()
	c, err := cases.Load("ieee39")
	if err != nil {
		t.Fatal(err)
	}
	sim, err := grid.NewSimulator(c, grid.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

func gridConfig() GridConfig {
	cfg := smallScada()
	return GridConfig{
		Step: 10 * ms, SubStep: 10 * ms, Every: 100 * ms,
		PMUs: cfg.PMUs, Generators: cfg.Generators, Blocks: cfg.Blocks,
	}
}

func newGrid(t testing.TB, cfg GridConfig) (*Grid, *bench) {
	t.Helper()
	g, err := NewGrid(newSimulator(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g, newBench(t, g)
}

func TestGridStatesItsPorts(t *testing.T) {
	g, _ := newGrid(t, gridConfig())
	var buses, gens []string
	for _, b := range g.sim.Case().Buses {
		buses = append(buses, "bus/"+b.ID)
	}
	for _, x := range g.sim.Case().Gens {
		gens = append(gens, "gen/"+x.Bus)
	}
	b, m := strings.Join(buses, " "), strings.Join(gens, " ")
	checkPorts(t, g, `
grid 10ms
in orders events direct optional
out frequency vector Hz coi `+m+`
out bus_frequency vector Hz `+b+`
out bus_voltage vector pu `+b+`
out pmu_frequency vector Hz pmu/30
out pmu_voltage vector pu pmu/30
out mechanical vector MW `+m+`
out reserve vector MW block/16
out balance vector MW residual
out events events
`)
}

func TestGridNamesWhatIsNotThere(t *testing.T) {
	for want, change := range map[string]func(*GridConfig){
		"no generator at bus 16 for gen/16":         func(c *GridConfig) { c.Generators = []scada.Generator{{ID: "gen/16", Bus: 16}} },
		"no bus 77 for block/77":                    func(c *GridConfig) { c.Blocks = []scada.Block{{ID: "block/77", Bus: 77}} },
		"no bus 78 for pmu/78":                      func(c *GridConfig) { c.PMUs = []scada.PMU{{ID: "pmu/78", Bus: 78}} },
		"load step at bus 79, which does not exist": func(c *GridConfig) { c.Steps = []GridLoadStep{{Bus: 79}} },
		"no generator at bus 16 to trip":            func(c *GridConfig) { c.Trips = []GridTrip{{Bus: 16}} },
		`no branch "5-77" to trip`:                  func(c *GridConfig) { c.Trips = []GridTrip{{Branch: "5-77"}} },
	} {
		cfg := gridConfig()
		change(&cfg)
		if _, err := NewGrid(newSimulator(t), cfg); err == nil || err.Error() != "grid: "+want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A PMU reports the frequency itself, the other vectors deviations; what is
// published at rows only holds between them.
func TestGridPublishesItsState(t *testing.T) {
	cfg := gridConfig()
	cfg.Steps = []GridLoadStep{{From: 0, To: cosync.Second, Bus: 15, SizeMW: 100}}
	g, b := newGrid(t, cfg)
	bus, _ := g.sim.BusIndex("30")
	settled := slices.Clone(b.out("mechanical").Values)
	for range 29 {
		b.advance()
		if f, dev := b.out("pmu_frequency").Values[0], b.out("bus_frequency").Values[bus]; f != 60+dev || dev >= 0 {
			t.Fatalf("PMU at bus 30 reports %v Hz, the bus deviates by %v", f, dev)
		}
		if b.out("pmu_voltage").Values[0] != b.out("bus_voltage").Values[bus] {
			t.Fatal("the PMU reports another voltage than its bus has")
		}
		if changed := !slices.Equal(settled, b.out("mechanical").Values); changed != (b.step.To >= 100*ms) {
			t.Fatalf("mechanical powers changed: %v at %v", changed, b.step.To)
		}
	}
	want := make([]float64, len(settled))
	g.sim.GenMechanicalMW(want)
	if slices.Equal(want, b.out("mechanical").Values) {
		t.Error("mechanical powers are published between rows")
	}
}

// An order acts at the first substep at or after its arrival: the trajectory
// is bit by bit that of a simulator to which the block was set there.
func TestOrderActsAtTheNextSubstep(t *testing.T) {
	for _, c := range []struct{ step, arrival, acts cosync.Time }{
		{10 * ms, 0, 0},
		{10 * ms, 1, 10 * ms},
		{10 * ms, 30 * ms, 30 * ms},
		{10 * ms, 30*ms + 1, 40 * ms},
		{10 * ms, 39_999_999, 40 * ms},
		{100 * ms, 130 * ms, 130 * ms},
		{100 * ms, 130*ms + 1, 140 * ms},
		{100 * ms, 199*ms + 1, 200 * ms},
	} {
		t.Run(fmt.Sprintf("step %v, arrival %v", c.step, c.arrival), func(t *testing.T) {
			cfg := gridConfig()
			cfg.Step = c.step
			_, b := newGrid(t, cfg)
			reference := newSimulator(t)
			bus, _ := reference.BusIndex("16")
			block := reference.AddBlock(bus, 200)
			for b.step.To < 300*ms {
				if from := b.step.To; c.arrival >= from && c.arrival < from+c.step {
					b.in("orders").Events = []cosync.Event{shed(c.arrival, 150)}
				}
				b.advance()
				for now := b.step.From; now < b.step.To; now += 10 * ms {
					if now == c.acts {
						reference.SetBlockMW(block, 150)
					}
					reference.Advance()
				}
				if got, want := b.out("frequency").Values[0], reference.COIFreqHz(); got != want {
					t.Fatalf("at %v: %v Hz, want %v", b.step.To, got, want)
				}
				want := 0.0
				if b.step.To > c.acts {
					want = 150
				}
				if got := b.out("reserve").Values[0]; got != want {
					t.Fatalf("at %v: %v MW called, want %v", b.step.To, got, want)
				}
			}
			if b.out("frequency").Values[0] == 0 {
				t.Error("the order moved nothing")
			}
		})
	}
}

// Set points go where their element stands; the exciter's needs the machine
// model with one.
func TestSetPointsReachTheirElement(t *testing.T) {
	c := newSimulator(t).Case()
	for task, x := range map[string]struct {
		set   func(s *grid.Simulator, gen int, value float64)
		value float64
	}{
		scada.TaskAGC: {(*grid.Simulator).SetPrefMW, 20},
		scada.TaskAVR: {(*grid.Simulator).SetVrefPU, 0.01},
	} {
		pair := [2]*grid.Simulator{}
		for i := range pair {
			var err error
			if pair[i], err = grid.NewSimulator(c, grid.Options{AVR: true}); err != nil {
				t.Fatal(err)
			}
		}
		g, err := NewGrid(pair[0], gridConfig())
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t, g)
		order(b, cosync.Event{Type: task, Element: "gen/30", Value: x.value})
		reference := pair[1]
		gen, _ := reference.GenIndex("30")
		reference.AddBlock(0, 0)
		x.set(reference, gen, x.value)
		reference.Advance()
		for range 100 {
			b.advance()
			reference.Advance()
		}
		want := make([]float64, len(c.Buses))
		reference.BusVoltagePU(want)
		if got := b.out("frequency").Values[0]; got != reference.COIFreqHz() || got == 0 || !slices.Equal(b.out("bus_voltage").Values, want) {
			t.Errorf("%s: Δf %v Hz, want %v as with the set point moved by hand", task, got, reference.COIFreqHz())
		}
	}
}

// shed is a call of the block.
func shed(at cosync.Time, mw float64) cosync.Event {
	return cosync.Event{At: at, Type: scada.TaskShed, Element: "block/16", Value: mw}
}

// order gives an order at the start of the next step, and makes the step.
func order(b *bench, e cosync.Event) {
	b.t.Helper()
	e.At = b.step.To
	b.in("orders").Events = []cosync.Event{e}
	b.advance()
}

// More than a block can give is cut to its capacity, in the grid and in what
// is published.
func TestReserveIsWithinItsCapacity(t *testing.T) {
	_, b := newGrid(t, gridConfig())
	order(b, shed(0, 500))
	if r := b.out("reserve").Values[0]; r != 200 {
		t.Errorf("%v MW called of a block of 200", r)
	}
	order(b, shed(0, 30))
	if r := b.out("reserve").Values[0]; r != 30 {
		t.Errorf("%v MW called after a newer call of 30", r)
	}
}

// At the end of a load step the called reserve goes with it: after both the
// system is the one that had only the governors' answer.
func TestReserveReturnsWithTheLoadStep(t *testing.T) {
	for _, release := range []bool{true, false} {
		cfg := gridConfig()
		cfg.Steps = []GridLoadStep{{From: 50 * ms, To: 150 * ms, Bus: 15, SizeMW: 300, ReleaseReserve: release}}
		_, b := newGrid(t, cfg)
		reference := newSimulator(t)
		bus, _ := reference.BusIndex("16")
		load, _ := reference.BusIndex("15")
		block := reference.AddBlock(bus, 200)
		var events []cosync.Event
		for b.step.To < 300*ms {
			switch now := b.step.To; now {
			case 50 * ms:
				reference.AddLoadMW(load, 300, 0)
			case 90 * ms:
				b.in("orders").Events = []cosync.Event{shed(95*ms, 120)}
			case 100 * ms:
				reference.SetBlockMW(block, 120)
			case 150 * ms:
				reference.AddLoadMW(load, -300, 0)
				if release {
					reference.SetBlockMW(block, 0)
				}
			}
			b.advance()
			reference.Advance()
			if got, want := b.out("frequency").Values[0], reference.COIFreqHz(); got != want {
				t.Fatalf("release %v, at %v: %v Hz, want %v", release, b.step.To, got, want)
			}
			events = append(events, b.out("events").Events...)
		}
		if r := b.out("reserve").Values[0]; (r == 0) != release {
			t.Errorf("release %v: %v MW called after the step", release, r)
		}
		want := []cosync.Event{
			{At: 50 * ms, Type: "load-step", Element: "bus/15", Value: 300},
			{At: 150 * ms, Type: "load-step-end", Element: "bus/15", Value: -300},
		}
		if !slices.Equal(events, want) {
			t.Errorf("events %v, want %v", events, want)
		}
	}
}

// A block that nobody releases returns by itself, its time running from the
// first call.
func TestCalledBlockReturnsByItself(t *testing.T) {
	cfg := gridConfig()
	cfg.BlockDuration = 200 * ms
	_, b := newGrid(t, cfg)
	calls := []cosync.Event{shed(40*ms, 50), shed(150*ms, 80), shed(300*ms, 60)}
	for b.step.To < 600*ms {
		for _, e := range calls {
			if e.At == b.step.To {
				b.in("orders").Events = []cosync.Event{e}
			}
		}
		b.advance()
		want := 0.0
		switch now := b.step.From; {
		case now >= 40*ms && now < 150*ms:
			want = 50
		case now >= 150*ms && now < 240*ms:
			want = 80
		case now >= 300*ms && now < 500*ms:
			want = 60
		}
		if got := b.out("reserve").Values[0]; got != want {
			t.Fatalf("after %v: %v MW called, want %v", b.step.From, got, want)
		}
	}
}

// A breaker opens and closes its branch; what is so already is refused, and
// said.
func TestBreakersSwitchTheirBranch(t *testing.T) {
	_, b := newGrid(t, gridConfig())
	reference := newSimulator(t)
	branch, _ := reference.BranchIndex("16-17")
	var types []string
	for i, act := range []func(int) error{reference.TripBranch, nil, reference.CloseBranch} {
		if act != nil {
			if err := act(branch); err != nil {
				t.Fatal(err)
			}
		}
		order(b, cosync.Event{Type: scada.TaskBreaker, Element: "branch/16-17", Value: []float64{0, 0, 1}[i]})
		reference.Advance()
		want := make([]float64, len(reference.Case().Buses))
		reference.BusVoltagePU(want)
		if !slices.Equal(b.out("bus_voltage").Values, want) {
			t.Errorf("order %d: other voltages than with the branch switched by hand", i)
		}
		for _, e := range b.out("events").Events {
			types = append(types, e.Type)
		}
	}
	if fmt.Sprint(types) != "[breaker breaker-refused breaker]" {
		t.Errorf("events %v", types)
	}
}

// What no element here obeys changes nothing, and is said.
func TestOrdersToNobodyAreRefused(t *testing.T) {
	_, b := newGrid(t, gridConfig())
	for _, e := range []cosync.Event{
		{Type: scada.TaskAGC, Element: "gen/16", Value: 100},
		{Type: scada.TaskShed, Element: "block/99", Value: 100},
		{Type: "pmu", Element: "pmu/30"},
	} {
		order(b, e)
		said := b.out("events").Events
		want := cosync.Event{
			At: b.step.From, Type: "order-refused", Element: e.Element, Value: e.Value,
			Detail: fmt.Sprintf("grid: no %q that obeys %s", e.Element, e.Type),
		}
		if len(said) != 1 || said[0] != want {
			t.Errorf("events %+v, want %+v", said, want)
		}
	}
	if f := b.out("frequency").Values[0]; f > 1e-12 || f < -1e-12 {
		t.Errorf("Δf %v Hz", f)
	}
}

func TestTripsTakeUnitsAndBranchesOut(t *testing.T) {
	cfg := gridConfig()
	cfg.Trips = []GridTrip{{At: 200 * ms, Bus: 32}, {At: 100 * ms, Branch: "5-6"}} // told out of order
	g, b := newGrid(t, cfg)
	reference := newSimulator(t)
	reference.AddBlock(0, 0)
	gen, _ := reference.GenIndex("32")
	branch, _ := reference.BranchIndex("5-6")
	var events []cosync.Event
	for b.step.To < 400*ms {
		switch b.step.To {
		case 100 * ms:
			if err := reference.TripBranch(branch); err != nil {
				t.Fatal(err)
			}
		case 200 * ms:
			if err := reference.TripGenerator(gen); err != nil {
				t.Fatal(err)
			}
		}
		b.advance()
		reference.Advance()
		want := make([]float64, len(g.sim.Case().Buses))
		reference.BusVoltagePU(want)
		if !slices.Equal(b.out("bus_voltage").Values, want) {
			t.Fatalf("voltages at %v are not those of the tripped system", b.step.To)
		}
		events = append(events, b.out("events").Events...)
	}
	if b.out("mechanical").Values[gen] != 0 {
		t.Errorf("a tripped unit gives %v MW", b.out("mechanical").Values[gen])
	}
	want := []cosync.Event{
		{At: 100 * ms, Type: "branch-trip", Element: "branch/5-6"},
		{At: 200 * ms, Type: "generator-trip", Element: "gen/32"},
	}
	if !slices.Equal(events, want) {
		t.Errorf("events %v, want %v", events, want)
	}
}

func TestGridKeepsItsBalance(t *testing.T) {
	cfg := gridConfig()
	cfg.Steps = []GridLoadStep{{From: 0, To: 200 * ms, Bus: 15, SizeMW: 500}}
	cfg.Trips = []GridTrip{{At: 100 * ms, Bus: 32}}
	_, b := newGrid(t, cfg)
	for range 50 {
		b.advance()
		if x := b.out("balance").Values[0]; x > 1e-6 || x < -1e-6 {
			t.Fatalf("the balance is open by %g MW at %v", x, b.step.To)
		}
	}
}
