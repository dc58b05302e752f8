// Package capture writes packets of a simulated network as pcapng files, which
// Wireshark, tshark and others open.
//
// A Writer makes one section: its header, the names of nodes, one description
// an interface, then packets. Interfaces carry raw IPv4 and times in
// nanoseconds since 1970-01-01 00:00 UTC, which is simulated time zero. Numbers
// are little-endian. Nothing of wall-clock time stands in a file.
//
//	section header     0x0a0d0d0a  user application
//	name resolution    4           IPv4 addresses with their names
//	interface          1           link type 101 (raw IP), name, description, speed, resolution
//	enhanced packet    6           time, data, direction, packet id, comment
//
// Q3PDissector shows Wireshark what stands in the header of a sealed frame.
//
// Packets are IPv4 with UDP or TCP on top, with checksums; their addresses are
// made up, see AddressOf. Memory does not grow with what is written.
//
// A File is handed to the operating system whole blocks at a time, so that a
// killed process leaves packets up to its last flush. Written again from the
// start, as a resumed run does, it goes over what stands there without cutting
// it short.
//
// Source: draft-ietf-opsawg-pcapng (PCAP Now Generic), blocks and options;
// RFC 791, 768, 9293 and 1071.
package capture
