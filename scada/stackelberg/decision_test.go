package stackelberg

import (
	"math"
	"slices"
	"testing"

	"cosim/scada/reconfig"
)

// solvers of this package, with an interruption.
func solvers(interrupt func() bool) []reconfig.Solver {
	return []reconfig.Solver{Shares{Interrupt: interrupt}, Game{Interrupt: interrupt}}
}

// What is decided again from a file is what the run decided, to the last bit.
func TestRecordedDecisionIsMadeAgain(t *testing.T) {
	for _, s := range solvers(nil) {
		f := newFederation(stream("recording"), 60, 5)
		var last *reconfig.Result
		var warm *reconfig.Warm
		var p *reconfig.Problem
		for range 4 {
			f.advance(p, last)
			p = f.problem(nil)
			last = solve(t, s, p, warm, reconfig.DefaultBudget())
			rec := &reconfig.Recording{
				Version: reconfig.RecordingVersion, Solver: "stackelberg", Budget: reconfig.DefaultBudget(), Problem: *p,
				Warm: warm.Recorded(), Result: *last,
			}
			again, err := reconfig.DecodeRecording("decision.json", rec.Encode())
			if err != nil {
				t.Fatal(err)
			}
			got := solve(t, s, &again.Problem, again.Warm.Warm(), again.Budget)
			if d := again.Difference(got); d != "" {
				t.Fatalf("%T: %s", s, d)
			}
			warm = last.Next()
		}
	}
}

// The number of the check at which the clock ended a decision repeats it.
func TestInterruptedDecisionCanBeRepeated(t *testing.T) {
	f := newFederation(stream("interrupt"), 60, 5)
	f.advance(nil, nil)
	p := f.problem(nil)
	interrupted := 0
	for at := range 30 {
		n := 0
		for i, s := range solvers(func() bool { n++; return n > 2*at }) {
			n = 0
			first := solve(t, s, p, nil, reconfig.DefaultBudget())
			if !first.Evaluation.Feasible {
				t.Fatalf("%T interrupted: %+v", s, first.Evaluation)
			}
			if !first.Work.Interrupted {
				continue
			}
			interrupted++
			b := reconfig.DefaultBudget()
			b.Checks = first.Work.Checks
			again := solve(t, solvers(nil)[i], p, nil, b)
			if !slices.EqualFunc(first.Plan, again.Plan, slices.Equal[[]int]) || first.Game.LeaderCost != again.Game.LeaderCost || first.Bound != again.Bound {
				t.Errorf("%T at check %d: leader's cost %g, repeated %g", s, b.Checks, first.Game.LeaderCost, again.Game.LeaderCost)
			}
		}
	}
	if interrupted < 20 {
		t.Errorf("only %d decisions were interrupted", interrupted)
	}
}

// Every operator keeps its n-th part of each row, and what one asks for changes
// nothing for another.
func TestSharesAreKeptAndNotTraded(t *testing.T) {
	r := stream("shares")
	for i := range 300 {
		p := randomGame(r, 1000, 1000)
		whole := solve(t, Shares{}, p, nil, reconfig.Budget{})
		if !whole.Evaluation.Feasible {
			t.Fatalf("instance %d: %+v", i, whole.Evaluation)
		}
		for l, a := range p.Operators.Of {
			q := *p
			o := *p.Operators
			q.Operators = &o
			q.Chains = slices.Clone(p.Chains)
			for k := range q.Chains { // nobody else has anything to do
				if o.Of[k] != a {
					q.Chains[k].Options = q.Chains[k].Options[:1]
					q.Chains[k].Before = reconfig.NoOption
				}
			}
			alone := solve(t, Shares{}, &q, nil, reconfig.Budget{})
			own := func(plan reconfig.Plan) float64 { return p.Chains[l].Cost(plan[l]) }
			if math.Abs(own(alone.Plan)-own(whole.Plan)) > 1e-9 {
				t.Fatalf("instance %d, chain %d: costs %g, and %g where others do nothing", i, l, own(whole.Plan), own(alone.Plan))
			}
		}
	}
}

func TestAProblemMustSayWhoseChainsTheyAre(t *testing.T) {
	p := newFederation(stream("nobody"), 20, 2).problem(nil)
	p.Operators = nil
	for _, s := range solvers(nil) {
		if _, err := s.Solve(p, nil, reconfig.Budget{}); err == nil {
			t.Errorf("%T solved it", s)
		}
	}
}

// One operator alone plans as the engine does.
func TestOneOperatorPlansAlone(t *testing.T) {
	p := newFederation(stream("alone"), 40, 5).problem(nil)
	p.Operators = &reconfig.Operators{Of: make([]int, len(p.Chains)), Names: []string{"TSO"}}
	want := solve(t, reconfig.Engine{}, p, nil, reconfig.DefaultBudget())
	for _, s := range solvers(nil) {
		if got := solve(t, s, p, nil, reconfig.DefaultBudget()); math.Abs(got.Evaluation.Objective-want.Evaluation.Objective) > 1e-9 {
			t.Errorf("%T: %g, the engine %g", s, got.Evaluation.Objective, want.Evaluation.Objective)
		}
	}
}

func benchmark(b *testing.B, s reconfig.Solver) {
	f := newFederation(stream("benchmark"), 150, 10)
	var problems []*reconfig.Problem
	var warms []*reconfig.Warm
	var last *reconfig.Result
	var p *reconfig.Problem
	for range 20 {
		f.advance(p, last)
		var before reconfig.Plan
		var warm *reconfig.Warm
		if last != nil {
			before, warm = last.Plan, last.Next()
		}
		p = f.problem(before)
		problems, warms = append(problems, p), append(warms, warm)
		last = solve(b, s, p, warm, reconfig.DefaultBudget())
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		k := 1 + i%(len(problems)-1)
		solve(b, s, problems[k], warms[k], reconfig.DefaultBudget())
	}
}

func BenchmarkGame(b *testing.B)   { benchmark(b, Game{}) }
func BenchmarkShares(b *testing.B) { benchmark(b, Shares{}) }

// A leader's commands of which a few are lost while their chains are off are
// served again as soon as there is key: the proximal term does not hold them.
func TestChainsThatAreOffAreServedAgain(t *testing.T) {
	f := newFederation(stream("again"), 120, 10)
	for e := range f.stock {
		f.stock[e] = 4 * f.threshold()
	}
	p := f.problem(nil)
	served := solve(t, Game{}, p, nil, reconfig.DefaultBudget())
	plan := served.Plan.Clone()
	var off []int
	for l := range plan {
		if p.Operators.Of[l] == leader && p.Chains[l].Options[0].Cost[0] == 0.1 { // 0.02 messages a step, of priority 5
			off = append(off, l)
			clear(plan[l])
		}
	}
	q := f.problem(plan)
	again := solve(t, Game{}, q, served.Next().With(plan), reconfig.DefaultBudget())
	for _, l := range off {
		for k, o := range again.Plan[l] {
			if o == 0 {
				t.Errorf("chain %d is off in step %d", l, k)
			}
		}
	}
	if len(off) < 5 {
		t.Errorf("%d chains were off", len(off))
	}
}
