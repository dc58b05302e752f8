package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cosim/federates"
	"cosim/scada"
	cosync "cosim/sync"
)

// switcher is an observer that switches all chains off for a second.
type switcher struct{ scada *federates.Scada }

func (s *switcher) start(_ *cosync.Master, feds []cosync.Federate) {
	for _, f := range feds {
		if x, ok := f.(*federates.Scada); ok {
			s.scada = x
		}
	}
}
func (s *switcher) Begin(*cosync.Frame) error { return nil }
func (s *switcher) End(error) error           { return nil }
func (s *switcher) Observe(f *cosync.Frame) error {
	const from, to = 1500 * cosync.Millisecond, 2500 * cosync.Millisecond
	if f.To != from && f.To != to {
		return nil
	}
	var errs []error
	for i, o := range s.scada.Options() {
		o.Off = f.To == from
		errs = append(errs, s.scada.SetOption(f.To, i, o))
	}
	return errors.Join(errs...)
}

func fibreBreak(link string) []Scheduled {
	return []Scheduled{{At: 2 * time.Second, Kind: kindLinkBreak, Link: link, Duration: 2 * time.Second}}
}

func TestEveryFailureSaysWhyItHappened(t *testing.T) {
	off := &switcher{}
	for _, c := range []struct {
		name, class string
		cause       scada.Cause
		set         []string
		breaks      []Scheduled
		options     RunOptions
		why         string
	}{
		{
			name: "link", class: "pmu", cause: scada.LinkDown, breaks: fibreBreak("CC-GW1"),
			why: `^link CC-GW1 was down from 2.00 s: frame \d+ was lost there at 2.0\d s; the plan never changes in this run$`,
		},
		{
			name: "rerouted", class: "pmu", cause: scada.LinkDown, breaks: fibreBreak("CC-GW1"),
			set: []string{"reconfiguration.solver=misocp", "reconfiguration.reroute=true"},
			why: `^link CC-GW1 was down from 2.00 s: .*; the plan led around it at 2.\d\d s; GW1 had the order at 2.\d\d s$`,
		},
		{
			name: "noise", class: "pmu", cause: scada.LinkDown, set: []string{"link_classes.trunk.loss=0.2"},
			why: `^frame \d+ was lost on link CC-GW\d at \d.\d\d s: noise on the link$`,
		},
		{
			name: "removed", class: "agc", cause: scada.LinkDown, set: []string{"attacks=[{kind: drop, link: CC-GW2, probability: 1}]"},
			why: `^frame \d+ was lost on link CC-GW2 at \d.\d\d s: an adversary removed it; none of \d attempts came through by \d.\d\d s$`,
		},
		{
			name: "key", class: "pmu", cause: scada.NoKey, set: []string{"keys.pool.initial_bits=20000", "keys.pool.enforce_safe=true"},
			why: `^pool CC-GW\d could give 0 bit at \d.\d\d s; the measurement in aes-wc needs \d+ \(34,400 bit are kept for the highest priority\)$`,
		},
		{
			name: "store", class: "pmu", cause: scada.NoKey, set: []string{"keys.supply=store", "keys.store.share=0.01", "keys.store.period=30s"},
			why: `^store CC-GW\d \(refilled every 30s\) could give \d+ bit at \d.\d\d s; the measurement in aes-wc needs \d+$`,
		},
		{
			name: "late", class: "pmu", cause: scada.Late, set: []string{"attacks=[{kind: delay, link: CC-GW3, probability: 1, delay_s: 0.2}]"},
			why: `^it took 2\d\d.\d ms, 100.0 ms were allowed; the longest part, 200.\d ms, with an adversary behind GW3>CC$`,
		},
		{
			name: "queue", class: "pmu", cause: scada.QueueDrop,
			set: []string{"link_classes.trunk.queue={discipline: fifo, limit_packets: 1}", "link_classes.trunk.background=[{class: 7, rate_bps: 9500000, packet_bits: 5600}]"},
			why: `^the queue of GW\d at link CC-GW\d was full at \d.\d\d s: frame \d+ was dropped$`,
		},
		{
			name: "tampered", class: "agc", cause: scada.TagRejected, set: []string{"attacks=[{kind: tamper, link: CC-GW1, from: CC, probability: 1}]"},
			why: `^GW1 refused frame \d+ at \d.\d\d s \(.+\): an adversary had tampered with it on the way; none of`,
		},
		{
			name: "forged", class: "agc", cause: scada.TagRejected, set: []string{"attacks=[{kind: tamper, link: RTU30-IED-gen-30, from: RTU30, probability: 1}]"},
			why: `^IED-gen-30 refused frame \d+ at \d.\d\d s \(.+\): an adversary had tampered with it on the way; none of`,
		},
		{
			name: "off", class: "agc", cause: scada.Deactivated, options: RunOptions{OnStart: off.start, Observers: []cosync.Observer{off}},
			why: `^the plan had switched the chain off since 1.50 s; it was on again at 2.50 s$`,
		},
		{
			name: "off at the gateway", class: "pmu", cause: scada.Deactivated, options: RunOptions{OnStart: off.start, Observers: []cosync.Observer{off}},
			why: `^the plan had switched the chain off since 1.5[1-9] s; it was on again at 2.5[1-9] s$`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := brief(t, c.set...)
			d.Disturb.Scheduled = c.breaks
			c.options.Out = t.TempDir()
			res, err := Run(context.Background(), d, c.options)
			if err != nil {
				t.Fatal(err)
			}
			before := filesOfRun(t, res.Dir)
			failed, err := Failed(res.Dir, c.class)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(failed.Tasks, func(f FailedTask) bool { return f.Cause == string(c.cause) })
			if i < 0 {
				t.Fatalf("no task of %s fails with %s: %v", c.class, c.cause, failed.Causes)
			}
			x := traced(t, res.Dir, failed.Tasks[i].Name)
			if x.Outcome != "failure" || x.Cause != string(c.cause) || x.Chain != failed.Tasks[i].Chain || x.Mode != failed.Tasks[i].Mode {
				t.Errorf("%s %s of %s in %s, the record has %+v", x.Outcome, x.Cause, x.Chain, x.Mode, failed.Tasks[i])
			}
			if !regexp.MustCompile(c.why).MatchString(x.Why) {
				t.Errorf("%s: %s\nexpected %s", failed.Tasks[i].Name, x.Why, c.why)
			}
			if !slices.ContainsFunc(x.Steps, func(s TraceStep) bool { return s.Text == "failed: "+x.Cause }) {
				t.Errorf("no outcome in %v", x.Steps)
			}
			sameFiles(t, "after the trace", filesOfRun(t, res.Dir), before)
		})
	}
}

