package stackelberg

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"cosim/scada/reconfig"
)

// Over 500 exchanges are rejected before one is accepted and the model is asked
// again: the proximal weight was not raised all the while.
func TestRejectedExchangesDoNotRaiseTheProximalWeight(t *testing.T) {
	const chains = 530
	p := preemption()
	p.Operators.Rounds = chains + 10
	p.Pools = append(p.Pools, reconfig.Pool{ID: "CC0-GW1", StockBits: []float64{1}, StockVarBits: []float64{0}})
	for l := range chains {
		c := oneShot("tso-"+strconv.Itoa(2+l), 1e-3, 1e-3)
		c.Options[1].Draws[0].Pool = 1
		p.Chains, p.Operators.Of = append(p.Chains, c), append(p.Operators.Of, leader)
	}
	got := solve(t, Game{}, p, nil, reconfig.Budget{})
	if got.Game.Rounds < chains || len(got.Game.Merit) != 2 {
		t.Errorf("%d rounds, merit %g: this game does not test it", got.Game.Rounds, got.Game.Merit)
	}
	if !slices.EqualFunc(got.Plan[:2], reconfig.Plan{{1}, {0}}, slices.Equal[[]int]) {
		t.Errorf("plan %v of the first two chains, expected the optimum's", got.Plan[:2])
	}
}

// Whatever fairness weighs and wherever a game opens, the proximal weight stays
// within what the leader pays at the incumbent.
func TestProximalWeightIsBounded(t *testing.T) {
	r := stream("bounded")
	for i := range 600 {
		p := randomGame(r, 128, 64)
		if r.IntN(2) == 0 {
			p.Operators.FairnessWeight = 1e5
		}
		var warm *reconfig.Warm
		if r.IntN(2) == 0 {
			warm = (&reconfig.Result{Plan: p.AllOff()}).Warm()
		}
		m := newMatch(p, account{}, warm)
		if err := m.play(); err != nil {
			t.Fatal(err)
		}
		if m.rho > math.Max(1, m.best.merit) {
			t.Errorf("instance %d: a proximal weight of %g where the leader pays %g", i, m.rho, m.best.merit)
		}
	}
}
