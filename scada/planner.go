package scada

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"cosim/scada/iec104"
	"cosim/scada/q3p"
	"cosim/scada/reconfig"
)

// PlannerConfig says how chains are reconfigured. β are the chains' priorities;
// the other weights are those of reconfig.DefaultWeights, fixed before S-3 was
// first run and never tuned on it.
type PlannerConfig struct {
	PeriodNS int64 // between decisions, and the length of a step of the horizon
	Horizon  int   // steps, H
	Kappa    float64
	// NoReroute and NoModes leave chains on their static route or in their
	// static mode: the ablations.
	NoReroute, NoModes bool
	Weights            reconfig.Weights
	DemandRateHz       float64
	Grid               *GridModel // nil: decisions do not look at the grid
	// Operators say how several operators come to a plan; whose chains they are
	// is filled in. nil: one plans for all.
	Operators *reconfig.Operators
	// Accounts keep for each operator what it leaves of its part of the pools;
	// without them each decision divides what is there anew.
	Accounts bool
	// OnDecision, if any, hears of each decision before anything of it changes.
	OnDecision func(Decision) error
}

// Decision is a decision as it was made. What it points to holds until the one
// who hears of it returns.
type Decision struct {
	AtNS    int64
	Problem *reconfig.Problem
	Warm    *reconfig.Warm
	Budget  reconfig.Budget
	Result  *reconfig.Result
}

// DefaultDemandRateHz is how often an unforeseen task is expected of a chain:
// enough to keep it on and on a good route, little else.
const DefaultDemandRateHz = 0.01

// lookaheadS is for how long of planned draw the stock at the end of the
// horizon should last: the longest break of a fibre.
const lookaheadS = 5

// PoolSupply is what is known of one pool at a decision: its stock, and mean
// and variance of the key to come by the end of each step.
type PoolSupply struct {
	Link                    string
	StockBits               float64
	MeanBits, VarBits2      []float64
	SafeBits, ThresholdBits float64
	Reserved                bool // K_safe is for the highest class alone
	// Since the start: what everybody drew, and what was put in.
	DrawnBits, GeneratedBits float64
	CapBits                  float64 // what the pool can hold; more key does not come
}

// Planner turns what the control centre knows into a decision problem, has it
// solved and turns the result into a plan.
type Planner struct {
	system  *System
	cfg     PlannerConfig
	solver  reconfig.Solver
	budget  reconfig.Budget
	pools   map[string]int
	options [][]Option // by chain; the first is off
	delayS  [][]float64
	problem reconfig.Problem
	warm    *reconfig.Warm
	grid    *gridTerm
	// By pool: what is drawn beside the plan, and what a bit is worth.
	unplanned []unplanned
	bitPrice  []float64
	accounts  *accounts // nil: none are kept
	coming    []float64 // scratch: key to come, by step
}

// NewPlanner prepares decisions for s. Pools are named in the order in which
// Decide will be given their supply; delayS predicts the delay of a message of
// some octets along a route, from trigger to arrival.
func NewPlanner(s *System, cfg PlannerConfig, solver reconfig.Solver, budget reconfig.Budget, pools []string, delayS func(route []string, octets int) float64) (*Planner, error) {
	p := &Planner{system: s, cfg: cfg, solver: solver, budget: budget, pools: map[string]int{}}
	if cfg.PeriodNS <= 0 || cfg.Horizon < 1 {
		return nil, fmt.Errorf("scada: a planner needs a period and a horizon, has %d ns and %d steps", cfg.PeriodNS, cfg.Horizon)
	}
	for i, name := range pools {
		p.pools[name] = i
		p.problem.Pools = append(p.problem.Pools, reconfig.Pool{
			ID: name, StockBits: make([]float64, cfg.Horizon), StockVarBits: make([]float64, cfg.Horizon),
		})
		p.unplanned = append(p.unplanned, newUnplanned(cfg.Horizon))
	}
	p.bitPrice, p.coming = make([]float64, len(pools)), make([]float64, cfg.Horizon)
	p.problem.Steps, p.problem.Kappa = cfg.Horizon, cfg.Kappa
	for i := range s.chains {
		if err := p.addChain(&s.chains[i], delayS); err != nil {
			return nil, err
		}
	}
	if cfg.Operators != nil {
		o := *cfg.Operators
		o.Of, o.Names = s.cfg.ChainOperators(), s.cfg.operatorNames()
		p.problem.Operators = &o
		if cfg.Accounts {
			p.accounts = newAccounts(o.Count(), cfg.Horizon, s.drawers(pools))
			o.Pools = p.accounts.pools
		}
	}
	return p, p.addGrid(cfg.Grid)
}

