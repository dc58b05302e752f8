package reconfig

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recorded solves p from warm as a run does and records that.
func recorded(t testing.TB, s Solver, p *Problem, warm *Warm, b Budget) *Recording {
	t.Helper()
	r := solve(t, s, p, warm, b)
	return &Recording{
		Version: RecordingVersion, Program: "(devel)", Experiment: "S-3", Seed: math.MaxUint64, AtNS: 290_100_000_000, Solver: "misocp",
		Budget: b, Problem: *p, Warm: warm.Recorded(), Result: *r,
	}
}

// What is decided again from a file is what the run decided: plan, bound, gap,
// work and prices, bit for bit, in a chain of warm starts.
func TestRecordedDecisionIsMadeAgain(t *testing.T) {
	r := stream("recording")
	var warm *Warm
	var p *Problem
	for i := range 200 {
		if i%5 == 0 {
			p, warm = randomProblem(r, 2e4), nil
		}
		for e := range p.Pools {
			for t := range p.Pools[e].StockBits {
				p.Pools[e].StockBits[t] *= 0.9 + 0.2*r.Float64()
			}
		}
		b := DefaultBudget()
		b.Nodes = 1 + i%7
		rec := recorded(t, Engine{}, p, warm, b)
		again, err := DecodeRecording("decision.json", rec.Encode())
		if err != nil {
			t.Fatalf("instance %d: %v", i, err)
		}
		got := solve(t, Engine{}, &again.Problem, again.Warm.Warm(), again.Budget)
		want := rec.Result
		want.columns, got.columns = nil, nil
		if diff := cmp.Diff(&want, got, cmp.AllowUnexported(Result{})); diff != "" {
			t.Fatalf("instance %d (-run +again):\n%s", i, diff)
		}
		warm = rec.Result.Next()
		if text := again.Encode(); !bytes.Equal(text, rec.Encode()) {
			t.Fatalf("instance %d is written otherwise when read", i)
		}
	}
}

// A field that a warm start gains must be recorded, or decisions are made
// again from less than the run had.
func TestWarmStartIsRecordedWhole(t *testing.T) {
	warm, start := reflect.TypeFor[Warm](), reflect.TypeFor[WarmStart]()
	for i := range warm.NumField() {
		name := warm.Field(i).Name
		f, ok := start.FieldByNameFunc(func(s string) bool { return strings.EqualFold(s, name) })
		if !ok || f.Type != warm.Field(i).Type {
			t.Errorf("WarmStart has no field %s %v: add it there, to Recorded and to Warm", name, warm.Field(i).Type)
		}
	}
}

func TestDifferenceNamesWhatDiffersFirst(t *testing.T) {
	p := little()
	r := recorded(t, Engine{}, p, nil, DefaultBudget())
	other := r.Result
	if d := r.Difference(&other); d != "" {
		t.Errorf("a result differs from itself: %s", d)
	}
	other.Work.Nodes += 2
	other.Plan = r.Result.Plan.Clone()
	if d := r.Difference(&other); d != "work.nodes: recorded 1, now 3" {
		t.Errorf("%q", d)
	}
	other.Plan[0][1] = 0
	if d := r.Difference(&other); d != "chain a, step 1: recorded CC>GW1 otp, now off" {
		t.Errorf("%q", d)
	}
}

// little is a chain with two options on one pool; the second one cannot be had
// in the second step.
func little() *Problem {
	return &Problem{
		Steps: 2, Kappa: 1.6,
		Chains: []Chain{{ID: "a", SwitchCost: 0.02, Before: NoOption, Messages: []float64{1, 1}, Options: []Option{
			{Label: "off", Cost: []float64{1, 1}},
			{Label: "CC>GW1 otp", Cost: []float64{0, 0}, Draws: []Draw{{MeanBits: []float64{10, 10}, VarBits2: []float64{100, 100}}}},
			{Label: "CC>GW2 aes", Cost: []float64{0.5, math.Inf(1)}},
		}}},
		Pools: []Pool{{ID: "CC-GW1", NowBits: 1000, StockBits: []float64{1000, 1000}, StockVarBits: []float64{0, 0}}},
	}
}

