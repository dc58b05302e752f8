package stackelberg

import (
	"cmp"
	"math"
	"slices"

	"cosim/scada/reconfig"
)

// settle makes the plan: the followers' exact response to the leader's best
// plans, of which the one is taken that costs the leader least.
//
// Tilts are linear in what the leader likes, which is not: where a response
// tilted anew, by the shares of the first, costs followers the same and suits the
// leader better, it takes the place of the first.
func (m *match) settle() (*reconfig.Result, error) {
	candidates := slices.Clone(m.seen)
	slices.SortStableFunc(candidates, func(a, b *response) int { return cmp.Compare(a.merit, b.merit) })
	most := finalists
	if m.warmed {
		most = warmFinalists
	}
	var best *reconfig.Result
	var plan *response
	f, least := 0.0, math.Inf(1)
	for _, c := range candidates[:min(len(candidates), most)] {
		if best != nil && (m.account.spent() || c.merit >= least) {
			break
		}
		r, cost, err := m.exact(c, c.shares)
		if err != nil {
			return nil, err
		}
		if r.Game.LeaderCost < least {
			best, plan, f, least = r, c, cost, r.Game.LeaderCost
		}
	}
	if m.p.Operators.FairnessWeight > 0 && !m.account.spent() {
		again, cost, err := m.exact(plan, best.Game.Shares)
		if err != nil {
			return nil, err
		}
		tie := 2 * favour * m.p.Operators.FairnessWeight * float64(len(m.key.asked))
		if cost < f-tie || cost <= f+tie && again.Game.LeaderCost < least {
			best = again
		}
	}
	best.Work = m.account.work
	return best, nil
}

// exact is the result of a plan of the leader with the followers' exact response,
// tilted by shares, and what it costs followers.
func (m *match) exact(c *response, shares []float64) (*reconfig.Result, float64, error) {
	part := m.p.Part(m.followers, c.mix)
	chains := part.Chains
	m.tilt(part, shares)
	r, err := m.account.solve(part, c.relaxed.Next())
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
