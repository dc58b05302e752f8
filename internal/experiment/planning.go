package experiment

import (
	"fmt"
	"slices"
	"time"

	"cosim/federates"
	"cosim/quantum"
	"cosim/scada"
	"cosim/scada/reconfig"
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
	oneOf("solver", r.Solver, SolverNone, SolverMISOCP, SolverGreedy)
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
}

func solverOf(name string) reconfig.Solver {
	if name == SolverGreedy {
		return reconfig.Greedy{}
	}
	return reconfig.Engine{}
}

// solver of the definition. A run in real time may not wait for it longer than
// most of the period.
func (b *builder) solver() reconfig.Solver {
	s := solverOf(b.def.Reconfigure.Solver)
	if _, ok := s.(reconfig.Engine); !ok || b.realTime == 0 && (b.clock == nil || b.clock.past == nil) {
		return s
	}
	if b.realTime > 0 {
		s = federates.Watched{Limit: time.Duration(0.8 * float64(b.def.Reconfigure.Period) / b.realTime)}
	}
	if b.clock != nil {
		b.clock.next, s = s, b.clock
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
