package terminal

import (
	"fmt"
	"strings"
	"testing"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

// game is a decision of three operators.
func game(solver string, of experiment.Whose) *experiment.Explanation {
	e := scarce(6)
	e.Experiment, e.Solver, e.RecordedSolver, e.BoundOf, e.PricesOf = "S-5", solver, solver, of, experiment.OfFollowers
	e.Standing = &experiment.StandingFigures{
		Leader: "TSO", Rounds: 3, RoundsLimit: 6, Converged: true, Fairness: 0.9265, FairnessWeight: 100,
		LeaderCost: 82.3028, Shared: 5.7269, Unfairness: 68.065, Residual: 0.1244,
		Operators: []experiment.OperatorFigures{
			{Operator: "TSO", Chains: 3, AskedBits: 93800, GrantedBits: 84200, Share: 0.898, OwnCost: 8.5109},
			{Operator: "DSO1", Chains: 2, Off: 1, AskedBits: 78400, GrantedBits: 37000, Share: 0.472, OwnCost: 36.4163},
			{Operator: "DSO2", Chains: 1, Share: metrics.Undefined, OwnCost: 0},
		},
	}
	for i := range e.Pools {
		e.Pools[i].More.Bound = metrics.Undefined
		e.Pools[i].More.Operators = []metrics.Number{0, 0, 0}
	}
	e.Pools[0].More.Operators, e.Pools[0].More.Shared = []metrics.Number{0.25, -0.4279, 0}, -0.002
	for i := range e.Chains {
		e.Chains[i].Operator = "DSO1"
	}
	e.Chains[0].Operator, e.Chains[0].RunnerUp, e.Chains[0].CostsMore = "TSO", "", metrics.Undefined
	return e
}

func TestBoundOfAGameIsThatOfTheAnswer(t *testing.T) {
	out := decisionText(t, game("stackelberg", experiment.OfFollowers), true)
	expect(t, out,
		"  solver         stackelberg: a game that TSO leads, 2 followers   3 of at most 6 rounds\n", "ended: no change tried makes TSO better off",
		"  bound          of the followers' answer: another saves them at most 0.1244   gap 3.92 %\n", "nothing is proved of TSO's plan",
		"in all searches: 37 evaluations   16 nodes   1500 pivots",
		"\n TSO, leader       3    0   93.8     84.2         89.8    8.5109\n", "\n DSO2              1    0    0.0      0.0                 0.0000\n",
		"  F_K as planned 0.9265\n", "  leader's cost  82.3028   = TSO's own + shared + unfairness 68.0650 (ρ_F 100)\n",
		"  followers'     42.1432   = their own + shared",
		"by the followers' prices, and all with the game played again",
		"\n pool    at the end      TSO    DSO1  shared  together  chains changed\n", "\n CC-GW1      0.1463  -0.2500  0.4279  0.0020    0.1779               6\n",
		"\n avr-a  TSO ", "\n avr-b  DSO1 ", "instead is shown of followers alone",
	)
	for _, untrue := range []string{"a better plan saves", "used up", " of 400 evaluations"} {
		if strings.Contains(out, untrue) {
			t.Errorf("%q in\n%s", untrue, out)
		}
	}
	e := game("stackelberg", experiment.OfFollowers)
	e.Standing.Converged = false
	expect(t, decisionText(t, e, false), "ended by the limit")
	e = game("stackelberg", experiment.OfNothing)
	e.PricesOf = experiment.OfNothing
	expect(t, decisionText(t, e, false), "none: nobody follows TSO, and nothing is proved of its plan", "what a kilobit more would save: with the game played again\n")
}

func TestBoundOfSharesIsWithinThem(t *testing.T) {
	e := game("shares", experiment.OfShares)
	e.PricesOf = experiment.OfNothing
	for i := range e.Chains {
		e.Chains[i].RunnerUp, e.Chains[i].CostsMore = "", metrics.Undefined
	}
	for i := range e.Pools {
		p := &e.Pools[i]
		p.StockPrice, p.AboveSafePrice, p.TerminalPrice = metrics.Undefined, metrics.Undefined, metrics.Undefined
	}
	out := decisionText(t, e, false)
	expect(t, out, "shares: each of 3 operators plans alone on 1/3 of every pool",
		"  bound          of plans within the shares: others save at most 0.1244 together   gap 3.92 %\n", "sharing otherwise may save more",
		"with all decisions made again, 1/3 of it for each", "instead is not shown: key has other prices within each operator's share")
	if strings.Contains(out, "below 0") || strings.Contains(out, "rounds") || strings.Contains(out, "followers'") {
		t.Errorf("shares have no game and no common prices:\n%s", out)
	}
	e.Standing.Accounts = true
	expect(t, decisionText(t, e, false), "shares: each of 3 operators plans alone on its own accounts\n")
	e.Solver, e.BoundOf, e.Changed = "misocp", experiment.OfAll, true
	expect(t, decisionText(t, e, false), "solved otherwise than in the run: shares found 4.9368", "a better plan saves at most")
}

// What has no room is named.
func TestColumnsWithoutRoomAreNamed(t *testing.T) {
	e := game("stackelberg", experiment.OfFollowers)
	e.Chains[1].Chain, e.Chains[1].Now, e.Chains[1].RunnerUp = "interrogation-dso1-4", "aes-wc via GW4>CC2>CC0", "aes-wc via GW4>CC2>CC0"
	out := decisionText(t, e, true)
	expect(t, out, "no room here for messages, key, before: all in --json")
	if strings.Contains(out, "  messages  ") {
		t.Errorf("they are there:\n%s", out)
	}
}

// studied are decisions made by shares, and by games under the given limits.
func studied(limits ...int) *experiment.DecisionStudy {
	s := &experiment.DecisionStudy{Experiments: []string{"S-5 (seed 1)"}, Decisions: 2, FromS: 9, ToS: 12.3, Warm: 2}
	figures := func(w experiment.Way, cost float64) experiment.WayFigures {
		return experiment.WayFigures{Way: w, Objective: metrics.Number(cost), Operators: &experiment.OperatorsSummary{
			Leader: "TSO", LeaderCost: metrics.Number(cost + 70), Shared: 5, Unfairness: 70, FairnessP10: 0.9, FairnessP50: 0.95, RoundsP50: metrics.Undefined, RoundsMax: metrics.Undefined,
			Operators: []experiment.OperatorFigures{
				{Operator: "TSO", OwnCost: metrics.Number(cost - 5), AskedBits: 4000, GrantedBits: 1000, Share: 0.25}, {Operator: "DSO1", OwnCost: 0, AskedBits: 0, Share: metrics.Undefined},
			},
			AboveP50: metrics.Undefined, AboveP90: metrics.Undefined,
		}}
	}
	if len(limits) == 0 {
		s.Ways = append(s.Ways, figures(experiment.Way{Solver: "shares"}, 153.6741), figures(experiment.Way{Solver: "stackelberg"}, 109.57))
		s.Ways[1].Operators.RoundsP50, s.Ways[1].Operators.RoundsMax, s.Ways[1].Unchanged = 2, 4, 2
	}
	for i := range limits {
		f := figures(experiment.Way{Solver: "stackelberg", Rounds: &limits[i]}, 100)
		f.Operators.RoundsP50, f.Operators.RoundsMax = metrics.Number(limits[i]), metrics.Number(limits[i])
		if i+1 < len(limits) {
			f.Operators.AboveP50, f.Operators.AboveP90 = 0.0134, 0.05
		}
		s.Ways = append(s.Ways, f)
	}
	return s
}

func TestWaysStandSideBySide(t *testing.T) {
	var b strings.Builder
	s := studied()
	if err := Decisions(&b, s, Text); err != nil {
		t.Fatal(err)
	}
	expect(t, b.String(), "2 decisions of S-5 (seed 1)\n", "  made           9.0 to 12.3 s   each from the one before\n",
		"  recorded       2 as in the run (stackelberg):   the same plan, bound and work, to the last bit\n",
		"\n own cost TSO, leader               148.67       104.57\n", "\n all together                       153.67       109.57\n",
		"\n leader: own + shared + unfairness  223.67       179.57\n", "\n key granted DSO1                        –            –\n",
		"\n key granted of all asked           25.0 %       25.0 %\n", "\n rounds played, median                   –            2\n")
	if DecisionsFigure(s) != nil {
		t.Error("a picture of no rounds")
	}
	s.Ways[1].Different = 1
	b.Reset()
	if err := Decisions(&b, s, Text); err != nil {
		t.Fatal(err)
	}
	expect(t, b.String(), "DIFFERENT: 1 of 2 decisions made as in the run")
}

func TestFairnessOverRoundsIsATable(t *testing.T) {
	var b strings.Builder
	s := studied(2, 40)
	if err := Decisions(&b, s, Text); err != nil {
		t.Fatal(err)
	}
	expect(t, b.String(), "fairness over rounds: F_K as planned, and TSO's cost above that at 40 rounds\n",
		"\n              2           2    2    0.900  0.950                1.34     5.00\n", "\n             40          40   40    0.900  0.950\n")
	if strings.Contains(b.String(), "own cost") {
		t.Errorf("one way is compared with itself:\n%s", b.String())
	}
	f := DecisionsFigure(s)
	if last := f.Panels[1].Lines[0]; fmt.Sprint(last.X, last.Y) != "[2 40] [1.34 0]" {
		t.Errorf("the leader's cost is drawn at %v as %v", last.X, last.Y)
	}
}
