package network_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"cosim/network"
)

// fleet is a control centre, gateways and stations, 100 to a gateway, each
// station sending ten packets a second to the centre, with background traffic
// on every link.
type fleet struct {
	engine *network.Engine
	routes []network.RouteID
	id     uint64
}

func newFleet(tb testing.TB, stations int) *fleet {
	cfg := network.Config{Nodes: []network.Node{{Name: "CC"}}}
	add := func(name, parent string, rate float64) {
		cfg.Nodes = append(cfg.Nodes, network.Node{Name: name, ProcessingS: 1e-6})
		cfg.Links = append(cfg.Links, network.Link{
			A: name, B: parent, RateBPS: rate, LengthKM: 10,
			Background: []network.Traffic{{From: name, RateBPS: 4000, PacketBits: 4000}},
		})
	}
	var gateway string
	names := make([][]string, stations)
	for i := range stations {
		if i%100 == 0 {
			gateway = fmt.Sprint("GW", i/100)
			add(gateway, "CC", 1e8)
		}
		station := fmt.Sprint("RTU", i)
		add(station, gateway, 1e7)
		names[i] = []string{station, gateway, "CC"}
	}
	f := &fleet{engine: mustNew(tb, cfg)}
	for _, n := range names {
		f.routes = append(f.routes, mustRoute(tb, f.engine, n...))
	}
	return f
}

// step sends a tenth of a second's packets, one a station, and advances in
// steps of 10 ms. It returns how many were delivered.
func (f *fleet) step(tb testing.TB) int {
	from, delivered := f.engine.NowNS(), 0
	for part := range 10 {
		start := from + int64(part)*10*ms
		for i := part; i < len(f.routes); i += 10 {
			f.id++
			at := start + int64(i)*10*ms/int64(len(f.routes))
			mustSend(tb, f.engine, network.Packet{AtNS: at, ID: f.id, Route: f.routes[i], SizeBits: 2000})
		}
		advance(tb, f.engine, start+10*ms)
		delivered += len(f.engine.Deliveries())
	}
	return delivered
}

func heapBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestTenThousandNodesAndLinearMemory(t *testing.T) {
	perNode := map[int]float64{}
	for _, stations := range []int{1000, 10_000} {
		before := heapBytes()
		f := newFleet(t, stations)
		delivered := 0
		start := time.Now()
		for range 10 { // one second
			delivered += f.step(t)
		}
		elapsed := time.Since(start)
		routed, background := f.engine.Conservation()
		if !routed.Holds() || !background.Holds() {
			t.Errorf("accounts %+v, %+v", routed, background)
		}
		if want := 10 * stations; int64(want) != routed.Sent || delivered < want*99/100 {
			t.Errorf("%d of %d delivered", delivered, want)
		}
		perNode[stations] = float64(heapBytes()-before) / float64(stations)
		t.Logf("%d stations: one second in %v, %.0f bytes a station", stations, elapsed, perNode[stations])
		runtime.KeepAlive(f)
	}
	if perNode[10_000] > 1.25*perNode[1000] {
		t.Errorf("memory grows faster than the network: %v bytes a node", perNode)
	}
}

// BenchmarkScale is a routed hop in networks of growing size.
func BenchmarkScale(b *testing.B) {
	for _, stations := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(stations), func(b *testing.B) {
			f := newFleet(b, stations)
			for range 20 {
				f.step(b)
			}
			b.ReportAllocs()
			b.ResetTimer()
			hops := 0
			for hops < b.N {
				hops += 2 * f.step(b)
			}
			b.ReportMetric(float64(hops)/b.Elapsed().Seconds()/1e6, "Mhop/s")
		})
	}
}
