package experiment

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"cosim/internal/metrics"
	cosync "cosim/sync"
)

// script plays a federate whose outputs are functions of the time of the frame
// that shows them.
type script struct {
	name    string
	ports   []cosync.Port
	vectors map[string]func(at cosync.Time) []float64
	events  map[string][]cosync.Event
}

func (s *script) vector(port string, elements []string, f func(at cosync.Time) []float64) {
	s.ports = append(s.ports, cosync.Port{Name: port, Kind: cosync.Vector, Unit: "1", Elements: elements})
	if s.vectors == nil {
		s.vectors = map[string]func(at cosync.Time) []float64{}
	}
	s.vectors[port] = f
}

func (s *script) Describe() cosync.Description {
	return cosync.Description{Name: s.name, Step: 10 * cosync.Millisecond, Outputs: s.ports}
}

func (s *script) Init(out []cosync.Signal) error { s.show(out, 0); return nil }

func (s *script) Step(st *cosync.Step) error {
	s.show(st.Out, st.To)
	for i, p := range s.ports {
		for _, e := range s.events[p.Name] {
			if e.At >= st.From && e.At < st.To {
				st.Out[i].Events = append(st.Out[i].Events, e)
			}
		}
	}
	return nil
}

func (s *script) show(out []cosync.Signal, at cosync.Time) {
	for i, p := range s.ports {
		if f := s.vectors[p.Name]; f != nil {
			copy(out[i].Values, f(at))
		}
	}
}

func (s *script) Close() error { return nil }

func still(values ...float64) func(cosync.Time) []float64 {
	return func(cosync.Time) []float64 { return values }
}

func seconds(s float64) cosync.Time { return cosync.Time(s * 1e9) }

// measured runs the meter of d over scripted outputs, and IEDs that nothing
// reaches.
func measured(t *testing.T, d *Definition, tl Timeline, federates ...*script) *metrics.Summary {
	t.Helper()
	m, err := newMeter(d, tl)
	if err != nil {
		t.Fatal(err)
	}
	ieds := &script{name: "ieds", ports: []cosync.Port{{Name: "applied", Kind: cosync.Messages}}}
	list := []cosync.Federate{ieds}
	for _, f := range federates {
		list = append(list, f)
	}
	master, err := cosync.New(list, nil, cosync.Options{Stop: simTime(d.Duration), Observers: []cosync.Observer{m}})
	if err != nil {
		t.Fatal(err)
	}
	if err := master.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return m.summary()
}

