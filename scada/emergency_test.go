package scada

import (
	"math"
	"testing"
	"time"

	"cosim/internal/rng"

	"pgregory.net/rapid"
)

func (w *world) calls() (list []obeyed) {
	for _, o := range w.obeyed {
		if o.Kind == TaskShed {
			list = append(list, o)
		}
	}
	return list
}

// A step between two samples: the frame after it shows a part of the slope, the
// next one all of it, so two or three frames pass, and 31 ms from the last
// sample to the block: 20 to the centre, 11 to the block.
func TestStepIsCalledAfterTwoFullFrames(t *testing.T) {
	for _, c := range []struct {
		afterNS, wantNS int64 // the step and the block's obedience, after a sample
	}{
		{10 * ms, 200*ms + 31*ms},
		{40 * ms, 200*ms + 31*ms},
		{90 * ms, 300*ms + 31*ms}, // 10 % of 550 MW in the first frame
	} {
		w := newWorld(t, testConfig(), plenty)
		w.runFor(10*time.Second + time.Duration(c.afterNS))
		w.grid.loadMW = 550
		w.runFor(5 * time.Second)
		calls := w.calls()
		if len(calls) != 8 {
			t.Fatalf("step after %v: %d calls, want 8", time.Duration(c.afterNS), len(calls))
		}
		sum := 0.0
		for _, o := range calls {
			sum += o.Value
			if at := o.AtNS - 10*second; at < c.wantNS || at > c.wantNS+ms {
				t.Errorf("step after %v: %s obeyed after %v, want %v", time.Duration(c.afterNS), o.Element, time.Duration(at), time.Duration(c.wantNS))
			}
		}
		// Governors have taken over a part meanwhile.
		if sum > 560 || sum < 380 {
			t.Errorf("step after %v: %.0f MW called for 550", time.Duration(c.afterNS), sum)
		}
		if w.sys.Counts().Failed != 0 {
			t.Errorf("%+v", w.sys.Counts())
		}
	}
}

func TestNoiseNeverCalls(t *testing.T) {
	cfg := only(testConfig(), append(idsOf(TaskPMU), idsOf(TaskShed)...)...)
	w := newWorld(t, cfg, plenty)
	load := rng.Stream(3, "load")
	ou := 0.0
	end := 600 * second
	if testing.Short() {
		end = 60 * second
	}
	worst := 0.0
	for w.nowNS < end {
		// All load as one OU process of 20 s, 30 MW: three times the sum of the
		// case's independent ones.
		ou += -ou*0.01/20 + 30*math.Sqrt(2*0.01/20)*load.NormFloat64()
		w.grid.loadMW = ou
		w.step()
		worst = max(worst, w.out.Diagnostics[0].ImbalanceMW)
	}
	if n := len(w.of(TaskShed)); n != 0 {
		t.Errorf("%d calls, largest imbalance seen %.0f MW", n, worst)
	}
	t.Logf("largest imbalance seen %.0f MW", worst)
}

