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
// response.
func (m *match) answer(c *response) (*reconfig.Result, error) {
	part := m.p.Part(m.followers, c.mix)
	chains := part.Chains
	m.tilt(part, c.mix)
	r, err := m.account.solve(part, c.relaxed.Next())
	if err != nil {
		return nil, err
	}
	part.Chains = chains
	e, err := part.Evaluate(r.Plan) // without the tilt
	if err != nil {
		return nil, err
	}
	whole, err := m.p.Join(reconfig.Share{Chains: m.leaders, Result: &reconfig.Result{Plan: c.plan}},
		reconfig.Share{Chains: m.followers, Result: r})
	if err != nil {
		return nil, err
	}
	// The tilt makes options cheaper, none dearer: its bound is one without it.
	residual := math.Max(0, e.Objective-r.Bound)
	whole.Game = &reconfig.Game{Rounds: m.rounds, Converged: m.stable, Residual: residual, Merit: m.merit}
	m.key.report(whole)
	settle(whole, residual)
	return whole, nil
}
