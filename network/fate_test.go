package network_test

import (
	"testing"

	"cosim/network"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Every pass has one end, what adversaries did and what links dropped is told
// as often as it is counted, and listening changes nothing.
func TestEveryPassHasOneEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := drawTrial(t)
		deaf := tr.run(t, 20, nil)
		open := map[uint32]network.Pass{}
		told := map[network.Mark]int64{}
		dropped := 0
		tr.hook = func(e *network.Engine) {
			e.OnPass(func(p network.Pass) {
				if q, is := open[p.Place]; is {
					t.Fatalf("%+v begins before %+v has ended", p, q)
				}
				open[p.Place] = p
			})
			e.OnFate(func(f network.Fate) {
				p, is := open[f.Place]
				if is && f.Mark != network.Injected && (f.ID != p.ID || f.Queue != p.Queue || f.Hops != p.Hops) {
					t.Fatalf("%+v is told of %+v", f, p)
				}
				switch {
				case f.Dropped:
					dropped++
				case f.Mark != network.Injected && !is:
					t.Fatalf("%+v had no pass", f)
				case is && f.Mark != network.Injected && f.AtNS < p.ArriveNS:
					t.Fatalf("%+v is before the end of %+v", f, p)
				}
				if told[f.Mark]++; f.Mark == network.Untouched || f.Mark == network.Delayed {
					delete(open, f.Place)
				}
			})
		}
		heard := tr.run(t, 20, func(e *network.Engine, _ *outcome) {
			if routed, _ := e.Conservation(); int64(len(open)) > routed.InFlight {
				t.Fatalf("%d passes are open, %d packets in flight", len(open), routed.InFlight)
			}
		})
		if diff := cmp.Diff(deaf, heard, cmp.AllowUnexported(network.QueueStats{})); diff != "" {
			t.Fatalf("listening changes the outcome:\n%s", diff)
		}
		byLink := 0
		for _, d := range heard.Drops {
			if d.Link != network.NoLink {
				byLink++
			}
		}
		got := network.AttackStats{
			Tampered: told[network.Tampered], Replayed: told[network.Replayed], Injected: told[network.Injected],
			Delayed: told[network.Delayed], Dropped: heard.Attacks.Dropped,
		}
		if got != heard.Attacks || dropped != byLink {
			t.Fatalf("told of %+v and %d drops, counted %+v and %d", got, dropped, heard.Attacks, byLink)
		}
	})
}
