package network_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"cosim/network"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// trial is a random network and what is done to it, in order of time.
type trial struct {
	cfg     network.Config
	seed    uint64
	endNS   int64
	packets []network.Packet
	routes  [][]string
	breaks  []change
	hook    func(*network.Engine) // before the first advance, if any
}

type change struct {
	at   int64
	link network.LinkID
	up   bool
}

func drawTrial(t *rapid.T) trial {
	tr := trial{seed: rapid.Uint64().Draw(t, "seed"), endNS: 1e9}
	tr.cfg.ConvergenceS = rapid.SampledFrom([]float64{0, 0.05}).Draw(t, "convergence")
	n := rapid.IntRange(2, 6).Draw(t, "nodes")
	for i := range n {
		node := network.Node{Name: fmt.Sprint("N", i), ProcessingS: 1e-4}
		if i%2 == 0 {
			node.ProcessingShape.Kind = network.Exponential
		}
		tr.cfg.Nodes = append(tr.cfg.Nodes, node)
		if i > 0 {
			parent := rapid.IntRange(0, i-1).Draw(t, "parent")
			tr.cfg.Links = append(tr.cfg.Links, drawLink(t, parent, i))
		}
	}
	if n > 2 {
		tr.cfg.Links = append(tr.cfg.Links, drawLink(t, 0, n-1))
		tr.cfg.Links[n-1].Name = "chord"
	}
	for range rapid.IntRange(0, 3).Draw(t, "attacks") {
		tr.cfg.Attacks = append(tr.cfg.Attacks, network.Attack{
			Kind:        rapid.SampledFrom([]string{"tamper", "replay", "inject", "delay", "drop"}).Draw(t, "kind"),
			Link:        tr.label(rapid.IntRange(0, len(tr.cfg.Links)-1).Draw(t, "attacked")),
			Probability: 0.3, RatePerS: 50, DelayS: 0.02,
		})
	}
	tr.drawEvents(t)
	return tr
}

func (tr *trial) label(link int) string {
	if l := tr.cfg.Links[link]; l.Name == "" {
		return l.A + "-" + l.B
	}
	return tr.cfg.Links[link].Name
}

func drawLink(t *rapid.T, a, b int) network.Link {
	l := network.Link{
		A: fmt.Sprint("N", a), B: fmt.Sprint("N", b),
		RateBPS:  rapid.SampledFrom([]float64{1e5, 1e6, 1e7}).Draw(t, "rate"),
		LengthKM: rapid.SampledFrom([]float64{0, 20, 2000}).Draw(t, "length"),
		Loss:     rapid.SampledFrom([]float64{0, 0.1}).Draw(t, "loss"),
		Queue: network.QueueConfig{
			Discipline:   rapid.SampledFrom([]network.Discipline{network.FIFO, network.Priority, network.DRR}).Draw(t, "discipline"),
			LimitPackets: rapid.SampledFrom([]int{1, 3, 100}).Draw(t, "limit"),
		},
	}
	if l.Queue.Discipline == network.DRR {
		l.Queue.QuantaBits = []int{1000, 4000}
	}
	if rapid.Bool().Draw(t, "disturbed") {
		l.ExtraDelay = &network.ExtraDelay{Kind: network.OUDelay, DelayS: 1e-3, StdS: 5e-4, TimeConstantS: 0.1}
	}
	for class := range rapid.IntRange(0, 2).Draw(t, "streams") {
		l.Background = append(l.Background, network.Traffic{
			Class: class, RateBPS: 0.4 * l.RateBPS, PacketBits: 2000,
			PacketShape: network.Shape{Kind: network.Exponential},
			Arrival:     network.Shape{Kind: network.OnOff, OnS: 0.02, OffS: 0.03},
		})
	}
	return l
}

func (tr *trial) drawEvents(t *rapid.T) {
	r := rand.New(rand.NewPCG(tr.seed, 1))
	// Times on a coarse grid make equal ones likely.
	moment := func() int64 { return int64(r.IntN(100)) * 1e7 }
	for range rapid.IntRange(0, 6).Draw(t, "changes") {
		tr.breaks = append(tr.breaks, change{moment(), network.LinkID(r.IntN(len(tr.cfg.Links))), r.IntN(2) == 0})
	}
	for i := range rapid.IntRange(0, 300).Draw(t, "packets") {
		p := network.Packet{
			AtNS: moment(), ID: uint64(i), Class: uint8(r.IntN(3)), SizeBits: 500 + r.IntN(4000),
			From: network.NodeID(r.IntN(len(tr.cfg.Nodes))), To: network.NodeID(r.IntN(len(tr.cfg.Nodes))),
			Payload: []byte{1, 2, 3, 4}, ExtraServiceNS: int64(r.IntN(1000)),
		}
		if r.IntN(3) == 0 { // pin some along one link
			l := tr.cfg.Links[r.IntN(len(tr.cfg.Links))]
			tr.routes = append(tr.routes, []string{l.A, l.B, l.A})
			p.Route = network.RouteID(len(tr.routes))
		}
		if r.IntN(4) == 0 {
			p.DeadlineNS, p.TTL = p.AtNS+2e7, 2
		}
		tr.packets = append(tr.packets, p)
	}
	sort.SliceStable(tr.packets, func(i, j int) bool { return tr.packets[i].AtNS < tr.packets[j].AtNS })
	sort.SliceStable(tr.breaks, func(i, j int) bool { return tr.breaks[i].at < tr.breaks[j].at })
}

