// Package rng derives every random number of a run from one seed.
//
// A stream is named ("link/CC-GW1/attenuation"), and its key is
// SHA-256(seed, name), so that adding a stream changes no other stream's
// numbers and the same name gives the same disturbances in every experiment
// (common random numbers).
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Source returns the ChaCha8 generator of the stream called name. It is also
// an io.Reader, which the key pools use for key bytes.
func Source(seed uint64, name string) *rand.ChaCha8 {
	buf := make([]byte, 8, 8+len(name))
	binary.BigEndian.PutUint64(buf, seed)
	return rand.NewChaCha8(sha256.Sum256(append(buf, name...)))
}

// Stream returns the random stream called name of the run with this seed.
func Stream(seed uint64, name string) *rand.Rand {
	return rand.New(Source(seed, name))
}
