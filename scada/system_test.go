package scada

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"cosim/scada/iec104"

	"github.com/google/go-cmp/cmp"
)

// only keeps the chains with these ids.
func only(cfg Config, ids ...string) Config {
	var kept []Chain
	for _, id := range ids {
		for _, c := range cfg.Chains {
			if c.ID == id {
				kept = append(kept, c)
			}
		}
	}
	cfg.Chains = kept
	return cfg
}

func TestQuietRunSucceedsInEveryTask(t *testing.T) {
	w := newWorld(t, testConfig(), plenty)
	w.runFor(61 * time.Second)
	c := w.sys.Counts()
	if c.Failed != 0 || c.Open > 12 || len(w.refused) != 0 {
		t.Errorf("%+v, %d refused", c, len(w.refused))
	}
	// 610 instants of 12 PMUs, 31 AGC cycles of 10 generators, 2 rounds of 4
	// interrogations (at 5, 12.5 ... s).
	for class, want := range map[string]int{TaskPMU: 7320, TaskAGC: 310, TaskShed: 0, TaskInterrogation: 8} {
		if n := len(w.of(class)); n != want {
			t.Errorf("%s: %d tasks, want %d", class, n, want)
		}
	}
	// Poisson, 10 chains at 0.2 /s for 61 s: 122 on average, within 5 sigma.
	if n := len(w.of(TaskAVR)); n < 67 || n > 177 {
		t.Errorf("avr: %d tasks, want 122 on average", n)
	}
	for _, e := range w.of(TaskPMU) {
		// One wait for the gateway's step, two legs of 1 ms and the ciphers.
		if e.LatencyNS < 11*ms || e.LatencyNS > 12*ms || !e.Degraded || !e.Strict || e.Mode != AESWC {
			t.Fatalf("%+v", e)
		}
	}
}

// The lengths on the wire decide the cost in key: set point 20 octets, shed 27,
// measurement of two values 42.
func TestKeyCostOfATask(t *testing.T) {
	for _, c := range []struct {
		chain string
		mode  Mode
		route int
		bits  int
	}{
		{"pmu-30", OTP, 0, 42*8 + 128},
		{"pmu-30", OTP, 1, 2 * (42*8 + 128)},
		{"pmu-30", AESWC, 0, 128},
		{"pmu-30", AES, 0, 0},
		{"agc-30", OTP, 0, 20*8 + 128},
		{"agc-30", OTP, 1, 2 * (20*8 + 128)},
		{"shed-8", OTP, 0, 27*8 + 128},
		{"shed-8", AESWC, 1, 2 * 128},
	} {
		t.Run(fmt.Sprintf("%s/%v/route%d", c.chain, c.mode, c.route), func(t *testing.T) {
			w := newWorld(t, only(testConfig(), c.chain), plenty)
			if err := w.sys.SetPlan([]Option{{Route: c.route, Mode: c.mode}}); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if strings.HasPrefix(c.chain, TaskShed) {
					if err := w.sys.Trigger(c.chain, 50); err != nil {
						t.Fatal(err)
					}
				}
				w.runFor(2 * time.Second)
			}
			// The first task pays for the channel and the session keys.
			last := w.tasks[len(w.tasks)-1]
			if last.Outcome != Success || last.KeyBits != c.bits {
				t.Errorf("%v with %d key bits, want %d", last.Outcome, last.KeyBits, c.bits)
			}
			if asked := (c.route + 1) * (128 + 8*w.sys.chains[0].octets); last.KeyAskedBits != asked {
				t.Errorf("asked for %d bits, want %d", last.KeyAskedBits, asked)
			}
		})
	}
}

