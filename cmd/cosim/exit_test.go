package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"cosim/internal/experiment"
)

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args string
		want int
	}{
		{"list", 0},
		{"validate S-1", 0},
		{"validate nowhere.yaml", exitUsage},
		{"validate S-2 --set keys.pool.threshold_bits=1", exitUsage},
		{"run S-2 --runs 0", exitUsage},
		{"frobnicate", exitUsage},
		{"run S-2 --decisions 10s", exitUsage},
		{"decide nowhere.json", exitUsage},
		{"export nowhere", exitUsage},
		{"export nowhere --influx http://127.0.0.1:1", exitUsage},
		{"export main.go", exitUsage},
		{"compare nowhere", exitUsage},
		{"report nowhere", exitUsage},
		{"report main.go", exitUsage},
		{"report main.go/run.log", exitUsage},
		{"report", exitUsage},
		{"trace", exitUsage},
		{"decide", exitUsage},
		{"resume nowhere", exitUsage},
		{"replay nowhere", exitUsage},
		{"verify nowhere elsewhere", exitUsage},
		{"verify nowhere", exitUsage},
		{"fork nowhere --set seed=1", exitUsage},
		{"fork nowhere --at 10", exitUsage},
		{"fork nowhere --at 10s --set seed=1", exitUsage},
	} {
		var out, errs bytes.Buffer
		var args []string
		for _, a := range bytes.Fields([]byte(c.args)) {
			args = append(args, string(a))
		}
		if got := run(args, &out, &errs); got != c.want {
			t.Errorf("cosim %s: exit %d, want %d\n%s", c.args, got, c.want, &errs)
		}
	}
}

func TestBrokenInvariantAndInterruptHaveCodesOfTheirOwn(t *testing.T) {
	broken := failure{fmt.Errorf("seed 3: %w", experiment.ErrInvariant)}
	if got := exitCode(context.Background(), broken); got != exitInvariant {
		t.Errorf("broken invariant: exit %d, want %d", got, exitInvariant)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got := exitCode(ctx, failure{context.Canceled}); got != exitInterrupted {
		t.Errorf("interrupt: exit %d, want %d", got, exitInterrupted)
	}
	if got := exitCode(context.Background(), failure{errors.New("disk full")}); got != exitFailed {
		t.Errorf("failed run: exit %d, want %d", got, exitFailed)
	}
}
