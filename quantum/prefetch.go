package quantum

// prefetch is the local buffer of one end of a pool [V.B]. It holds copies of
// the key that will be drawn next and decides only how long a draw waits.
//
// What a draw takes from the buffer is fetched again in the background, one
// fetch at a time, each taking latencyNS. A draw that finds too little waits
// for the fetch under way or, if that does not suffice, for one more, which
// brings what is missing and fills the buffer.
type prefetch struct {
	sizeBits   int64
	latencyNS  int64
	bits       int64 // in the buffer
	comingBits int64 // there at readyNS, if any
	readyNS    int64
}

func newPrefetch(c PoolConfig, levelBits int64) prefetch {
	return prefetch{
		sizeBits:  c.LocalBufferBits,
		latencyNS: int64(c.FetchLatency),
		bits:      min(c.LocalBufferBits, levelBits),
	}
}

// take draws need bits at atNS, of which the pool, then at levelBits, has
// enough, and returns the wait.
func (b *prefetch) take(atNS, need, levelBits int64) (waitNS int64) {
	b.refill(atNS, levelBits)
	b.bits = min(b.bits, levelBits) // the rest has expired or been discarded
	if need > b.bits {
		if need > b.bits+b.comingBits {
			if b.comingBits == 0 {
				b.readyNS = atNS
			}
			b.readyNS += b.latencyNS
			b.comingBits = min(need+b.sizeBits, levelBits) - b.bits
		}
		b.comingBits, b.bits = b.comingBits+b.bits-need, 0
		return b.readyNS - atNS
	}
	b.bits -= need
	b.refill(atNS, levelBits-need)
	return 0
}

// refill takes in what has arrived by atNS and fetches what is missing.
func (b *prefetch) refill(atNS, levelBits int64) {
	startNS := atNS
	for range 2 { // an arrival may leave room for one more, and that be there too
		if b.comingBits > 0 && b.readyNS <= atNS {
			b.bits, b.comingBits, startNS = b.bits+b.comingBits, 0, b.readyNS
		}
		if missing := min(b.sizeBits, levelBits) - b.bits; b.comingBits == 0 && missing > 0 {
			b.comingBits, b.readyNS = missing, startNS+b.latencyNS
		}
	}
}