func TestEveryCauseOfFailure(t *testing.T) {
	for _, c := range []struct {
		cause Cause
		chain string
		level int64
		setup func(w *world)
	}{
		{NoKey, "agc-30", 0, func(*world) {}},
		{NoKey, "pmu-30", 0, func(*world) {}},
		{LinkDown, "agc-30", plenty, func(w *world) { w.breakLink("CC-GW4", true) }},
		{LinkDown, "pmu-30", plenty, func(w *world) { w.breakLink("GW4-RTU30", true) }},
		{Late, "pmu-30", plenty, func(w *world) { w.delayNS = 60 * ms }},
		{Late, "agc-30", plenty, func(w *world) { w.delayNS = 600 * ms }},
		{QueueDrop, "pmu-30", plenty, func(w *world) { w.spoil = func(*Frame) bool { return false } }},
		{QueueDrop, "agc-30", plenty, func(w *world) { w.spoil = func(*Frame) bool { return false } }},
		{TagRejected, "pmu-30", plenty, tamper},
		{TagRejected, "agc-30", plenty, tamper},
		{Deactivated, "pmu-30", plenty, off},
		{Deactivated, "agc-30", plenty, off},
	} {
		t.Run(fmt.Sprintf("%s/%s", c.cause, c.chain), func(t *testing.T) {
			w := newWorld(t, only(testConfig(), c.chain), c.level)
			c.setup(w)
			w.runFor(5 * time.Second)
			if n := len(w.tasks); n == 0 || w.sys.Counts().Succeeded != 0 {
				t.Fatalf("%d tasks decided, %+v", n, w.sys.Counts())
			}
			for _, e := range w.tasks {
				latency := w.sys.chains[0].Latency.Nanoseconds()
				if e.Outcome != Failure || e.Cause != c.cause || e.DecidedNS > e.TriggerNS+latency {
					t.Fatalf("%+v", e)
				}
			}
			if len(w.obeyed) > 0 && c.cause != Late {
				t.Errorf("the IED obeyed %+v", w.obeyed[0])
			}
		})
	}
}

func tamper(w *world) {
	w.spoil = func(f *Frame) bool {
		f.Payload = bytes.Clone(f.Payload)
		f.Payload[len(f.Payload)/2] ^= 0x10
		return true
	}
}

func off(w *world) {
	if err := w.sys.SetPlan([]Option{{Mode: OTP, Off: true}}); err != nil {
		w.t.Fatal(err)
	}
}

// A frame that is turned into another, sent twice or made up never has an
// effect, whichever octet is touched and wherever on its way.
func TestTamperedFramesAreRefusedEverywhere(t *testing.T) {
	w := newWorld(t, only(testConfig(), "pmu-30", "agc-30", "shed-3", "interrogation-4"), plenty)
	n := 0
	w.spoil = func(f *Frame) bool {
		f.Payload = bytes.Clone(f.Payload)
		f.Payload[n%len(f.Payload)] ^= byte(1 << (n % 8))
		n++
		return true
	}
	w.grid.loadMW = 550
	w.runFor(20 * time.Second)
	if n < 200 || w.sys.Counts().Succeeded != 0 || len(w.obeyed) != 0 {
		t.Errorf("%d tampered: %+v, obeyed %v", n, w.sys.Counts(), w.obeyed)
	}
}

func TestReplayedAndInjectedFramesHaveNoEffect(t *testing.T) {
	cfg := only(testConfig(), "pmu-30", "agc-30", "avr-30", "interrogation-4")
	clean, attacked := newWorld(t, cfg, plenty), newWorld(t, cfg, plenty)
	clean.keep, attacked.keep = true, true
	for i := range 2000 {
		clean.step()
		attacked.step()
		// Everything sent 50 ms ago comes again, under its own ID, and once more
		// under a made-up one from the other side.
		if i > 10 {
			for _, f := range attacked.sent {
				if f.AtNS/testStep != int64(i-5) {
					continue
				}
				attacked.handOver(attacked.nowNS-1, f)
				f.ID += 1 << 40
				attacked.handOver(attacked.nowNS-1, f)
				nodes := strings.Split(f.Route, ">")
				f.Route = pathOf(reversed(nodes))
				attacked.handOver(attacked.nowNS-1, f)
			}
		}
	}
	if diff := cmp.Diff(clean.tasks, attacked.tasks); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(clean.obeyed, attacked.obeyed); diff != "" {
		t.Error(diff)
	}
	if clean.frames != attacked.frames {
		t.Errorf("%d frames, attacked %d", clean.frames, attacked.frames)
	}
	if len(attacked.refused) < 1000 || len(clean.obeyed) < 10 {
		t.Errorf("%d refused, %d obeyed", len(attacked.refused), len(clean.obeyed))
	}
}

