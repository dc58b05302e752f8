package quantum

import "fmt"

// StoreConfig is the pre-provisioned store of the static scheme S-1.
type StoreConfig struct {
	// SizeBits is what each refill fills the store up to.
	SizeBits int64
	// PeriodNS is the time between refills, whatever the need.
	PeriodNS int64
	// PhaseNS is the time of the first refill after the one at the start,
	// in (0, PeriodNS]; 0 means PeriodNS. Different phases stagger the stores.
	PhaseNS int64
}

// Store is a fixed allowance on a pool: at the start and at every refill
// SizeBits of the pool may be drawn until the next one. What the link yields
// beyond that is not used and ages in the pool. No key is moved, so that the
// pool's account shows what was consumed and what was wasted.
type Store struct {
	cfg      StoreConfig
	pool     *Pool
	bits     int64
	nextNS   int64
	provided int64
}

// NewStore makes a store on pool, filled from what the pool holds.
func NewStore(cfg StoreConfig, pool *Pool) (*Store, error) {
	switch {
	case cfg.SizeBits <= 0:
		return nil, &FieldError{"size_bits", fmt.Sprintf("must be positive, is %d", cfg.SizeBits)}
	case cfg.PeriodNS <= 0:
		return nil, &FieldError{"period", fmt.Sprintf("must be positive, is %d ns", cfg.PeriodNS)}
	case cfg.PhaseNS < 0 || cfg.PhaseNS > cfg.PeriodNS:
		return nil, &FieldError{"phase", fmt.Sprintf("must lie within the period of %d ns, is %d ns", cfg.PeriodNS, cfg.PhaseNS)}
	}
	s := &Store{cfg: cfg, pool: pool, nextNS: cfg.PhaseNS}
	if s.nextNS == 0 {
		s.nextNS = cfg.PeriodNS
	}
	s.refill()
	return s, nil
}

func (s *Store) refill() {
	filled := min(s.cfg.SizeBits, s.pool.LevelBits())
	s.provided += max(0, filled-s.bits)
	s.bits = filled
}

// Advance makes the refills due by atNS. To be served from what the pool held
// at its time a refill needs an Advance before later deposits; Draw advances
// too.
func (s *Store) Advance(atNS int64) {
	for ; s.nextNS <= atNS; s.nextNS += s.cfg.PeriodNS {
		s.pool.Expire(s.nextNS)
		s.refill()
	}
}

// Draw is Pool.Draw within the store's allowance.
func (s *Store) Draw(atNS int64, end int, highest bool, dst []byte) (offsetBits, waitNS int64, err error) {
	s.Advance(atNS)
	need := int64(len(dst)) * 8
	if have := min(s.bits, s.pool.LevelBits()); need > have {
		return 0, 0, &ShortfallError{NeedBits: need, HaveBits: have}
	}
	offsetBits, waitNS, err = s.pool.Draw(atNS, end, highest, dst)
	if err == nil {
		s.bits -= need
	}
	return offsetBits, waitNS, err
}

// Fetch is Pool.Fetch.
func (s *Store) Fetch(index uint32, dst []byte) error { return s.pool.Fetch(index, dst) }

// Release is Pool.Release.
func (s *Store) Release(index uint32, n int) error { return s.pool.Release(index, n) }

// LevelBits is the key that can be drawn before the next refill.
func (s *Store) LevelBits() int64 { return min(s.bits, s.pool.LevelBits()) }

// ProvidedBits is the key allotted so far, the first filling included.
func (s *Store) ProvidedBits() int64 { return s.provided }

// Account returns the books of the pool beneath.
func (s *Store) Account() Account { return s.pool.Account() }
