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

func TestGameIsNeverBetterThanTheBilevelOptimum(t *testing.T) {
	r := stream("bilevel")
	var gaps []float64
	equal, rounds, residual := 0, 0, 0.0
	for i := range 300 {
		p := randomGame(r, 128, 64)
		want := enumerate(t, p, 1e-5)
		got := solve(t, Game{}, p, nil, reconfig.Budget{})
		if !got.Evaluation.Feasible {
			t.Fatalf("instance %d: %+v", i, got.Evaluation)
		}
		gap := got.Game.LeaderCost - want.leaderCost
		if gap < -1e-9 {
			t.Fatalf("instance %d: the leader has %.12g, at the optimum %.12g", i, got.Game.LeaderCost, want.leaderCost)
		}
		if gap <= 1e-9 {
			equal++
		}
		gaps = append(gaps, gap/math.Max(1, math.Abs(want.leaderCost)))
		rounds += got.Game.Rounds
		residual = math.Max(residual, got.Game.Residual)
	}
	slices.Sort(gaps)
	n := len(gaps)
	t.Logf("equal in %d of %d; relative gap p50 %.2g, p90 %.2g, p99 %.2g, max %.2g; %.1f rounds, residual at most %.2g",
		equal, n, gaps[n/2], gaps[n*9/10], gaps[n*99/100], gaps[n-1], float64(rounds)/float64(n), residual)
}
