package experiment

import "cosim/internal/metrics"

// Explanation is a recorded decision made again. Costs are in units of one
// dropped message of a chain of priority one.
type Explanation struct {
	File       string       `json:"file"`
	Program    string       `json:"program"` // that recorded it
	Experiment string       `json:"experiment"`
	Seed       uint64       `json:"seed"`
	AtS        float64      `json:"at_s"`
	HorizonS   float64      `json:"horizon_s"`
	Steps      int          `json:"steps"`
	Solver     string       `json:"solver"`
	Warm       bool         `json:"warm"`
	Budget     BudgetLimits `json:"budget"`
	Outcome    Outcome      `json:"outcome"`
	WallS      float64      `json:"wall_s"`
	Recorded   Outcome      `json:"recorded"`
	// RecordedSolver is that of the run.
	RecordedSolver string         `json:"recorded_solver"`
	Changed        bool           `json:"changed"` // solved otherwise than in the run: not comparable
	Difference     string         `json:"difference,omitempty"`
	Pools          []PoolFigures  `json:"pools"`
	Chains         []ChainFigures `json:"chains"`
	Relaxed        []RelaxedRow   `json:"relaxed"`
	// BoundOf says of what bound and gap are, PricesOf to whom key has its
	// prices.
	BoundOf  Whose `json:"bound_of"`
	PricesOf Whose `json:"prices_of"`
	// Standing is nil where a recording names no operators.
	Standing *StandingFigures `json:"standing,omitempty"`
}

// Whose says of whose plans something holds.
type Whose string

// What bound and prices can be of.
const (
	OfAll       Whose = "all"       // plans of all chains
	OfFollowers Whose = "followers" // answers of the followers to this plan of the leader
	OfShares    Whose = "shares"    // plans of each operator within its share
	OfNothing   Whose = "nothing"
)

// BudgetLimits are those of a solve; 0 is no limit.
type BudgetLimits struct {
	Evaluations int     `json:"evaluations"`
	Nodes       int     `json:"nodes"`
	Pivots      int     `json:"pivots"`
	Gap         float64 `json:"gap"`
}

// StandingFigures are how operators stand with a plan. Costs are by the recorded
// ρ_F, whatever the plan was made with.
type StandingFigures struct {
	Leader      string `json:"leader"`
	Rounds      int    `json:"rounds"`       // that were played; 0 where there was no game
	RoundsLimit int    `json:"rounds_limit"` // 0 where there was no game
	Converged   bool   `json:"converged"`    // no change that was proposed made the leader better off
	Accounts    bool   `json:"accounts"`     // each operator plans on accounts of its own, not on equal parts of what is there
	// Fairness is F_K as planned.
	Fairness       metrics.Number `json:"fairness"`
	FairnessWeight float64        `json:"fairness_weight"` // ρ_F
	// LeaderCost is the leader's own cost, what is shared and the unfairness.
	LeaderCost metrics.Number    `json:"leader_cost"`
	Shared     metrics.Number    `json:"shared_cost"`     // of stock missing at the end, and the grid
	Unfairness metrics.Number    `json:"unfairness_cost"` // ρ_F·Σ (1 − granted/asked)²
	Residual   metrics.Number    `json:"residual"`        // what those of BoundOf could save at most
	Operators  []OperatorFigures `json:"operators"`
}

// OperatorFigures are one operator over the horizon, key in bits of one hop.
type OperatorFigures struct {
	Operator    string         `json:"operator"`
	Chains      int            `json:"chains"`
	Off         int            `json:"off"` // now
	AskedBits   float64        `json:"asked_bits"`
	GrantedBits float64        `json:"granted_bits"`
	Share       metrics.Number `json:"share"`    // granted of asked
	OwnCost     metrics.Number `json:"own_cost"` // of its chains
}

// Outcome is what a solve found and how much it did for it.
type Outcome struct {
	Objective   metrics.Number `json:"objective"`
	Service     metrics.Number `json:"service"`
	Switching   metrics.Number `json:"switching"`
	Terminal    metrics.Number `json:"terminal"`
	Pending     metrics.Number `json:"pending"`
	Grid        metrics.Number `json:"grid"`
	Bound       metrics.Number `json:"bound"`
	Gap         metrics.Number `json:"gap"`
	Feasible    bool           `json:"feasible"`
	Evaluations int            `json:"evaluations"`
	Nodes       int            `json:"nodes"`
	Pivots      int            `json:"pivots"`
	Columns     int            `json:"columns"`
	Rows        int            `json:"rows"`
}

// PoolFigures are one pool over the horizon. Prices are those of the
// relaxation at the root, of a bit that were there in every step; they are
// undefined where the solver has none.
type PoolFigures struct {
	Pool           string         `json:"pool"`
	StockBits      float64        `json:"stock_bits"` // now
	ReserveBits    float64        `json:"reserve_bits"`
	ThresholdBits  float64        `json:"threshold_bits"`
	SupplyBits     float64        `json:"supply_bits"` // that is counted on
	SupplySDBits   float64        `json:"supply_sd_bits"`
	DrawBits       float64        `json:"draw_bits"`      // planned
	UnplannedBits  float64        `json:"unplanned_bits"` // expected beside the plan
	UnplannedSD    float64        `json:"unplanned_sd_bits"`
	StockPrice     metrics.Number `json:"stock_per_bit"`    // of stock for everyone
	AboveSafePrice metrics.Number `json:"above_per_bit"`    // of stock above the reserve
	TerminalPrice  metrics.Number `json:"terminal_per_bit"` // of stock at the end of the horizon
	More           MoreKey        `json:"one_more_kbit"`
}

// MoreKey is what a kilobit more in a pool would change, found by solving
// again. What it saves may be too little by as much as the gap leaves open.
type MoreKey struct {
	Objective metrics.Number `json:"objective_change"`
	Bound     metrics.Number `json:"bound_change"`
	Chains    []OptionChange `json:"chains"` // that would have another option now
	// Of several operators, instead of the bound: changes of each one's own cost
	// and of what is shared.
	Operators []metrics.Number `json:"operators_change,omitempty"`
	Shared    metrics.Number   `json:"shared_change"`
}

// OptionChange is a chain's change of its option.
type OptionChange struct {
	Chain string `json:"chain"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// ChainFigures are one chain over the horizon, with its option in the first
// step, the one that is carried out.
type ChainFigures struct {
	Chain    string         `json:"chain"`
	Operator string         `json:"operator,omitempty"`
	Highest  bool           `json:"highest"`
	Before   string         `json:"before"` // empty without a past
	Now      string         `json:"now"`
	Off      bool           `json:"off"`
	Plan     []string       `json:"plan"` // by step
	Messages metrics.Number `json:"messages"`
	Cost     metrics.Number `json:"cost"`
	DrawBits float64        `json:"draw_bits"` // from all pools
	// RunnerUp is the other option that would cost least at the prices of key,
	// and CostsMore how much more than the chosen one; below 0, what the prices
	// would rather have. Empty where there is no other, or no prices.
	RunnerUp  string         `json:"runner_up,omitempty"`
	CostsMore metrics.Number `json:"costs_more"`
}

// RelaxedRow is a chance constraint that no plan could keep.
type RelaxedRow struct {
	Pool      string  `json:"pool"`
	Step      int     `json:"step"`
	AboveSafe bool    `json:"above_safe"` // of the key above the reserve
	Bits      float64 `json:"bits"`       // that are missing
}
