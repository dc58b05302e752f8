package stackelberg

import (
	"flag"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"cosim/scada/reconfig"
)

var distribution = flag.Bool("distribution", false, "measure the game over more sizes and decisions")

// cpuTime is that of the calling thread: other work on the machine does not
// count.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure plays n decisions of a federation, each from the one before, and logs
// times and outcomes.
func measure(t *testing.T, solver reconfig.Solver, chains, n int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var times []time.Duration
	var rounds, fairness, residual, cold []float64
	for run := range max(1, n/100) {
		f := newFederation(stream("federation-"+strconv.Itoa(run)), chains, 10)
		var last *reconfig.Result
		var p *reconfig.Problem
		for range min(n, 100) {
			f.advance(p, last)
			var before reconfig.Plan
			var warm *reconfig.Warm
			if last != nil {
				before, warm = last.Plan, last.Next()
			}
			p = f.problem(before)
			start := cpuTime(t)
			r := solve(t, solver, p, warm, reconfig.DefaultBudget())
			if d := cpuTime(t) - start; warm == nil {
				cold = append(cold, d.Seconds()*1e3)
			} else {
				times = append(times, d)
			}
			if !r.Evaluation.Feasible {
				t.Fatalf("a plan that breaks the rows: %+v", r.Evaluation)
			}
			last = r
			rounds, fairness = append(rounds, float64(r.Game.Rounds)), append(fairness, r.Game.Fairness)
			residual = append(residual, r.Gap)
		}
	}
	slices.Sort(times)
	at := func(q float64) time.Duration { return times[int(q*float64(len(times)-1))].Round(10 * time.Microsecond) }
	quantile := func(x []float64, q float64) float64 {
		slices.Sort(x)
		return x[int(q*float64(len(x)-1))]
	}
	t.Logf("%T %3d chains: warm p50 %v, p99 %v, max %v; first %.1f ms; rounds p50 %g; F_K p10 %.3f p50 %.3f; gap p50 %.2g p99 %.2g", solver, chains,
		at(0.5), at(0.99), at(1), quantile(cold, 1), quantile(rounds, 0.5), quantile(fairness, 0.1), quantile(fairness, 0.5), quantile(residual, 0.5), quantile(residual, 0.99))
}

// TestDistribution prints the table of docs/performance.md:
//
//	go test ./scada/stackelberg -run Distribution -v -distribution
func TestDistribution(t *testing.T) {
	n, sizes := 100, []int{160}
	if *distribution {
		n, sizes = 1000, []int{120, 140, 160}
	}
	for _, chains := range sizes {
		measure(t, Shares{}, chains, n)
		measure(t, Game{}, chains, n)
	}
}
