package stackelberg

import (
	"math"
	"slices"
	"testing"

	"cosim/scada/reconfig"
)

// A game that is played on from limit to limit is at each of them the game that
// ends there, cold and from the last decision.
func TestCurveIsTheGameUnderEachLimit(t *testing.T) {
	limits := []int{1, 2, 5, 12, 30}
	f := newFederation(stream("curve"), 120, 5)
	f.advance(nil, nil)
	p := f.problem(nil)
	first := solve(t, Game{}, p, nil, reconfig.DefaultBudget())
	f.advance(p, first)
	for i, warm := range []*reconfig.Warm{nil, first.Next()} {
		if i > 0 {
			p = f.problem(first.Plan)
		}
		curve, err := Curve(p, warm, limits, reconfig.DefaultBudget())
		if err != nil {
			t.Fatal(err)
		}
		rounds := 0
		for k, limit := range limits {
			p.Operators.Rounds = limit
			want := solve(t, Game{}, p, warm, reconfig.DefaultBudget())
			got := curve[k]
			if !slices.EqualFunc(got.Plan, want.Plan, slices.Equal[[]int]) || got.Bound != want.Bound || got.Game.Rounds != want.Game.Rounds ||
				got.Game.LeaderCost != want.Game.LeaderCost || got.Game.Converged != want.Game.Converged {
				t.Errorf("limit %d: leader's cost %g after %d rounds, alone %g after %d", limit, got.Game.LeaderCost, got.Game.Rounds, want.Game.LeaderCost, want.Game.Rounds)
			}
			rounds = got.Game.Rounds
		}
		if i == 0 && rounds != 30 {
			t.Errorf("the longest game ended after %d rounds: limits are not told apart", rounds)
		}
	}
	for _, wrong := range [][]int{{0, 5}, {5, 2}} {
		if _, err := Curve(p, nil, wrong, reconfig.DefaultBudget()); err == nil {
			t.Errorf("limits %v were taken", wrong)
		}
	}
}

// What a result says of its game is what is said of its plan afterwards.
func TestStandingIsTheGamesAccount(t *testing.T) {
	f := newFederation(stream("standing"), 60, 5)
	f.advance(nil, nil)
	p := f.problem(nil)
	for _, s := range solvers(nil) {
		r := solve(t, s, p, nil, reconfig.DefaultBudget())
		x, err := StandingOf(p, r.Plan)
		if err != nil {
			t.Fatal(err)
		}
		own := 0.0
		for _, c := range x.Own {
			own += c
		}
		for _, d := range []float64{
			own + x.Shared - r.Evaluation.Objective, x.Own[leader] + x.Shared + x.Unfairness - r.Game.LeaderCost, x.Fairness - r.Game.Fairness,
		} {
			if math.Abs(d) > 1e-9*math.Max(1, r.Evaluation.Objective) {
				t.Errorf("%T: off by %g: %+v", s, d, x)
			}
		}
		for a, share := range x.Shares {
			if math.Abs(x.GrantedBits[a]-share*x.AskedBits[a]) > 1e-6 || share != r.Game.Shares[a] {
				t.Errorf("%T: operator %d is granted %g of %g", s, a, x.GrantedBits[a], x.AskedBits[a])
			}
		}
	}
}
