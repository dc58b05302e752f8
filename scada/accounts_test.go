package scada

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// ledgered is one pool of two to four operators that draw, with a draw for
// nobody now and then and key that grows too old.
type ledgered struct {
	accounts *accounts
	drawers  *association
	pool     PoolSupply
}

func newLedgered(operators int, capBits, stockBits float64) *ledgered {
	a := &association{drawnBits: make([]int64, operators)}
	return &ledgered{
		accounts: newAccounts(operators, 2, [][]*association{{a}}), drawers: a,
		pool: PoolSupply{CapBits: capBits, StockBits: stockBits, GeneratedBits: stockBits, MeanBits: make([]float64, 2), VarBits2: make([]float64, 2)},
	}
}

func (l *ledgered) step(generated float64, draws []float64, others, expired float64) {
	for o, bits := range draws {
		bits = math.Floor(math.Min(bits, l.pool.StockBits))
		l.drawers.drawnBits[o] += int64(bits)
		l.pool.DrawnBits += bits
		l.pool.StockBits -= bits
	}
	others = math.Min(others, l.pool.StockBits)
	l.pool.DrawnBits += others
	l.pool.StockBits -= others
	l.pool.StockBits -= math.Min(expired, l.pool.StockBits)
	l.pool.GeneratedBits += generated
	l.pool.StockBits = math.Min(l.pool.CapBits, l.pool.StockBits+generated)
	l.accounts.observe(0, &l.pool)
}

func (l *ledgered) held() (held []float64, sum float64) {
	for _, x := range l.accounts.books {
		held = append(held, x[0].heldBits)
		sum += x[0].heldBits
	}
	return held, sum
}

// Whatever happens to a pool, its accounts hold no more than it does, and none
// more than its part of what the pool can hold.
func TestAccountsHoldNoMoreThanThePool(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "operators")
		bits := rapid.Float64Range(0, 1e5)
		l := newLedgered(n, 5e5, bits.Draw(t, "stock"))
		l.accounts.observe(0, &l.pool)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			old := 0.0
			if rapid.IntRange(0, 4).Draw(t, "old") == 0 {
				old = bits.Draw(t, "expired")
			}
			l.step(bits.Draw(t, "generated"), rapid.SliceOfN(bits, n, n).Draw(t, "draws"), 0.1*bits.Draw(t, "others"), old)
			held, sum := l.held()
			if sum > l.pool.StockBits+1e-6 {
				t.Fatalf("accounts hold %v, the pool %g", held, l.pool.StockBits)
			}
			for _, x := range held {
				if x > l.pool.CapBits/float64(n) {
					t.Fatalf("accounts hold %v of %g at most in all", held, l.pool.CapBits)
				}
			}
		}
	})
}

// What one leaves is not the others': an operator that draws all it may gets
// its part of what is generated, however little the others draw.
func TestNobodyHasWhatAnotherLeaves(t *testing.T) {
	l := newLedgered(4, 1e6, 4000)
	l.accounts.observe(0, &l.pool)
	for range 500 {
		held, _ := l.held()
		l.step(1000, []float64{math.Max(0, held[0]), 0, 100, 0}, 0, 0)
	}
	held, sum := l.held()
	drawn := float64(l.drawers.drawnBits[0])
	if want := (4000 + 500*1000) / 4.0; math.Abs(drawn-want) > 300 || math.Abs(held[0]) > 300 {
		t.Errorf("%g bits drawn and %g held by one of four, want %g of 504,000 in all", drawn, held[0], want)
	}
	if sum != l.pool.StockBits {
		t.Errorf("accounts hold %g, the pool %g, and none is full", sum, l.pool.StockBits)
	}
	if spent := held[2] - held[1]; math.Abs(spent+500*100) > 1e-6 {
		t.Errorf("an operator that drew 50,000 bits holds %g more than one that drew none", spent)
	}
}

// Key that nobody's account can hold any more is what the full pool discards:
// it keeps nobody from their part of what is generated.
func TestFullPoolStillCreditsEmptyAccounts(t *testing.T) {
	l := newLedgered(4, 1e5, 0)
	l.accounts.observe(0, &l.pool)
	draw := func() []float64 {
		held, _ := l.held()
		return []float64{math.Max(0, held[0]), 0, 0, 0}
	}
	for range 1000 {
		l.step(1000, draw(), 0, 0)
	}
	if l.pool.StockBits < 0.99e5 {
		t.Fatalf("the pool holds %g, it should be full", l.pool.StockBits)
	}
	before := l.drawers.drawnBits[0]
	for range 100 {
		l.step(1000, draw(), 0, 0)
	}
	if got := l.drawers.drawnBits[0] - before; got < 24900 || got > 25100 {
		t.Errorf("%d bits drawn of 100,000 generated, want a quarter", got)
	}
	l.step(1000, draw(), 400, 0)
	if held, _ := l.held(); held[0] < 150 || held[0] >= 151 {
		t.Errorf("%g bits held: want a quarter of 1,000 less that of 400 drawn for nobody", held[0])
	}
}

// What operators plan with is no more in sum than the pool's rows allow, and
// nobody's rows fail with all its chains off unless the pool's do.
func TestPartsOfAPoolAreNoMoreThanThePool(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "operators")
		l := newLedgered(n, 5e5, 0)
		s := &l.pool
		s.StockBits = rapid.Float64Range(0, 5e5).Draw(t, "stock")
		s.SafeBits, s.Reserved = 3e4, rapid.Bool().Draw(t, "reserved")
		mean, kappa := rapid.Float64Range(0, 2e4).Draw(t, "mean"), 1.645
		s.MeanBits, s.VarBits2 = []float64{mean, 2 * mean}, []float64{mean * mean / 40, mean * mean / 20}
		sum := 0.0
		for o := range l.accounts.books {
			held := rapid.Float64Range(-2e4, s.StockBits/float64(n)+2e4).Draw(t, "held")
			l.accounts.books[o][0].heldBits = math.Min(held, s.CapBits/float64(n))
			sum += l.accounts.books[o][0].heldBits
		}
		if sum > s.StockBits {
			for o := range l.accounts.books {
				l.accounts.books[o][0].heldBits -= (sum - s.StockBits) / float64(n)
			}
		}
		whole := s.headroom(kappa)
		l.accounts.divide(0, s, kappa, 0.02)
		for step := range s.MeanBits {
			stock := 0.0
			for o := range l.accounts.books {
				x := &l.accounts.books[o][0].supply
				stock += x.StockBits + math.Min(x.MeanBits[step], x.CapBits-x.StockBits)
			}
			if most := s.StockBits + math.Min(s.MeanBits[step], s.CapBits-s.StockBits); stock > most+1e-6 {
				t.Fatalf("parts of %g bits of a pool of %g in step %d", stock, most, step)
			}
		}
		for o := range l.accounts.books {
			if h := l.accounts.books[o][0].supply.headroom(kappa); h < -1e-6 && whole >= 0 {
				t.Fatalf("operator %d misses %g bits with all chains off, the pool has %g to spare", o, -h, whole)
			}
		}
	})
}
