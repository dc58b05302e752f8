package wc

import (
	"encoding/binary"
	"math/bits"
)

// element of GF(2^128): bit i of lo is the coefficient of x^i, bit i of hi
// that of x^(64+i).
type element struct{ hi, lo uint64 }

func load(block []byte) element {
	return element{binary.BigEndian.Uint64(block), binary.BigEndian.Uint64(block[8:16])}
}

func (a element) plus(b element) element { return element{a.hi ^ b.hi, a.lo ^ b.lo} }

// Carry-less products are made of integer products, without tables and
// without branches on data, so that their time tells nothing of key or
// message. A factor is split into five parts of every fifth bit each. In a
// product of two such parts at most 13 partial products meet in one position;
// their sum does not reach the next position in use, five bits up, and its own
// lowest bit is the sum modulo 2, which is the carry-less product.
const (
	every0 = 0x1084210842108421
	every1 = every0 << 1 & (1<<64 - 1)
	every2 = every0 << 2 & (1<<64 - 1)
	every3 = every0 << 3 & (1<<64 - 1)
	every4 = every0 << 4 & (1<<64 - 1)
)

// spread is a polynomial of degree below 64 as its five parts.
type spread [5]uint64

func newSpread(a uint64) spread {
	return spread{a & every0, a & every1, a & every2, a & every3, a & every4}
}

// times returns the carry-less product of a and b, 127 bits. The parts of a
// and b whose numbers add up to c modulo 5 make the bits of class c; in the
// upper word, 64 bits on, the class is one place further.
func (a *spread) times(b uint64) (hi, lo uint64) {
	b0, b1, b2, b3, b4 := b&every0, b&every1, b&every2, b&every3, b&every4
	h, l := sumOfProducts(a[0], b0, a[1], b4, a[2], b3, a[3], b2, a[4], b1)
	hi, lo = h&every1, l&every0
	h, l = sumOfProducts(a[0], b1, a[1], b0, a[2], b4, a[3], b3, a[4], b2)
	hi, lo = hi|h&every2, lo|l&every1
	h, l = sumOfProducts(a[0], b2, a[1], b1, a[2], b0, a[3], b4, a[4], b3)
	hi, lo = hi|h&every3, lo|l&every2
	h, l = sumOfProducts(a[0], b3, a[1], b2, a[2], b1, a[3], b0, a[4], b4)
	hi, lo = hi|h&every4, lo|l&every3
	h, l = sumOfProducts(a[0], b4, a[1], b3, a[2], b2, a[3], b1, a[4], b0)
	return hi | h&every0, lo | l&every4
}

// sumOfProducts adds, modulo 2, the five integer products of one class.
func sumOfProducts(a0, b0, a1, b1, a2, b2, a3, b3, a4, b4 uint64) (hi, lo uint64) {
	h0, l0 := bits.Mul64(a0, b0)
	h1, l1 := bits.Mul64(a1, b1)
	h2, l2 := bits.Mul64(a2, b2)
	h3, l3 := bits.Mul64(a3, b3)
	h4, l4 := bits.Mul64(a4, b4)
	return h0 ^ h1 ^ h2 ^ h3 ^ h4, l0 ^ l1 ^ l2 ^ l3 ^ l4
}

// multiplier is a fixed factor k, its halves and their sum spread out.
type multiplier struct{ hi, lo, sum spread }

func newMultiplier(k element) multiplier {
	return multiplier{newSpread(k.hi), newSpread(k.lo), newSpread(k.hi ^ k.lo)}
}

// times returns k·a modulo x^128 + x^7 + x^2 + x + 1. Karatsuba's rule makes
// three half-size products of the four.
func (k *multiplier) times(a element) element {
	h1, h0 := k.hi.times(a.hi)
	l1, l0 := k.lo.times(a.lo)
	m1, m0 := k.sum.times(a.hi ^ a.lo)
	m1, m0 = m1^h1^l1, m0^h0^l0
	// The product in four words, lowest first.
	w0, w1, w2, w3 := l0, l1^m0, h0^m1, h1

	// x^128 = x^7 + x^2 + x + 1. What this lifts above x^127 once more, at
	// most seven bits, joins w2 first: the lower words of both are alike.
	w1 ^= w3 ^ (w3<<1 | w2>>63) ^ (w3<<2 | w2>>62) ^ (w3<<7 | w2>>57)
	w2 ^= w3>>63 ^ w3>>62 ^ w3>>57
	w0 ^= w2 ^ w2<<1 ^ w2<<2 ^ w2<<7
	return element{w1, w0}
}