func TestLostCommandIsSentAgainAtNoCost(t *testing.T) {
	for _, lost := range []string{"CC>GW4", "GW4>RTU30>IED-gen-30", "IED-gen-30>RTU30>GW4", "GW4>CC"} {
		t.Run(lost, func(t *testing.T) {
			w := newWorld(t, only(testConfig(), "agc-30"), plenty)
			w.keep = true
			w.runFor(time.Second) // the first task opens the channels
			before := w.pools["CC-GW4"].taken
			dropped := 0
			w.spoil = func(f *Frame) bool {
				if f.Route == lost && dropped == 0 {
					dropped++
					return false
				}
				return true
			}
			w.runFor(2 * time.Second)
			last := w.tasks[len(w.tasks)-1]
			if last.Outcome != Success || last.Attempts > 2 || dropped != 1 {
				t.Errorf("%+v, %d lost", last, dropped)
			}
			if len(w.obeyed) != 2 {
				t.Errorf("obeyed %d times, want once a task", len(w.obeyed))
			}
			// Command and confirmation, 20 octets each, once.
			if bits := w.pools["CC-GW4"].taken - before; bits != 2*(160+128) {
				t.Errorf("%d key bits", bits)
			}
			var again []Frame
			for _, f := range w.sent {
				if f.AtNS >= 2*second && f.Route == lost {
					again = append(again, f)
				}
			}
			if len(again) != 2 || !bytes.Equal(again[0].Payload, again[1].Payload) {
				t.Errorf("%d frames on %s, want the same one twice", len(again), lost)
			}
		})
	}
}

func TestCommandRecoversWithinItsLatency(t *testing.T) {
	w := newWorld(t, only(testConfig(), "agc-30"), plenty)
	w.breakLink("CC-GW4", true)
	w.runFor(300 * time.Millisecond)
	w.breakLink("CC-GW4", false)
	w.runFor(time.Second)
	if len(w.tasks) != 1 || w.tasks[0].Outcome != Success || w.tasks[0].LatencyNS < 300*ms {
		t.Errorf("%+v", w.tasks)
	}
}

func TestKeyArrivingWithinLatencyIsUsed(t *testing.T) {
	w := newWorld(t, only(testConfig(), "agc-30"), 0)
	w.runFor(150 * time.Millisecond)
	w.pools["CC-GW4"].level = plenty
	w.runFor(time.Second)
	if len(w.tasks) != 1 || w.tasks[0].Outcome != Success || w.tasks[0].Attempts != 3 {
		t.Errorf("%+v", w.tasks)
	}
}

func TestKnownDownLinkCostsNoKey(t *testing.T) {
	w := newWorld(t, testConfig(), plenty)
	w.runFor(time.Second)
	w.breakLink("CC-GW1", true)
	w.runFor(110 * time.Millisecond)
	before := w.pools["CC-GW1"].taken
	w.runFor(4 * time.Second)
	if !w.sys.KnownDown("CC-GW1") || w.pools["CC-GW1"].taken != before {
		t.Errorf("%d key bits on a link known to be down", w.pools["CC-GW1"].taken-before)
	}
}

// A short pool on the second hop must not burn key of the first.
func TestRelayedCommandTakesAllKeyOrNone(t *testing.T) {
	w := newWorld(t, only(testConfig(), "agc-30"), plenty)
	w.pools["GW4-GW1"].level = 100
	if err := w.sys.SetPlan([]Option{{Route: 1, Mode: OTP}}); err != nil {
		t.Fatal(err)
	}
	w.runFor(2 * time.Second)
	if w.tasks[0].Cause != NoKey || w.tasks[0].KeyBits != 0 || w.pools["CC-GW1"].taken != 0 {
		t.Errorf("%+v, %d bits taken", w.tasks[0], w.pools["CC-GW1"].taken)
	}
}

