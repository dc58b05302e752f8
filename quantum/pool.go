package quantum

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// PoolConfig is one key pool. Sizes are rounded down to whole bytes.
type PoolConfig struct {
	// SafeBits is K_safe: the reserve of the highest class [9].
	SafeBits int64 `yaml:"safe_bits"`
	// ThresholdBits is K_th, below which the pool warns [10].
	ThresholdBits int64 `yaml:"threshold_bits"`
	// CapBits is K_cap; surplus above it is discarded, oldest first.
	CapBits int64 `yaml:"cap_bits"`
	// InitialBits is the key at the start of the run.
	InitialBits int64 `yaml:"initial_bits"`
	// TTLS is the age in seconds at which key expires.
	TTLS float64 `yaml:"ttl_s"`
	// LocalBufferBits is what each end prefetches in the background.
	LocalBufferBits int64 `yaml:"local_buffer_bits"`
	// FetchLatency is the wait of a draw that finds the buffer empty.
	FetchLatency time.Duration `yaml:"fetch_latency"`
	// EnforceSafe reserves K_safe for the highest class; otherwise K_safe is
	// only reported.
	EnforceSafe bool `yaml:"enforce_safe"`
}

// DefaultPoolConfig returns the pool of a link with the given nominal rate
// that reserves safeBits: K_th = 1.5·K_safe, K_cap = 30 s of the nominal
// yield, filled to K_th.
func DefaultPoolConfig(nominalRateBPS float64, safeBits int64) PoolConfig {
	return PoolConfig{
		SafeBits:        safeBits,
		ThresholdBits:   safeBits * 3 / 2,
		CapBits:         int64(30 * nominalRateBPS),
		InitialBits:     safeBits * 3 / 2,
		TTLS:            600,
		LocalBufferBits: 8192,
		FetchLatency:    5 * time.Millisecond,
	}
}

// KSafeBits is the safety threshold [9]: what the highest class needs to go on
// for tauCritS seconds at rateHz messages a second of bitsPerMessage key bits
// each.
func KSafeBits(bitsPerMessage int64, rateHz, tauCritS float64) int64 {
	return int64(math.Ceil(float64(bitsPerMessage) * rateHz * tauCritS))
}

// Validate returns all mistakes of c at once, joined, each a *FieldError.
func (c PoolConfig) Validate() error {
	var m mistakes
	if c.SafeBits < 0 {
		m.add("safe_bits", "must be at least 0, is %d", c.SafeBits)
	}
	if c.ThresholdBits <= c.SafeBits {
		m.add("threshold_bits", "must be above safe_bits %d, is %d", c.SafeBits, c.ThresholdBits)
	}
	if c.CapBits <= c.ThresholdBits {
		m.add("cap_bits", "must be above threshold_bits %d, is %d", c.ThresholdBits, c.CapBits)
	}
	if c.InitialBits < 0 || c.InitialBits > c.CapBits {
		m.add("initial_bits", "must be at least 0 and at most cap_bits %d, is %d", c.CapBits, c.InitialBits)
	}
	m.want("ttl_s", c.TTLS, above(0).upTo(1e9))
	if c.LocalBufferBits < 0 {
		m.add("local_buffer_bits", "must be at least 0, is %d", c.LocalBufferBits)
	}
	if c.FetchLatency < 0 {
		m.add("fetch_latency", "must be at least 0, is %v", c.FetchLatency)
	}
	return errors.Join(m...)
}

// The two ends of a link, as Draw tells them apart.
const (
	EndA = 0
	EndB = 1
)

// ShortfallError says that a request could not be met in full, so that nothing
// was taken.
type ShortfallError struct {
	NeedBits int64
	HaveBits int64 // what the request could have drawn
	Reserved bool  // the rest is there, but kept for the highest class
}

// ShortfallBits is the key that was missing.
func (e *ShortfallError) ShortfallBits() int64 { return e.NeedBits - e.HaveBits }

func (e *ShortfallError) Error() string {
	why := ""
	if e.Reserved {
		why = ", the rest is reserved for the highest class"
	}
	return fmt.Sprintf("quantum: key short by %d bits (need %d, have %d%s)", e.ShortfallBits(), e.NeedBits, e.HaveBits, why)
}

// Account is what became of a pool's key, in bits. At any time
//
//	Initial + Generated = InPool + Consumed + Discarded + Expired.
type Account struct {
	InitialBits   int64
	GeneratedBits int64
	InPoolBits    int64
	ConsumedBits  int64 // handed out
	DiscardedBits int64 // surplus above K_cap
	ExpiredBits   int64 // older than the TTL
}

