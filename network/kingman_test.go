package network_test

import (
	"fmt"
	"math"
	"testing"

	"cosim/network"
)

func TestKingmanMatchesItsTable(t *testing.T) {
	for _, record := range records(t, "queue_gg1_exact_vs_kingman.csv") {
		load := network.Load{
			ArrivalsPerS: number(t, record, "rho"), ServiceS: 1,
			CA2: number(t, record, "ca2"), CS2: number(t, record, "cs2"),
		}
		estimate, exact := load.WaitS(), number(t, record, "Wq_exact(in ES)")
		if want := number(t, record, "Wq_kingman"); math.Abs(estimate-want) > 1e-6 {
			t.Errorf("%s at %v: %v, want %v", record["model"], load.ArrivalsPerS, estimate, want)
		}
		if exact > 0 {
			t.Logf("%-17s ρ = %.2f: exact %10.5f, Kingman %10.5f (%+.1f %%)", record["model"], load.ArrivalsPerS, exact, estimate, 100*(estimate/exact-1))
		}
	}
}

func TestOverloadIsEstimatedInfinite(t *testing.T) {
	for _, rho := range []float64{1, 1.5, 1e9} {
		if w := (network.Load{ArrivalsPerS: rho, ServiceS: 1}).WaitS(); !math.IsInf(w, 1) {
			t.Errorf("ρ = %v: wait %v", rho, w)
		}
	}
	e := mustNew(t, oneQueue(network.Traffic{RateBPS: 1.2 * rateBPS}))
	advance(t, e, 2e9)
	route := mustRoute(t, e, "A", "B")
	for _, load := range []func(network.QueueID) network.Load{e.DesignLoad, e.MeasuredLoad} {
		if est := e.PathEstimate(route, 1000, 0, load); !math.IsInf(est.TotalS(), 1) {
			t.Errorf("overloaded path takes %v s", est.TotalS())
		}
	}
	if w := (network.Load{}).WaitS(); w != 0 {
		t.Errorf("idle queue: wait %v", w)
	}
}

// The measured load of each kind of traffic comes to the configured one.
func TestMeasuredLoadComesToTheDesign(t *testing.T) {
	for name, traffic := range map[string]network.Traffic{
		"poisson": {},
		"erlang":  {Arrival: network.Shape{Kind: network.Erlang, K: 4}, PacketShape: network.Shape{Kind: network.Erlang, K: 2}},
		"h2":      {Arrival: network.Shape{Kind: network.H2, C2: 4}, PacketShape: network.Shape{Kind: network.H2, C2: 2}},
		"on-off":  {Arrival: network.Shape{Kind: network.OnOff, OnS: 0.02, OffS: 0.03}, PacketShape: network.Shape{Kind: network.Exponential}},
		"regular": {Arrival: network.Shape{Kind: network.Deterministic}},
	} {
		traffic.RateBPS = 0.4 * rateBPS
		cfg := oneQueue(traffic)
		cfg.WindowS = 2000
		cfg.Nodes[0].ProcessingS = 0.0005
		e := mustNew(t, cfg)
		advance(t, e, 2000e9)
		design, measured := e.DesignLoad(0), e.MeasuredLoad(0)
		near := func(what string, got, want, tolerance float64) {
			if math.Abs(got-want) > tolerance*want+1e-6 {
				t.Errorf("%s: %s %.4f, configured %.4f", name, what, got, want)
			}
		}
		near("rate", measured.ArrivalsPerS, design.ArrivalsPerS, 0.02)
		near("service", measured.ServiceS, design.ServiceS, 0.02)
		near("c_a²", measured.CA2, design.CA2, 0.03)
		near("c_s²", measured.CS2, design.CS2, 0.03)
	}
}

