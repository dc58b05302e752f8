package federates

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cosim/internal/rng"
	"cosim/network"
	"cosim/quantum"
	"cosim/scada"
	cosync "cosim/sync"
)

// smallScada is one gateway with a PMU and a generator at bus 30 and a block at
// bus 16. Only what a test triggers crosses the network: the PMU is silent and
// set points wait, for a minute.
func smallScada() scada.Config {
	classes := scada.DefaultClasses()
	pmu, agc, avr := classes[scada.TaskPMU], classes[scada.TaskAGC], classes[scada.TaskAVR]
	avr.Trigger, avr.Period = scada.Periodic, time.Minute
	pmu.Phase, agc.Phase, avr.Phase = time.Minute, time.Minute, time.Minute
	classes[scada.TaskPMU], classes[scada.TaskAGC], classes[scada.TaskAVR] = pmu, agc, avr
	chain := func(id, task, element, ied, rtu string) scada.Chain {
		return scada.Chain{ID: id, Task: task, Element: element, Routes: [][]string{{"CC", "GW1", rtu, ied}}}
	}
	return scada.Config{
		Nodes: []scada.Node{
			{Name: "CC", Kind: scada.ControlCentre},
			{Name: "GW1", Kind: scada.Gateway},
			{Name: "RTU30", Kind: scada.RTU},
			{Name: "RTU16", Kind: scada.RTU},
			{Name: "IED-pmu-30", Kind: scada.Device},
			{Name: "IED-gen-30", Kind: scada.Device},
			{Name: "IED-block-16", Kind: scada.Device},
			{Name: "IED-branch-16-17", Kind: scada.Device},
		},
		Links: []scada.Link{
			{Name: "CC-GW1", A: "CC", B: "GW1", Quantum: true},
			{Name: "GW1-RTU30", A: "GW1", B: "RTU30"},
			{Name: "GW1-RTU16", A: "GW1", B: "RTU16"},
			{Name: "RTU30-IED-pmu-30", A: "RTU30", B: "IED-pmu-30"},
			{Name: "RTU30-IED-gen-30", A: "RTU30", B: "IED-gen-30"},
			{Name: "RTU16-IED-block-16", A: "RTU16", B: "IED-block-16"},
			{Name: "RTU16-IED-branch-16-17", A: "RTU16", B: "IED-branch-16-17"},
		},
		PMUs:       []scada.PMU{{ID: "pmu/30", Bus: 30, IED: "IED-pmu-30"}},
		Generators: []scada.Generator{{ID: "gen/30", Bus: 30, IED: "IED-gen-30", InertiaS: 42}},
		Blocks:     []scada.Block{{ID: "block/16", Bus: 16, IED: "IED-block-16", Area: "area", CapacityMW: 200}},
		Classes:    classes,
		Chains: []scada.Chain{
			{ID: "pmu-30", Task: scada.TaskPMU, Element: "pmu/30", Routes: [][]string{{"IED-pmu-30", "RTU30", "GW1", "CC"}}},
			chain("agc-30", scada.TaskAGC, "gen/30", "IED-gen-30", "RTU30"),
			chain("avr-30", scada.TaskAVR, "gen/30", "IED-gen-30", "RTU30"),
			chain("breaker-16-17", scada.TaskBreaker, "branch/16-17", "IED-branch-16-17", "RTU16"),
			chain("shed-16", scada.TaskShed, "block/16", "IED-block-16", "RTU16"),
		},
	}
}

func plentyOfKey() quantum.PoolConfig {
	return quantum.PoolConfig{SafeBits: 1000, ThresholdBits: 2000, CapBits: 200_000, InitialBits: 100_000, TTLS: 600, LocalBufferBits: 8192, FetchLatency: 5 * time.Millisecond}
}

func newSupply(t interface{ Fatal(...any) }, cfg quantum.PoolConfig) *KeySupply {
	pool, err := quantum.NewPool(cfg, rng.Source(7, "pool/CC-GW1"))
	if err != nil {
		t.Fatal(err)
	}
	return &KeySupply{Link: "CC-GW1", A: "CC", Pool: pool}
}

func newScada(t testing.TB, cfg scada.Config, k *KeySupply) (*Scada, *bench) {
	t.Helper()
	s, err := NewScada(cfg, []*KeySupply{k}, testStream, 10*ms)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, s)
	b.in("frequency").Values[0], b.in("voltage").Values[0] = 60, 1
	return s, b
}

