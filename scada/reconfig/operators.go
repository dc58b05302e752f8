package reconfig

// Operators share the pools of a problem. The engine reads nothing of this: see
// package stackelberg.
type Operators struct {
	Of     []int    // operator of each chain
	Names  []string // of operators; serve people only
	Leader int      // the operator that leads a game, all others follow
	// FairnessWeight is ρ_F of the leader's ρ_F·Σ_a (1−s_a)².
	FairnessWeight float64
	// Proximal is ρ of ρ‖x − x_p‖² at the start of a game.
	Proximal float64
	Rounds   int // of a game at most
	// Pools are each operator's own parts of the problem's pools, where fixed
	// shares are accounts, by operator and pool; nil: equal parts.
	Pools [][]Pool
}

// Count is the number of operators.
func (o *Operators) Count() int {
	n := len(o.Names)
	for _, a := range o.Of {
		n = max(n, a+1)
	}
	return n
}

// Chains are those of the operators that wanted says, in order.
func (o *Operators) Chains(wanted func(operator int) bool) []int {
	var chains []int
	for l, a := range o.Of {
		if wanted(a) {
			chains = append(chains, l)
		}
	}
	return chains
}

func (o *Operators) validate(p *Problem, report func(string, ...any)) {
	if o == nil {
		return
	}
	if len(o.Of) != len(p.Chains) {
		report("operators of %d chains for %d", len(o.Of), len(p.Chains))
	}
	for l, a := range o.Of {
		if a < 0 || len(o.Names) > 0 && a >= len(o.Names) {
			report("chain %d is of operator %d, of %d", l, a, len(o.Names))
		}
	}
	if n := len(o.Pools); n > 0 && n != o.Count() {
		report("accounts of %d operators for %d", n, o.Count())
	}
	for a, own := range o.Pools {
		if len(own) != len(p.Pools) {
			report("operator %d: accounts with %d pools for %d", a, len(own), len(p.Pools))
		}
		for e := range own {
			own[e].validate(p.Steps, func(format string, args ...any) { report("operator %d: "+format, append([]any{a}, args...)...) })
		}
	}
	if o.Leader < 0 || o.Leader >= o.Count() {
		report("operator %d leads, of %d", o.Leader, o.Count())
	}
	if !(o.FairnessWeight >= 0) || !finite(o.FairnessWeight) {
		report("fairness is weighted %g, expected a number that is not negative", o.FairnessWeight)
	}
	if !(o.Proximal >= 0) || !finite(o.Proximal) {
		report("a proximal weight of %g, expected a number that is not negative", o.Proximal)
	}
	if o.Rounds < 0 {
		report("a game of %d rounds", o.Rounds)
	}
}

// Game is how operators came to a plan.
type Game struct {
	Rounds    int  // followers' responses to different plans of the leader
	Converged bool // no change that was proposed made the leader better off
	// LeaderCost is the leader's objective at the plan.
	LeaderCost float64
	// Residual bounds by how much the followers' objective could be less with
	// the leader's plan as it is; of fixed shares, what the operators could
	// save within theirs in sum.
	Residual float64
	// Shares are key granted over key asked by operator, as expected over the
	// horizon; −1 of an operator that asks for nothing.
	Shares []float64
	// Fairness is F_K, Jain's index of the shares; −1 where nobody asks.
	Fairness float64
	// Merit is the leader's objective after each round that was accepted, with
	// the followers' relaxed response.
	Merit []float64
}