// Pool is the key that the two ends of one link share: one ledger from which
// either end draws, and the other fetches by index.
//
// Key is a stream of bytes, addressed by bit offset. Draws are contiguous
// ranges of whole bytes, oldest key first, and no bit is handed out twice. The
// far end keeps what was drawn until it is released, after the message
// verified, or older than the TTL; a forged message therefore burns no key.
//
// Times must not decrease from call to call.
type Pool struct {
	cfg     PoolConfig
	ledger  ledger
	account Account
	ttlNS   int64
	buffers [2]prefetch
	level   Level
	events  []LevelEvent
}

// NewPool makes a pool whose key bytes are read from source, the initial ones
// at once.
func NewPool(cfg PoolConfig, source io.Reader) (*Pool, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	p := &Pool{cfg: cfg, ledger: newLedger(source), ttlNS: int64(cfg.TTLS * 1e9)}
	if err := p.ledger.append(0, cfg.InitialBits/8); err != nil {
		return nil, err
	}
	p.account.InitialBits = p.ledger.available() * 8
	for i := range p.buffers {
		p.buffers[i] = newPrefetch(cfg, p.LevelBits())
	}
	p.level = p.levelNow()
	return p, nil
}

// Deposit adds bits of fresh key, distilled at atNS. It fails only when the
// source of key bytes does.
func (p *Pool) Deposit(atNS, bits int64) error {
	p.expire(atNS)
	n := bits / 8
	if err := p.ledger.append(atNS, n); err != nil {
		return err
	}
	p.account.GeneratedBits += n * 8
	if surplus := p.ledger.available() - p.cfg.CapBits/8; surplus > 0 {
		p.ledger.drop(surplus)
		p.account.DiscardedBits += surplus * 8
	}
	for i := range p.buffers {
		p.buffers[i].refill(atNS, p.LevelBits())
	}
	p.noteLevel(atNS)
	return nil
}

// Draw fills dst with fresh key for one end of the link. It returns the bit
// offset at which the key begins in the pool's stream, of which frames carry
// the low 32 bits as index, and how long the end waits for it. If the pool
// cannot fill all of dst, it takes nothing and returns a *ShortfallError.
//
// highest marks the highest-priority class. While K_safe is enforced a draw of
// any other class must leave K_safe in the pool.
//
// The signature has no types of this package, so that a package that needs key
// can state it as an interface of its own.
func (p *Pool) Draw(atNS int64, end int, highest bool, dst []byte) (offsetBits, waitNS int64, err error) {
	p.expire(atNS)
	need, level := int64(len(dst))*8, p.LevelBits()
	have := level
	if p.cfg.EnforceSafe && !highest {
		have = max(0, level-p.cfg.SafeBits) &^ 7
	}
	if need > have {
		p.noteLevel(atNS)
		return 0, 0, &ShortfallError{NeedBits: need, HaveBits: have, Reserved: need <= level}
	}
	offsetBits = p.ledger.draw(dst) * 8
	waitNS = p.buffers[end].take(atNS, need, level)
	p.account.ConsumedBits += need
	p.noteLevel(atNS)
	return offsetBits, waitNS, nil
}

// Fetch fills dst with the drawn key at index, the low 32 bits of its
// offset, for the end that did not draw it. Of the offsets that an index can mean it takes the one
// nearest to the last draw. It returns ErrNotDrawn or ErrSpent where there is
// no such key; the key stays until it is released.
func (p *Pool) Fetch(index uint32, dst []byte) error {
	from, err := p.ledger.locate(index)
	if err != nil {
		return err
	}
	return p.ledger.read(from, dst)
}

// Release deletes the n bytes of drawn key at index at the far end. Key that
// is already gone is no error.
func (p *Pool) Release(index uint32, n int) error {
	from, err := p.ledger.locate(index)
	if err != nil {
		return err
	}
	return p.ledger.release(from, int64(n))
}

// Expire removes key older than the TTL at atNS. Deposit and Draw do so of
// their own accord.
func (p *Pool) Expire(atNS int64) {
	p.expire(atNS)
	p.noteLevel(atNS)
}

func (p *Pool) expire(atNS int64) {
	p.account.ExpiredBits += p.ledger.expire(atNS-p.ttlNS) * 8
}

// LevelBits is K, the key that can be drawn, the reserve included.
func (p *Pool) LevelBits() int64 { return p.ledger.available() * 8 }

// Account returns the pool's books.
func (p *Pool) Account() Account {
	a := p.account
	a.InPoolBits = p.LevelBits()
	return a
}

// Config returns the pool's configuration.
func (p *Pool) Config() PoolConfig { return p.cfg }