// addChain lists the options of a chain, with room for what changes from
// decision to decision.
func (p *Planner) addChain(c *chain, delayS func([]string, int) float64) error {
	options := []Option{{Mode: c.StaticMode, Off: true}}
	for r := range c.Routes {
		if r > 0 && p.cfg.NoReroute {
			break
		}
		for _, m := range q3p.Modes() {
			if m < c.MinMode || m > c.Mode || p.cfg.NoModes && m != c.StaticMode {
				continue
			}
			options = append(options, Option{Route: r, Mode: m})
		}
	}
	made := reconfig.Chain{ID: c.ID, Highest: c.highest, SwitchCost: p.switchCost(c), Before: reconfig.NoOption, Messages: make([]float64, p.cfg.Horizon)}
	var delays []float64
	for _, o := range options {
		option := reconfig.Option{Route: o.Route, Mode: int(o.Mode), Label: c.label(o), Cost: make([]float64, p.cfg.Horizon)}
		delay := 0.0
		if !o.Off {
			draws, err := p.draws(c, o)
			if err != nil {
				return err
			}
			option.Draws = draws
			delay = delayS(c.Routes[o.Route], c.octets)
		}
		made.Options = append(made.Options, option)
		delays = append(delays, delay)
	}
	p.options, p.delayS = append(p.options, options), append(p.delayS, delays)
	p.problem.Chains = append(p.problem.Chains, made)
	return nil
}

// label names an option: "CC>GW2>RTU30 otp", with the stations on its way.
func (c *chain) label(o Option) string {
	if o.Off {
		return "off"
	}
	return strings.Join(c.Routes[o.Route], ">") + " " + o.Mode.String()
}

// draws are the pools of an option's route.
func (p *Planner) draws(c *chain, o Option) ([]reconfig.Draw, error) {
	var draws []reconfig.Draw
	for _, l := range c.forward[o.Route].legs {
		if l.via.pool == nil {
			continue
		}
		i := c.forward[o.Route].links[slices.IndexFunc(c.forward[o.Route].links, func(k int) bool {
			link := p.system.cfg.Links[k]
			return link.A == l.via.from && link.B == l.via.to || link.A == l.via.to && link.B == l.via.from
		})]
		name := p.system.cfg.Links[i].Name
		pool, ok := p.pools[name]
		if !ok {
			return nil, fmt.Errorf("scada: chain %s draws from pool %s, which the planner is not told of", c.ID, name)
		}
		draws = append(draws, reconfig.Draw{Pool: pool, MeanBits: make([]float64, p.cfg.Horizon), VarBits2: make([]float64, p.cfg.Horizon)})
	}
	return draws, nil
}

// Decide makes the plan from nowNS on and gives it to the system. The result
// is the solver's, for the record.
func (p *Planner) Decide(nowNS int64, supply []PoolSupply) (*reconfig.Result, error) {
	weight := float64(p.cfg.PeriodNS) / (lookaheadS * 1e9)
	for i := range supply {
		p.unplanned[i].observe(supply[i].DrawnBits, weight)
		p.setPool(&p.problem.Pools[i], &supply[i])
		p.problem.Pools[i].Others = p.unplanned[i].expected()
		if p.accounts != nil {
			p.divide(i, &supply[i], weight)
		}
	}
	for i := range p.problem.Chains {
		p.setChain(i, nowNS)
	}
	if err := p.setGrid(nowNS); err != nil {
		return nil, err
	}
	result, err := p.solver.Solve(&p.problem, p.warm, p.budget)
	if err != nil {
		return nil, err
	}
	if p.cfg.OnDecision != nil {
		budget := p.budget
		if result.Work.Interrupted {
			budget.Checks = result.Work.Checks
		}
		if err := p.cfg.OnDecision(Decision{nowNS, &p.problem, p.warm, budget, result}); err != nil {
			return nil, err
		}
	}
	p.warm = result.Next()
	p.priceOrders(result)
	plan := make([]Option, len(p.options))
	for i := range plan {
		chosen := result.Plan[i][0]
		for _, d := range p.problem.Chains[i].Options[chosen].Draws {
			p.unplanned[d.Pool].plannedBits += d.MeanBits[0]
			if p.accounts != nil {
				p.accounts.books[p.problem.Operators.Of[i]][d.Pool].unplanned.plannedBits += d.MeanBits[0]
			}
		}
		p.problem.Chains[i].Before = chosen
		plan[i] = p.options[i][chosen]
		if plan[i].Off { // keeps its way, for when it is on again
			plan[i].Route, plan[i].Mode = p.system.plan[i].Route, p.system.plan[i].Mode
		}
	}
	return result, p.system.SetPlan(plan)
}