func TestRecordingReadsAsPlainJSON(t *testing.T) {
	text := string(recorded(t, Engine{}, little(), nil, DefaultBudget()).Encode())
	for _, want := range []string{
		`"at_ns": 290100000000,`, `"seed": 18446744073709551615,`, `"label": "CC>GW2 aes", "cost": [0.5, "+Inf"]`,
		`"mean_bits": [10, 10], "var_bits2": [100, 100]`, `"stock_var_bits": [0, 0]`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	var any map[string]any
	if err := json.Unmarshal([]byte(text), &any); err != nil {
		t.Errorf("other programs cannot read it: %v", err)
	}
}

func TestMistakesOfARecordingAreNamed(t *testing.T) {
	text := string(recorded(t, Engine{}, little(), nil, DefaultBudget()).Encode())
	for _, c := range []struct{ old, new, want string }{
		{`"kappa"`, `"kapa"`, `d.json:12: problem: unknown key "kapa"; did you mean kappa?`},
		{`"kappa": 1.6`, `"kappa": "much"`, `d.json:12: problem.kappa: found "much", expected a number, "+Inf" or "-Inf"`},
		{`"kappa": 1.6`, `"kappa": 1e999`, `d.json:12: problem.kappa: found 1e999, expected a number of double precision`},
		{`"kappa": 1.6`, `"kappa": 1.6, "kappa": 1.6`, `d.json:12: problem: key "kappa" stands twice`},
		{`"cost": [0.5, "+Inf"]`, `"cost": [0.5, null]`, `problem.chains[0].options[2].cost[1]: found null, expected a number, "+Inf" or "-Inf"`},
		{`"cost": [0.5, "+Inf"]`, `"cost": [0.5]`, "d.json: reconfig: chain a, option 2: 1 costs for 2 steps"},
		{`"cost": [0.5, "+Inf"]`, `"cost": {"a": [1]}`, "options[2].cost: found an object, expected a list"},
		{`"before": -1`, `"before": 0.5`, "problem.chains[0].before: found 0.5, expected a whole number"},
		{`"before": -1`, `"before": 9`, "d.json: reconfig: chain a: option 9 before the first step, has 3"},
		{`"seed": 18446744073709551615`, `"seed": -1`, "d.json:5: seed: found -1, expected a whole number from 0 on"},
		{`"highest": false`, `"highest": 0`, "highest: found 0, expected true or false"},
		{`"version": 1`, `"version": 7`, "d.json: version: found 7, expected 1"},
		{`"version": 1,`, ``, "d.json: version: found 0, expected 1"},
		{`"plan": [[1, 1]]`, `"plan": [[1, 3]]`, "d.json: result: reconfig: chain a, step 1: no option 3"},
		{`"plan": [[1, 1]]`, `"plan": []`, "d.json: result: reconfig: a plan of 0 chains for 1"},
		{` "result"`, ` "warm": {"columns": [[[-1]]], "prices": [{}, {}]}, "result"`, "d.json: warm: found 2 pools with prices, expected 1\nd.json: warm.columns[0]: found option -1, expected 0 to 63"},
		{`"program": "(devel)",`, `"program": "(devel)"`, "d.json:4: not JSON: "},
	} {
		if !strings.Contains(text, c.old) {
			t.Fatalf("no %s in\n%s", c.old, text)
		}
		_, err := DecodeRecording("d.json", []byte(strings.Replace(text, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.new, err, c.want)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"", "d.json:1: not JSON: the text ends too early"},
		{text[:len(text)/2], "not JSON: the text ends too early"},
		{text + "{}", "more stands behind the end"},
		{`{"version": 1, "problem": {"steps": 1000000000000}}`, "d.json: problem.chains: found none, expected at least one"},
		{"[1]", "d.json:1: found a list, expected an object"},
	} {
		if _, err := DecodeRecording("d.json", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q…: %v\nwant %s", c.text, err, c.want)
		}
	}
	many := strings.Replace(text, `"kappa": 1.6`, `"kappa": 1.6`+strings.Repeat(`, "x": 1`, 30), 1)
	if _, err := DecodeRecording("d.json", []byte(many)); err == nil || strings.Count(err.Error(), "\n") != mostMistakes || !strings.HasSuffix(err.Error(), "and 20 more") {
		t.Errorf("thirty mistakes are not told in few lines: %v", err)
	}
}

// Whatever stands in a file, it is read or refused with its name; and what was
// read is written and read as the same, and can be solved.
func FuzzDecodeRecording(f *testing.F) {
	text := recorded(f, Engine{}, little(), nil, DefaultBudget()).Encode()
	f.Add(text)
	r := stream("fuzz")
	for range 3 {
		p := randomProblem(r, 200)
		first := recorded(f, Engine{}, p, nil, DefaultBudget())
		f.Add(recorded(f, Engine{}, p, first.Result.Next(), DefaultBudget()).Encode())
	}
	for _, s := range []string{"", "{}", "[]", "null", "{\"version\": 1}", "{\"version\": 1, \"problem\": {\"steps\": 1000000000000}}", "{\"a\": [[[[", "\xff"} {
		f.Add([]byte(s))
	}
	for _, c := range [][2]string{{`"+Inf"`, `"-Inf"`}, {`"steps": 2`, `"steps": 3`}, {`"pool": 0`, `"pool": 1`}, {"10", "-0"}, {"1000", "1e308"}} {
		f.Add(bytes.Replace(text, []byte(c[0]), []byte(c[1]), 1))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := DecodeRecording("d.json", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "d.json:") {
				t.Fatalf("the mistake has no place: %v", err)
			}
			return
		}
		written := r.Encode()
		again, err := DecodeRecording("d.json", written)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !bytes.Equal(written, again.Encode()) {
			t.Fatal("what was read is written otherwise")
		}
		if len(r.Problem.Chains)*len(r.Problem.Pools)*r.Problem.Steps > 200 {
			return
		}
		if _, err := (Engine{}).Solve(&r.Problem, r.Warm.Warm(), Budget{Evaluations: 5, Nodes: 2, Pivots: 50}); err != nil {
			t.Fatal(err)
		}
	})
}

// A decision of the federation's size is written and read in a few
// milliseconds, well below the period of decisions.
func BenchmarkRecording(b *testing.B) {
	r := recorded(b, Engine{}, newShipped(stream("recording"), 40, 8, 10).problem(nil), nil, Budget{Evaluations: 1})
	text := r.Encode()
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Encode()
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodeRecording("d.json", text); err != nil {
				b.Fatal(err)
			}
		}
	})
}