// scripted are grid, scada and network of 20 s. After a load step at 1 s the
// frequency leaves the band for 0.5 s, after a trip at 8 s for 0.2 s in two
// pieces; at 19 s it dips once more, long after both returned.
func scripted() (grid, scada, network *script) {
	within := func(at cosync.Time, from, to float64) bool { return at >= seconds(from) && at < seconds(to) }
	grid = &script{name: "grid"}
	grid.vector("frequency", []string{"coi", "gen/30", "gen/31"}, func(at cosync.Time) []float64 {
		f := []float64{0.01, 0.01, 0.01}
		switch {
		case at == seconds(1.3):
			f[0], f[2] = -0.2, -0.25
		case within(at, 1.1, 1.6):
			f[0] = -0.1
		case within(at, 8.5, 8.6), within(at, 8.8, 8.9):
			f[0] = 0.06
		case at == seconds(15):
			f[1] = 0.05 // at the edge, within
		}
		return f
	})
	grid.vector("bus_frequency", []string{"bus/1", "bus/2"}, func(at cosync.Time) []float64 {
		if at == seconds(2) {
			return []float64{0.3, -0.4}
		}
		return []float64{0, 0}
	})
	grid.vector("bus_voltage", []string{"bus/1", "bus/2"}, func(at cosync.Time) []float64 {
		switch at {
		case seconds(3): // the deviation is from the voltage at the start
			return []float64{1.02, 0.97}
		case seconds(4):
			return []float64{1.05, 1.01}
		}
		return []float64{1.02, 1.01}
	})

	pools := []string{"pool/CC-GW1", "pool/GW1-GW2"}
	scada = &script{name: "scada", events: map[string][]cosync.Event{"tasks": {
		{At: seconds(1), Type: "task", Element: "pmu-4", Value: 0.02, Detail: "pmu aes-wc"},
		{At: seconds(2), Type: "task", Element: "pmu-4", Value: 0.04, Detail: "pmu otp"},
		{At: seconds(3), Type: "task", Element: "pmu-4", Detail: "pmu aes-wc late"},
		{At: seconds(4), Type: "task", Element: "agc-30", Value: 0.03, Detail: "agc otp"},
		{At: seconds(5), Type: "task", Element: "agc-30", Detail: "agc otp no-key"},
	}}}
	scada.ports = append(scada.ports, cosync.Port{Name: "tasks", Kind: cosync.Events}, cosync.Port{Name: "refused", Kind: cosync.Messages})
	scada.vector("pool", pools, func(at cosync.Time) []float64 {
		if at == seconds(5) {
			return []float64{400, 120}
		}
		return []float64{1100, 350}
	})
	scada.vector("store", pools, still(0, 0))
	scada.vector("initial", pools, still(500, 100))
	scada.vector("generated", pools, func(at cosync.Time) []float64 {
		return []float64{1000 * at.Seconds() / 20, 600}
	})
	scada.vector("consumed", pools, still(300, 250))
	scada.vector("discarded", pools, still(100, 50))
	scada.vector("expired", pools, still(0, 50))
	scada.vector("ledger", []string{"triggered", "succeeded", "failed", "open"}, still(7, 3, 2, 2))

	network = &script{name: "network"}
	network.vector("balance", []string{"s", "a", "d", "x", "f", "bs", "ba", "bd", "bx", "bf"}, still(90, 10, 80, 15, 5, 1, 1, 1, 1, 0))
	network.vector("attacks", []string{"tampered", "replayed", "injected", "delayed", "dropped"}, still(1, 2, 3, 4, 5))
	network.ports = append(network.ports, cosync.Port{Name: "marked", Kind: cosync.Messages})
	return grid, scada, network
}

