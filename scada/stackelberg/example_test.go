package stackelberg_test

import (
	"fmt"

	"cosim/scada/reconfig"
	"cosim/scada/stackelberg"
)

// A pool of 100 bits, two chains of the leader and one of a follower, 50 bits
// each. The leader gives up the chain that is worth less to it than the
// follower's share is.
func Example() {
	chain := func(id string, dropped float64) reconfig.Chain {
		return reconfig.Chain{ID: id, Before: reconfig.NoOption, Options: []reconfig.Option{
			{Label: "off", Cost: []float64{dropped}},
			{Label: "on", Cost: []float64{0}, Draws: []reconfig.Draw{{MeanBits: []float64{50}, VarBits2: []float64{0}}}},
		}}
	}
	p := &reconfig.Problem{
		Steps:     1,
		Chains:    []reconfig.Chain{chain("tso-1", 1), chain("tso-2", 3), chain("dso-1", 1)},
		Pools:     []reconfig.Pool{{ID: "CC0-CC1", StockBits: []float64{100}, StockVarBits: []float64{0}}},
		Operators: &reconfig.Operators{Of: []int{0, 0, 1}, Names: []string{"TSO", "DSO1"}, FairnessWeight: 4},
	}
	r, err := stackelberg.Game{}.Solve(p, nil, reconfig.Budget{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for l, c := range p.Chains {
		fmt.Println(c.ID, c.Options[r.Plan[l][0]].Label)
	}
	fmt.Printf("shares %.1f, F_K %.1f, leader's cost %.1f\n", r.Game.Shares, r.Game.Fairness, r.Game.LeaderCost)
	// Output:
	// tso-1 off
	// tso-2 on
	// dso-1 on
	// shares [0.5 1.0], F_K 0.9, leader's cost 2.0
}
