package reconfig_test

import (
	"fmt"

	"cosim/scada/reconfig"
)

// Two chains share a pool that cannot carry both under the one-time pad.
func Example() {
	weights := reconfig.DefaultWeights()
	messages := []float64{1, 1, 1, 1}
	modes := []reconfig.Mode{
		{Number: 0, KeyBits: 464},
		{Number: 1, KeyBits: 128, Degrade: weights.DegradeAESWC},
		{Number: 2, KeyBits: 0, Degrade: weights.DegradeAES},
	}
	problem := &reconfig.Problem{Steps: 4, Kappa: reconfig.Gaussian(0.05)}
	for _, task := range []string{"pmu", "agc"} {
		demand := reconfig.Demand{
			ID: task, Priority: reconfig.Priority(task), Messages: messages, Periodic: true,
			Routes: [][]int{{0}}, Modes: modes, SwitchCost: weights.Switch, Before: reconfig.NoOption,
		}
		problem.Chains = append(problem.Chains, demand.Chain(weights))
	}
	pool := reconfig.Pool{ID: "CC-GW1", ReserveBits: 1000}
	pool.SetSupply(2500, []float64{300, 600, 900, 1200}, []float64{400, 800, 1200, 1600}, problem.Kappa)
	problem.Pools = append(problem.Pools, pool)

	result, err := reconfig.Engine{}.Solve(problem, nil, reconfig.DefaultBudget())
	if err != nil {
		fmt.Println(err)
		return
	}
	for l, options := range result.Plan {
		fmt.Print(problem.Chains[l].ID, ":")
		for _, o := range options {
			fmt.Print(" ", []string{"off", "otp", "aes-wc", "aes"}[o])
		}
		fmt.Println()
	}
	fmt.Printf("cost %.2f, proven %v\n", result.Evaluation.Objective, result.Bound <= result.Evaluation.Objective)
	// Output:
	// pmu: aes-wc aes-wc aes-wc aes-wc
	// agc: otp otp otp otp
	// cost 1.20, proven true
}
