//go:build integration

package reconfig

import (
	"math/rand/v2"
	"testing"
)

// For tests of games, which import this package.

func Midsize(r *rand.Rand, i int) *Problem { return midsize(r, i) }

func Offline(t testing.TB) Solver { return offline{startHighs(t)} }