func TestMeterByHand(t *testing.T) {
	d := load(t, "S-2")
	d.Duration = 20 * time.Second
	tl := Timeline{
		LoadSteps: []LoadStep{{From: seconds(1), To: seconds(7), Bus: 16, SizeMW: 552}},
		Breaks:    []LinkBreak{{From: seconds(0.7), To: seconds(4.5), Link: "CC-GW3"}},
		Trips:     []Trip{{At: seconds(8), Branch: "5-6"}},
	}
	grid, scada, network := scripted()
	s := measured(t, d, tl, grid, scada, network)
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"simulated s", float64(s.SimulatedS), 20},
		{"Δf_max", float64(s.Grid.DeltaFMaxHz), 0.2},
		{"its time", float64(s.Grid.DeltaFMaxAtS), 1.3},
		{"Δf_max of generators", float64(s.Grid.DeltaFMaxGeneratorsHz), 0.25},
		{"Δf_max of buses", float64(s.Grid.DeltaFMaxBusesHz), 0.4},
		{"ΔV_max", float64(s.Grid.DeltaVMaxPU), 0.04},
		{"its time", float64(s.Grid.DeltaVMaxAtS), 3},
		{"TRR, mean", float64(s.Recovery.TRRS), 0.35},
		{"TRR, longest", float64(s.Recovery.TRRMaxS), 0.5},
		{"faults", float64(len(s.Recovery.Faults)), 2},
		{"η of the centre's link only", float64(s.Keys.UseCentre), 0.3},
		{"η of all links", float64(s.Keys.UseAll), 550.0 / 1600},
		{"lowest pool", float64(s.Keys.LowestPoolBits), 120},
		{"its time", float64(s.Keys.LowestPoolAtS), 5},
		{"P_succ of 3 in 5 decided", float64(s.Tasks.PSucc), 0.6},
		{"no key", float64(s.Tasks.Failed.NoKey), 1},
		{"late", float64(s.Tasks.Failed.Late), 1},
		{"open", float64(s.Tasks.Pending), 2},
		{"triggered", float64(s.Tasks.Triggers), 7},
		{"frames sent and added", float64(s.Conservation.Frames.Sent), 100},
		{"frames delivered", float64(s.Conservation.Frames.Delivered), 80},
		{"key at the start", float64(s.Conservation.Key.InitialBits), 600},
		{"key generated", float64(s.Conservation.Key.GeneratedBits), 1600},
		{"key held", float64(s.Conservation.Key.HeldBits), 1450},
	} {
		if math.Abs(c.got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	for _, c := range [][2]string{
		{s.Grid.DeltaFMaxGenerator, "gen/31"},
		{s.Grid.DeltaFMaxBus, "bus/2"},
		{s.Grid.DeltaVMaxBus, "bus/2"},
		{s.Keys.LowestPool, "pool/GW1-GW2"},
		{s.Recovery.Faults[0].What, "+552 MW at bus 16 (area-3), fibre CC-GW3 down 3.8 s"},
		{s.Recovery.Faults[1].What, "trip of branch 5-6"},
	} {
		if !strings.HasPrefix(c[0], c[1]) {
			t.Errorf("%q, want %q", c[0], c[1])
		}
	}
	if err := s.Check(); err != nil {
		t.Errorf("the scripted books close, but: %v", err)
	}
}

// Latencies are judged by class; a task that came too late violates, one that
// found no key does not.
func TestMeterTellsLatencies(t *testing.T) {
	d := load(t, "S-2")
	d.Duration = 20 * time.Second
	grid, scada, network := scripted()
	s := measured(t, d, Timeline{}, grid, scada, network)
	if len(s.Latency) != 2 || s.Latency[0].Class != "agc" || s.Latency[1].Class != "pmu" {
		t.Fatalf("latencies %+v, want those of agc and pmu", s.Latency)
	}
	agc, pmu := s.Latency[0], s.Latency[1]
	if agc.Delivered != 1 || agc.Violations != 0 || agc.MaxS != 0.03 {
		t.Errorf("agc %+v", agc)
	}
	if pmu.Delivered != 2 || pmu.Violations != 1 || pmu.MaxS != 0.04 || math.Abs(float64(pmu.P50S)-0.02) > 1e-4 {
		t.Errorf("pmu %+v", pmu)
	}
}

// With stores, what can be drawn at the centre's links is what the stores hold.
func TestMeterTakesStoresForTheirPools(t *testing.T) {
	d := load(t, "S-1")
	d.Duration = 20 * time.Second
	grid, scada, network := scripted()
	scada.vectors["store"] = still(7, 0)
	s := measured(t, d, Timeline{}, grid, scada, network)
	if s.Keys.LowestPool != "pool/CC-GW1" || s.Keys.LowestPoolBits != 7 {
		t.Errorf("lowest %s with %v bits, want the store of CC-GW1", s.Keys.LowestPool, s.Keys.LowestPoolBits)
	}
}

func TestMeterNeedsItsOutputs(t *testing.T) {
	d := load(t, "S-2")
	m, err := newMeter(d, Timeline{})
	if err != nil {
		t.Fatal(err)
	}
	grid, _, _ := scripted()
	master, err := cosync.New([]cosync.Federate{grid}, nil, cosync.Options{Stop: cosync.Second, Observers: []cosync.Observer{m}})
	if err != nil {
		t.Fatal(err)
	}
	if err := master.Run(context.Background()); err == nil {
		t.Error("a federation without scada was measured")
	}
}