func idsOf(task string) (ids []string) {
	for _, c := range testConfig().Chains {
		if c.Task == task {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Without key for any command the deficit stays, and new tasks come every
// 500 ms for as long as it exceeds the threshold; none of them succeeds.
func TestUnansweredCallIsRepeated(t *testing.T) {
	w := newWorld(t, only(testConfig(), append(idsOf(TaskPMU), idsOf(TaskShed)...)...), plenty)
	w.grid.droopMWPerHz, w.grid.dampingMWPerHz = 0, 0 // nothing helps: the deficit lasts
	w.runFor(5 * time.Second)
	w.spoil = func(f *Frame) bool { return f.Class != TaskShed }
	w.grid.loadMW = 400
	w.runFor(15 * time.Second)
	times := map[int64]int{}
	var first, last int64 = math.MaxInt64, 0
	for _, e := range w.of(TaskShed) {
		times[e.TriggerNS]++
		first, last = min(first, e.TriggerNS), max(last, e.TriggerNS)
		if e.Outcome != Failure || e.Cause != QueueDrop {
			t.Fatalf("%+v", e)
		}
	}
	// From the first call every 500 ms up to and including 10 s.
	if len(times) != 21 || last-first != 10*second {
		t.Errorf("%d rounds over %v", len(times), time.Duration(last-first))
	}
	for at, n := range times {
		if n != 8 || (at-first)%(500*ms) != 0 {
			t.Errorf("%d calls after %v", n, time.Duration(at-first))
		}
	}
}

// One area cannot be reached: it is called again with what it was called
// before, and its share is not called from the others on top.
func TestUnreachableAreaIsCountedAsPending(t *testing.T) {
	w := newWorld(t, testConfig(), plenty)
	w.grid.droopMWPerHz = 0
	w.grid.dampingMWPerHz = 0
	w.runFor(5 * time.Second)
	w.breakLink("CC-GW2", true)
	w.runFor(time.Second)
	w.grid.loadMW = 1000 // 250 MW an area, of 178.75
	w.runFor(3 * time.Second)
	most := map[string]float64{}
	for _, o := range w.calls() {
		most[o.Element] = max(most[o.Element], o.Value)
	}
	if most["block/15"] != 0 || most["block/20"] != 0 {
		t.Errorf("%v", most)
	}
	for _, b := range w.cfg.Blocks {
		if most[b.ID] > b.CapacityMW+1e-3 {
			t.Errorf("%s called for %.1f MW of %.1f", b.ID, most[b.ID], b.CapacityMW)
		}
	}
	w.breakLink("CC-GW2", false)
	w.runFor(2 * time.Second)
	if n := len(w.calls()); n < 8 {
		t.Errorf("%d calls after the link came back", n)
	}
}

// The shipped contingency: load and reserve are withdrawn together after 50 s.
// Whatever part was covered, the controller does not call anything then.
func TestWithdrawalIsNotFought(t *testing.T) {
	for _, covered := range []bool{true, false} {
		w := newWorld(t, testConfig(), plenty)
		w.runFor(10 * time.Second)
		if !covered {
			w.spoil = func(f *Frame) bool { return f.Class != TaskShed }
		}
		w.grid.loadMW = 550
		w.runFor(50 * time.Second)
		before := len(w.of(TaskShed))
		if before == 0 {
			t.Fatal("no call")
		}
		w.spoil = nil
		w.grid.loadMW = 0
		clear(w.grid.calledMW)
		w.runFor(60 * time.Second)
		if n := len(w.of(TaskShed)) - before; n != 0 {
			t.Errorf("covered %v: %d calls after the withdrawal", covered, n)
		}
		if dev := w.grid.freqHz - 60; math.Abs(dev) > 0.05 {
			t.Errorf("covered %v: %.3f Hz a minute later", covered, dev)
		}
		// The next one is sized afresh.
		w.grid.loadMW = 550
		w.runFor(2 * time.Second)
		sum := 0.0
		for _, mw := range w.grid.calledMW {
			sum += mw
		}
		if sum < 380 || sum > 600 {
			t.Errorf("covered %v: second step called %.0f MW", covered, sum)
		}
	}
}

// The guard: whatever is measured and acknowledged, unacknowledged and new
// calls together never exceed the deficit, nor any block its capacity.
func TestCallsNeverExceedTheDeficit(t *testing.T) {
	cfg := testConfig().Resolved()
	rapid.Check(t, func(t *rapid.T) {
		c := newController(&cfg)
		e := &c.emergency
		now := int64(0)
		for range rapid.IntRange(1, 12).Draw(t, "rounds") {
			now += 500 * ms
			e.deficit = rapid.Float64Range(200, 900).Draw(t, "deficit")
			e.calling = e.calling[:0]
			e.plan(now)
			asked := 0.0
			for i := range e.blocks {
				b := &e.blocks[i]
				asked += b.calledMW - b.acknowledgedMW
				if b.calledMW > b.capacityMW+1e-9 {
					t.Fatalf("block %d called for %.3f of %.3f MW", i, b.calledMW, b.capacityMW)
				}
			}
			if asked > e.deficit+1e-9 {
				t.Fatalf("asks for %.3f MW of a deficit of %.3f", asked, e.deficit)
			}
			for _, call := range e.calling {
				if rapid.Bool().Draw(t, "acknowledged") {
					c.acknowledged(call.block, float64(float32(call.totalMW)))
				}
			}
		}
	})
}

func TestSurplusCallsNothing(t *testing.T) {
	w := newWorld(t, testConfig(), plenty)
	w.runFor(5 * time.Second)
	w.grid.loadMW = -550
	w.runFor(20 * time.Second)
	if n := len(w.of(TaskShed)); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// PMUs that fall silent must not look like a change of frequency: only those
// heard in both frames count.
func TestLostPMUsAreNoImbalance(t *testing.T) {
	w := newWorld(t, testConfig(), plenty)
	w.runFor(5 * time.Second)
	for i := range 40 {
		w.breakLink("CC-GW1", i%2 == 0) // bus 39 has most of the inertia
		w.runFor(230 * time.Millisecond)
	}
	if n := len(w.of(TaskShed)); n != 0 {
		t.Errorf("%d calls", n)
	}
}
