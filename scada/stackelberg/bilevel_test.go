package stackelberg

import (
	"math"
	"slices"
	"testing"

	"cosim/scada/reconfig"
)

// bilevel is the exact optimum of a small game, by trying every plan of the
// leader with every response of the followers. Responses that cost followers
// within tie of the least are equal, and the leader has the one it likes best.
type bilevel struct {
	leaderCost float64
	plan       reconfig.Plan
	plans      int // of the leader that keep the rows alone
}

func enumerate(t *testing.T, p *reconfig.Problem, tie float64) bilevel {
	t.Helper()
	leaders := p.Operators.Chains(func(a int) bool { return a == p.Operators.Leader })
	followers := p.Operators.Chains(func(a int) bool { return a != p.Operators.Leader })
	b := bilevel{leaderCost: math.Inf(1)}
	k := newKey(p)
	plan := p.AllOff()
	every(p, leaders, plan, func() {
		part := p.Part(leaders, nil)
		own := make(reconfig.Plan, len(leaders))
		for i, l := range leaders {
			own[i] = plan[l]
		}
		if e, err := part.Evaluate(own); err != nil || !e.Feasible {
			return
		}
		b.plans++
		type answer struct{ f, j float64 }
		var answers []answer
		least := math.Inf(1)
		rest := p.Part(followers, plan.Pure())
		mine := make(reconfig.Plan, len(followers))
		every(p, followers, plan, func() {
			for i, l := range followers {
				mine[i] = plan[l]
			}
			e, err := rest.Evaluate(mine)
			if err != nil || !e.Feasible {
				return
			}
			least = math.Min(least, e.Objective)
			if e.Objective <= least+tie {
				answers = append(answers, answer{e.Objective, k.cost(plan.Pure(), k.shares(plan.Pure()))})
			}
		})
		for _, a := range answers {
			if a.f <= least+tie && a.j < b.leaderCost {
				b.leaderCost, b.plan = a.j, plan.Clone()
			}
		}
	})
	return b
}

// every calls f with each assignment of available options to chains.
func every(p *reconfig.Problem, chains []int, plan reconfig.Plan, f func()) {
	if len(chains) == 0 {
		f()
		return
	}
	l := chains[0]
	var step func(t int)
	step = func(t int) {
		if t == p.Steps {
			every(p, chains[1:], plan, f)
			return
		}
		for o := range p.Chains[l].Options {
			if !math.IsInf(p.Chains[l].Options[o].Cost[t], 1) {
				plan[l][t] = o
				step(t + 1)
			}
		}
	}
	step(0)
	clear(plan[l])
}

// comparison is of games with their exact optima.
type comparison struct {
	excess   []float64 // of the leader's cost, relative, in rising order
	plans    []int     // of the leader that keep the rows alone, in rising order
	rounds   int
	residual float64
}

// within is how many games end no more above the optimum.
func (c comparison) within(excess float64) int {
	n, _ := slices.BinarySearch(c.excess, math.Nextafter(excess, 1))
	return n
}

// expect so many games at the optimum and within 10 %, and none further away
// than worst.
func (c comparison) expect(t *testing.T, equal, near int, worst float64) {
	t.Helper()
	if c.within(1e-9) < equal || c.within(0.1) < near || c.excess[len(c.excess)-1] > worst {
		t.Errorf("%d of %d at the optimum and %d within 10 %%, the worst %.0f %% above; expected %d, %d and %.0f %%",
			c.within(1e-9), len(c.excess), c.within(0.1), 100*c.excess[len(c.excess)-1], equal, near, 100*worst)
	}
}

// compare plays n random games in which the leader has between some plans and
// some more, and the followers at most so many.
func compare(t *testing.T, name string, n, fewest int, most, mostFollowers float64) (c comparison) {
	t.Helper()
	r := stream(name)
	for i := 0; len(c.excess) < n; i++ {
		p := randomGame(r, most, mostFollowers)
		want := enumerate(t, p, 1e-5)
		if want.plans < fewest {
			continue
		}
		got := solve(t, Game{}, p, nil, reconfig.Budget{})
		if !got.Evaluation.Feasible {
			t.Fatalf("instance %d: %+v", i, got.Evaluation)
		}
		gap := got.Game.LeaderCost - want.leaderCost
		if gap < -1e-9 {
			t.Fatalf("instance %d: the leader has %.12g, at the optimum %.12g", i, got.Game.LeaderCost, want.leaderCost)
		}
		c.excess = append(c.excess, gap/math.Max(1, math.Abs(want.leaderCost)))
		c.plans = append(c.plans, want.plans)
		c.rounds += got.Game.Rounds
		c.residual = math.Max(c.residual, got.Game.Residual)
	}
	slices.Sort(c.excess)
	slices.Sort(c.plans)
	t.Logf("%d games of %d to %d plans of the leader: %d at the optimum, %d within 1 %%, %d within 10 %%; excess p90 %.2g, p99 %.2g, max %.2g; %.1f rounds, residual at most %.2g",
		n, c.plans[0], c.plans[n-1], c.within(1e-9), c.within(0.01), c.within(0.1), c.excess[n*9/10], c.excess[n*99/100], c.excess[n-1], float64(c.rounds)/float64(n), c.residual)
	return c
}

func TestGameIsNeverBetterThanTheBilevelOptimumAndSeldomWorse(t *testing.T) {
	c := compare(t, "bilevel", 300, 1, 128, 64)
	c.expect(t, 278, 290, 0.45)
}

// The same with up to 2¹⁰ plans of the leader, of which more than 2⁸ keep the
// rows.
func TestLargerGamesAreSeldomWorseThanTheBilevelOptimum(t *testing.T) {
	compare(t, "bilevel of a thousand", 100, 257, 1024, 32).expect(t, 87, 94, 0.3)
}
