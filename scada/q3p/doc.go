// Package q3p seals and opens the frames that carry control messages between
// two nodes under key from a QKD pool, after the public layout of AIT's Q3P.
//
//	octet  0   length u32      whole frame, header and tag included
//	       4   message id u32  from 1, strictly increasing a direction
//	       8   flags u8        0x01 enciphered, 0x02 authenticated,
//	                           0x18 mode, 0xe0 version 2
//	       9   command u8
//	      10   channel u16     0 is invalid
//	      12   encryption key id u32
//	      16   authentication key id u32
//	      20   enciphered payload
//	      …    tag, 16 octets, over header and ciphertext
//
// All numbers are big-endian. A key id is the bit offset of the key in its
// pool's stream; of a session key it is where that key was drawn.
//
//	mode     bits  confidentiality       tag
//	otp      00    one-time pad          Wegman-Carter, masked by 128 fresh pool bits
//	aes-wc   01    AES-CTR, session key  Wegman-Carter, masked by 128 fresh pool bits
//	aes      10    AES-GCM, session key  GCM's own
//
// The Wegman-Carter hash t = (t + m)·k over GF(2¹²⁸) pads its last block with
// zeros and so does not bind the length by itself; the length stands in the
// authenticated header. Each direction of a channel has its own hash key and
// its own session keys, so that a frame turned back to its sender is refused.
//
// A nonce is channel, direction, mode and message id. None repeats under one
// key: message ids increase, and the mode keeps AES-CTR and AES-GCM apart
// where they share a session key.
//
// A Sender and a Receiver serve one direction of one channel. Like the rest of
// the models they read no clock and draw no randomness: key comes in from
// outside. They are not safe for concurrent use.
//
// Sources: header layout of AIT QKD R10 (Q3P); Wegman and Carter, "New hash
// functions and their use in authentication and set equality", JCSS 22 (1981);
// NIST SP 800-38A (CTR), SP 800-38D (GCM); RFC 4303 appendix A2 (window).
package q3p
