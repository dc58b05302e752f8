package stackelberg

import (
	"flag"
	"path/filepath"
	"slices"
	"testing"

	"cosim/scada/reconfig"
)

var decisions = flag.String("decisions", "", "folder of recorded decisions of S-5, for the table of fairness over rounds")

// TestFairnessOverRounds logs F_K after cold games of so many rounds, of a few
// made-up decisions or those that a run recorded:
//
//	cosim run S-5 --decisions 100s..120s
//	go test ./scada/stackelberg -run FairnessOverRounds -v -decisions runs/S-5-1/decisions
func TestFairnessOverRounds(t *testing.T) {
	limits := []int{1, 2, 3, 5, 10, 20, 40, 60, 80, 120}
	var problems []*reconfig.Problem
	if *decisions == "" {
		limits = []int{1, 5, 20}
		f := newFederation(stream("curve"), 120, 5)
		for range 3 {
			f.advance(nil, nil)
			problems = append(problems, f.problem(nil))
		}
	} else {
		files, err := filepath.Glob(filepath.Join(*decisions, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no decisions in %s (%v)", *decisions, err)
		}
		for _, file := range files {
			r, err := reconfig.ReadRecording(file)
			if err != nil {
				t.Fatal(err)
			}
			problems = append(problems, &r.Problem)
		}
	}
	points, err := Curve(problems, limits, reconfig.DefaultBudget())
	if err != nil {
		t.Fatal(err)
	}
	if len(points) != len(problems)*len(limits) {
		t.Fatalf("%d points", len(points))
	}
	for i, limit := range limits {
		var fairness, rounds, above []float64
		for k := i; k < len(points); k += len(limits) {
			end := points[k-i+len(limits)-1]
			fairness, rounds = append(fairness, points[k].Fairness), append(rounds, float64(points[k].Rounds))
			above = append(above, points[k].LeaderCost/end.LeaderCost-1)
		}
		slices.Sort(fairness)
		slices.Sort(rounds)
		slices.Sort(above)
		n := len(fairness)
		t.Logf("limit %3d: F_K p10 %.3f p50 %.3f p90 %.3f; rounds p50 %g max %g; leader's cost above the last: p50 %.2g %%, p90 %.2g %%", limit,
			fairness[n/10], fairness[n/2], fairness[n*9/10], rounds[n/2], rounds[n-1], 100*above[n/2], 100*above[n*9/10])
	}
}