// relay lets the frames of the last step arrive a millisecond after they were
// sent, and returns those that reach an IED.
func relay(b *bench) (atIEDs []cosync.Message) {
	in := b.in("deliveries")
	for _, m := range b.out("frames").Messages {
		m.To = m.To[strings.LastIndex(m.To, ">")+1:]
		m.At += ms
		if strings.HasPrefix(m.To, "IED") {
			atIEDs = append(atIEDs, m)
		} else {
			in.Messages = append(in.Messages, m)
		}
	}
	return atIEDs
}

// shedFrames are calls of the block, one a value in MW.
func shedFrames(t testing.TB, values ...float64) []cosync.Message {
	t.Helper()
	return demanded(t, "shed-16", values...)
}

// demanded asks for tasks of a chain, one a value, and returns the frames that
// arrive at its IED.
func demanded(t testing.TB, chain string, values ...float64) []cosync.Message {
	t.Helper()
	s, b := newScada(t, smallScada(), newSupply(t, plentyOfKey()))
	var frames []cosync.Message
	for _, v := range values {
		if err := s.system.Trigger(chain, v); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			b.advance()
			frames = append(frames, relay(b)...)
		}
	}
	if len(frames) != len(values) {
		t.Fatalf("%d frames for %d tasks", len(frames), len(values))
	}
	return frames
}

// setPointFrame returns the first frame of a task, agc or avr, that arrives at
// the generator's IED while frequency and voltage are low.
func setPointFrame(t testing.TB, task string) cosync.Message {
	t.Helper()
	cfg := smallScada()
	for name, c := range cfg.Classes {
		switch name {
		case scada.TaskPMU:
			c.Phase = 0
			cfg.Classes[name] = c
		case task:
			c.Phase = 2 * time.Second
			cfg.Classes[name] = c
		}
	}
	cfg.Generators[0].VoltagePU = 1.05
	_, b := newScada(t, cfg, newSupply(t, plentyOfKey()))
	b.in("frequency").Values[0] = 59.9
	for b.step.To < 3*cosync.Second {
		b.advance()
		for _, m := range relay(b) {
			if m.To == "IED-gen-30" {
				return m
			}
		}
	}
	t.Fatalf("no frame of %s", task)
	return cosync.Message{}
}

func TestScadaStatesItsPorts(t *testing.T) {
	s, err := NewScada(smallScada(), []*KeySupply{newSupply(t, plentyOfKey())}, testStream, 10*ms)
	if err != nil {
		t.Fatal(err)
	}
	checkPorts(t, s, `
scada 10ms
in frequency vector Hz pmu/30
in voltage vector pu pmu/30
in deliveries messages
in drops messages
in applied messages
in fibre events optional
in blocks events optional
in key vector bit optional link/CC-GW1
in up vector s optional link/CC-GW1
in state vector 1 optional link/CC-GW1
out frames messages
out tasks events
out key_events events
out pool vector bit pool/CC-GW1
out store vector bit pool/CC-GW1
out generated vector bit pool/CC-GW1
out consumed vector bit pool/CC-GW1
out discarded vector bit pool/CC-GW1
out expired vector bit pool/CC-GW1
out initial vector bit pool/CC-GW1
out controller vector frequency_hz heard_pmus ace_mw agc_mw imbalance_mw called_mw
out ledger vector 1 triggered succeeded failed open
out refused messages
out decision vector 1 objective bound gap evaluations nodes slack_bits commands load_mw interrupted
out plan events
`)
}

// A command goes to the gateway under pool key, from there to the IED, and its
// task ends at the time at which the IED obeyed.
func TestTaskEndsWhenItsCommandIsObeyed(t *testing.T) {
	s, b := newScada(t, smallScada(), newSupply(t, plentyOfKey()))
	if err := s.system.Trigger("shed-16", 50); err != nil {
		t.Fatal(err)
	}
	b.advance()
	hop := b.out("frames").Messages
	if len(hop) != 1 || hop[0].To != "CC>GW1" || hop[0].From != "CC" || hop[0].Class != scada.TaskShed {
		t.Fatalf("frames %+v, want one to the gateway", hop)
	}
	relay(b)
	b.advance()
	last := b.out("frames").Messages
	if len(last) != 1 || last[0].To != "GW1>RTU16>IED-block-16" {
		t.Fatalf("frames %+v, want one to the IED", last)
	}
	b.in("applied").Messages = []cosync.Message{{At: 17 * ms, ID: last[0].ID, From: "IED-block-16", Payload: []byte{byte(scada.Valid)}}}
	b.advance()
	tasks := b.out("tasks").Events
	if len(tasks) != 1 {
		t.Fatalf("%d tasks ended", len(tasks))
	}
	// The time of the end, 17 ms, lies before the step in which it was learnt.
	want := Task{At: 20 * ms, Chain: "shed-16", Class: scada.TaskShed, Mode: "otp", LatencyS: 0.017}
	if got := ParseTask(tasks[0]); got != want {
		t.Errorf("task %+v, want %+v", got, want)
	}
	if v := b.out("ledger").Values; v[0] != 1 || v[1] != 1 {
		t.Errorf("ledger %v, want one task that succeeded", v)
	}
}

