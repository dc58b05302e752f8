package experiment

import (
	"fmt"
	"slices"

	"cosim/internal/metrics"
)

// summarise adds the figures of each way.
func (s *DecisionStudy) summarise(ways []Way) error {
	first := s.Outcomes[0]
	s.FromS, s.ToS = first.AtS, first.AtS
	for i, x := range s.Outcomes {
		if err := x.fits(first); err != nil {
			return err
		}
		if i%len(ways) > 0 {
			continue
		}
		if name := fmt.Sprintf("%s (seed %d)", x.Experiment, x.Seed); !slices.Contains(s.Experiments, name) {
			s.Experiments = append(s.Experiments, name)
		}
		s.FromS, s.ToS = min(s.FromS, x.AtS), max(s.ToS, x.AtS)
		if x.Warm {
			s.Warm++
		}
	}
	for w := range ways {
		last := w
		for last+1 < len(ways) && ways[last+1].sameGame(ways[w]) {
			last++
		}
		s.Ways = append(s.Ways, s.figures(len(ways), w, last))
	}
	return nil
}

// fits says why the operators of two decisions cannot be added up.
func (x *DecisionOutcome) fits(first DecisionOutcome) error {
	names := func(s *StandingFigures) (list []string) {
		if s != nil {
			for _, o := range s.Operators {
				list = append(list, o.Operator)
			}
		}
		return list
	}
	if a, b := names(x.Standing), names(first.Standing); !slices.Equal(a, b) {
		return fmt.Errorf("%s has operators %v, %s has %v: expected decisions of the same operators", x.File, a, first.File, b)
	}
	return nil
}

// WayFigures are all decisions made in one way. Costs and key are totals.
type WayFigures struct {
	Way
	Objective  metrics.Number    `json:"objective"`
	Infeasible int               `json:"infeasible"` // plans that break a chance constraint
	Unchanged  int               `json:"unchanged"`  // made as in the run
	Different  int               `json:"different"`  // of these, with another outcome
	Operators  *OperatorsSummary `json:"operators,omitempty"`
}

// OperatorsSummary is how operators stand over all decisions.
type OperatorsSummary struct {
	Leader      string            `json:"leader"`
	LeaderCost  metrics.Number    `json:"leader_cost"`
	Shared      metrics.Number    `json:"shared_cost"`
	Unfairness  metrics.Number    `json:"unfairness_cost"`
	Operators   []OperatorFigures `json:"operators"`
	FairnessP10 metrics.Number    `json:"fairness_p10"`
	FairnessP50 metrics.Number    `json:"fairness_p50"`
	RoundsP50   metrics.Number    `json:"rounds_p50"` // that were played
	RoundsMax   metrics.Number    `json:"rounds_max"`
	Converged   int               `json:"converged"`
	AboveP50    metrics.Number    `json:"leader_above_p50"` // the leader's cost above that at the largest limit
	AboveP90    metrics.Number    `json:"leader_above_p90"`
	fairness    []metrics.Number  // by decision
	above       []metrics.Number
}

// figures of way w, of which last has the largest limit of rounds.
func (s *DecisionStudy) figures(ways, w, last int) WayFigures {
	f := WayFigures{Way: s.Outcomes[w].Way}
	var sum *OperatorsSummary
	var rounds []metrics.Number
	for i := w; i < len(s.Outcomes); i += ways {
		x := &s.Outcomes[i]
		if x.Way.Solver != f.Solver {
			f.Solver = "as recorded"
		}
		f.Objective += x.Outcome.Objective
		if !x.Outcome.Feasible {
			f.Infeasible++
		}
		if !x.Changed {
			f.Unchanged++
		}
		if x.Difference != "" {
			f.Different++
		}
		if x.Standing == nil {
			continue
		}
		if sum == nil {
			sum = &OperatorsSummary{Leader: x.Standing.Leader, Operators: make([]OperatorFigures, len(x.Standing.Operators))}
		}
		sum.add(x.Standing)
		if x.Standing.RoundsLimit > 0 {
			rounds = append(rounds, metrics.Number(x.Standing.Rounds))
		}
		if end := s.Outcomes[i-w+last].Standing; w != last && end.LeaderCost > 0 {
			sum.above = append(sum.above, x.Standing.LeaderCost/end.LeaderCost-1)
		}
	}
	if sum != nil {
		sum.quantiles(rounds)
	}
	f.Operators = sum
	return f
}

func (s *OperatorsSummary) add(x *StandingFigures) {
	s.LeaderCost += x.LeaderCost
	s.Shared += x.Shared
	s.Unfairness += x.Unfairness
	s.fairness = append(s.fairness, x.Fairness)
	if x.Converged {
		s.Converged++
	}
	for a, o := range x.Operators {
		f := &s.Operators[a]
		f.Operator = o.Operator
		f.Chains += o.Chains
		f.Off += o.Off
		f.AskedBits += o.AskedBits
		f.GrantedBits += o.GrantedBits
		f.OwnCost += o.OwnCost
	}
}

func (s *OperatorsSummary) quantiles(rounds []metrics.Number) {
	at := func(values []metrics.Number, q float64) metrics.Number {
		var sorted []float64
		for _, v := range values {
			if v.Defined() {
				sorted = append(sorted, float64(v))
			}
		}
		slices.Sort(sorted)
		return metrics.Quantile(sorted, q)
	}
	s.FairnessP10, s.FairnessP50 = at(s.fairness, 0.1), at(s.fairness, 0.5)
	s.RoundsP50, s.RoundsMax = at(rounds, 0.5), at(rounds, 1)
	s.AboveP50, s.AboveP90 = at(s.above, 0.5), at(s.above, 0.9)
	for a := range s.Operators {
		o := &s.Operators[a]
		o.Share = metrics.Undefined
		if o.AskedBits > 0 {
			o.Share = metrics.Number(o.GrantedBits / o.AskedBits)
		}
	}
}

// FairnessOfEach is F_K as planned by decision.
func (s *OperatorsSummary) FairnessOfEach() []metrics.Number { return s.fairness }

// Families are the ways, those together that differ in their limits of rounds
// alone.
func (s *DecisionStudy) Families() (families [][]WayFigures) {
	for from := 0; from < len(s.Ways); {
		to := from + 1
		for to < len(s.Ways) && s.Ways[to].sameGame(s.Ways[from].Way) {
			to++
		}
		families = append(families, s.Ways[from:to])
		from = to
	}
	return families
}
