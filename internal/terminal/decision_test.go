package terminal

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"cosim/internal/experiment"
	"cosim/internal/metrics"
)

// scarce is a decision with one pool that is short and as many chains as are
// asked for.
func scarce(chains int) *experiment.Explanation {
	e := &experiment.Explanation{
		Experiment: "S-3", Seed: 1, AtS: 290, HorizonS: 1, Steps: 10, Solver: "misocp", RecordedSolver: "misocp", Warm: true, WallS: 0.0123,
		BoundOf: experiment.OfAll, PricesOf: experiment.OfAll,
		Budget:  experiment.BudgetLimits{Evaluations: 400, Nodes: 40, Pivots: 1500},
		Outcome: experiment.Outcome{Objective: 4.9368, Service: 4.4642, Switching: 0.12, Terminal: 0.3526, Bound: 4.7435, Gap: 0.0392, Feasible: true, Evaluations: 37, Nodes: 16, Pivots: 1500},
		Pools: []experiment.PoolFigures{
			{Pool: "CC-GW1", StockBits: 119600, TerminalPrice: 1.463e-4, More: experiment.MoreKey{Objective: -0.1779, Bound: -0.1463}},
			{Pool: "GW4-GW1", StockBits: 156300},
		},
	}
	e.Recorded = e.Outcome
	for i := range chains {
		name := "avr-" + string(rune('a'+i))
		e.Chains = append(e.Chains, experiment.ChainFigures{
			Chain: name, Before: "otp via GW3", Now: "aes-wc direct", Messages: 0.2, Cost: 0.02, DrawBits: 115,
			RunnerUp: "otp via GW3", CostsMore: metrics.Number(float64(i) / 100),
		})
		e.Pools[0].More.Chains = append(e.Pools[0].More.Chains, experiment.OptionChange{Chain: name, From: "otp direct", To: "otp via GW3"})
	}
	return e
}

func decisionText(t *testing.T, e *experiment.Explanation, whole bool) string {
	t.Helper()
	var b bytes.Buffer
	Decision(&b, e, whole)
	if n := text.LongestLineLen(b.String()); n > widest {
		t.Errorf("%d columns:\n%s", n, b.String())
	}
	return b.String()
}

func expect(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
}

func TestDecisionFitsIntoTheTerminal(t *testing.T) {
	out := decisionText(t, scarce(20), false)
	expect(t, out,
		"S-3  seed 1  decision at 290.0 s", "misocp, warm, 12.3 ms",
		"  solver         misocp: one plan for all chains", "4.9368   = service 4.4642   + switching 0.1200   + stock missing at the end 0.3526\n",
		"gap 3.92 %: a better plan saves at most 0.1933", "1500 of 1500 pivots (used up)",
		"the same plan, bound and work, to the last bit", "key in kbit, over the next 1 s",
		"\n CC-GW1      0.1463        0.1779     0.1463              20\n", "avr-f otp direct → otp via GW3,", "14 more\n",
		"(12 of 20)", "all chains: --chains",
	)
	if strings.Contains(out, "above K_safe") || strings.Contains(out, "\n GW4-GW1         0") {
		t.Errorf("what is worth nothing is shown:\n%s", out)
	}
	expect(t, decisionText(t, scarce(20), true), "chains, key in bit (20 of 20)", "avr-t otp direct → otp via GW3\n")
}

func TestDecisionSaysHowItComparesWithTheRun(t *testing.T) {
	e := scarce(1)
	e.Difference = "work.nodes: recorded 16, now 12"
	expect(t, decisionText(t, e, false), "DIFFERENT: work.nodes: recorded 16, now 12")
	e = scarce(1)
	e.Changed = true
	expect(t, decisionText(t, e, false), "solved otherwise than in the run, which found 4.9368")
}

func TestDecisionWithoutPricesOrPastIsShown(t *testing.T) {
	e := scarce(1)
	e.Warm, e.HorizonS, e.AtS = false, 0, 0.1
	for i := range e.Pools {
		p := &e.Pools[i]
		p.StockPrice, p.AboveSafePrice, p.TerminalPrice, p.More = metrics.Undefined, metrics.Undefined, metrics.Undefined, experiment.MoreKey{}
	}
	e.Chains[0].Before, e.Chains[0].RunnerUp, e.Chains[0].CostsMore = "", "", metrics.Undefined
	e.PricesOf = experiment.OfNothing
	e.Relaxed = []experiment.RelaxedRow{{Pool: "CC-GW1", Step: 3, AboveSafe: true, Bits: 1234.5}}
	out := decisionText(t, e, false)
	expect(t, out, "decision at 0.1 s", "misocp, cold", "over 10 steps", "no pool is short: a kilobit more would change nothing",
		"CC-GW1, step 3: 1,235 bit are missing above K_safe")
	if strings.Contains(out, "instead") {
		t.Errorf("there is nothing instead:\n%s", out)
	}
	e.Solver, e.Pools[0].More.Objective = "greedy", -0.2
	out = decisionText(t, e, false)
	expect(t, out, "greedy: chain by chain", "what a kilobit more would save: with the decision made again\n", "   1500 pivots ")
}

func TestLongNamesLeaveRoom(t *testing.T) {
	e := scarce(3)
	e.Chains[1].Chain = "interrogation-4"
	e.Chains[1].Before, e.Chains[1].Now, e.Chains[1].RunnerUp = "aes-wc via GW2", "aes-wc via GW4", "aes-wc direct"
	decisionText(t, e, true)
}
