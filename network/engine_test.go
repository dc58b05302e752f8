package network_test

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"testing"

	"cosim/network"
)

const ms = 1_000_000

// line is A - B - C, 1 Mb/s and 20 km a link.
func line() network.Config {
	return network.Config{
		Nodes: []network.Node{{Name: "A"}, {Name: "B"}, {Name: "C"}},
		Links: []network.Link{
			{A: "A", B: "B", RateBPS: 1e6, LengthKM: 20},
			{A: "B", B: "C", RateBPS: 1e6, LengthKM: 20},
		},
	}
}

// square is A - B - D (fast) and A - C - D (slow).
func square() network.Config {
	cfg := network.Config{ConvergenceS: 0.1}
	for _, name := range []string{"A", "B", "C", "D"} {
		cfg.Nodes = append(cfg.Nodes, network.Node{Name: name})
	}
	for _, ends := range []string{"AB", "BD", "AC", "CD"} {
		l := network.Link{A: ends[:1], B: ends[1:], RateBPS: 1e6, DelayS: 1e-3}
		if ends[0] == 'C' || ends[1] == 'C' {
			l.DelayS = 5e-3
		}
		cfg.Links = append(cfg.Links, l)
	}
	return cfg
}

func mustSend(t testing.TB, e *network.Engine, p network.Packet) {
	t.Helper()
	if err := e.Send(p); err != nil {
		t.Fatal(err)
	}
}

