package sweep

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"cosim/internal/experiment"
)

// made is the result of a run without the run.
func made(t interface{ Fatal(...any) }, s *Sweep, o order) *Record {
	p := &s.Points[o.point]
	text, err := decompress(p.definition)
	if err != nil {
		t.Fatal(err)
	}
	d, err := experiment.LoadText("p", text, experiment.Overrides{Seed: &o.seed})
	if err != nil {
		t.Fatal(err)
	}
	r, err := quick(context.Background(), d, experiment.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &Record{Run: p.RunID(o.seed), Summary: r.Summary}
}

func TestRunsOfAllPointsComeSeedBySeed(t *testing.T) {
	s := sweepOf(t, threeBreaks)
	p := newPlan(s, nil, 0, Shard{}, nil)
	for k := range len(s.Seeds) * len(s.Points) {
		o, ok := p.next()
		if want := (order{k % len(s.Points), s.Seeds[k/len(s.Points)]}); !ok || o != want {
			t.Fatalf("run %d is %v, want %v", k, o, want)
		}
	}
	if _, ok := p.next(); ok {
		t.Error("more runs than points and seeds")
	}
}

func TestShardsAreTheWhole(t *testing.T) {
	s := sweepOf(t, threeBreaks)
	seen := map[string]int{}
	for i := 1; i <= 5; i++ {
		for id := range newPlan(s, nil, 0, Shard{i, 5}, nil).byID {
			seen[id]++
		}
	}
	whole := newPlan(s, nil, 0, Shard{}, nil)
	for id := range whole.byID {
		if seen[id] != 1 {
			t.Errorf("%s is in %d shards", id, seen[id])
		}
	}
	if len(seen) != whole.total {
		t.Errorf("%d runs in shards, %d in the whole", len(seen), whole.total)
	}
}

// Which seeds a point gets depends on the results of its seeds and not on when
// they come, nor on what an earlier session knew.
func TestSeedsUntilDoNotDependOnTheOrderOfArrival(t *testing.T) {
	s := sweepOf(t, threeBreaks)
	rule, err := ParseRule("ci(p_succ) < 0.03")
	if err != nil {
		t.Fatal(err)
	}
	cache := map[order]*Record{}
	run := func(p *plan, random *rand.Rand, most int) (asked string) {
		var waiting []order
		for n := 0; n < most; n++ {
			for {
				o, ok := p.next()
				if !ok {
					break
				}
				waiting = append(waiting, o)
			}
			if len(waiting) == 0 {
				break
			}
			i := random.IntN(len(waiting))
			o := waiting[i]
			waiting = append(waiting[:i:i], waiting[i+1:]...)
			if cache[o] == nil {
				cache[o] = made(t, s, o)
			}
			p.add(cache[o])
			p.add(cache[o]) // at least once
		}
		for i, st := range p.states {
			asked += fmt.Sprintf("%d:%d:%v ", i, st.asked, st.met)
		}
		return asked + fmt.Sprint(len(p.results()))
	}
	want := run(newPlan(s, rule, 30, Shard{}, nil), rand.New(rand.NewPCG(0, 0)), 1e6)
	t.Log(want)
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 1))
		first := newPlan(s, rule, 30, Shard{}, nil)
		run(first, random, rapid.IntRange(0, 150).Draw(t, "until killed"))
		second := newPlan(s, rule, 30, Shard{}, first.done)
		if got := run(second, random, 1e6); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		if !second.complete() {
			t.Fatalf("%d of %d runs", second.made, second.total)
		}
	})
}
