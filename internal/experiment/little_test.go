package experiment

import (
	"context"
	"math"
	"testing"

	"cosim/network"
)

// Little's law L = λW on every queue of a full run: the mean length, measured
// by time, against throughput times mean sojourn, measured by packet. What
// breaks flush has waited without departing, which is the gap on the links that
// broke.
func TestLittlesLawHoldsOnEveryQueueOfAFullRun(t *testing.T) {
	d := load(t, "S-2")
	if testing.Short() {
		d = load(t, "S-2", short...)
	}
	fed, err := build(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := simulate(context.Background(), d, fed, nil, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	used, worst := 0, 0.0
	for q := range network.QueueID(2 * fed.engine.Links()) {
		s := fed.engine.QueueStats(q)
		total := s.Total()
		if total.Departures == 0 {
			continue
		}
		used++
		gap := math.Abs(s.LittleGap())
		worst = max(worst, gap)
		if gap > 1e-3 {
			t.Errorf("%s: L %.6g, λW off by %.2g of it (%d packets)", fed.engine.QueueName(q), s.MeanLength(), gap, total.Departures)
		}
	}
	t.Logf("%d queues in use, largest gap %.2g", used, worst)
	if used < 100 {
		t.Errorf("only %d queues carried packets", used)
	}
}