func TestFetchLatencyDelaysTheFrame(t *testing.T) {
	w := newWorld(t, only(testConfig(), "agc-30"), plenty)
	w.pools["CC-GW4"].waitNS = 12 * ms
	w.runFor(2500 * time.Millisecond)
	// The first leg ends after 13 ms, the gateway sends at 20.
	if l := w.tasks[1].LatencyNS; l < 21*ms || l > 22*ms {
		t.Errorf("latency %v", time.Duration(l))
	}
}

func TestSameSeedSameFrames(t *testing.T) {
	run := func() *world {
		w := newWorld(t, testConfig(), 60000)
		w.keep = true
		w.runFor(5 * time.Second)
		w.grid.loadMW = 500
		w.breakLink("CC-GW2", true)
		w.runFor(5 * time.Second)
		return w
	}
	a, b := run(), run()
	if diff := cmp.Diff(a.sent, b.sent); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(a.tasks, b.tasks); diff != "" {
		t.Error(diff)
	}
}

// Triggers come from their own streams: neither key nor links move them.
func TestTriggersDependOnNothingElse(t *testing.T) {
	triggers := func(level int64, broken bool) []string {
		seen := map[string]bool{}
		w := newWorld(t, testConfig(), level)
		w.breakLink("CC-GW2", broken)
		w.runFor(20 * time.Second)
		for i := range w.tasks {
			if e := &w.tasks[i]; e.Class == TaskAVR && e.TriggerNS < 17*second {
				seen[fmt.Sprint(e.ChainID, e.TriggerNS)] = true
			}
		}
		return slices.Sorted(maps.Keys(seen))
	}
	a, b := triggers(plenty, false), triggers(5000, true)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

// Every APDU decodes, I frames count on without gaps at each sender, and the
// centre acknowledges a stream after at most W frames.
func TestSequenceNumbersRunOn(t *testing.T) {
	w := newWorld(t, only(testConfig(), "pmu-30"), plenty)
	received, acks := 0, 0
	next := uint16(0)
	// What the end of each leg deciphers, by its receiver's own records.
	w.spoil = func(f *Frame) bool {
		m := w.sys.sent.find(f.ID).message
		var a iec104.APDU
		if err := a.Decode(m.payload); err != nil {
			t.Fatal(err)
		}
		switch {
		case f.Route == "IED-pmu-30>RTU30>GW4":
			if a.SendSeq != next {
				t.Fatalf("N(S) %d, want %d", a.SendSeq, next)
			}
			next++
			received++
		case f.Route == "GW4>RTU30>IED-pmu-30" && a.Format == iec104.FormatS:
			acks++
			if lag := int(next) - int(a.RecvSeq); lag > 2 {
				t.Fatalf("N(R) %d after %d frames", a.RecvSeq, next)
			}
		}
		return true
	}
	w.runFor(20 * time.Second)
	if received != 200 || acks != 25 {
		t.Errorf("%d frames acknowledged by %d", received, acks)
	}
	if n := w.sys.stations[connection{0, "IED-pmu-30"}].field.Outstanding(); n > iec104.W {
		t.Errorf("%d frames outstanding", n)
	}
}

func TestInterrogationAnswersWithWhatTheGatewaySaw(t *testing.T) {
	w := newWorld(t, only(testConfig(), "pmu-30", "pmu-37", "pmu-38", "interrogation-4"), plenty)
	var types []string
	w.spoil = func(f *Frame) bool {
		m := w.sys.sent.find(f.ID).message
		var a iec104.APDU
		if err := a.Decode(m.payload); err != nil {
			t.Fatal(err)
		}
		if f.Class == TaskInterrogation && a.Format == iec104.FormatI {
			types = append(types, fmt.Sprintf("%s %v/%d x%d", f.Route, a.ASDU.Type, a.ASDU.Cause, len(a.ASDU.Objects)))
		}
		return true
	}
	w.runFor(10 * time.Second)
	want := []string{
		"CC>GW4 C_CS_NA_1/6 x1", "GW4>CC C_CS_NA_1/7 x1",
		"CC>GW4 C_IC_NA_1/6 x1", "GW4>CC C_IC_NA_1/7 x1", "GW4>CC M_ME_NC_1/20 x6", "GW4>CC C_IC_NA_1/10 x1",
	}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Error(diff)
	}
	if e := w.of(TaskInterrogation); len(e) != 1 || e[0].Outcome != Success {
		t.Errorf("%+v", e)
	}
}

