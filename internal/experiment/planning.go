package experiment

import (
	"fmt"
	"math"
	"slices"
	"time"

	"cosim/federates"
	"cosim/quantum"
	"cosim/scada"
	"cosim/scada/reconfig"
	"cosim/scada/stackelberg"
)

// Names of the chance constraint's deterministic equivalents.
const (
	chanceGaussian = "gaussian"
	chanceCantelli = "cantelli"
)

const forecastNone = "none"

// reconfiguration checks what decides the plan.
func (v *validator) reconfiguration() {
	r := v.def.Reconfigure
	at := "reconfiguration."
	oneOf := func(key, value string, valid ...string) {
		if !slices.Contains(valid, value) {
			v.fault(at+key, "%s is %q%s", key, value, suggest(value, valid))
		}
	}
	oneOf("solver", r.Solver, append([]string{SolverNone}, solvers...)...)
	oneOf("chance", r.Chance, chanceGaussian, chanceCantelli)
	oneOf("forecaster", r.Forecaster, append(quantum.Forecasters(), forecastNone)...)
	if r.Solver == SolverNone {
		return
	}
	if r.Horizon < 1 || r.Horizon > 100 {
		v.fault(at+"horizon", "horizon is %d steps, expected 1 to 100", r.Horizon)
	}
	if !(r.Risk > 0 && r.Risk < 1) {
		v.fault(at+"risk", "risk is %v, expected a probability between 0 and 1", r.Risk)
	}
	if r.GridStates != 0 && (r.GridStates < 4 || r.GridStates > 12) {
		v.fault(at+"grid_states", "grid_states is %d, expected 4 to 12, or 0 for decisions that do not look at the grid", r.GridStates)
	}
	if r.Period != v.def.Steps.Quantum {
		v.fault(at+"period", "period is %v, expected that of the links and forecasts, steps.quantum (%v)", r.Period, v.def.Steps.Quantum)
	}
	if v.def.Keys.Supply != SupplyPool {
		v.fault("keys.supply", "supply is %q; chains are reconfigured on key pools only", v.def.Keys.Supply)
	}
	if r.Solver == SolverShares || r.Solver == SolverStackelberg {
		v.game()
	}
}

// game checks what says how operators share pools.
func (v *validator) game() {
	r := v.def.Reconfigure
	at := "reconfiguration."
	if r.Rounds < 1 || r.Rounds > 1000 {
		v.fault(at+"rounds", "rounds is %d, expected 1 to 1000", r.Rounds)
	}
	if !(r.Fairness >= 0) || math.IsInf(r.Fairness, 1) {
		v.fault(at+"fairness", "fairness is %v, expected a weight from 0 on", r.Fairness)
	}
	if !(r.Proximal >= 0) || math.IsInf(r.Proximal, 1) {
		v.fault(at+"proximal", "proximal is %v, expected a weight from 0 on", r.Proximal)
	}
}

// operators are how those of the definition come to a plan; nil where one plans
// for all. In a case without operators one has all chains, and leads nobody.
func (d *Definition) operators() *reconfig.Operators {
	r := d.Reconfigure
	if r.Solver != SolverShares && r.Solver != SolverStackelberg {
		return nil
	}
	return &reconfig.Operators{
		Leader:         max(0, slices.IndexFunc(d.Operators, func(o Operator) bool { return o.Role == Leader })),
		FairnessWeight: r.Fairness, Proximal: r.Proximal, Rounds: r.Rounds,
	}
}

// solverOf makes a solver that ends when interrupt says so; nil for never.
func solverOf(name string, interrupt func() bool) reconfig.Solver {
	switch name {
	case SolverGreedy:
		return reconfig.Greedy{}
	case SolverShares:
		return stackelberg.Shares{Interrupt: interrupt}
	case SolverStackelberg:
		return stackelberg.Game{Interrupt: interrupt}
	}
	return reconfig.Engine{Interrupt: interrupt}
}

// solver of the definition. A run in real time may not wait for it longer than
// most of the period.
func (b *builder) solver() reconfig.Solver {
	r := b.def.Reconfigure
	s := solverOf(r.Solver, nil)
	if r.Solver == SolverGreedy || b.realTime == 0 && (b.clock == nil || b.clock.past == nil) {
		return s
	}
	interrupted := func(interrupt func() bool) reconfig.Solver { return solverOf(r.Solver, interrupt) }
	if b.realTime > 0 {
		s = federates.Watched{Limit: time.Duration(0.8 * float64(r.Period) / b.realTime), Make: interrupted}
	}
	if b.clock != nil {
		b.clock.next, b.clock.interrupted, s = s, interrupted, b.clock
	}
	return s
}

// plan lets the chains of the SCADA federate be reconfigured, if the
// experiment says so.
func (b *builder) plan(s *federates.Scada) error {
	r := b.def.Reconfigure
	if r.Solver == SolverNone {
		return nil
	}
	c := federates.PlanningConfig{
		Planner: scada.PlannerConfig{
			PeriodNS: r.Period.Nanoseconds(), Horizon: r.Horizon, Kappa: reconfig.Gaussian(r.Risk),
			NoReroute: !r.Reroute, NoModes: !r.Modes, Weights: reconfig.DefaultWeights(), DemandRateHz: scada.DefaultDemandRateHz,
			Operators: b.def.operators(), Accounts: r.Accounts && r.Solver == SolverShares,
		},
		Solver: b.solver(), Budget: reconfig.DefaultBudget(), DelayS: b.delayS,
	}
	if b.decisions != nil {
		b.decisions.Solver = c.Solver
		c.Solver, c.Planner.OnDecision = b.decisions, b.decisions.observe
	}
	if r.Chance == chanceCantelli {
		c.Planner.Kappa = reconfig.Cantelli(r.Risk)
	}
	if r.Forecaster != forecastNone {
		for _, l := range b.def.quantumLinks() {
			f, err := quantum.NewForecaster(r.Forecaster, b.def.linkConfig(l), r.Period.Nanoseconds())
			if err != nil {
				return fmt.Errorf("link %s: %w", l.Name, err)
			}
			c.Forecasters = append(c.Forecasters, f)
			c.BlockBits = append(c.BlockBits, b.def.linkConfig(l).BlockBits)
		}
	}
	var err error
	if c.Planner.Grid, err = b.gridModel(); err != nil {
		return err
	}
	return s.Plan(c)
}

// delayS is the design-time estimate of a message's delay along a route:
// Kingman's waiting time in every queue, serialisation, propagation,
// processing and enciphering, and half a communication step at each gateway, or
// centre of another operator, that stores and forwards it.
func (b *builder) delayS(route []string, octets int) float64 {
	id, err := b.engine.Route(route...)
	if err != nil {
		return 0 // scada has checked the route
	}
	const headers = 28 + 36                                       // UDP over IPv4, and Q3P with its tag
	crypto := b.def.Crypto.Costs.MessageNS(scada.AESWC, 8*octets) // the slowest
	estimate := b.engine.PathEstimate(id, 8*(octets+headers), int64(crypto), b.engine.DesignLoad).TotalS()
	relays := 0
	kind := b.def.nodeKinds()
	for i, name := range route {
		between := i > 0 && i < len(route)-1
		if kind[name] == scada.Gateway || kind[name] == scada.ControlCentre && between {
			relays++
		}
	}
	return estimate + float64(relays)*b.def.Steps.Exchange.Seconds()/2
}
