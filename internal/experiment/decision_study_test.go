package experiment

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// TestRecordedGames looks at three decisions of four operators.
func TestRecordedGames(t *testing.T) {
	r, err := Run(context.Background(), load(t, "S-5", "duration=3s", "disturbances.contingencies.count=0", "disturbances.surges.count=0"),
		RunOptions{Out: t.TempDir(), Decisions: selections(t, "1s", "2s", "2900ms")})
	if err != nil {
		t.Fatal(err)
	}
	for name, fact := range map[string]func(*testing.T, string){
		"ExplanationSaysWhoseEverythingIs": explanationSaysWhoseEverythingIs,
		"StudiedAlikeOnAnyNumberOfCores":   studiedAlikeOnAnyNumberOfCores,
		"ARunIsVerified":                   aRunIsVerified,
		"AGameWithoutLimitEnds":            aGameWithoutLimitEnds,
		"WhatCannotBeStudiedIsSaid":        whatCannotBeStudiedIsSaid,
	} {
		t.Run(name, func(t *testing.T) { fact(t, r.Dir) })
	}
}

func study(t *testing.T, o DecisionStudyOptions, places ...string) *DecisionStudy {
	t.Helper()
	files, err := DecisionFiles(places)
	if err != nil {
		t.Fatal(err)
	}
	s, err := StudyDecisions(context.Background(), files, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func explanationSaysWhoseEverythingIs(t *testing.T, dir string) {
	e := decide(t, filepath.Join(dir, decisionsFolder, "2.0s.json"), DecideOptions{})
	s := e.Standing
	if e.Difference != "" || e.BoundOf != OfFollowers || e.PricesOf != OfFollowers || s == nil || s.Leader != "TSO" || len(s.Operators) != 4 || s.RoundsLimit != 6 {
		t.Fatalf("%q, bound of %s, prices of %s, %+v", e.Difference, e.BoundOf, e.PricesOf, s)
	}
	own, chains, leaders := 0.0, 0, 0
	for _, o := range s.Operators {
		own, chains = own+float64(o.OwnCost), chains+o.Chains
	}
	if d := own + float64(s.Shared-e.Outcome.Objective); math.Abs(d) > 1e-9 || chains != len(e.Chains) {
		t.Errorf("own costs and the shared one are %g off, %d chains of %d", d, chains, len(e.Chains))
	}
	if d := s.Operators[0].OwnCost + s.Shared + s.Unfairness - s.LeaderCost; math.Abs(float64(d)) > 1e-9 {
		t.Errorf("the leader's cost is %g off", d)
	}
	for _, c := range e.Chains {
		if c.Operator == "TSO" {
			leaders++
			if c.CostsMore.Defined() {
				t.Errorf("%s of the leader has a price that is the followers'", c.Chain)
			}
		}
	}
	if leaders != s.Operators[0].Chains {
		t.Errorf("%d chains of the leader, of %d", leaders, s.Operators[0].Chains)
	}
	for _, p := range e.Pools {
		sum := p.More.Shared
		for _, x := range p.More.Operators {
			sum += x
		}
		if d := float64(sum - p.More.Objective); math.Abs(d) > 1e-9 || p.More.Bound.Defined() {
			t.Errorf("%s: operators save %g more than all", p.Pool, d)
		}
	}
	shares := decide(t, filepath.Join(dir, decisionsFolder, "2.0s.json"), DecideOptions{Solver: SolverShares})
	if shares.BoundOf != OfShares || shares.PricesOf != OfNothing || shares.Pools[0].StockPrice.Defined() || shares.Standing.RoundsLimit != 0 {
		t.Errorf("shares: bound of %s, prices of %s, a bit at %v", shares.BoundOf, shares.PricesOf, shares.Pools[0].StockPrice)
	}
	one := decide(t, filepath.Join(dir, decisionsFolder, "2.0s.json"), DecideOptions{Solver: SolverMISOCP})
	if one.BoundOf != OfAll || one.PricesOf != OfAll || one.Standing == nil || one.Outcome.Objective > shares.Outcome.Objective {
		t.Errorf("misocp: bound of %s, prices of %s, %g, shares %g", one.BoundOf, one.PricesOf, one.Outcome.Objective, shares.Outcome.Objective)
	}
}

func studiedAlikeOnAnyNumberOfCores(t *testing.T, dir string) {
	calls := 0
	o := DecisionStudyOptions{
		Solvers: []string{SolverMISOCP, SolverStackelberg}, Fairness: []float64{100, 0}, Rounds: []int{4, 1, 4}, Parallel: 3,
		Done: func(done, all int) {
			if calls++; done != calls || all != 3 {
				t.Errorf("%d of %d are through in call %d", done, all, calls)
			}
		},
	}
	text := func(s *DecisionStudy) string {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	s := study(t, o, dir)
	o.Parallel, calls = 1, 0
	if alone := study(t, o, filepath.Dir(dir), dir); text(s) != text(alone) {
		t.Error("outcomes differ from those of one core")
	}
	if s.Decisions != 3 || s.FromS != 1 || s.ToS != 2.9 || len(s.Ways) != 5 || len(s.Outcomes) != 15 || len(s.Families()) != 3 {
		t.Fatalf("%d decisions from %g to %g s, %d ways in %d families, %d outcomes", s.Decisions, s.FromS, s.ToS, len(s.Ways), len(s.Families()), len(s.Outcomes))
	}
	for w, want := range []struct {
		solver string
		rounds int
	}{{SolverMISOCP, 0}, {SolverStackelberg, 1}, {SolverStackelberg, 4}, {SolverStackelberg, 1}, {SolverStackelberg, 4}} {
		way, x := s.Ways[w], s.Outcomes[w]
		if way.Solver != want.solver || x.Standing.RoundsLimit != want.rounds || x.Standing.Rounds > want.rounds || x.Standing.FairnessWeight != 100 {
			t.Errorf("way %d: %s in %d of %d rounds, judged by %g", w, way.Solver, x.Standing.Rounds, x.Standing.RoundsLimit, x.Standing.FairnessWeight)
		}
		total := 0.0
		for i := w; i < len(s.Outcomes); i += len(s.Ways) {
			total += float64(s.Outcomes[i].Outcome.Objective)
		}
		if d := total - float64(way.Objective); math.Abs(d) > 1e-9 {
			t.Errorf("way %d: the total is %g off", w, d)
		}
	}
	four, none := 4, 0.0
	if one := decide(t, s.Outcomes[0].File, DecideOptions{Solver: SolverStackelberg, Rounds: &four, Fairness: &none}); one.Outcome.Objective != s.Outcomes[4].Outcome.Objective {
		t.Errorf("without fairness, alone %g, among others %g", one.Outcome.Objective, s.Outcomes[4].Outcome.Objective)
	}
}

// What is asked for nothing is made as in the run, and compared with it.
func aRunIsVerified(t *testing.T, dir string) {
	s := study(t, DecisionStudyOptions{Parallel: 2}, dir)
	if w := s.Ways[0]; w.Solver != SolverStackelberg || w.Unchanged != 3 || w.Different != 0 {
		t.Errorf("%+v", w)
	}
}

func aGameWithoutLimitEnds(t *testing.T, dir string) {
	zero, most := 0, MostRounds
	file := filepath.Join(dir, decisionsFolder, "2.9s.json")
	free, limited := decide(t, file, DecideOptions{Rounds: &zero}), decide(t, file, DecideOptions{Rounds: &most})
	if free.Standing.RoundsLimit != MostRounds || free.Outcome != limited.Outcome || !free.Changed {
		t.Errorf("%+v, with the limit %+v", free.Standing, limited.Standing)
	}
}

func whatCannotBeStudiedIsSaid(t *testing.T, dir string) {
	alone := decision(t, SolverMISOCP)
	empty := t.TempDir()
	five, weight := 5, 0.0
	for want, err := range map[string]func() error{
		empty + " holds no recorded decisions (no decisions/290.1s.json); cosim run S-5 --decisions every:3s records some": func() error {
			_, err := DecisionFiles([]string{empty})
			return err
		},
		"nowhere: no such file or folder": func() error {
			_, err := DecisionFiles([]string{"nowhere"})
			return err
		},
		alone + ": a decision without operators, which stackelberg needs: expected one of S-4 or S-5": func() error {
			_, err := Decide(alone, DecideOptions{Solver: SolverStackelberg})
			return err
		},
		alone + ": rounds and fairness are of a game, and misocp plays none: expected solver stackelberg": func() error {
			_, err := StudyDecisions(context.Background(), []string{alone}, DecisionStudyOptions{Rounds: []int{2, 5}})
			return err
		},
		alone + ": rounds and fairness are of a game, and greedy plays none: expected solver stackelberg": func() error {
			_, err := Decide(alone, DecideOptions{Solver: SolverGreedy, Rounds: &five, Fairness: &weight})
			return err
		},
		"expected decisions of the same operators": func() error {
			file := filepath.Join(dir, decisionsFolder, "1.0s.json")
			_, err := StudyDecisions(context.Background(), []string{file, alone}, DecisionStudyOptions{Solvers: []string{SolverMISOCP}})
			return err
		},
	} {
		if got := err(); got == nil || !strings.HasSuffix(got.Error(), want) {
			t.Errorf("%v, want %s", got, want)
		}
	}
}