func TestBreakerOpensOnDemand(t *testing.T) {
	for _, asdu := range []int{45, 46} {
		cfg := testConfig()
		cfg.Classes = map[string]Class{TaskBreaker: {ASDUType: asdu}}
		cfg.Chains = []Chain{{ID: "breaker-8", Task: TaskBreaker, Element: "load/8", Routes: [][]string{{"CC", "GW1", "RTU8", "IED-block-8"}}}}
		w := newWorld(t, cfg, plenty)
		if err := w.sys.Trigger("breaker-8", 1); err != nil {
			t.Fatal(err)
		}
		w.runFor(2 * time.Second)
		want := Command{Kind: TaskBreaker, Element: "load/8", Value: 1}
		if len(w.obeyed) != 1 || w.obeyed[0].Command != want || w.tasks[0].Outcome != Success {
			t.Errorf("type %d: obeyed %+v, %+v", asdu, w.obeyed, w.tasks)
		}
	}
}

func TestTriggerRefusesWhatItCannotDo(t *testing.T) {
	w := newWorld(t, testConfig(), plenty)
	for _, id := range []string{"agc-30", "nothing"} {
		if err := w.sys.Trigger(id, 1); err == nil {
			t.Errorf("%s: no error", id)
		}
	}
}

// A lost AVR command is repeated after a newer one got through: both tasks
// succeed, and the newer value stands.
func TestOvertakenCommandIsNotObeyed(t *testing.T) {
	cfg := only(testConfig(), "avr-30")
	cfg.Classes = map[string]Class{TaskAVR: {Trigger: Periodic, Period: 250 * time.Millisecond, Direction: Down}}
	w := newWorld(t, cfg, plenty)
	n := 0
	w.spoil = func(f *Frame) bool {
		n++
		return n != 1 && n != 2 // command and first repetition of the first task
	}
	w.runFor(240 * time.Millisecond)
	if len(w.obeyed) != 0 {
		t.Fatalf("obeyed %+v", w.obeyed)
	}
	w.sys.controllers[0].generators[w.sys.chains[0].element].correctionPU = 0.01
	w.runFor(200 * time.Millisecond)
	if len(w.obeyed) != 1 || w.obeyed[0].Value != float64(float32(0.01)) {
		t.Errorf("obeyed %+v", w.obeyed)
	}
	if len(w.tasks) != 2 || w.tasks[0].Outcome != Success || w.tasks[1].Outcome != Success {
		t.Errorf("%+v", w.tasks)
	}
}

func TestIdleConnectionIsAcknowledgedAfterT2(t *testing.T) {
	w := newWorld(t, only(testConfig(), "shed-8"), plenty)
	w.keep = true
	if err := w.sys.Trigger("shed-8", 10); err != nil {
		t.Fatal(err)
	}
	w.runFor(15 * time.Second)
	st := w.sys.stations[connection{0, "IED-block-8"}]
	last := w.sent[len(w.sent)-1]
	if st.field.Outstanding() != 0 || last.Route != "GW1>RTU8>IED-block-8" || last.AtNS < 10*second || last.AtNS > 10*second+100*ms {
		t.Errorf("%d outstanding, last frame on %s at %v", st.field.Outstanding(), last.Route, time.Duration(last.AtNS))
	}
}
