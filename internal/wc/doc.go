// Package wc is the Wegman-Carter authenticator of the Q3P frames: an
// evaluation hash over GF(2^128) whose value is masked by fresh key.
//
// The message, read as big-endian 16-byte blocks m_1 … m_n of which the last
// is padded with zeros, is evaluated by Horner's rule at the session's key k,
//
//	t_0 = 0,  t_i = (t_(i-1) + m_i)·k  in GF(2)[x]/(x^128 + x^7 + x^2 + x + 1),
//
// and the tag is t_n XOR pad with 128 key bits used for this message alone.
// The most significant bit of a block's first byte is the coefficient of
// x^127.
//
// Two messages of at most n blocks collide for at most n of the 2^128 keys,
// whatever an adversary computes, as long as k is secret and uniform and no
// pad is used twice (Wegman and Carter, "New hash functions and their use in
// authentication and set equality", JCSS 22, 1981; polynomial evaluation as
// in Shoup, "On fast and provably secure message authentication based on
// universal hashing", CRYPTO 1996).
//
// Zero padding means that the hash does not bind the length: "a" and "a\x00"
// hash alike. The length must stand in the message itself, in Q3P in the
// header's first word.
package wc
