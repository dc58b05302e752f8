package scada

import (
	"testing"
	"time"
)

// What a trace tells of key and outcomes are the tasks' own accounts, and a
// traced run is the same run.
func TestTraceAgreesWithTheLedger(t *testing.T) {
	plain, traced := newWorld(t, testConfig(), plenty), newWorld(t, testConfig(), plenty)
	keyBits, triggered, ended := map[uint64]int64{}, map[uint64]int64{}, map[uint64]*TaskEvent{}
	frames := 0
	traced.sys.Trace(func(x *Trace) {
		switch x.Kind {
		case TraceTrigger:
			triggered[x.Task] = x.AtNS
		case TraceKey:
			if ended[x.Task] == nil {
				keyBits[x.Task] += x.Bits
			}
		case TraceFrame:
			frames++
		case TraceOutcome:
			e := *x.Ended
			ended[x.Task] = &e
		}
	})
	plain.runFor(5 * time.Second)
	traced.runFor(5 * time.Second)
	if plain.sys.Counts() != traced.sys.Counts() {
		t.Errorf("traced %+v, plain %+v", traced.sys.Counts(), plain.sys.Counts())
	}
	c := traced.sys.Counts()
	if len(triggered) != c.Triggered || len(ended) != c.Succeeded+c.Failed || frames == 0 {
		t.Errorf("%d triggers, %d outcomes, %d frames; the ledger has %+v", len(triggered), len(ended), frames, c)
	}
	for id, e := range ended {
		if triggered[id] != e.TriggerNS || keyBits[id] != int64(e.KeyBits) {
			t.Fatalf("task %d of %s: triggered at %d with %d bit of key, the ledger has %d and %d", id, e.ChainID, triggered[id], keyBits[id], e.TriggerNS, e.KeyBits)
		}
	}
}
