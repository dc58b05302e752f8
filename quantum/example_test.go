package quantum_test

import (
	"fmt"
	"math/rand/v2"

	"cosim/internal/rng"
	"cosim/quantum"
)

// A link feeds a pool for a minute; then one message of 36 octets is to be
// enciphered with a one-time pad and authenticated with a 128-bit tag.
func Example() {
	const step, second = 100_000_000, 1_000_000_000
	const seed = 7

	cfg := quantum.DefaultLinkConfig()
	cfg.PulseRateHz = 3.5e5
	link, err := quantum.NewLink(cfg, step, nil, func(name string) *rand.Rand {
		return rng.Stream(seed, "link/CC-GW1/"+name)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	safe := quantum.KSafeBits(300, 20, 5)
	pool, err := quantum.NewPool(
		quantum.DefaultPoolConfig(quantum.NominalRateBPS(cfg), safe),
		rng.Source(seed, "link/CC-GW1/key"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for now := int64(step); now <= 60*second; now += step {
		link.Advance(now)
		for _, d := range link.Blocks() {
			if err := pool.Deposit(d.AtNS, d.Bits); err != nil {
				fmt.Println(err)
				return
			}
		}
	}

	key := make([]byte, 36+16)
	offset, _, err := pool.Draw(60*second, quantum.EndA, false, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	far := make([]byte, len(key))
	if err := pool.Fetch(uint32(offset), far); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("nominal rate, kbit/s:", int(quantum.NominalRateBPS(cfg)/1000))
	fmt.Println("same key at both ends:", string(far) == string(key))
	fmt.Println("consumed, bits:", pool.Account().ConsumedBits)
	// Output:
	// nominal rate, kbit/s: 10
	// same key at both ends: true
	// consumed, bits: 416
}
