package stackelberg

import "cosim/scada/reconfig"

// Standing is what a plan, whoever made it, means to the operators of a problem.
type Standing struct {
	// AskedBits and GrantedBits are key over the horizon by operator, in bits of
	// one hop; Shares are granted over asked, −1 of those that ask for nothing.
	AskedBits, GrantedBits, Shares []float64
	// Fairness is F_K, Jain's index of the shares; −1 where nobody asks.
	Fairness float64
	// Own is what each operator's chains cost it: c of the game.
	Own []float64
	// Shared is S: the terminal costs of the pools, and the grid.
	Shared float64
	// Unfairness is ρ_F·Σ_a (1−s_a)², which the leader of a game pays.
	Unfairness float64
}

// StandingOf judges a feasible plan of a problem that names its operators.
func StandingOf(p *reconfig.Problem, plan reconfig.Plan) (*Standing, error) {
	if err := check(p); err != nil {
		return nil, err
	}
	k, mix := newKey(p), plan.Pure()
	s := &Standing{AskedBits: k.asked, Shares: k.shares(mix), Shared: p.SharedCost(mix), Own: make([]float64, len(k.asked))}
	for a, share := range s.Shares {
		s.GrantedBits = append(s.GrantedBits, max(0, share)*k.asked[a])
	}
	for l, a := range p.Operators.Of {
		s.Own[a] += p.Chains[l].Cost(plan[l])
	}
	s.Fairness, s.Unfairness = Jain(s.Shares), k.unfairness(s.Shares)
	return s, nil
}