func TestMeasuredLoadForgetsWhatLeftTheWindow(t *testing.T) {
	cfg := line()
	cfg.WindowS = 0.08
	e := mustNew(t, cfg)
	route := mustRoute(t, e, "A", "B")
	for i := range int64(40) {
		mustSend(t, e, network.Packet{AtNS: i * 2 * ms, Route: route, SizeBits: 1000})
	}
	advance(t, e, 80*ms)
	if got := e.MeasuredLoad(0); got.ArrivalsPerS != 500 || math.Abs(got.Utilization()-0.5) > 1e-12 {
		t.Errorf("load %+v", got)
	}
	advance(t, e, 120*ms)
	if got := e.MeasuredLoad(0); math.Abs(got.ArrivalsPerS-250) > 40 {
		t.Errorf("half a window later: %+v", got)
	}
	advance(t, e, 200*ms)
	if got := e.MeasuredLoad(0); got != (network.Load{}) {
		t.Errorf("after the window: %+v", got)
	}
}

func TestPoissonLoadsAddExactly(t *testing.T) {
	a := network.Load{ArrivalsPerS: 100, ServiceS: 1e-3, CA2: 1}
	b := network.Load{ArrivalsPerS: 300, ServiceS: 2e-3, CA2: 1, CS2: 1}
	sum := a.Add(b)
	// Pollaczek-Khinchine on the mixture: W = λE[S²]/2(1−ρ)
	square := 0.25*1e-6 + 0.75*2*4e-6
	want := 400 * square / 2 / (1 - sum.Utilization())
	if math.Abs(sum.Utilization()-0.7) > 1e-12 || math.Abs(sum.WaitS()-want) > 1e-12 {
		t.Errorf("ρ = %v, wait %v, want 0.7 and %v", sum.Utilization(), sum.WaitS(), want)
	}
	if got := (network.Load{}).Add(network.Load{}); got != (network.Load{}) {
		t.Errorf("nothing and nothing is %+v", got)
	}
}

// Kingman's estimate is exact for Poisson arrivals and too high for regular
// ones, most of all where the load is low. At ρ = 0.5, waits in mean service
// times:
func ExampleLoad_WaitS() {
	const rho = 0.5
	fmt.Println("queue   exact  packets  Kingman")
	for _, model := range []struct {
		name             string
		arrival, service network.Shape
		exact            float64
	}{
		{"M/M/1", network.Shape{Kind: network.Exponential}, network.Shape{Kind: network.Exponential}, 1},
		{"M/D/1", network.Shape{Kind: network.Exponential}, network.Shape{Kind: network.Deterministic}, 0.5},
		{"M/H2/1", network.Shape{Kind: network.Exponential}, network.Shape{Kind: network.H2, C2: 4}, 2.5},
		{
			"E4/M/1",
			network.Shape{Kind: network.Erlang, K: 4},
			network.Shape{Kind: network.Exponential},
			giM1Wait(func(s float64) float64 { return math.Pow(4*rho/(4*rho+s), 4) }),
		},
		{
			"D/M/1",
			network.Shape{Kind: network.Deterministic},
			network.Shape{Kind: network.Exponential},
			giM1Wait(func(s float64) float64 { return math.Exp(-s / rho) }),
		},
	} {
		e, err := network.New(oneQueue(network.Traffic{RateBPS: rho * rateBPS, Arrival: model.arrival, PacketShape: model.service}), streams(1))
		if err != nil {
			panic(err)
		}
		if err := e.Advance(4000e9); err != nil { // 2 million packets
			panic(err)
		}
		stats := e.QueueStats(0)
		kingman := e.DesignLoad(0).WaitS() / serviceS
		fmt.Printf("%-6s  %.3f  %.3f    %.3f  %+.0f %%\n", model.name, model.exact, stats.Total().MeanWaitS()/serviceS, kingman, 100*(kingman/model.exact-1))
	}
	// Output:
	// queue   exact  packets  Kingman
	// M/M/1   1.000  1.000    1.000  +0 %
	// M/D/1   0.500  0.500    0.500  +0 %
	// M/H2/1  2.500  2.480    2.500  +0 %
	// E4/M/1  0.433  0.431    0.625  +45 %
	// D/M/1   0.255  0.254    0.500  +96 %
}
