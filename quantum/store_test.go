package quantum

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func newTestStore(t testing.TB, cfg StoreConfig, pool *Pool) *Store {
	t.Helper()
	s, err := NewStore(cfg, pool)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// richPool is full and is fed more than a store uses.
func richPool(t testing.TB) *Pool {
	cfg := testPoolConfig()
	cfg.InitialBits = cfg.CapBits
	return newTestPool(t, cfg)
}

func TestStoreGivesItsSizeAPeriodAndNoMore(t *testing.T) {
	pool := richPool(t)
	s := newTestStore(t, StoreConfig{SizeBits: 20000, PeriodNS: 30 * second}, pool)
	draw := make([]byte, 50) // 400 bits, a message each 100 ms: 120000 a period
	served := map[int64]int{}
	for ms := int64(0); ms < 90000; ms += 100 {
		if err := pool.Deposit(ms*millisecond, 4096); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.Draw(ms*millisecond, EndA, false, draw)
		var short *ShortfallError
		switch {
		case err == nil:
			served[ms/30000]++
		case !errors.As(err, &short) || short.HaveBits != 0 || short.Reserved:
			t.Fatalf("at %d ms: %v", ms, err)
		}
	}
	for period := range int64(3) {
		if served[period] != 50 {
			t.Errorf("period %d: %d messages served, want 50", period, served[period])
		}
	}
	a := s.Account()
	if a.ConsumedBits != 60000 || a.DiscardedBits == 0 || !balanced(a) || s.ProvidedBits() != 60000 {
		t.Errorf("account %+v, provided %d", a, s.ProvidedBits())
	}
}

func TestStoresCanBeRefilledStaggered(t *testing.T) {
	for phase, want := range map[int64][]int64{0: {30, 60, 90}, 7: {7, 37, 67, 97}, 30: {30, 60, 90}} {
		s := newTestStore(t, StoreConfig{SizeBits: 8000, PeriodNS: 30 * second, PhaseNS: phase * second}, richPool(t))
		var refills []int64
		for at := range int64(100) {
			s.Advance(at * second)
			if s.LevelBits() == 8000 && at > 0 {
				refills = append(refills, at)
			}
			if s.LevelBits() > 0 {
				if _, _, err := s.Draw(at*second, EndA, false, make([]byte, 1000)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !slices.Equal(refills, want) {
			t.Errorf("phase %d s: refilled at %v s, want %v", phase, refills, want)
		}
	}
}

func TestPoorPoolFillsTheStoreInPart(t *testing.T) {
	cfg := testPoolConfig()
	cfg.InitialBits = 3000
	pool := newTestPool(t, cfg)
	s := newTestStore(t, StoreConfig{SizeBits: 8000, PeriodNS: 30 * second}, pool)
	if s.LevelBits() != 3000 {
		t.Errorf("%d bits in the store, want the pool's 3000", s.LevelBits())
	}
	if err := pool.Deposit(10*second, 4096); err != nil {
		t.Fatal(err)
	}
	if s.LevelBits() != 3000 {
		t.Errorf("%d bits in the store before the refill, want 3000", s.LevelBits())
	}
	s.Advance(30 * second)
	if s.LevelBits() != 7096 {
		t.Errorf("%d bits in the store after the refill, want 7096", s.LevelBits())
	}
}

func TestStoreNeverExceedsPoolOrSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := testPoolConfig()
		cfg.TTLS = 40
		pool, err := NewPool(cfg, zeros{})
		if err != nil {
			t.Fatal(err)
		}
		size := rapid.Int64Range(1, 100000).Draw(t, "size")
		s, err := NewStore(StoreConfig{SizeBits: size, PeriodNS: 30 * second, PhaseNS: rapid.Int64Range(0, 30*second).Draw(t, "phase")}, pool)
		if err != nil {
			t.Fatal(err)
		}
		consumed := int64(0)
		for now, end := int64(0), 100*second; now < end; now += rapid.Int64Range(1, 5*second).Draw(t, "wait") {
			s.Advance(now)
			if err := pool.Deposit(now, rapid.Int64Range(0, 9000).Draw(t, "deposit")); err != nil {
				t.Fatal(err)
			}
			n := rapid.IntRange(0, 3000).Draw(t, "draw")
			if _, _, err := s.Draw(now, EndA, false, make([]byte, n)); err == nil {
				consumed += int64(n) * 8
			}
			if l := s.LevelBits(); l < 0 || l > size || l > pool.LevelBits() {
				t.Fatalf("%d bits in a store of %d on a pool of %d", l, size, pool.LevelBits())
			}
			if a := s.Account(); !balanced(a) || a.ConsumedBits != consumed || consumed > s.ProvidedBits() {
				t.Fatalf("account %+v, consumed %d, provided %d", a, consumed, s.ProvidedBits())
			}
		}
	})
}

func TestBadStoresAreRefused(t *testing.T) {
	for _, cfg := range []StoreConfig{{0, 1, 0}, {1, 0, 0}, {1, 5, 6}, {1, 5, -1}} {
		if _, err := NewStore(cfg, richPool(t)); err == nil {
			t.Errorf("store %+v is accepted", cfg)
		}
	}
}
