package stackelberg

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"cosim/scada/reconfig"
)

// judged is what a plan costs the followers, and its parts.
func judged(t *testing.T, p *reconfig.Problem, plan reconfig.Plan, which func(operator int) bool) (part *reconfig.Problem, e reconfig.Evaluation) {
	t.Helper()
	chains := p.Operators.Chains(which)
	part = p.Part(chains, plan.Pure())
	own := make(reconfig.Plan, len(chains))
	for i, l := range chains {
		own[i] = plan[l]
	}
	e, err := part.Evaluate(own)
	if err != nil {
		t.Fatal(err)
	}
	return part, e
}

func follows(p *reconfig.Problem) func(int) bool {
	return func(a int) bool { return a != p.Operators.Leader }
}

// epsilon is what followers may lose to the tie-breaking tilt.
const epsilon = 1e-5

// Claims (a) and (b) on small games, by enumeration: plans keep the joint cone,
// and neither all followers together nor one alone could do better.
func TestFollowersAnswerBest(t *testing.T) {
	r := stream("answers")
	worst := 0.0
	for i := range 300 {
		p := randomGame(r, 128, 300)
		got := solve(t, Game{}, p, nil, reconfig.Budget{})
		if !got.Evaluation.Feasible {
			t.Fatalf("instance %d: %+v", i, got.Evaluation)
		}
		for a := -1; a < p.Operators.Count(); a++ {
			which := follows(p)
			if a >= 0 {
				which = func(of int) bool { return of == a }
			}
			if a == p.Operators.Leader || len(p.Operators.Chains(which)) == 0 {
				continue
			}
			part, e := judged(t, p, got.Plan, which)
			least := solve(t, reconfig.Enumerator{}, part, nil, reconfig.Budget{}).Evaluation.Objective
			if e.Objective-least > epsilon || !e.Feasible {
				t.Fatalf("instance %d, operator %d: a response of %.12g, the best %.12g", i, a, e.Objective, least)
			}
			worst = math.Max(worst, e.Objective-least)
		}
	}
	t.Logf("largest residual %.2g", worst)
}

// The same at the size of 118 buses, against bounds of a longer search that
// knows nothing of the game's.
func TestResidualHoldsAgainstALongerSearch(t *testing.T) {
	f := newFederation(stream("residual"), 140, 10)
	var last *reconfig.Result
	var p *reconfig.Problem
	for range 8 {
		f.advance(p, last)
		var warm *reconfig.Warm
		var before reconfig.Plan
		if last != nil {
			warm, before = last.Next(), last.Plan
		}
		p = f.problem(before)
		last = solve(t, Game{}, p, warm, reconfig.DefaultBudget())
		if !last.Evaluation.Feasible {
			t.Fatalf("%+v", last.Evaluation)
		}
		part, e := judged(t, p, last.Plan, follows(p))
		long := solve(t, reconfig.Engine{}, part, nil, reconfig.Budget{Evaluations: 300, Nodes: 12, Pivots: 5000, Gap: 1e-4})
		// f − bound is the value-function residual that is proven.
		if x := e.Objective - long.Evaluation.Objective; x > last.Game.Residual+1e-9 {
			t.Errorf("followers could save %g, more than the residual of %g", x, last.Game.Residual)
		}
		if x := (e.Objective - long.Bound) / e.Objective; x > 0.015 {
			t.Errorf("a residual of %.2g %% by the longer search", 100*x)
		}
	}
}

// Two followers would pay the same for the last 50 bits. The leader would have
// them go to the one that has less.
func TestTiesAreBrokenAsTheLeaderLikes(t *testing.T) {
	for _, poor := range []int{1, 2} {
		p := duel()
		p.Chains = []reconfig.Chain{oneShot("tso", 10, 5), oneShot("a", 50, 1), oneShot("b", 50, 1), oneShot("rich", 40, 9)}
		p.Operators = &reconfig.Operators{Of: []int{0, poor, 3 - poor, 3 - poor}, Names: []string{"TSO", "DSO1", "DSO2"}, FairnessWeight: 1}
		got := solve(t, Game{}, p, nil, reconfig.Budget{})
		if got.Plan[1][0] != 1 || got.Plan[2][0] != 0 {
			t.Errorf("poor follower %d: plan %v, shares %.2f", poor, got.Plan, got.Game.Shares)
		}
	}
}

func TestNamesChangeNothing(t *testing.T) {
	p := newFederation(stream("names"), 120, 5).problem(nil)
	for _, s := range []reconfig.Solver{Game{}, Shares{}} {
		want := solve(t, s, p, nil, reconfig.DefaultBudget())
		q := *p
		q.Chains, q.Pools = slices.Clone(p.Chains), slices.Clone(p.Pools)
		o := *p.Operators
		o.Names = []string{"w", "x", "y", "z"}
		q.Operators = &o
		for l := range q.Chains {
			q.Chains[l].ID = "x" + strconv.Itoa(len(q.Chains)-l)
		}
		for e := range q.Pools {
			q.Pools[e].ID = "a pool"
		}
		if got := solve(t, s, &q, nil, reconfig.DefaultBudget()); !reflect.DeepEqual(got, want) {
			t.Errorf("%T: another result under other names", s)
		}
	}
}

// Numbers of chains, pools and operators are names, too. Where the optimum is
// reached they cannot matter; a game that ends elsewhere may end elsewhere.
func TestOtherNumbersReachTheSameOptimum(t *testing.T) {
	r := stream("numbers")
	same, n := 0, 0
	for range 200 {
		p := randomGame(r, 64, 64)
		want := enumerate(t, p, epsilon).leaderCost
		got := solve(t, Game{}, p, nil, reconfig.Budget{})
		if got.Game.LeaderCost > want+1e-9 {
			continue
		}
		n++
		q := renumbered(p, r.Perm(len(p.Chains)), r.Perm(len(p.Pools)), r.Perm(p.Operators.Count()))
		if again := solve(t, Game{}, q, nil, reconfig.Budget{}); math.Abs(again.Game.LeaderCost-want) <= 1e-9 {
			same++
		}
		a, b := solve(t, Shares{}, p, nil, reconfig.Budget{}), solve(t, Shares{}, q, nil, reconfig.Budget{})
		if d := a.Evaluation.Objective - b.Evaluation.Objective; math.Abs(d) > 1e-9 {
			t.Errorf("shares cost %g more under other numbers", d)
		}
	}
	t.Logf("%d of %d", same, n)
	if same < n*97/100 {
		t.Errorf("the optimum was reached again in %d of %d", same, n)
	}
}

func renumbered(p *reconfig.Problem, chains, pools, operators []int) *reconfig.Problem {
	q := *p
	o := *p.Operators
	q.Chains, q.Pools, q.Operators = nil, make([]reconfig.Pool, len(p.Pools)), &o
	where := make([]int, len(pools))
	for to, from := range pools {
		where[from], q.Pools[to] = to, p.Pools[from]
	}
	o.Of, o.Names, o.Leader = nil, nil, operators[p.Operators.Leader]
	for range operators {
		o.Names = append(o.Names, "")
	}
	for _, from := range chains {
		c := p.Chains[from]
		c.Options = slices.Clone(c.Options)
		for i := range c.Options {
			c.Options[i].Draws = slices.Clone(c.Options[i].Draws)
			for k := range c.Options[i].Draws {
				d := &c.Options[i].Draws[k]
				d.Pool = where[d.Pool]
			}
		}
		q.Chains = append(q.Chains, c)
		o.Of = append(o.Of, operators[p.Operators.Of[from]])
	}
	return &q
}
