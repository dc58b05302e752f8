package stackelberg

import (
	"testing"

	"cosim/scada/reconfig"
)

// Accounts divide a pool unevenly, and no more than it: plans that keep them keep
// the pool's rows, and each operator plans as if it were alone with its own.
func TestPlansKeepAccountsAndSoThePools(t *testing.T) {
	r := stream("accounts")
	differ, kept := 0, 0
	for i := range 200 {
		p := randomGame(r, 200, 200)
		equal := solve(t, Shares{}, p, nil, reconfig.Budget{})
		n := p.Operators.Count()
		weights, sum := make([]float64, n), 0.0
		for a := range weights {
			weights[a] = r.Float64()
			sum += weights[a]
		}
		for a := range n {
			own := make([]reconfig.Pool, len(p.Pools))
			for e := range own {
				own[e] = share(&p.Pools[e], n)
				for s := range own[e].StockBits {
					own[e].StockBits[s] *= weights[a] / sum * float64(n)
				}
			}
			p.Operators.Pools = append(p.Operators.Pools, own)
		}
		got := solve(t, Shares{}, p, nil, reconfig.Budget{})
		for a := range n {
			part := p.Part(p.Operators.Chains(func(of int) bool { return of == a }), nil)
			part.Pools = p.Operators.Pools[a]
			alone := solve(t, reconfig.Engine{}, part, nil, reconfig.Budget{})
			plan := make(reconfig.Plan, 0, len(part.Chains))
			for _, l := range p.Operators.Chains(func(of int) bool { return of == a }) {
				plan = append(plan, got.Plan[l])
			}
			if e, err := part.Evaluate(plan); err != nil || !e.Feasible || e.Objective > alone.Evaluation.Objective+1e-9 {
				t.Fatalf("game %d, operator %d: %+v, %v; alone %g", i, a, e, err, alone.Evaluation.Objective)
			}
		}
		if !noSlack(p) {
			continue
		}
		if kept++; !got.Evaluation.Feasible {
			t.Fatalf("game %d: accounts are kept and %g bits of a pool's row broken", i, got.Evaluation.ExcessBits)
		}
		if got.Evaluation.Objective != equal.Evaluation.Objective {
			differ++
		}
	}
	if differ < 50 || kept < 50 {
		t.Errorf("of 200 games %d plans differ from those of equal parts, and in %d no account is short with all chains off: too few to tell", differ, kept)
	}
}

// noSlack says that every operator's rows hold with all chains off.
func noSlack(p *reconfig.Problem) bool {
	for _, own := range p.Operators.Pools {
		if q := (&reconfig.Problem{Steps: p.Steps, Kappa: p.Kappa, Pools: own}); len(q.Slacks()) > 0 {
			return false
		}
	}
	return true
}
