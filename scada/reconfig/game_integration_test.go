//go:build integration

package reconfig_test

import (
	"math"
	"slices"
	"testing"

	"cosim/internal/rng"
	"cosim/scada/reconfig"
	"cosim/scada/stackelberg"
)

// TestIntegrationFollowersAnswerAsHighsWould: in games of 8 to 14 chains, too
// large for enumeration, HiGHS finds no response to the leader's plan that costs
// followers less than theirs by more than the recorded residual, and none at all
// where theirs was searched for longer.
func TestIntegrationFollowersAnswerAsHighsWould(t *testing.T) {
	highs := reconfig.Offline(t)
	r := rng.Stream(1, "games against highs")
	const games = 24
	budgets := []reconfig.Budget{reconfig.DefaultBudget(), {Nodes: 300}}
	exact, drawn, most := 0, 0, make([]float64, len(budgets))
	for i := range games {
		p := reconfig.Midsize(r, i)
		p.Operators = &reconfig.Operators{Names: []string{"TSO", "DSO1", "DSO2"}, FairnessWeight: 5 * r.Float64(), Proximal: 0.05, Rounds: 12}
		for l := range p.Chains {
			p.Operators.Of = append(p.Operators.Of, l%3)
		}
		followers := p.Operators.Chains(func(a int) bool { return a != p.Operators.Leader })
		for k, budget := range budgets {
			got, err := stackelberg.Game{}.Solve(p, nil, budget)
			if err != nil {
				t.Fatal(err)
			}
			part := p.Part(followers, got.Plan.Pure())
			answer := make(reconfig.Plan, len(followers))
			for j, l := range followers {
				answer[j] = got.Plan[l]
			}
			e, err := part.Evaluate(answer)
			if err != nil {
				t.Fatal(err)
			}
			best, err := highs.Solve(part, nil, reconfig.Budget{})
			if err != nil {
				t.Fatal(err)
			}
			least := best.Evaluation.Objective
			slight := 1e-6 * math.Max(1, least)
			lost := e.Objective - least
			if !got.Evaluation.Feasible || !e.Feasible || lost > got.Game.Residual+slight || e.Objective < best.Bound-slight {
				t.Errorf("game %d, budget %d: the response costs %.9g (feasible %v), HiGHS has %.9g; a residual of %.2g", i, k, e.Objective, e.Feasible, least, got.Game.Residual)
			}
			most[k] = math.Max(most[k], lost/math.Max(1, least))
			if k == 0 {
				continue
			}
			if lost > slight {
				t.Errorf("game %d: after a long search the response costs %.9g, HiGHS has %.9g", i, e.Objective, least)
			}
			if got.Game.Residual <= slight {
				exact++
			}
			if slices.ContainsFunc(part.Pools, func(x reconfig.Pool) bool { return x.Others.EndBits > 0 }) {
				drawn++
			}
		}
	}
	t.Logf("%d of %d responses proven best; HiGHS saves at most %.2g %% of a response found online, %.2g %% of one searched for longer",
		exact, games, 100*most[0], 100*most[1])
	if exact < games/3 || drawn < games/2 {
		t.Errorf("%d responses proven best; in %d games the leader draws: too few to tell", exact, drawn)
	}
}
