package federates

import (
	"math"
	"time"

	"cosim/quantum"
	"cosim/scada"
	"cosim/scada/reconfig"
	cosync "cosim/sync"
)

// PlanningConfig says how the SCADA federate reconfigures its chains.
type PlanningConfig struct {
	Planner scada.PlannerConfig
	Solver  reconfig.Solver
	Budget  reconfig.Budget
	// Forecasters predict the key of each pool's link, in the order of the
	// supplies; with none, no key is expected to come.
	Forecasters []quantum.Forecaster
	// BlockBits are the sizes of the blocks in which that key is delivered.
	BlockBits []int
	// DelayS predicts the delay of a message along a route.
	DelayS func(route []string, octets int) float64
}

// Watched is the solver of runs in real time: it ends the work of the solver that
// Make makes after so much wall time and takes the best plan so far. The
// decision's record says after how many checks that was.
type Watched struct {
	Limit time.Duration
	Make  func(interrupt func() bool) reconfig.Solver
}

// Solve implements reconfig.Solver.
func (w Watched) Solve(p *reconfig.Problem, warm *reconfig.Warm, b reconfig.Budget) (*reconfig.Result, error) {
	began := time.Now()
	return w.Make(func() bool { return time.Since(began) > w.Limit }).Solve(p, warm, b)
}

// planning forecasts the supply of the pools and has the chains' plan decided.
type planning struct {
	planner     *scada.Planner
	forecasters []quantum.Forecaster
	supplies    []*KeySupply
	supply      []scada.PoolSupply
	predictions []quantum.Prediction
	blockBits   []int
	pendingBits []float64 // distilled, but short of a block
	periodNS    int64
	result      *reconfig.Result // of a decision in this step
	times       []time.Duration  // of all decisions, on the wall clock
	told        []scada.Option   // the plan as last published
}

// Plan lets the chains be reconfigured. It is called before the first step.
func (s *Scada) Plan(c PlanningConfig) error {
	names := make([]string, len(s.supplies))
	for i, k := range s.supplies {
		names[i] = k.Link
	}
	planner, err := scada.NewPlanner(s.system, c.Planner, c.Solver, c.Budget, names, c.DelayS)
	if err != nil {
		return err
	}
	p := &planning{
		planner: planner, forecasters: c.Forecasters, supplies: s.supplies, periodNS: c.Planner.PeriodNS,
		blockBits: c.BlockBits, pendingBits: make([]float64, len(c.Forecasters)),
		predictions: make([]quantum.Prediction, c.Planner.Horizon),
		told:        append([]scada.Option(nil), s.system.Plan()...),
	}
	for _, k := range s.supplies {
		cfg := k.Pool.Config()
		p.supply = append(p.supply, scada.PoolSupply{
			Link: k.Link, SafeBits: float64(cfg.SafeBits), Reserved: cfg.EnforceSafe, ThresholdBits: float64(cfg.ThresholdBits), CapBits: float64(cfg.CapBits),
			MeanBits: make([]float64, c.Planner.Horizon), VarBits2: make([]float64, c.Planner.Horizon),
		})
	}
	s.planning = p
	s.system.OnPlan(p.decide)
	return nil
}

// DecisionTimes are the wall times of the decisions so far; they belong to no
// result.
func (s *Scada) DecisionTimes() []time.Duration {
	if s.planning == nil {
		return nil
	}
	return s.planning.times
}

// observe tells the forecasters of the step that the links have just ended.
func (p *planning) observe(in []cosync.Signal, now cosync.Time) {
	key, up, state := in[scadaKey].Values, in[scadaUp].Values, in[scadaState].Values
	if now == 0 || int64(now)%p.periodNS != 0 || key == nil || up == nil || state == nil {
		return
	}
	for i, f := range p.forecasters {
		p.pendingBits[i] = math.Mod(p.pendingBits[i]+key[i], float64(p.blockBits[i]))
		f.Observe(quantum.Observation{
			KeyBits: key[i], UpNS: int64(up[i]*1e9 + 0.5),
			Down: state[i] == linkDown, AboveBound: state[i] == linkAboveBound,
		})
	}
}

func (p *planning) decide(nowNS int64) error {
	p.result = nil
	if err := p.planner.Follow(nowNS); err != nil {
		return err
	}
	if nowNS%p.periodNS != 0 {
		return nil
	}
	start := time.Now()
	for i := range p.supply {
		s := &p.supply[i]
		s.StockBits = float64(p.supplies[i].Pool.LevelBits())
		account := p.supplies[i].Pool.Account()
		s.DrawnBits, s.GeneratedBits = float64(account.ConsumedBits), float64(account.InitialBits+account.GeneratedBits)
		if p.forecasters == nil {
			continue
		}
		p.forecasters[i].Forecast(p.predictions)
		for t, x := range p.predictions {
			s.MeanBits[t], s.VarBits2[t] = x.Delivered(p.pendingBits[i], p.blockBits[i])
		}
	}
	result, err := p.planner.Decide(nowNS, p.supply)
	p.result = result
	p.times = append(p.times, time.Since(start))
	return err
}

// decisionElements are what is recorded of a decision.
var decisionElements = []string{"objective", "bound", "gap", "evaluations", "nodes", "slack_bits", "commands", "load_mw", "interrupted"}

// gameElements are what is recorded besides where there are several operators:
// how they came to the plan, the leader's objective, and F_K as planned.
var gameElements = []string{"rounds", "converged", "residual", "leader_cost", "fairness"}

// decisionElements are those of the federation.
func (s *Scada) decisionElements() []string {
	if len(s.cfg.Operators) < 2 {
		return decisionElements
	}
	return append(decisionElements[:len(decisionElements):len(decisionElements)], gameElements...)
}

// publish writes the decision of this step, and an event for each chain whose
// plan it changed.
func (p *planning) publish(st *cosync.Step, chains []scada.Chain, plan []scada.Option) {
	if p.result == nil {
		return
	}
	slack := 0.0
	for _, s := range p.result.Slacks {
		slack = max(slack, s.Bits)
	}
	interrupted := 0 // after so many checks
	if p.result.Work.Interrupted {
		interrupted = p.result.Work.Checks
	}
	w, seen := p.result.Work, p.planner.GridEstimate()
	copy(st.Out[scadaDecision].Values, []float64{
		p.result.Evaluation.Objective, p.result.Bound, p.result.Gap, float64(w.Evaluations), float64(w.Nodes), slack,
		float64(seen.Commands), seen.LoadMW, float64(interrupted),
	})
	if g := p.result.Game; g != nil {
		converged := 0.0
		if g.Converged {
			converged = 1
		}
		copy(st.Out[scadaDecision].Values[len(decisionElements):], []float64{
			float64(g.Rounds), converged, g.Residual, g.LeaderCost, g.Fairness,
		})
	}
	for i, o := range plan {
		if o == p.told[i] {
			continue
		}
		p.told[i] = o
		detail := o.Mode.String()
		if o.Off {
			detail = "off"
		}
		st.Out[scadaPlan].Events = append(st.Out[scadaPlan].Events, cosync.Event{
			At: st.From, Type: "plan", Element: chains[i].ID, Value: float64(o.Route), Detail: detail,
		})
	}
}
