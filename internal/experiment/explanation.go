package experiment

import "cosim/internal/metrics"

// Explanation is a recorded decision made again. Costs are in units of one
// dropped message of a chain of priority one.
type Explanation struct {
	File       string         `json:"file"`
	Program    string         `json:"program"` // that recorded it
	Experiment string         `json:"experiment"`
	Seed       uint64         `json:"seed"`
	AtS        float64        `json:"at_s"`
	HorizonS   float64        `json:"horizon_s"`
	Steps      int            `json:"steps"`
	Solver     string         `json:"solver"`
	Warm       bool           `json:"warm"`
	Budget     BudgetLimits   `json:"budget"`
	Outcome    Outcome        `json:"outcome"`
	WallS      float64        `json:"wall_s"`
	Recorded   Outcome        `json:"recorded"`
	Changed    bool           `json:"changed"` // solved otherwise than in the run: not comparable
	Difference string         `json:"difference,omitempty"`
	Pools      []PoolFigures  `json:"pools"`
	Chains     []ChainFigures `json:"chains"`
	Relaxed    []RelaxedRow   `json:"relaxed"`
}

// BudgetLimits are those of a solve; 0 is no limit.
type BudgetLimits struct {
	Evaluations int     `json:"evaluations"`
	Nodes       int     `json:"nodes"`
	Pivots      int     `json:"pivots"`
	Gap         float64 `json:"gap"`
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
