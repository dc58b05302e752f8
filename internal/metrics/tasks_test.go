package metrics

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestTaskCounterByHand(t *testing.T) {
	var c TaskCounter
	for range 10 {
		c.Trigger("agc")
	}
	for range 3 {
		c.Trigger("pmu")
	}
	for _, task := range []Task{
		{"agc", None, OTP, OTP, OTP},
		{"agc", None, OTP, OTP, OTP},
		{"agc", None, AESWC, OTP, OTP}, // degraded, not strict
		{"agc", NoKey, 0, OTP, OTP},
		{"agc", LinkDown, OTP, OTP, OTP},
		{"agc", Late, AES, OTP, OTP}, // a failure is not degraded
		{"agc", QueueDrop, OTP, OTP, OTP},
		{"agc", Rejected, OTP, OTP, OTP},
		{"agc", Deactivated, 0, OTP, OTP}, // nine of ten are decided
		{"pmu", None, AESWC, OTP, AESWC},  // degraded, strict
		{"pmu", None, OTP, OTP, AESWC},
		{"pmu", None, AES, OTP, AESWC}, // degraded, not strict
	} {
		c.Decide(task)
	}
	agc := TaskFigures{
		Triggers: 10, Successes: 3, Strict: 2, Degraded: 1, Pending: 1,
		Failed: CauseCounts{1, 1, 1, 1, 1, 1}, PSucc: Number(3.0 / 9), PSuccStrict: Number(2.0 / 9),
	}
	pmu := TaskFigures{Triggers: 3, Successes: 3, Strict: 2, Degraded: 2, PSucc: 1, PSuccStrict: Number(2.0 / 3)}
	all := TaskFigures{
		Triggers: 13, Successes: 6, Strict: 4, Degraded: 3, Pending: 1,
		Failed: CauseCounts{1, 1, 1, 1, 1, 1}, PSucc: 0.5, PSuccStrict: Number(4.0 / 12),
	}
	if got, want := c.ByClass(), []ClassTasks{{"agc", agc}, {"pmu", pmu}}; !reflect.DeepEqual(got, want) {
		t.Errorf("by class\n%+v, want\n%+v", got, want)
	}
	if got := c.Total(); got != all {
		t.Errorf("total\n%+v, want\n%+v", got, all)
	}
}

func TestNoTaskLeavesSuccessUndefined(t *testing.T) {
	var c TaskCounter
	c.Trigger("agc")
	if got := c.Total(); got.PSucc.Defined() || got.PSuccStrict.Defined() || got.Pending != 1 {
		t.Errorf("%+v", got)
	}
}

func drawTask(t *rapid.T) Task {
	mode := rapid.Map(rapid.IntRange(1, 3), func(i int) Mode { return Mode(i) })
	return Task{
		Class: rapid.SampledFrom([]string{"agc", "pmu", "shed"}).Draw(t, "class"),
		Cause: Cause(rapid.IntRange(0, int(causes)-1).Draw(t, "cause")),
		Mode:  mode.Draw(t, "mode"), Wished: mode.Draw(t, "wished"), Static: mode.Draw(t, "static"),
	}
}

func TestMergedTaskCountersEqualOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var one, a, b TaskCounter
		for range rapid.IntRange(0, 60).Draw(rt, "tasks") {
			task := drawTask(rt)
			part := &a
			if rapid.Bool().Draw(rt, "second") {
				part = &b
			}
			for _, c := range []*TaskCounter{&one, part} {
				c.Trigger(task.Class)
				c.Decide(task)
			}
		}
		a.Merge(&b)
		if !reflect.DeepEqual(a.classes, one.classes) {
			rt.Fatalf("merged %+v, one %+v", a.ByClass(), one.ByClass())
		}
		for _, c := range one.ByClass() {
			if c.Triggers != c.Successes+c.Failed.Total()+c.Pending || c.Strict > c.Successes || c.Degraded > c.Successes {
				rt.Fatalf("%+v", c)
			}
		}
	})
}

func TestNamesOfModesAndCausesAreParsed(t *testing.T) {
	for c := None; c < causes; c++ {
		if got, err := ParseCause(c.String()); err != nil || got != c {
			t.Errorf("cause %q parsed as %v, %v", c, got, err)
		}
	}
	if _, err := ParseCause("no key"); err == nil || err.Error() != `metrics: unknown cause "no key"` {
		t.Error(err)
	}
	aes, _ := ParseMode("aes")
	wc, _ := ParseMode("aes-wc")
	otp, _ := ParseMode("otp")
	if !(aes < wc && wc < otp) {
		t.Errorf("strengths %d, %d, %d do not rise", aes, wc, otp)
	}
	if _, err := ParseMode("des"); err == nil || err.Error() != `metrics: mode "des" is none of aes, aes-wc, otp` {
		t.Error(err)
	}
}

func BenchmarkTaskCounter(b *testing.B) {
	var c TaskCounter
	b.ReportAllocs()
	for b.Loop() {
		c.Trigger("pmu")
		c.Decide(Task{"pmu", None, AESWC, OTP, AESWC})
	}
}
