package reconfig

import (
	"bytes"
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
