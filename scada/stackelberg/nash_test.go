package stackelberg

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"cosim/scada/reconfig"
)

// oneShot is a chain of one step that is off or draws bits.
func oneShot(id string, bits, dropped float64) reconfig.Chain {
	return reconfig.Chain{ID: id, Before: reconfig.NoOption, Options: []reconfig.Option{
		{Cost: []float64{dropped}},
		{Cost: []float64{0}, Draws: []reconfig.Draw{{MeanBits: []float64{bits}, VarBits2: []float64{0}}}},
	}}
}

// duel is a pool of 100 bits. The leader has two chains of 50 bits that are worth
// 1 and 3 to it, and weights fairness by 4; the follower has one of 50. With both
// on it is left with nothing and the leader pays 4; with one it pays 1 and
// 4·(1/2)², which is less.
func duel() *reconfig.Problem {
	return &reconfig.Problem{
		Steps: 1, Kappa: 0,
		Chains:    []reconfig.Chain{oneShot("tso-1", 50, 1), oneShot("tso-2", 50, 3), oneShot("dso-1", 50, 1)},
		Pools:     []reconfig.Pool{{ID: "CC0-CC1", StockBits: []float64{100}, StockVarBits: []float64{0}}},
		Operators: &reconfig.Operators{Of: []int{0, 0, 1}, Names: []string{"TSO", "DSO1"}, FairnessWeight: 4},
	}
}

// preemption is a pool that is at its threshold, and two chains of 100 bits: the
// first 100 that are missing at the end cost 0.5, another 100 cost 1.5 more, of
// whomever. The follower's chain is worth 1 to it, the leader's 0.2.
//
//	leader  follower  leader pays     follower pays
//	off     off       0.2             1
//	off     on        0.2 + 0.5       0.5
//	on      off       0.5             1 + 0.5
//	on      on        2               2
//
// The leader is better off without its chain whatever the follower does, and the
// follower then has its own: the only equilibrium, at 0.7. But once the leader has
// taken the cheap bits, the follower wants no dear ones: at 0.5 the leader is
// best served by what is not its best answer.
func preemption() *reconfig.Problem {
	return &reconfig.Problem{
		Steps: 1, Kappa: 0,
		Chains: []reconfig.Chain{oneShot("tso-1", 100, 0.2), oneShot("dso-1", 100, 1)},
		Pools: []reconfig.Pool{{
			ID: "CC0-CC1", StockBits: []float64{1000}, StockVarBits: []float64{0},
			Terminal: reconfig.Terminal{ThresholdBits: 1000, PricePerBit: 0.1, RampBits: 1000},
		}},
		Operators: &reconfig.Operators{Of: []int{0, 1}, Names: []string{"TSO", "DSO1"}},
	}
}

// answer has the leader answer the followers' plan, whatever they would do about
// it: in place.
func answer(p *reconfig.Problem, plan reconfig.Plan) {
	k := newKey(p)
	best, least := plan.Clone(), math.Inf(1)
	trial := plan.Clone()
	every(p, p.Operators.Chains(func(a int) bool { return a == p.Operators.Leader }), trial, func() {
		if e, err := p.Evaluate(trial); err == nil && e.Feasible {
			if j := k.cost(trial.Pure(), k.shares(trial.Pure())); j < least {
				best, least = trial.Clone(), j
			}
		}
	})
	copy(plan, best)
}

// alternate has the leader answer the followers' last plan as they answer its,
// until nothing changes: a Nash equilibrium. It says what the leader pays there,
// and whether it came to one.
func alternate(t *testing.T, p *reconfig.Problem, start reconfig.Plan) (leaderCost float64, settled bool) {
	t.Helper()
	k := newKey(p)
	followers := p.Operators.Chains(follows(p))
	plan := start.Clone()
	for range 20 {
		last := plan.Clone()
		answer(p, plan)
		part := p.Part(followers, plan.Pure())
		r := solve(t, reconfig.Enumerator{}, part, nil, reconfig.Budget{})
		for i, l := range followers {
			plan[l] = r.Plan[i]
		}
		if settled = reflect.DeepEqual(last, plan); settled {
			break
		}
	}
	return k.cost(plan.Pure(), k.shares(plan.Pure())), settled
}

