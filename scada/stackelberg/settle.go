package stackelberg

import (
	"cmp"
	"math"
	"slices"

	"cosim/scada/reconfig"
)

// settle makes the plan: the followers' exact response to the leader's best
// plans, of which the one is taken that costs the leader least.
func (m *match) settle() (*reconfig.Result, error) {
	candidates := slices.Clone(m.seen)
	slices.SortStableFunc(candidates, func(a, b *response) int { return cmp.Compare(a.merit, b.merit) })
	var best *reconfig.Result
	least := math.Inf(1)
	for _, c := range candidates[:min(len(candidates), finalists)] {
		if best != nil && (m.account.spent() || c.merit >= least) {
			break
		}
		r, err := m.answer(c)
		if err != nil {
			return nil, err
		}
		if r.Game.LeaderCost < least {
			best, least = r, r.Game.LeaderCost
		}
	}
	best.Work = m.account.work
	return best, nil
}

// answer is the result of a plan of the leader with the followers' exact
// response. Tilts are linear in what the leader likes, which is not: where a
// response tilted anew, by its own shares, costs followers the same and suits
// the leader better, it takes the place of the first.
func (m *match) answer(c *response) (*reconfig.Result, error) {
	first, f, err := m.exact(c, c.shares, c.relaxed.Next())
	if err != nil || m.p.Operators.FairnessWeight == 0 || m.account.spent() {
		return first, err
	}
	second, g, err := m.exact(c, first.Game.Shares, c.relaxed.Next())
	if err != nil {
		return nil, err
	}
	tie := 2 * favour * m.p.Operators.FairnessWeight * float64(len(m.key.asked))
	if g < f-tie || g <= f+tie && second.Game.LeaderCost < first.Game.LeaderCost {
		return second, nil
	}
	return first, nil
}

// exact is one exact response, tilted by shares, and what it costs followers.
func (m *match) exact(c *response, shares []float64, warm *reconfig.Warm) (*reconfig.Result, float64, error) {
	part := m.p.Part(m.followers, c.mix)
	chains := part.Chains
	m.tilt(part, shares)
	r, err := m.account.solve(part, warm)
	if err != nil {
		return nil, 0, err
	}
	part.Chains = chains
	e, err := part.Evaluate(r.Plan) // without the tilt
	if err != nil {
		return nil, 0, err
	}
	whole, err := m.p.Join(reconfig.Share{Chains: m.leaders, Result: m.warm[0].Result(c.plan)},
		reconfig.Share{Chains: m.followers, Result: r})
	if err != nil {
		return nil, 0, err
	}
	// The tilt makes options cheaper, none dearer: its bound is one without it.
	residual := math.Max(0, e.Objective-r.Bound)
	whole.Game = &reconfig.Game{Rounds: m.rounds, Converged: m.stable, Residual: residual, Merit: m.merit}
	m.key.report(whole)
	settle(whole, residual)
	return whole, e.Objective, nil
}