// divide gives each operator its part of pool e to plan with.
func (p *Planner) divide(e int, s *PoolSupply, weight float64) {
	a := p.accounts
	a.observe(e, s)
	a.divide(e, s, p.cfg.Kappa, weight)
	for o := range a.pools {
		book := a.books[o][e]
		p.setPool(&a.pools[o][e], &book.supply)
		a.pools[o][e].ID, a.pools[o][e].Others = p.problem.Pools[e].ID, book.unplanned.expected()
	}
}

func (p *Planner) setPool(pool *reconfig.Pool, s *PoolSupply) {
	room := s.CapBits - s.StockBits
	for t, mean := range s.MeanBits {
		p.coming[t] = math.Min(mean, room)
	}
	pool.SetSupply(s.StockBits, p.coming, s.VarBits2, p.cfg.Kappa)
	if pool.ReserveBits = 0; s.Reserved {
		pool.ReserveBits = s.SafeBits
	}
	pool.Terminal = reconfig.Terminal{
		ThresholdBits:   s.ThresholdBits,
		LookaheadFactor: lookaheadS * 1e9 / float64(p.cfg.PeriodNS*int64(p.cfg.Horizon)),
		PricePerBit:     p.cfg.Weights.TerminalPrice,
		RampBits:        s.ThresholdBits - s.SafeBits,
	}
}

// setChain prices the options of a chain from nowNS on.
func (p *Planner) setChain(i int, nowNS int64) {
	c := &p.system.chains[i]
	pending := p.system.waiting(c)
	for t := range p.cfg.Horizon {
		from := nowNS + int64(t)*p.cfg.PeriodNS
		mean, variance := p.system.expected(c, from, from+p.cfg.PeriodNS, p.cfg.DemandRateHz)
		if t == 0 && pending {
			mean++
		}
		p.problem.Chains[i].Messages[t] = mean
		for o := range p.options[i] {
			p.setOption(i, o, t, mean, variance)
		}
	}
}

func (p *Planner) setOption(i, o, t int, mean, variance float64) {
	c, option := &p.system.chains[i], &p.problem.Chains[i].Options[o]
	choice := p.options[i][o]
	w := &p.cfg.Weights
	price := 0.0
	switch {
	case choice.Off:
		price = w.Drop
	case p.system.knownDown(&c.forward[choice.Route]) || p.delayS[i][o] > c.Latency.Seconds():
		option.Cost[t] = math.Inf(1)
		return
	case choice.Mode < c.Mode && choice.Mode == AESWC:
		price = w.DegradeAESWC
	case choice.Mode < c.Mode:
		price = w.DegradeAES
	}
	// A chain without a task in sight is neither switched off nor weakened for
	// nothing.
	unforeseen := p.cfg.DemandRateHz * float64(p.cfg.PeriodNS) / 1e9
	option.Cost[t] = float64(c.Priority) * price * (mean + unforeseen)
	bits := p.system.messageBits(c, choice.Mode)
	for d := range option.Draws {
		option.Draws[d].MeanBits[t] = bits * mean
		option.Draws[d].VarBits2[t] = bits * bits * variance
	}
}

// waiting says whether a command of the chain is not confirmed yet.
func (s *System) waiting(c *chain) bool {
	for _, p := range s.pending {
		if p.chain == c && p.kind == command && !p.over {
			return true
		}
	}
	return false
}

// expected is mean and variance of the number of tasks of a chain that fall
// due in [fromNS, toNS): exact for periodic ones, whose next time is known.
func (s *System) expected(c *chain, fromNS, toNS int64, demandRateHz float64) (mean, variance float64) {
	rate := demandRateHz
	for i := range s.triggers {
		t := &s.triggers[i]
		if t.chain != c {
			continue
		}
		if t.periodNS > 0 {
			due := t.dueNS
			if due < fromNS {
				due += (fromNS - due + t.periodNS - 1) / t.periodNS * t.periodNS
			}
			if due >= toNS {
				return 0, 0
			}
			return float64((toNS-1-due)/t.periodNS + 1), 0
		}
		rate = t.rateHz
	}
	n := rate * float64(toNS-fromNS) / 1e9
	return n, n
}

// messageBits is the key of one task of a chain on one hop: its message, and
// the confirmation of a command or the receipt of measurements. New session
// keys, 128 bits in 4,096 messages, are left out: below K_safe nothing may be
// drawn, and their mean of 0.03 bit would switch off what draws none.
func (s *System) messageBits(c *chain, m Mode) float64 {
	bits := float64(s.policy.DrawBits(m, 8*c.octets, false))
	if c.up {
		return bits + float64(s.policy.DrawBits(m, 8*receiptOctets, false))/receiptEvery
	}
	return 2 * bits
}

// A gateway's measurements are acknowledged by an S frame after every w.
const (
	receiptOctets = 6
	receiptEvery  = iec104.W
)