// feasible are all plans of all chains that keep the rows.
func feasible(p *reconfig.Problem) (plans []reconfig.Plan) {
	all := make([]int, len(p.Chains))
	for l := range all {
		all[l] = l
	}
	plan := p.AllOff()
	every(p, all, plan, func() {
		if e, err := p.Evaluate(plan); err == nil && e.Feasible {
			plans = append(plans, plan.Clone())
		}
	})
	return plans
}

// Alternation ends at the only equilibrium from every plan there is, and the
// leader pays 0.7 for it; leading, it pays 0.5.
func TestLeadingBeatsAlternationFromEveryStart(t *testing.T) {
	p := preemption()
	optimum := enumerate(t, p, epsilon)
	if math.Abs(optimum.leaderCost-0.5) > 1e-9 {
		t.Errorf("the optimum is %g, expected 0.5", optimum.leaderCost)
	}
	better := optimum.plan.Clone()
	if answer(p, better); reflect.DeepEqual(better, optimum.plan) {
		t.Errorf("the optimum %v is the leader's best answer, too: a Nash equilibrium", optimum.plan)
	}
	starts := feasible(p)
	if len(starts) != 4 {
		t.Errorf("%d plans keep the rows, expected 4", len(starts))
	}
	for _, start := range starts {
		if nash, settled := alternate(t, p, start); !settled || math.Abs(nash-0.7) > 1e-9 {
			t.Errorf("alternation from %v: the leader pays %g (settled %v), expected 0.7", start, nash, settled)
		}
	}
	got := solve(t, Game{}, p, nil, reconfig.Budget{})
	if !reflect.DeepEqual(got.Plan, optimum.plan) || math.Abs(got.Game.LeaderCost-0.5) > 1e-9 {
		t.Errorf("the game ends at %v, where the leader pays %g; the optimum is %v", got.Plan, got.Game.LeaderCost, optimum.plan)
	}
}

// In the duel alternation ends at 4 wherever it begins with the follower's chain
// off. Begun with it on, the leader may have what is left: that is the optimum.
func TestLeadingBeatsAlternationThatBeginsWithTheLeader(t *testing.T) {
	p := duel()
	optimum := enumerate(t, p, epsilon).leaderCost
	got := solve(t, Game{}, p, nil, reconfig.Budget{})
	if math.Abs(got.Game.LeaderCost-optimum) > 1e-9 || math.Abs(optimum-2) > 1e-9 {
		t.Errorf("the leader has %g, at the optimum %g, expected 2", got.Game.LeaderCost, optimum)
	}
	if !slices.EqualFunc(got.Plan, reconfig.Plan{{0}, {1}, {1}}, slices.Equal[[]int]) {
		t.Errorf("plan %v", got.Plan)
	}
	starts := feasible(p)
	if len(starts) != 7 {
		t.Errorf("%d plans keep the rows, expected 7", len(starts))
	}
	for _, start := range starts {
		want := 4.0
		if start[2][0] == 1 {
			want = optimum
		}
		if nash, settled := alternate(t, p, start); !settled || math.Abs(nash-want) > 1e-9 {
			t.Errorf("alternation from %v ends at %g, expected %g", start, nash, want)
		}
	}
	// The game that opens where that alternation ends leaves it.
	warm := (&reconfig.Result{Plan: reconfig.Plan{{1}, {1}, {0}}}).Warm()
	if again := solve(t, Game{}, p, warm, reconfig.Budget{}); math.Abs(again.Game.LeaderCost-optimum) > 1e-9 {
		t.Errorf("from both chains on the leader has %g, the optimum is %g", again.Game.LeaderCost, optimum)
	}
}