func (tr *trial) engine(t *rapid.T) *network.Engine {
	e, err := network.New(tr.cfg, streams(tr.seed))
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range tr.routes {
		if _, err := e.Route(names...); err != nil {
			t.Fatal(err)
		}
	}
	if tr.hook != nil {
		tr.hook(e)
	}
	return e
}

// outcome is all that a run shows.
type outcome struct {
	Deliveries []network.Delivery
	Drops      []network.Drop
	Stats      []network.QueueStats
	Loads      []network.Load
	Attacks    network.AttackStats
}

// run plays the trial in the given number of advances, each fed with what
// happens in it, and calls observe after each.
func (tr *trial) run(t *rapid.T, advances int64, observe func(*network.Engine, *outcome)) outcome {
	e := tr.engine(t)
	var out outcome
	packets, breaks := tr.packets, tr.breaks
	for i := range advances {
		to := tr.endNS * (i + 1) / advances
		for len(packets) > 0 && packets[0].AtNS < to {
			if err := e.Send(packets[0]); err != nil {
				t.Fatal(err)
			}
			packets = packets[1:]
		}
		for len(breaks) > 0 && breaks[0].at < to {
			if err := e.SetLink(breaks[0].at, breaks[0].link, breaks[0].up); err != nil {
				t.Fatal(err)
			}
			breaks = breaks[1:]
		}
		if err := e.Advance(to); err != nil {
			t.Fatal(err)
		}
		out.Deliveries = append(out.Deliveries, e.Deliveries()...)
		out.Drops = append(out.Drops, e.Drops()...)
		if observe != nil {
			observe(e, &out)
		}
	}
	for q := range network.QueueID(2 * e.Links()) {
		out.Stats = append(out.Stats, e.QueueStats(q))
		out.Loads = append(out.Loads, e.MeasuredLoad(q))
	}
	out.Attacks = e.AttackStats()
	return out
}

func TestNothingIsLostUnaccountedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := drawTrial(t)
		out := tr.run(t, 50, func(e *network.Engine, out *outcome) {
			routed, background := e.Conservation()
			if !routed.Holds() || !background.Holds() {
				t.Fatalf("at %d ns: routed %+v, background %+v", e.NowNS(), routed, background)
			}
			sent, _ := slices.BinarySearchFunc(tr.packets, e.NowNS(), func(p network.Packet, now int64) int {
				if p.AtNS < now {
					return -1
				}
				return 1
			})
			if routed.Sent != int64(sent) || routed.Delivered != int64(len(out.Deliveries)) || routed.Dropped != int64(len(out.Drops)) {
				t.Fatalf("accounts %+v, seen: %d sent, %d delivered, %d dropped", routed, sent, len(out.Deliveries), len(out.Drops))
			}
			for q := range network.QueueID(2 * e.Links()) {
				stats := e.QueueStats(q)
				if stats.Length < 0 || stats.BusyNS < 0 || stats.BusyNS > e.NowNS() {
					t.Fatalf("queue %s: %+v", e.QueueName(q), stats)
				}
			}
		})
		fates := map[uint64]int{}
		for _, d := range out.Deliveries {
			if d.Mark != network.Replayed && d.Mark != network.Injected {
				fates[d.ID]++
			}
		}
		for _, d := range out.Drops {
			if d.Mark != network.Replayed && d.Mark != network.Injected {
				fates[d.ID]++
			}
		}
		for id, n := range fates {
			// A tampered copy of a replayed packet carries the later mark.
			if n > 1 && out.Attacks.Tampered == 0 {
				t.Fatalf("packet %d ended %d times", id, n)
			}
		}
	})
}

func TestAdvancesOfAnyLengthGiveTheSameOutcome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := drawTrial(t)
		whole := tr.run(t, 1, nil)
		advances := rapid.Int64Range(2, 200).Draw(t, "advances")
		parts := tr.run(t, advances, func(e *network.Engine, _ *outcome) {
			for q := range network.QueueID(2 * e.Links()) { // looking changes nothing
				e.QueueStats(q)
				e.MeasuredLoad(q)
			}
			e.Conservation()
		})
		if diff := cmp.Diff(whole, parts, cmp.AllowUnexported(network.QueueStats{})); diff != "" {
			t.Fatalf("one advance and %d differ:\n%s", advances, diff)
		}
	})
}
