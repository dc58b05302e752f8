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

func gridConfig(t testing.TB) GridConfig {
	t.Helper()
	cfg := smallScada()
	ieds, err := scada.NewIEDs(cfg, scada.PresharedSecret(testStream("scada/psk")))
	if err != nil {
		t.Fatal(err)
	}
	return GridConfig{
		Step: 10 * ms, SubStep: 10 * ms, Every: 100 * ms,
		PMUs: cfg.PMUs, Generators: cfg.Generators, Blocks: cfg.Blocks, IEDs: ieds,
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
	g, _ := newGrid(t, gridConfig(t))
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
in commands messages direct optional
out frequency vector Hz coi `+m+`
out bus_frequency vector Hz `+b+`
out bus_voltage vector pu `+b+`
out pmu_frequency vector Hz pmu/30
out pmu_voltage vector pu pmu/30
out mechanical vector MW `+m+`
out reserve vector MW block/16
out balance vector MW residual
out applied messages
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
		cfg := gridConfig(t)
		change(&cfg)
		if _, err := NewGrid(newSimulator(t), cfg); err == nil || err.Error() != "grid: "+want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A PMU reports the frequency itself, the other vectors deviations; what is
// published at rows only holds between them.
func TestGridPublishesItsState(t *testing.T) {
	cfg := gridConfig(t)
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

// A command acts at the first substep at or after its arrival: the trajectory
// is bit by bit that of a simulator to which the block was set there.
func TestCommandActsAtTheNextSubstep(t *testing.T) {
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
			cfg := gridConfig(t)
			cfg.Step = c.step
			_, b := newGrid(t, cfg)
			frame := shedFrames(t, 150)[0]
			frame.At = c.arrival
			reference := newSimulator(t)
			bus, _ := reference.BusIndex("16")
			block := reference.AddBlock(bus, 200)
			for b.step.To < 300*ms {
				if from := b.step.To; c.arrival >= from && c.arrival < from+c.step {
					b.in("commands").Messages = []cosync.Message{frame}
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
				t.Error("the command moved nothing")
			}
		})
	}
}

// Set points go where their element stands; the exciter's needs the machine
// model with one.
func TestSetPointsReachTheirElement(t *testing.T) {
	c := newSimulator(t).Case()
	for task, set := range map[string]func(s *grid.Simulator, gen int, value float64){
		scada.TaskAGC: (*grid.Simulator).SetPrefMW,
		scada.TaskAVR: (*grid.Simulator).SetVrefPU,
	} {
		frame := setPointFrame(t, task)
		command, _, err := gridConfig(t).IEDs[frame.To].Receive(frame.From, frame.Payload)
		if err != nil || command.Kind != task || command.Value <= 0 {
			t.Fatalf("%s: %+v, %v", task, command, err)
		}
		pair := [2]*grid.Simulator{}
		for i := range pair {
			if pair[i], err = grid.NewSimulator(c, grid.Options{AVR: true}); err != nil {
				t.Fatal(err)
			}
		}
		g, err := NewGrid(pair[0], gridConfig(t))
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t, g)
		if v := verdictOf(t, b, frame); v != scada.Valid {
			t.Fatalf("%s: %v", task, v)
		}
		reference := pair[1]
		gen, _ := reference.GenIndex("30")
		reference.AddBlock(0, 0)
		set(reference, gen, command.Value)
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

func verdictOf(t testing.TB, b *bench, m cosync.Message) scada.Verdict {
	t.Helper()
	m.At = b.step.To
	b.in("commands").Messages = []cosync.Message{m}
	b.advance()
	applied := b.out("applied").Messages
	if len(applied) != 1 || applied[0].ID != m.ID || applied[0].From != m.To || applied[0].At != m.At || len(applied[0].Payload) != 1 {
		t.Fatalf("applied %+v, want one answer to frame %d of %s", applied, m.ID, m.To)
	}
	return scada.Verdict(applied[0].Payload[0])
}

// A frame with any bit turned, to a wrong IED or from a wrong gateway is
// rejected and changes nothing; the genuine one is obeyed once.
func TestTamperedFrameIsRejectedAndChangesNothing(t *testing.T) {
	_, b := newGrid(t, gridConfig(t))
	settled := slices.Clone(b.out("bus_voltage").Values)
	frame := shedFrames(t, 150)[0]
	reject := func(what string, m cosync.Message) {
		t.Helper()
		if v := verdictOf(t, b, m); v != scada.Rejected {
			t.Errorf("%s: %v, want %v", what, v, scada.Rejected)
		}
		if r, f := b.out("reserve").Values[0], b.out("frequency").Values[0]; r != 0 || f > 1e-12 || f < -1e-12 {
			t.Fatalf("%s: %v MW called, Δf %v Hz", what, r, f)
		}
	}
	for bit := 0; bit < 8*len(frame.Payload); bit += 7 {
		m := frame
		m.Payload = slices.Clone(frame.Payload)
		m.Payload[bit/8] ^= 1 << (bit % 8)
		reject(fmt.Sprintf("bit %d turned", bit), m)
	}
	cut, foreign, lost, wrong := frame, frame, frame, frame
	cut.Payload = frame.Payload[:len(frame.Payload)-1]
	foreign.To, lost.To, wrong.From = "IED-gen-30", "IED-77", "GW9"
	reject("cut short", cut)
	reject("at another IED", foreign)
	reject("at no IED", lost)
	reject("from another gateway", wrong)
	reject("empty", cosync.Message{ID: 5, From: "GW1", To: "IED-block-16"})
	for i, v := range b.out("bus_voltage").Values {
		if d := v - settled[i]; d > 1e-12 || d < -1e-12 {
			t.Errorf("the voltage of bus %d moved by %g pu", i, d)
		}
	}
	if v := verdictOf(t, b, frame); v != scada.Valid || b.out("reserve").Values[0] != 150 {
		t.Errorf("the genuine frame: %v, %v MW called", v, b.out("reserve").Values[0])
	}
	if v := verdictOf(t, b, frame); v != scada.Duplicate || b.out("reserve").Values[0] != 150 {
		t.Errorf("the frame again: %v, %v MW called", v, b.out("reserve").Values[0])
	}
}

// More than a block can give is cut to its capacity, in the grid and in what
// is published.
func TestReserveIsWithinItsCapacity(t *testing.T) {
	_, b := newGrid(t, gridConfig(t))
	frames := shedFrames(t, 500, 30)
	verdictOf(t, b, frames[0])
	if r := b.out("reserve").Values[0]; r != 200 {
		t.Errorf("%v MW called of a block of 200", r)
	}
	verdictOf(t, b, frames[1])
	if r := b.out("reserve").Values[0]; r != 30 {
		t.Errorf("%v MW called after a newer call of 30", r)
	}
}

// At the end of a load step the called reserve goes with it: after both the
// system is the one that had only the governors' answer.
func TestReserveReturnsWithTheLoadStep(t *testing.T) {
	for _, release := range []bool{true, false} {
		cfg := gridConfig(t)
		cfg.Steps = []GridLoadStep{{From: 50 * ms, To: 150 * ms, Bus: 15, SizeMW: 300, ReleaseReserve: release}}
		_, b := newGrid(t, cfg)
		reference := newSimulator(t)
		bus, _ := reference.BusIndex("16")
		load, _ := reference.BusIndex("15")
		block := reference.AddBlock(bus, 200)
		frame := shedFrames(t, 120)[0]
		frame.At = 95 * ms
		var events []cosync.Event
		for b.step.To < 300*ms {
			switch now := b.step.To; now {
			case 50 * ms:
				reference.AddLoadMW(load, 300, 0)
			case 90 * ms:
				b.in("commands").Messages = []cosync.Message{frame}
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
	cfg := gridConfig(t)
	cfg.BlockDuration = 200 * ms
	_, b := newGrid(t, cfg)
	frames := shedFrames(t, 50, 80, 60)
	for i, at := range []cosync.Time{40 * ms, 150 * ms, 300 * ms} {
		frames[i].At = at
	}
	for b.step.To < 600*ms {
		for _, m := range frames {
			if m.At == b.step.To {
				b.in("commands").Messages = []cosync.Message{m}
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
	_, b := newGrid(t, gridConfig(t))
	reference := newSimulator(t)
	branch, _ := reference.BranchIndex("16-17")
	frames := demanded(t, "breaker-16-17", 0, 0, 1)
	var types []string
	for i, act := range []func(int) error{reference.TripBranch, nil, reference.CloseBranch} {
		if act != nil {
			if err := act(branch); err != nil {
				t.Fatal(err)
			}
		}
		if v := verdictOf(t, b, frames[i]); v != scada.Valid {
			t.Fatalf("order %d: %v", i, v)
		}
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

func TestTripsTakeUnitsAndBranchesOut(t *testing.T) {
	cfg := gridConfig(t)
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
	cfg := gridConfig(t)
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