// traced explains the task with a name such as agc-30@2s.
func traced(t *testing.T, dir, name string) *TaskTrace {
	t.Helper()
	chain, when, _ := strings.Cut(name, "@")
	at, err := time.ParseDuration(when)
	if err != nil {
		t.Fatal(err)
	}
	x, err := TraceTask(context.Background(), dir, TraceQuery{Element: chain, AtNS: at.Nanoseconds()})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A command from its trigger to the grid's input and back.
func TestSuccessIsTracedFromTriggerToGrid(t *testing.T) {
	res, err := Run(context.Background(), brief(t), RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	x := traced(t, res.Dir, "agc-37@4s")
	if x.Outcome != "success" || x.TriggerS != 4 || x.Why != "" || x.Attempts != 1 || x.Trigger != scada.ByPeriod {
		t.Fatalf("%+v", x)
	}
	var told []string
	last := 0.0
	for _, s := range x.Steps {
		told = append(told, fmt.Sprintf("%s %s", s.What, s.Where))
		if s.AtS < last {
			t.Errorf("%v s after %v s", s.AtS, last)
		}
		last = s.AtS
	}
	want := []string{
		"trigger CC", "key CC", "frame CC", "queue CC>GW4", "opened GW4", "frame GW4", "queue GW4>RTU37", "queue RTU37>IED-gen-37",
		"judged IED-gen-37", "outcome task", "frame IED-gen-37", "obeyed grid", "queue IED-gen-37>RTU37", "queue RTU37>GW4", "opened GW4",
		"key GW4", "frame GW4", "queue GW4>CC", "opened CC",
	}
	if !slices.Equal(told, want) {
		t.Errorf("%s\nexpected\n%s", strings.Join(told, ", "), strings.Join(want, ", "))
	}
	obeyed := x.Steps[slices.Index(told, "obeyed grid")]
	if steps := obeyed.AtS * 100; math.Abs(steps-math.Round(steps)) > 1e-6 || obeyed.AtS < float64(x.DecidedS) || !strings.Contains(obeyed.Text, "MW at gen/37 (bus 37)") {
		t.Errorf("%v s: %s", obeyed.AtS, obeyed.Text)
	}
	byNumber, err := TraceTask(context.Background(), res.Dir, TraceQuery{Task: x.Task})
	if err != nil {
		t.Fatal(err)
	}
	if byNumber.Chain != x.Chain || byNumber.TriggerS != x.TriggerS || !slices.Equal(byNumber.Steps, x.Steps) {
		t.Errorf("task %d is %s at %v s", x.Task, byNumber.Chain, byNumber.TriggerS)
	}
	pmu := traced(t, res.Dir, "pmu/16@3.02s")
	if pmu.TriggerS != 3 || pmu.Steps[len(pmu.Steps)-1].What != "heard" {
		t.Errorf("triggered at %v s, last %+v", pmu.TriggerS, pmu.Steps[len(pmu.Steps)-1])
	}
}

func TestWrongTraceQueriesAreExplained(t *testing.T) {
	res, err := Run(context.Background(), brief(t, "duration=2s"), RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		q    TraceQuery
		want string
	}{
		{TraceQuery{Task: 1 << 40}, `^experiment: no task 1099511627776; the run has \d+$`},
		{TraceQuery{Element: "shed-15"}, `^experiment: chain shed-15 has no task in this run$`},
		{TraceQuery{Element: "shed-155"}, `^no chain or element "shed-155"; did you mean shed-15\?$`},
		{TraceQuery{Element: "gen/30"}, `^gen/30 has several chains; say which: agc-30, avr-30$`},
	} {
		if _, err := TraceTask(context.Background(), res.Dir, c.q); err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
			t.Errorf("%+v: %v, expected %s", c.q, err, c.want)
		}
	}
	if _, err := Failed(res.Dir, "pnu"); err == nil || !strings.Contains(err.Error(), `no task of class "pnu" in this run, expected agc, `) {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(res.Dir, "run.log")); err != nil {
		t.Fatal(err)
	}
	var none NoRunError
	if _, err := TraceTask(context.Background(), res.Dir, TraceQuery{Task: 1}); !errors.As(err, &none) {
		t.Error(err)
	}
}