func mustRoute(t testing.TB, e *network.Engine, names ...string) network.RouteID {
	t.Helper()
	r, err := e.Route(names...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustSetLink(t testing.TB, e *network.Engine, at int64, name string, up bool) {
	t.Helper()
	link, ok := e.Link(name)
	if !ok {
		t.Fatalf("no link %q", name)
	}
	if err := e.SetLink(at, link, up); err != nil {
		t.Fatal(err)
	}
}

// wantDrops compares the drops of the last advance by time, ID and reason.
func wantDrops(t *testing.T, e *network.Engine, want ...network.Drop) {
	t.Helper()
	got := slices.Clone(e.Drops())
	for i := range got {
		got[i] = network.Drop{AtNS: got[i].AtNS, ID: got[i].ID, Reason: got[i].Reason}
	}
	if !slices.Equal(got, want) {
		t.Errorf("drops %+v, want %+v", got, want)
	}
}

func deliveredAt(t *testing.T, e *network.Engine, want ...int64) {
	t.Helper()
	var got []int64
	for _, d := range e.Deliveries() {
		got = append(got, d.AtNS)
	}
	if !slices.Equal(got, want) {
		t.Errorf("deliveries at %v, want %v", got, want)
	}
}

func TestPathTimeIsTheSumOfItsParts(t *testing.T) {
	cfg := line()
	for i, us := range []float64{10, 20, 40} {
		cfg.Nodes[i].ProcessingS = us * 1e-6
	}
	e := mustNew(t, cfg)
	route := mustRoute(t, e, "A", "B", "C")
	mustSend(t, e, network.Packet{AtNS: 5, ID: 7, Route: route, SizeBits: 2000, ExtraServiceNS: 3000, Payload: []byte("x")})
	advance(t, e, 10*ms)
	// crypto 3 µs, processing 10+20+40 µs, serialisation 2·2 ms, fibre 2·100 µs
	const total = 3_000 + 70_000 + 4*ms + 200_000
	deliveredAt(t, e, 5+total)
	d := e.Deliveries()[0]
	if d.ID != 7 || d.Hops != 2 || d.SentNS != 5 || e.NodeName(d.From) != "A" || e.NodeName(d.To) != "C" || string(d.Payload) != "x" {
		t.Errorf("delivered %+v", d)
	}
	est := e.PathEstimate(route, 2000, 3000, e.DesignLoad)
	if math.Abs(est.TotalS()-total/1e9) > 1e-12 {
		t.Errorf("estimate %v s, want %v s (%+v)", est.TotalS(), total/1e9, est)
	}
}

func TestAdvanceStopsShortOfItsEnd(t *testing.T) {
	e := mustNew(t, line())
	mustSend(t, e, network.Packet{Route: mustRoute(t, e, "A", "B"), SizeBits: 1000})
	advance(t, e, 1_100_000)
	deliveredAt(t, e)
	advance(t, e, 1_100_001)
	deliveredAt(t, e, 1_100_000)
	if err := e.Advance(0); err == nil {
		t.Error("advanced back in time")
	}
}

func TestBreakLosesWhatIsOnTheWireAndInTheQueue(t *testing.T) {
	for _, discipline := range []network.Discipline{network.FIFO, network.Priority} {
		cfg := line()
		cfg.Links[0].Queue.Discipline = discipline
		e := mustNew(t, cfg)
		route := mustRoute(t, e, "A", "B")
		for id := range uint64(4) { // departures at 1, 2, 3, 4 ms, arrivals 0.1 ms later
			mustSend(t, e, network.Packet{ID: id, Route: route, SizeBits: 1000})
		}
		mustSetLink(t, e, 2_050_000, "A-B", false) // 0 arrived, 1 propagates, 2 in service, 3 waits
		mustSend(t, e, network.Packet{AtNS: 3 * ms, ID: 4, Route: route, SizeBits: 1000})
		mustSetLink(t, e, 4*ms, "A-B", true)
		mustSend(t, e, network.Packet{AtNS: 4 * ms, ID: 5, Route: route, SizeBits: 1000})
		mustSend(t, e, network.Packet{AtNS: 4 * ms, ID: 6, Route: route, SizeBits: 1000})
		advance(t, e, 10*ms)
		deliveredAt(t, e, 1_100_000, 5_100_000, 6_100_000)
		wantDrops(t, e,
			network.Drop{AtNS: 2_050_000, ID: 1, Reason: network.LinkDown},
			network.Drop{AtNS: 2_050_000, ID: 2, Reason: network.LinkDown},
			network.Drop{AtNS: 2_050_000, ID: 3, Reason: network.LinkDown},
			network.Drop{AtNS: 3 * ms, ID: 4, Reason: network.LinkDown})
		stats := e.QueueStats(0)
		if stats.BusyNS != 4_050_000 || stats.Drops[network.LinkDown] != 4 {
			t.Errorf("%s: busy %d ns, %d drops", discipline, stats.BusyNS, stats.Drops[network.LinkDown])
		}
	}
}

func TestRoutingLearnsOfABreakAfterItsDelay(t *testing.T) {
	e := mustNew(t, square())
	a, _ := e.Node("A")
	d, _ := e.Node("D")
	send := func(at int64, id uint64) {
		mustSend(t, e, network.Packet{AtNS: at, ID: id, From: a, To: d, SizeBits: 1000})
	}
	send(0, 1)
	mustSetLink(t, e, 10*ms, "B-D", false)
	send(20*ms, 2)  // goes to B and is dropped there
	send(110*ms, 3) // the other way
	mustSetLink(t, e, 200*ms, "B-D", true)
	send(250*ms, 4) // still the other way
	send(300*ms, 5)
	send(400*ms, 6)
	mustSetLink(t, e, 500*ms, "A-B", false)
	mustSetLink(t, e, 500*ms, "A-C", false)
	send(700*ms, 7)
	// reaches B before routing knows that B-D broke, and turns back there
	mustSetLink(t, e, 800*ms, "A-B", true)
	mustSetLink(t, e, 800*ms, "A-C", true)
	mustSetLink(t, e, 1000*ms, "B-D", false)
	send(1099*ms, 8)
	advance(t, e, 2000*ms)
	deliveredAt(t, e, 4*ms, 122*ms, 262*ms, 304*ms, 404*ms, 1099*ms+2*ms+2*ms+12*ms)
	wantDrops(t, e,
		network.Drop{AtNS: 22 * ms, ID: 2, Reason: network.LinkDown},
		network.Drop{AtNS: 700 * ms, ID: 7, Reason: network.NoRoute})
	if got := e.ShortestPath(a, d); !slices.Equal(got, []string{"A", "C", "D"}) {
		t.Errorf("path %v", got)
	}
}

func TestPacketsAreDroppedLateAndAfterTooManyHops(t *testing.T) {
	e := mustNew(t, line())
	route := mustRoute(t, e, "A", "B", "C")
	mustSend(t, e, network.Packet{ID: 1, Route: route, SizeBits: 1000, TTL: 1})
	mustSend(t, e, network.Packet{AtNS: 10 * ms, ID: 2, Route: route, SizeBits: 1000, DeadlineNS: 10*ms + 2_200_000 - 1})
	mustSend(t, e, network.Packet{AtNS: 20 * ms, ID: 3, Route: route, SizeBits: 1000, DeadlineNS: 20*ms + 2_200_000, TTL: 2})
	advance(t, e, 30*ms)
	wantDrops(t, e,
		network.Drop{AtNS: 1_100_000, ID: 1, Reason: network.TTLExceeded},
		network.Drop{AtNS: 12_200_000, ID: 2, Reason: network.Late})
	deliveredAt(t, e, 22_200_000)
}

func TestFullQueueDropsTheTail(t *testing.T) {
	cfg := line()
	cfg.Links[0].Queue.LimitPackets = 2
	cfg.Links[1].Queue.LimitBytes = 250
	e := mustNew(t, cfg)
	ab, bc := mustRoute(t, e, "A", "B"), mustRoute(t, e, "B", "C")
	for id := range uint64(4) {
		mustSend(t, e, network.Packet{ID: id, Route: ab, SizeBits: 1000})
		mustSend(t, e, network.Packet{ID: 10 + id, Route: bc, SizeBits: 1000})
	}
	advance(t, e, 10*ms)
	wantDrops(t, e,
		network.Drop{ID: 3, Reason: network.Overflow},
		network.Drop{ID: 13, Reason: network.Overflow})
}

func TestPriorityServesTheUrgentFirstButInterruptsNobody(t *testing.T) {
	cfg := line()
	cfg.Links[0].Queue.Discipline = network.Priority
	e := mustNew(t, cfg)
	route := mustRoute(t, e, "A", "B")
	for id, class := range []uint8{2, 2, 1, 0} {
		mustSend(t, e, network.Packet{ID: uint64(id), Class: class, Route: route, SizeBits: 1000})
	}
	advance(t, e, 10*ms)
	var order []uint64
	for _, d := range e.Deliveries() {
		order = append(order, d.ID)
	}
	if !slices.Equal(order, []uint64{0, 3, 2, 1}) {
		t.Errorf("served in order %v", order)
	}
}

func TestScheduledExtraDelayHoldsFromItsTime(t *testing.T) {
	cfg := line()
	cfg.Links[0].ExtraDelay = &network.ExtraDelay{Kind: network.ScheduledDelay, Schedule: []network.DelayPoint{{AtS: 0.01, DelayS: 0.005}, {AtS: 0.02}}}
	e := mustNew(t, cfg)
	route := mustRoute(t, e, "A", "B")
	for _, at := range []int64{0, 9 * ms, 18 * ms, 19 * ms} { // depart 1 ms later
		mustSend(t, e, network.Packet{AtNS: at, Route: route, SizeBits: 1000})
	}
	advance(t, e, 100*ms)
	// the last would overtake, and comes together with the one before
	deliveredAt(t, e, 1_100_000, 15_100_000, 24_100_000, 24_100_000)
}

func TestOUExtraDelayHasItsMomentsAndIsTheSameBothWays(t *testing.T) {
	cfg := line()
	cfg.Links[0].ExtraDelay = &network.ExtraDelay{Kind: network.OUDelay, DelayS: 0.1, StdS: 0.01, TimeConstantS: 0.05}
	e := mustNew(t, cfg)
	forth, back := mustRoute(t, e, "A", "B"), mustRoute(t, e, "B", "A")
	const n = 20_000
	for i := range int64(n) {
		mustSend(t, e, network.Packet{AtNS: i * 100 * ms, ID: 1, Route: forth, SizeBits: 1000})
		mustSend(t, e, network.Packet{AtNS: i * 100 * ms, ID: 2, Route: back, SizeBits: 1000})
	}
	advance(t, e, (n+10)*100*ms)
	var sum, squares float64
	both := [3][]int64{}
	for _, d := range e.Deliveries() {
		both[d.ID] = append(both[d.ID], d.AtNS)
		if d.ID == 1 {
			x := float64(d.AtNS-d.SentNS-1_100_000)/1e9 - 0.1
			sum, squares = sum+x, squares+x*x
		}
	}
	if !slices.Equal(both[1], both[2]) {
		t.Error("the two directions saw different delays")
	}
	// correlated by e⁻² from sample to sample; four standard errors
	if mean := sum / n; math.Abs(mean) > 4*0.01*math.Sqrt(1.32/n) {
		t.Errorf("mean off by %v s", mean)
	}
	if std := math.Sqrt(squares / n); math.Abs(std/0.01-1) > 4*math.Sqrt(0.52/n) {
		t.Errorf("standard deviation %v s, want 0.01 s", std)
	}
}

func TestProfileShapesTheRate(t *testing.T) {
	for _, kind := range []string{network.Deterministic, network.Exponential} {
		cfg := oneQueue(network.Traffic{
			RateBPS: 1e5, Arrival: network.Shape{Kind: kind}, ProfilePeriodS: 100,
			Profile: []network.ProfilePoint{{AtS: 10, Factor: 0}, {AtS: 50, Factor: 4}},
		})
		e := mustNew(t, cfg)
		var last int64
		for turn := range int64(2) {
			for _, part := range []struct{ endS, want int64 }{{10, 1000}, {50, 0}, {100, 20000}} {
				advance(t, e, (100*turn+part.endS)*1e9)
				stats := e.QueueStats(0)
				got := stats.Total().Arrivals - last
				last += got
				slack := 4 * math.Sqrt(float64(part.want))
				if kind == network.Deterministic {
					slack = 1
				}
				if math.Abs(float64(got-part.want)) > slack {
					t.Errorf("%s: %d arrivals up to %d s of the period, want %d", kind, got, part.endS, part.want)
				}
			}
		}
	}
}

func TestAdversariesActCountAndMark(t *testing.T) {
	payload := []byte("command: open breaker 17")
	attacked := func(a network.Attack) (*network.Engine, []network.Delivery) {
		a.Link, a.From = "B-C", "B"
		a.StartS, a.EndS, a.Probability, a.RatePerS = 0.1, 0.9, 1, 100
		cfg := line()
		cfg.Attacks = []network.Attack{a}
		e := mustNew(t, cfg)
		route := mustRoute(t, e, "A", "B", "C")
		back := mustRoute(t, e, "C", "B")
		for i := range int64(100) {
			mustSend(t, e, network.Packet{AtNS: i * 10 * ms, ID: uint64(i), Route: route, SizeBits: 1000, Payload: payload})
			mustSend(t, e, network.Packet{AtNS: i * 10 * ms, ID: uint64(1000 + i), Route: back, SizeBits: 1000, Payload: payload})
		}
		advance(t, e, 2e9)
		for _, d := range e.Deliveries() {
			if d.Mark != network.Untouched && (d.SentNS < 90*ms || d.SentNS >= 900*ms || d.ID >= 1000) {
				t.Errorf("%s touched packet %d sent at %d ns", a.Kind, d.ID, d.SentNS)
			}
		}
		return e, e.Deliveries()
	}
	marked := func(all []network.Delivery, m network.Mark) (some []network.Delivery) {
		for _, d := range all {
			if d.Mark == m {
				some = append(some, d)
			}
		}
		return some
	}

	e, all := attacked(network.Attack{Kind: "tamper", FlipBits: 3})
	hit := marked(all, network.Tampered)
	if len(hit) != 80 || e.AttackStats() != (network.AttackStats{Tampered: 80}) {
		t.Errorf("tamper: %d marked, %+v", len(hit), e.AttackStats())
	}
	for _, d := range hit {
		flipped := 0
		for i := range d.Payload {
			flipped += bits.OnesCount8(d.Payload[i] ^ payload[i])
		}
		if flipped != 3 {
			t.Errorf("%d bits flipped, want 3", flipped)
		}
	}

	e, all = attacked(network.Attack{Kind: "replay", DelayS: 0.05})
	hit = marked(all, network.Replayed)
	if len(all) != 280 || len(hit) != 80 || e.AttackStats().Replayed != 80 || hit[0].AtNS-hit[0].SentNS != 52_200_000 {
		t.Errorf("replay: %d deliveries, %d marked, %+v", len(all), len(hit), e.AttackStats())
	}

	e, all = attacked(network.Attack{Kind: "inject", KeepBytes: 8})
	hit = marked(all, network.Injected)
	if n := int(e.AttackStats().Injected); len(hit) != n || n < 50 || n > 110 {
		t.Errorf("inject: %d marked, %+v", len(hit), e.AttackStats())
	}
	for _, d := range hit {
		if !bytes.Equal(d.Payload[:8], payload[:8]) || bytes.Equal(d.Payload, payload) {
			t.Errorf("forged %q", d.Payload)
		}
	}

	e, all = attacked(network.Attack{Kind: "delay", DelayS: 0.03})
	hit = marked(all, network.Delayed)
	if len(hit) != 80 || e.AttackStats().Delayed != 80 || hit[0].AtNS-hit[0].SentNS != 32_200_000 {
		t.Errorf("delay: %d marked, %+v", len(hit), e.AttackStats())
	}

	e, all = attacked(network.Attack{Kind: "drop"})
	if len(all) != 120 || e.AttackStats().Dropped != 80 || e.Drops()[0].Reason != network.Intercepted {
		t.Errorf("drop: %d deliveries, %+v", len(all), e.AttackStats())
	}
	if string(payload) != "command: open breaker 17" {
		t.Error("an adversary wrote into the sender's payload")
	}
}

func TestAttackCanBeAddedOnTheWay(t *testing.T) {
	e := mustNew(t, line())
	advance(t, e, 50*ms)
	if err := e.AddAttack(network.Attack{Kind: "drop", Link: "A-B", Probability: 1}); err != nil {
		t.Fatal(err)
	}
	mustSend(t, e, network.Packet{AtNS: 50 * ms, ID: 1, Route: mustRoute(t, e, "B", "A"), SizeBits: 1000})
	advance(t, e, 60*ms)
	wantDrops(t, e, network.Drop{AtNS: 51_100_000, ID: 1, Reason: network.Intercepted})
	for _, wrong := range []network.Attack{
		{Kind: "drop", Link: "nowhere", Probability: 1},
		{Kind: "drop", Link: "A-B"},
		{Kind: "drop", Link: "A-B", From: "C", Probability: 1},
	} {
		if e.AddAttack(wrong) == nil {
			t.Errorf("accepted %+v", wrong)
		}
	}
}

func TestSendRefusesWhatCannotBeSent(t *testing.T) {
	e := mustNew(t, line())
	advance(t, e, 1000)
	good := network.Packet{AtNS: 1000, From: 0, To: 2, SizeBits: 100}
	mustSend(t, e, good)
	for name, spoil := range map[string]func(*network.Packet){
		"in the past":     func(p *network.Packet) { p.AtNS = 999 },
		"empty":           func(p *network.Packet) { p.SizeBits = 0 },
		"too large":       func(p *network.Packet) { p.SizeBits = network.MaxPacketBits + 1 },
		"unknown class":   func(p *network.Packet) { p.Class = network.MaxClasses },
		"unknown route":   func(p *network.Packet) { p.Route = 9 },
		"unknown node":    func(p *network.Packet) { p.To = 3 },
		"negative crypto": func(p *network.Packet) { p.ExtraServiceNS = -1 },
	} {
		p := good
		if spoil(&p); e.Send(p) == nil {
			t.Errorf("sent a packet: %s", name)
		}
	}
	if e.SetLink(999, 0, false) == nil || e.SetLink(1000, 2, false) == nil {
		t.Error("changed a link in the past or one that does not exist")
	}
	if _, err := e.Route("A", "C"); err == nil {
		t.Error("routed over a link that does not exist")
	}
}

// A copy of a forged packet outlives it, and still finds the whole way.
func TestForgedPacketCanBeReplayed(t *testing.T) {
	cfg := line()
	cfg.Attacks = []network.Attack{
		{Kind: "inject", Link: "A-B", RatePerS: 200},
		{Kind: "replay", Link: "A-B", Probability: 1, DelayS: 0.03},
		{Kind: "replay", Link: "B-C", Probability: 1, DelayS: 0.03},
	}
	cfg.Nodes = append(cfg.Nodes, network.Node{Name: "D"})
	cfg.Links = append(cfg.Links, network.Link{A: "C", B: "D", RateBPS: 1e6})
	e := mustNew(t, cfg)
	route := mustRoute(t, e, "A", "B", "C", "D")
	for i := range int64(500) {
		mustSend(t, e, network.Packet{AtNS: i * 4 * ms, Route: route, SizeBits: 100, Payload: []byte("x")})
		for range 5 { // these take the places of packets that have ended
			mustSend(t, e, network.Packet{AtNS: i * 4 * ms, From: 3, To: 0, SizeBits: 10})
		}
		advance(t, e, (i+1)*4*ms)
		for _, d := range e.Deliveries() {
			if d.Hops != 3 {
				t.Errorf("delivered after %d hops", d.Hops)
			}
		}
	}
	routed, _ := e.Conservation()
	stats := e.AttackStats()
	if !routed.Holds() || routed.Added != stats.Injected+stats.Replayed || stats.Replayed < stats.Injected {
		t.Errorf("accounts %+v, attacks %+v", routed, stats)
	}
}