// A sender that waits for key hands its frame over in the step in which it is
// ready, not before.
func TestFramesThatWaitForKeyLeaveLater(t *testing.T) {
	cfg := plentyOfKey()
	cfg.LocalBufferBits, cfg.FetchLatency = 0, 25*time.Millisecond
	s, b := newScada(t, smallScada(), newSupply(t, cfg))
	if err := s.system.Trigger("shed-16", 50); err != nil {
		t.Fatal(err)
	}
	var sent []cosync.Message
	var in []cosync.Time
	for range 12 {
		b.advance()
		for _, m := range b.out("frames").Messages {
			sent, in = append(sent, m), append(in, b.step.From)
		}
	}
	if len(sent) == 0 {
		t.Fatal("no frame left")
	}
	// The hash key and the pad are fetched one after the other.
	if at := sent[0].At; at < 25*ms || at > 51*ms || in[0] != at-at%(10*ms) {
		t.Errorf("the first frame left at %v in the step from %v", at, in[0])
	}
}

func TestEveryDropOfTheNetworkHasItsReason(t *testing.T) {
	// A deadline cannot pass in the network: frames carry none.
	for r := network.Overflow; r <= network.Intercepted; r++ {
		if dropReasons[r.String()] == "" && r != network.Late {
			t.Errorf("%v has no reason in SCADA's words", r)
		}
	}
	s, b := newScada(t, smallScada(), newSupply(t, plentyOfKey()))
	for r, want := range map[network.Reason]scada.Cause{
		network.Overflow: scada.QueueDrop, network.LinkDown: scada.LinkDown, network.Lost: scada.LinkDown,
		network.TTLExceeded: scada.QueueDrop, network.NoRoute: scada.LinkDown, network.Intercepted: scada.LinkDown,
	} {
		if err := s.system.Trigger("shed-16", 50); err != nil {
			t.Fatal(err)
		}
		var cause string
		for range 35 { // until the deadline of 300 ms
			b.advance()
			for _, m := range b.out("frames").Messages {
				b.in("drops").Messages = append(b.in("drops").Messages, cosync.Message{At: b.step.To, ID: m.ID, Class: r.String()})
			}
			for _, e := range b.out("tasks").Events {
				cause = ParseTask(e).Cause
			}
		}
		if cause != string(want) {
			t.Errorf("a task whose frames were dropped by %v failed with %q, want %q", r, cause, want)
		}
	}
}

func TestBlocksFillTheirPool(t *testing.T) {
	_, b := newScada(t, smallScada(), newSupply(t, plentyOfKey()))
	b.in("blocks").Events = []cosync.Event{
		{At: 0, Type: EventBlock, Element: "CC-GW1", Value: 4096},
		{At: 0, Type: EventBlock, Element: "X-Y", Value: 4096},     // not one of ours
		{At: 0, Type: EventLinkDown, Element: "CC-GW1", Value: 99}, // no block
	}
	b.advance()
	if level, generated := b.out("pool").Values[0], b.out("generated").Values[0]; level != 104_096 || generated != 4096 {
		t.Errorf("pool %v, generated %v bits; want 104096 and 4096", level, generated)
	}
}

func TestPoolTellsItsThresholds(t *testing.T) {
	cfg := plentyOfKey()
	cfg.InitialBits = 2200
	s, b := newScada(t, smallScada(), newSupply(t, cfg))
	var types []string
	for i := range 8 {
		if i%2 == 0 {
			if err := s.system.Trigger("shed-16", 50); err != nil {
				t.Fatal(err)
			}
		}
		b.advance()
		for _, e := range b.out("key_events").Events {
			types = append(types, e.Type)
			if e.Element != "CC-GW1" || e.Value != b.out("pool").Values[0] {
				t.Errorf("event %+v with %v bits in the pool", e, b.out("pool").Values[0])
			}
		}
	}
	if fmt.Sprint(types) != "[pool-warn pool-protect]" {
		t.Errorf("events %v while the pool ran empty", types)
	}
}

