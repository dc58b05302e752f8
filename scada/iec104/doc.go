// Package iec104 encodes and decodes the telecontrol protocol IEC 60870-5-104:
// the frames (APCI formats I, S and U), the application data (ASDU) of the
// types in TypeID, and the sequence numbers of one association.
//
// Field sizes are those fixed by the companion standard 60870-5-104: cause of
// transmission 2 octets (cause and originator), common address 2, object
// address 3, all little-endian; the length octet is at most 253.
//
//	octet  0      start 0x68
//	       1      length of what follows, 4 to 253
//	       2..5   control field: N(S), N(R) and format, or a U function
//	       6      type identification
//	       7      SQ bit and number of objects
//	       8..9   test bit, negative bit, cause; originator
//	       10..11 common address
//	       12..   information objects
//
// The package is pure: it neither reads clocks nor touches sockets. Encoding
// appends to the caller's slice and decoding fills the caller's APDU, so that
// neither allocates once the buffers have grown.
//
// Source: IEC 60870-5-101:2003 (ASDU, information elements) and
// IEC 60870-5-104:2006 (APCI, procedures).
package iec104
