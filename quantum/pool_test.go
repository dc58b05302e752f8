package quantum

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"cosim/internal/rng"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func testPoolConfig() PoolConfig {
	return PoolConfig{
		SafeBits: 8000, ThresholdBits: 12000, CapBits: 80000, InitialBits: 12000,
		TTLS: 600, LocalBufferBits: 8192, FetchLatency: 5 * time.Millisecond,
	}
}

func newTestPool(t testing.TB, cfg PoolConfig) *Pool {
	t.Helper()
	p, err := NewPool(cfg, rng.Source(1, "key"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func balanced(a Account) bool {
	return a.InitialBits+a.GeneratedBits == a.InPoolBits+a.ConsumedBits+a.DiscardedBits+a.ExpiredBits &&
		min(a.InPoolBits, a.ConsumedBits, a.DiscardedBits, a.ExpiredBits) >= 0
}

// drawn is a range a test has drawn.
type drawn struct {
	offset   int64 // bits
	key      []byte
	atNS     int64
	released bool
}

// anySequence checks, for any sequence of operations, that the account
// balances, no range is handed out twice, what is handed out is the key
// stream itself, and the far end finds the same key until it is released.
func anySequence(t *rapid.T) {
	cfg := PoolConfig{
		SafeBits:        rapid.Int64Range(0, 4000).Draw(t, "safe"),
		TTLS:            rapid.Float64Range(0.5, 20).Draw(t, "ttl"),
		LocalBufferBits: rapid.Int64Range(0, 9000).Draw(t, "buffer"),
		FetchLatency:    time.Duration(rapid.IntRange(0, 10).Draw(t, "latency")) * time.Millisecond,
		EnforceSafe:     rapid.Bool().Draw(t, "enforce"),
	}
	cfg.ThresholdBits = cfg.SafeBits + rapid.Int64Range(1, 4000).Draw(t, "threshold")
	cfg.CapBits = cfg.ThresholdBits + rapid.Int64Range(1, 80000).Draw(t, "cap")
	cfg.InitialBits = rapid.Int64Range(0, cfg.CapBits).Draw(t, "initial")
	p, err := NewPool(cfg, rng.Source(1, "key"))
	if err != nil {
		t.Fatal(err)
	}
	stream := make([]byte, 1<<20)
	if _, err := io.ReadFull(rng.Source(1, "key"), stream); err != nil {
		t.Fatal(err)
	}
	var (
		now     int64
		ranges  []drawn
		lastEnd int64 // bytes
	)
	find := func(d drawn) (key []byte, err error) {
		key = make([]byte, len(d.key))
		return key, p.Fetch(uint32(d.offset), key)
	}
	t.Repeat(map[string]func(*rapid.T){
		"wait": func(t *rapid.T) {
			now += rapid.Int64Range(0, 3*second).Draw(t, "ns")
			if rapid.Bool().Draw(t, "expire") {
				p.Expire(now)
			}
		},
		"deposit": func(t *rapid.T) {
			if err := p.Deposit(now, rapid.Int64Range(0, 40000).Draw(t, "bits")); err != nil {
				t.Fatal(err)
			}
			if p.LevelBits() > cfg.CapBits {
				t.Fatalf("%d bits in a pool of %d", p.LevelBits(), cfg.CapBits)
			}
		},
		"draw": func(t *rapid.T) {
			end, highest := rapid.IntRange(EndA, EndB).Draw(t, "end"), rapid.Bool().Draw(t, "highest")
			d := drawn{key: make([]byte, rapid.IntRange(0, 1500).Draw(t, "bytes")), atNS: now}
			p.Expire(now)
			before, need := p.Account(), int64(len(d.key))*8
			var (
				wait int64
				err  error
			)
			d.offset, wait, err = p.Draw(now, end, highest, d.key)
			limit := before.InPoolBits
			if cfg.EnforceSafe && !highest {
				limit = max(0, limit-cfg.SafeBits) &^ 7
			}
			if need > limit {
				var short *ShortfallError
				if !errors.As(err, &short) || short.NeedBits != need || short.HaveBits != limit || short.ShortfallBits() <= 0 {
					t.Fatalf("draw of %d bits where %d may be drawn: %v", need, limit, err)
				}
				if p.Account() != before {
					t.Fatal("a refused draw took key")
				}
				return
			}
			if err != nil {
				t.Fatalf("draw of %d bits where %d may be drawn: %v", need, limit, err)
			}
			from := d.offset / 8
			if from < lastEnd || d.offset%8 != 0 {
				t.Fatalf("range at byte %d overlaps what ended at %d", from, lastEnd)
			}
			lastEnd = from + int64(len(d.key))
			if !bytes.Equal(d.key, stream[from:lastEnd]) {
				t.Fatal("the key is not the stream's")
			}
			// Draws at one instant queue up, a fetch each at worst.
			if most := int64(len(ranges)+2) * int64(cfg.FetchLatency); wait < 0 || wait > most {
				t.Fatalf("a wait of %d ns", wait)
			}
			ranges = append(ranges, d)
		},
		"fetch": func(t *rapid.T) {
			if len(ranges) == 0 {
				return
			}
			d := ranges[rapid.IntRange(0, len(ranges)-1).Draw(t, "range")]
			key, err := find(d)
			switch {
			case len(d.key) == 0:
			case err == nil && d.released:
				t.Fatal("released key is still there")
			case err == nil && !bytes.Equal(key, d.key):
				t.Fatal("the two ends hold different key")
			case err != nil && !d.released && now-d.atNS == 0:
				t.Fatalf("key drawn just now cannot be fetched: %v", err)
			}
		},
		"release": func(t *rapid.T) {
			if len(ranges) == 0 {
				return
			}
			d := &ranges[rapid.IntRange(0, len(ranges)-1).Draw(t, "range")]
			if err := p.Release(uint32(d.offset), len(d.key)); err != nil {
				t.Fatal(err)
			}
			d.released = true
		},
		"": func(t *rapid.T) {
			if a := p.Account(); !balanced(a) || a.InPoolBits != p.LevelBits() {
				t.Fatalf("account does not balance: %+v", a)
			}
			if kept := p.ledger.next - p.ledger.tail; kept < 0 || p.ledger.head < p.ledger.next {
				t.Fatalf("ledger out of order: %d ≤ %d ≤ %d", p.ledger.tail, p.ledger.next, p.ledger.head)
			}
		},
	})
}

func TestAccountBalancesAndNoKeyIsHandedOutTwice(t *testing.T) { rapid.Check(t, anySequence) }

func FuzzPool(f *testing.F) { f.Fuzz(rapid.MakeFuzz(anySequence)) }

func TestAllMistakesOfAPoolAreListed(t *testing.T) {
	if err := DefaultPoolConfig(10e3, 30000).Validate(); err != nil {
		t.Fatalf("the default pool is refused: %v", err)
	}
	cfg := PoolConfig{SafeBits: -1, ThresholdBits: -1, CapBits: -5, InitialBits: 7, TTLS: -1, LocalBufferBits: -1, FetchLatency: -1}
	want := []string{"safe_bits", "threshold_bits", "cap_bits", "initial_bits", "ttl_s", "local_buffer_bits", "fetch_latency"}
	if got := fields(t, cfg.Validate()); !slices.Equal(got, want) {
		t.Errorf("mistakes in %q, want %q", got, want)
	}
	cfg = testPoolConfig()
	cfg.ThresholdBits = cfg.SafeBits // [10] asks for more
	if _, err := NewPool(cfg, rng.Source(1, "key")); err == nil {
		t.Error("K_th = K_safe is accepted")
	}
}

func TestSafetyThresholdFormula(t *testing.T) {
	// 36 octets under a one-time pad, 15 spare bits: some 300 bits a message.
	if got := KSafeBits(300, 20, 5); got != 30000 {
		t.Errorf("K_safe = %d bits, want 30000", got)
	}
	if got := KSafeBits(1, 0.5, 1); got != 1 {
		t.Errorf("K_safe of half a bit = %d, want it rounded up", got)
	}
}

func TestThresholdsAreReportedWhenCrossed(t *testing.T) {
	p := newTestPool(t, testPoolConfig())
	draw := func(ms int64, bits int) {
		t.Helper()
		if _, _, err := p.Draw(ms*millisecond, EndA, true, make([]byte, bits/8)); err != nil {
			t.Fatal(err)
		}
	}
	draw(1, 8)    // 11992: below K_th
	draw(2, 8)    // nothing new
	draw(3, 4000) // 7984: below K_safe
	if err := p.Deposit(4*millisecond, 4000); err != nil {
		t.Fatal(err)
	} // 11984: warn again, from below
	if err := p.Deposit(5*millisecond, 16); err != nil {
		t.Fatal(err)
	} // 12000: recovered
	want := []LevelEvent{
		{1 * millisecond, LevelWarn, 11992},
		{3 * millisecond, LevelProtect, 7984},
		{4 * millisecond, LevelWarn, 11984},
		{5 * millisecond, LevelNormal, 12000},
	}
	if d := cmp.Diff(want, p.TakeEvents(nil)); d != "" {
		t.Error(d)
	}
	if again := p.TakeEvents(nil); len(again) != 0 || p.Level() != LevelNormal {
		t.Errorf("%d events are reported twice; level %v", len(again), p.Level())
	}
}

func TestReserveIsKeptForTheHighestClass(t *testing.T) {
	for _, enforce := range []bool{false, true} {
		cfg := testPoolConfig()
		cfg.EnforceSafe = enforce
		p := newTestPool(t, cfg)
		if _, _, err := p.Draw(0, EndA, false, make([]byte, 500)); err != nil {
			t.Fatalf("the key above the reserve is refused: %v", err)
		}
		_, _, err := p.Draw(0, EndA, false, make([]byte, 1))
		var short *ShortfallError
		if enforce && !(errors.As(err, &short) && short.Reserved && short.HaveBits == 0) {
			t.Errorf("a lower class draws on the reserve: %v", err)
		}
		if !enforce && err != nil {
			t.Errorf("not enforced, but refused: %v", err)
		}
		if _, _, err := p.Draw(0, EndA, true, make([]byte, 900)); err != nil {
			t.Errorf("the highest class is refused its reserve: %v", err)
		}
	}
	err := &ShortfallError{NeedBits: 400, HaveBits: 100, Reserved: true}
	if got, want := err.Error(), "quantum: key short by 300 bits (need 400, have 100, the rest is reserved for the highest class)"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

func TestSurplusIsDiscardedOldestFirst(t *testing.T) {
	p := newTestPool(t, testPoolConfig())
	if err := p.Deposit(second, 70000); err != nil {
		t.Fatal(err)
	}
	if a := p.Account(); a.DiscardedBits != 2000 || a.InPoolBits != 80000 {
		t.Errorf("account %+v, want 2000 bits discarded", a)
	}
	offset, _, err := p.Draw(second, EndA, false, make([]byte, 1))
	if err != nil || offset != 2000 {
		t.Errorf("the next draw is at bit %d (%v), want 2000", offset, err)
	}
	if err := p.Fetch(0, make([]byte, 1)); !errors.Is(err, ErrSpent) {
		t.Errorf("discarded key can be fetched: %v", err)
	}
}

func TestKeyExpiresByItsOwnAge(t *testing.T) {
	cfg := testPoolConfig()
	cfg.TTLS = 10
	p := newTestPool(t, cfg)
	key := make([]byte, 100)
	offset, _, err := p.Draw(0, EndA, true, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Deposit(4*second, 4000); err != nil {
		t.Fatal(err)
	}
	p.Expire(10*second - 1)
	if a := p.Account(); a.ExpiredBits != 0 {
		t.Errorf("%d bits expired early", a.ExpiredBits)
	}
	p.Expire(10 * second)
	if a := p.Account(); a.ExpiredBits != 12000-800 || a.InPoolBits != 4000 {
		t.Errorf("account %+v, want the initial key expired and 4000 bits left", a)
	}
	if err := p.Fetch(uint32(offset), key); !errors.Is(err, ErrSpent) {
		t.Errorf("key drawn but never released outlives its TTL: %v", err)
	}
	p.Expire(14 * second)
	if a := p.Account(); a.InPoolBits != 0 || !balanced(a) {
		t.Errorf("account %+v, want an empty pool", a)
	}
}

// A forged message names any key it likes; the far end fetches, the tag fails,
// nothing is released, and the true message still finds its key.
func TestForgeryBurnsNoKey(t *testing.T) {
	p := newTestPool(t, testPoolConfig())
	key, got := make([]byte, 52), make([]byte, 52)
	offset, _, err := p.Draw(0, EndA, true, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []uint32{uint32(offset), uint32(offset) + 8} {
		if err := p.Fetch(index, got[:44]); err != nil {
			t.Errorf("drawn key at %d cannot be fetched: %v", index, err)
		}
	}
	for _, index := range []uint32{3, 8, 416, 1 << 31, 1<<32 - 8} { // off a byte, beyond, far beyond, before
		if err := p.Fetch(index, got); err == nil {
			t.Errorf("key at %d was never drawn and is handed out", index)
		}
	}
	if err := p.Fetch(uint32(offset), got); err != nil || !bytes.Equal(got, key) {
		t.Fatalf("the true message does not find its key: %v", err)
	}
	if err := p.Release(uint32(offset), len(key)); err != nil {
		t.Fatal(err)
	}
	if err := p.Fetch(uint32(offset), got); !errors.Is(err, ErrSpent) {
		t.Errorf("a replay finds key: %v", err)
	}
	if err := p.Release(uint32(offset), len(key)+1); !errors.Is(err, ErrNotDrawn) {
		t.Errorf("undrawn key can be released: %v", err)
	}
}

func TestIndexSurvivesItsWrap(t *testing.T) {
	cfg := testPoolConfig()
	cfg.CapBits = 1 << 28
	p := newTestPool(t, cfg)
	p.ledger.source = zeros{}
	for range 17 { // past 2^32 bits
		if err := p.Deposit(0, 1<<28); err != nil {
			t.Fatal(err)
		}
	}
	p.ledger.source = rng.Source(2, "key")
	if err := p.Deposit(0, 1<<28); err != nil {
		t.Fatal(err)
	}
	key, got := make([]byte, 60), make([]byte, 60)
	offset, _, err := p.Draw(0, EndA, false, key)
	if err != nil {
		t.Fatal(err)
	}
	if offset <= 1<<32 || int64(uint32(offset)) == offset {
		t.Fatalf("offset %d has not wrapped", offset)
	}
	if err := p.Fetch(uint32(offset), got); err != nil || !bytes.Equal(got, key) {
		t.Errorf("key behind a wrapped index: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// A receiver that never releases does not fill the memory.
func TestUnreleasedKeyIsLimited(t *testing.T) {
	cfg := testPoolConfig()
	cfg.CapBits = 1 << 26
	p := newTestPool(t, cfg)
	p.ledger.source = zeros{}
	draw := make([]byte, 1<<20)
	for range 40 {
		if err := p.Deposit(0, int64(len(draw))*8); err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.Draw(0, EndA, false, draw); err != nil {
			t.Fatal(err)
		}
	}
	if kept := p.ledger.next - p.ledger.tail; kept > maxKeptBytes+int64(len(draw)) || len(p.ledger.ring) > 1<<26 {
		t.Errorf("%d bytes kept in a ring of %d", kept, len(p.ledger.ring))
	}
}

func TestFailingKeySourceLeavesTheAccount(t *testing.T) {
	p := newTestPool(t, testPoolConfig())
	before := p.Account()
	p.ledger.source = iotest.ErrReader(io.ErrUnexpectedEOF)
	if err := p.Deposit(1, 4096); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the error of the source is lost: %v", err)
	}
	if p.Account() != before {
		t.Errorf("account changed to %+v", p.Account())
	}
	if _, err := NewPool(testPoolConfig(), iotest.ErrReader(io.EOF)); err == nil {
		t.Error("a pool without key bytes is made")
	}
}

func TestDrawWaitsOnlyForAnEmptyBuffer(t *testing.T) {
	cfg := testPoolConfig()
	cfg.InitialBits = 60000
	p := newTestPool(t, cfg)
	steps := []struct {
		atMS       int64
		end        int
		bytes      int
		wantWaitMS int64
		why        string
	}{
		{0, EndA, 1000, 0, "8000 of 8192 bits are there; a fetch is under way until 5 ms"},
		{1, EndA, 100, 4, "192 bits are there, the fetch under way brings the rest"},
		{2, EndA, 100, 3, "the same fetch"},
		{2, EndB, 1000, 0, "the other end has its own buffer"},
		{20, EndA, 1024, 0, "the buffer is full again"},
		{20, EndA, 900, 5, "wait for the fetch under way"},
		{20, EndA, 900, 10, "and for one more"},
		{40, EndA, 1100, 5, "larger than the buffer: a fetch of its own"},
	}
	for _, s := range steps {
		_, wait, err := p.Draw(s.atMS*millisecond, s.end, false, make([]byte, s.bytes))
		if err != nil {
			t.Fatal(err)
		}
		if wait != s.wantWaitMS*millisecond {
			t.Errorf("%d bytes at %d ms wait %.1f ms, want %d: %s", s.bytes, s.atMS, float64(wait)/1e6, s.wantWaitMS, s.why)
		}
	}
}

func TestBufferFillsAfterADeposit(t *testing.T) {
	cfg := testPoolConfig()
	cfg.InitialBits = 0
	p := newTestPool(t, cfg)
	if err := p.Deposit(100*millisecond, 4096); err != nil {
		t.Fatal(err)
	}
	_, wait, err := p.Draw(101*millisecond, EndA, false, make([]byte, 40))
	if err != nil || wait != 4*millisecond {
		t.Errorf("1 ms after a deposit into an empty pool a draw waits %d ns (%v), want 4 ms", wait, err)
	}
	_, wait, err = p.Draw(110*millisecond, EndA, false, make([]byte, 40))
	if err != nil || wait != 0 {
		t.Errorf("10 ms after it a draw waits %d ns (%v)", wait, err)
	}
}

func TestPoolPathDoesNotAllocate(t *testing.T) {
	cfg := testPoolConfig()
	p := newTestPool(t, cfg)
	key := make([]byte, 52)
	now := int64(0)
	events := make([]LevelEvent, 0, 64)
	cycle := func() {
		now += gridNS
		if err := p.Deposit(now, 4096); err != nil {
			t.Fatal(err)
		}
		for range 8 {
			offset, _, err := p.Draw(now, EndA, false, key)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Fetch(uint32(offset), key); err != nil {
				t.Fatal(err)
			}
			if err := p.Release(uint32(offset), len(key)); err != nil {
				t.Fatal(err)
			}
		}
		events = p.TakeEvents(events[:0])
	}
	for range 10000 {
		cycle()
	}
	if n := testing.AllocsPerRun(1000, cycle); n != 0 {
		t.Errorf("%v allocations a cycle", n)
	}
}

// BenchmarkPoolDraw is one message of 36 octets under a one-time pad: draw,
// fetch at the far end, release; key is deposited as it is used.
func BenchmarkPoolDraw(b *testing.B) {
	p, err := NewPool(testPoolConfig(), rng.Source(1, "key"))
	if err != nil {
		b.Fatal(err)
	}
	key := make([]byte, 52)
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		if i%8 == 0 {
			if err := p.Deposit(i*millisecond, 4096); err != nil {
				b.Fatal(err)
			}
		}
		offset, _, err := p.Draw(i*millisecond, EndA, false, key)
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Fetch(uint32(offset), key); err != nil {
			b.Fatal(err)
		}
		if err := p.Release(uint32(offset), len(key)); err != nil {
			b.Fatal(err)
		}
	}
}
