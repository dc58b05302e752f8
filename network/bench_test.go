package network_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"cosim/internal/rng"
	"cosim/network"
)

func streams(seed uint64) func(string) *rand.Rand {
	return func(name string) *rand.Rand { return rng.Stream(seed, name) }
}

func mustNew(tb testing.TB, cfg network.Config) *network.Engine {
	tb.Helper()
	e, err := network.New(cfg, streams(1))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func advance(tb testing.TB, e *network.Engine, toNS int64) {
	tb.Helper()
	if err := e.Advance(toNS); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkBackgroundHop is one background packet: arrival, queue,
// serialisation, propagation and statistics.
func BenchmarkBackgroundHop(b *testing.B) {
	e := mustNew(b, network.Config{
		Nodes: []network.Node{{Name: "A"}, {Name: "B"}},
		Links: []network.Link{{
			A: "A", B: "B", RateBPS: 1e7, LengthKM: 20,
			Background: []network.Traffic{{From: "A", RateBPS: 6e6, PacketBits: 4000, PacketShape: network.Shape{Kind: network.Exponential}}},
		}},
	})
	b.ReportAllocs()
	var packets int64
	const perStep = 15 // 10 ms at 1500 packets a second
	for range b.N / perStep {
		advance(b, e, e.NowNS()+1e7)
		stats := e.QueueStats(0)
		packets = stats.Total().Arrivals
	}
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds()/1e6, "Mhop/s")
}

// BenchmarkRoutedHop is one hop of a routed packet along a chain of nodes.
func BenchmarkRoutedHop(b *testing.B) {
	for _, discipline := range []network.Discipline{network.FIFO, network.Priority, network.DRR} {
		b.Run(string(discipline), func(b *testing.B) { benchmarkRouted(b, discipline) })
	}
}

func benchmarkRouted(b *testing.B, discipline network.Discipline) {
	const hops, perStep = 10, 100
	q := network.QueueConfig{Discipline: discipline}
	if discipline == network.DRR {
		q.QuantaBits = []int{12000, 12000}
	}
	var cfg network.Config
	names := make([]string, hops+1)
	for i := range names {
		names[i] = fmt.Sprintf("N%d", i)
		cfg.Nodes = append(cfg.Nodes, network.Node{Name: names[i]})
		if i > 0 {
			cfg.Links = append(cfg.Links, network.Link{A: names[i-1], B: names[i], RateBPS: 1e9, LengthKM: 20, Queue: q})
		}
	}
	e := mustNew(b, cfg)
	route, err := e.Route(names...)
	if err != nil {
		b.Fatal(err)
	}
	payload := make([]byte, 100)
	step := func() {
		from := e.NowNS()
		for i := range int64(perStep) {
			if err := e.Send(network.Packet{AtNS: from + i/4*20_000, Route: route, Class: uint8(i % 2), SizeBits: 4000, Payload: payload}); err != nil {
				b.Fatal(err)
			}
		}
		advance(b, e, from+perStep*5000)
	}
	for range 20 {
		step()
	}
	b.ReportAllocs()
	b.ResetTimer()
	done := 0
	for ; done < b.N; done += hops * perStep {
		step()
	}
	b.ReportMetric(float64(done)/b.Elapsed().Seconds()/1e6, "Mhop/s")
}
