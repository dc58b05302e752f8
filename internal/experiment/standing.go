package experiment

import (
	"fmt"
	"slices"

	"cosim/internal/metrics"
	"cosim/scada/reconfig"
	"cosim/scada/stackelberg"
)

// several says whether several operators come to a plan, by shares or a game.
func (d *remade) several() bool { return d.solver == SolverShares || d.solver == SolverStackelberg }

// boundOf says of what the bound of the solver is: see stackelberg.Game.
func (d *remade) boundOf() Whose {
	o := d.problem.Operators
	switch d.solver {
	case SolverShares:
		if o.Count() > 1 {
			return OfShares
		}
	case SolverStackelberg:
		leads := func(a int) bool { return a == o.Leader }
		switch leaders := len(o.Chains(leads)); leaders {
		case 0:
		case len(o.Of):
			return OfNothing
		default:
			return OfFollowers
		}
	}
	return OfAll
}

// pricesOf says for whom the prices of the result hold. Of shares it has those
// of one operator alone, and of a leader without followers none.
func (d *decider) pricesOf() Whose {
	of := d.boundOf()
	if of == OfShares || len(d.result.Prices) == 0 || len(d.result.Prices[0].Everyone) == 0 {
		return OfNothing
	}
	return of
}

// pricedChain says whether key has its prices for chain l.
func (d *decider) pricedChain(l int) bool {
	switch d.pricesOf() {
	case OfAll:
		return true
	case OfFollowers:
		return d.problem.Operators.Of[l] != d.problem.Operators.Leader
	}
	return false
}

// operatorName is that of chain l, empty where there are no operators.
func (d *remade) operatorName(l int) string {
	if o := d.problem.Operators; o != nil {
		return nameOfOperator(o, o.Of[l])
	}
	return ""
}

func nameOfOperator(o *reconfig.Operators, a int) string {
	if a < len(o.Names) {
		return o.Names[a]
	}
	return fmt.Sprintf("operator %d", a)
}

// standing says how operators stand with a result; nil where there are none.
func (d *remade) standing(r *reconfig.Result) (*StandingFigures, error) {
	p := &d.recording.Problem
	o := p.Operators
	if o == nil {
		return nil, nil
	}
	s, err := stackelberg.StandingOf(p, r.Plan)
	if err != nil {
		return nil, err
	}
	f := &StandingFigures{
		Accounts: d.solver == SolverShares && o.Pools != nil, Leader: nameOfOperator(o, o.Leader), Fairness: ofAsking(s.Fairness), FairnessWeight: o.FairnessWeight,
		LeaderCost: metrics.Number(s.Own[o.Leader] + s.Shared + s.Unfairness), Shared: metrics.Number(s.Shared),
		Unfairness: metrics.Number(s.Unfairness), Residual: metrics.Undefined,
	}
	if g := r.Game; g != nil {
		f.Residual = metrics.Number(g.Residual)
		if PlaysRounds(d.solver) {
			f.Rounds, f.RoundsLimit, f.Converged = g.Rounds, d.problem.Operators.Rounds, g.Converged
		}
	}
	for a := range s.Own {
		f.Operators = append(f.Operators, OperatorFigures{
			Operator: nameOfOperator(o, a), AskedBits: s.AskedBits[a], GrantedBits: s.GrantedBits[a], Share: ofAsking(s.Shares[a]), OwnCost: metrics.Number(s.Own[a]),
		})
	}
	for l, a := range o.Of {
		f.Operators[a].Chains++
		if r.Plan[l][0] == 0 {
			f.Operators[a].Off++
		}
	}
	return f, nil
}

// ofAsking is undefined where nobody asks for key.
func ofAsking(x float64) metrics.Number {
	if x < 0 {
		return metrics.Undefined
	}
	return metrics.Number(x)
}

// credited are operators with a kilobit more in a pool, in equal parts on the
// account of each.
func credited(o *reconfig.Operators, pool int) *reconfig.Operators {
	more := *o
	more.Pools = slices.Clone(o.Pools)
	for a := range more.Pools {
		more.Pools[a] = slices.Clone(o.Pools[a])
		e := &more.Pools[a][pool]
		e.StockBits = slices.Clone(e.StockBits)
		for t := range e.StockBits {
			e.StockBits[t] += kilobit / float64(len(o.Pools))
		}
	}
	return &more
}

// moved is by how much the costs of each operator, and the shared ones, are
// others in a result of problem p.
func (d *decider) moved(p *reconfig.Problem, r *reconfig.Result) (own []metrics.Number, shared metrics.Number, err error) {
	before, err := stackelberg.StandingOf(d.problem, d.result.Plan)
	if err != nil {
		return nil, 0, err
	}
	after, err := stackelberg.StandingOf(p, r.Plan)
	if err != nil {
		return nil, 0, err
	}
	for a := range before.Own {
		own = append(own, metrics.Number(after.Own[a]-before.Own[a]))
	}
	return own, metrics.Number(after.Shared - before.Shared), nil
}