// What is known of a link is what the federate was told, no earlier than the
// detection time after the fact.
func TestLinksAreKnownDownAfterDetection(t *testing.T) {
	s, b := newScada(t, smallScada(), newSupply(t, plentyOfKey()))
	b.in("fibre").Events = []cosync.Event{{At: 0, Type: EventLinkDown, Element: "CC-GW1"}}
	for b.step.To < 100*ms {
		b.advance()
		if s.system.KnownDown("CC-GW1") {
			t.Fatalf("known at %v", b.step.From)
		}
	}
	b.advance()
	if !s.system.KnownDown("CC-GW1") {
		t.Error("not known 100 ms after the break")
	}
	b.in("fibre").Events = []cosync.Event{{At: 105 * ms, Type: EventLinkUp, Element: "CC-GW1"}}
	b.until(220 * ms)
	if s.system.KnownDown("CC-GW1") {
		t.Error("still down 100 ms after the repair")
	}
}

func TestTasksReadBackAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &scada.TaskEvent{
			Class:   rapid.SampledFrom([]string{"pmu", "agc", "interrogation"}).Draw(t, "class"),
			Mode:    rapid.SampledFrom([]scada.Mode{scada.OTP, scada.AESWC, scada.AES}).Draw(t, "mode"),
			Outcome: rapid.SampledFrom([]scada.Outcome{scada.Success, scada.Failure}).Draw(t, "outcome"),
			Cause: rapid.SampledFrom([]scada.Cause{
				scada.NoKey, scada.LinkDown, scada.Late, scada.QueueDrop,
				scada.TagRejected, scada.Deactivated,
			}).Draw(t, "cause"),
		}
		got := ParseTask(cosync.Event{At: 3, Type: "task", Element: "x-1", Value: 0.25, Detail: taskDetail(e)})
		want := Task{At: 3, Chain: "x-1", Class: e.Class, Mode: e.Mode.String(), LatencyS: 0.25}
		if e.Outcome == scada.Failure {
			want.Cause = string(e.Cause)
		}
		if got != want {
			t.Fatalf("%+v read back as %+v", want, got)
		}
	})
}

// Whatever happened before, Available is exactly what Draw gives: the pool's
// key of that very moment, less the reserve, within the store's allowance. The
// far end then reads the same bytes, until it releases them.
func TestAvailableKeyCanBeDrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := quantum.PoolConfig{SafeBits: 2048, ThresholdBits: 4096, CapBits: 32768, InitialBits: 8192, TTLS: 2, LocalBufferBits: 1024, FetchLatency: time.Millisecond}
		cfg.EnforceSafe = rapid.Bool().Draw(t, "enforce")
		k := newSupply(t, cfg)
		if rapid.Bool().Draw(t, "store") {
			var err error
			if k.Store, err = quantum.NewStore(quantum.StoreConfig{SizeBits: 4096, PeriodNS: int64(cosync.Second)}, k.Pool); err != nil {
				t.Fatal(err)
			}
		}
		pool := supplyFor{k}
		now := int64(0)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now += rapid.Int64Range(0, int64(cosync.Second)).Draw(t, "later")
			if rapid.Bool().Draw(t, "deposit") {
				bits := 8 * rapid.Int64Range(0, 1024).Draw(t, "octets")
				if k.Store != nil {
					k.Store.Advance(now)
				}
				if err := k.Pool.Deposit(now, bits); err != nil {
					t.Fatal(err)
				}
			}
			now += rapid.Int64Range(0, int64(cosync.Second)).Draw(t, "later")
			r := scada.DrawRequest{AtNS: now, By: rapid.SampledFrom([]string{"CC", "GW1"}).Draw(t, "by"), Highest: rapid.Bool().Draw(t, "highest")}
			bits := 8 * rapid.IntRange(1, 1024).Draw(t, "need")
			available := pool.Available(r)
			key, _, err := pool.Draw(r, bits)
			if (err == nil) != (int64(bits) <= available) || err != nil && !errors.Is(err, scada.ErrNoKey) {
				t.Fatalf("at %v: %d bits of %d available: %v", time.Duration(now), bits, available, err)
			}
			if err != nil {
				continue
			}
			if len(key.Bytes) != bits/8 {
				t.Fatalf("%d octets for %d bits", len(key.Bytes), bits)
			}
			far, err := pool.Key(key.Offset, bits)
			if err != nil || string(far) != string(key.Bytes) {
				t.Fatalf("the far end reads other key: %v", err)
			}
			pool.Release(key.Offset, bits)
			if _, err := pool.Key(key.Offset, bits); err == nil {
				t.Fatal("released key was read again")
			}
			pool.Release(key.Offset, bits) // no error, no effect
		}
		a := k.Pool.Account()
		if a.InitialBits+a.GeneratedBits != a.InPoolBits+a.ConsumedBits+a.DiscardedBits+a.ExpiredBits {
			t.Fatalf("books do not close: %+v", a)
		}
	})
}
