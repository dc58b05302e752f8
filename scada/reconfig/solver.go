package reconfig

import "math"

// Solver finds a plan of little cost and a bound on how much better one could
// be. It keeps nothing between calls: the same arguments give the same result
// on every machine.
type Solver interface {
	Solve(p *Problem, warm *Warm, budget Budget) (*Result, error)
}

// Budget ends a solve. It counts work and never time, so that a plan does not
// depend on the speed of a machine.
type Budget struct {
	Evaluations int     // of the dual function; 0: no limit
	Nodes       int     // of branch and bound, the root included; 0: no limit
	Pivots      int     // of the linear programmes; 0: no limit
	Checks      int     // of all of these and of Engine.Interrupt; 0: no limit
	Gap         float64 // good enough, see Result.Gap
}

// DefaultBudget suits one decision in 100 ms.
func DefaultBudget() Budget { return Budget{Evaluations: 100, Nodes: 4, Pivots: 1500, Gap: 0.0075} }

// Result is one decision.
type Result struct {
	Plan       Plan
	Evaluation Evaluation
	// Bound: no feasible plan costs less.
	Bound float64
	// Gap is (Objective − Bound) / max(1, |Objective|). The floor is the cost
	// of one dropped message of a chain of priority one.
	Gap    float64
	Work   Work
	Slacks []Slack // what had to be relaxed, see Problem.Slacks
	// Prices are what one more bit would save, by pool and step of the row, as
	// the relaxation at the root has it.
	Prices []PoolPrices
	// Game is how operators came to the plan; nil where they did not play.
	Game *Game

	columns [][][]int // trajectories worth keeping, by chain
}

// PoolPrices are the duals of one pool's rows in cost a bit.
type PoolPrices struct {
	Everyone []float64 // of the stock, by step
	Lower    []float64 // of the stock above the reserve, by step
	Terminal float64   // of the stock at the end of the horizon
}

// Work is how much was done for a Result.
type Work struct {
	Evaluations int // of the dual function, each one dynamic programme a chain
	Nodes       int
	Pivots      int
	Columns     int
	Checks      int
	Interrupted bool // by Engine.Interrupt at check number Checks: Budget.Checks repeats it
	Rows        int  // of the relaxation at the root
}

// Warm is what one decision passes to the next.
type Warm struct {
	plan    Plan
	columns [][][]int
	prices  []PoolPrices
}

// Next shifts the result by one step, for the decision one step later: what
// was planned for step t+1 becomes the plan of step t, the last option stays.
func (r *Result) Next() *Warm {
	w := &Warm{plan: make(Plan, len(r.Plan)), columns: make([][][]int, len(r.columns)), prices: make([]PoolPrices, len(r.Prices))}
	for l := range r.Plan {
		w.plan[l] = shift(r.Plan[l])
	}
	for l := range r.columns {
		for _, c := range r.columns[l] {
			w.columns[l] = append(w.columns[l], shift(c))
		}
	}
	for e, x := range r.Prices {
		w.prices[e] = PoolPrices{Everyone: shift(x.Everyone), Lower: shift(x.Lower), Terminal: x.Terminal}
	}
	return w
}

func shift[T any](x []T) []T {
	if len(x) == 0 {
		return nil
	}
	return append(append(make([]T, 0, len(x)), x[1:]...), x[len(x)-1])
}

// gap of an objective above a bound.
func gap(objective, bound float64) float64 {
	return math.Max(0, objective-bound) / math.Max(1, math.Abs(objective))
}

// Warm is a warm start for the same steps, not shifted.
func (r *Result) Warm() *Warm { return &Warm{plan: r.Plan, columns: r.columns, prices: r.Prices} }
