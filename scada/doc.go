// Package scada models the control chains of a power grid: the outstations
// that measure, the gateways that relay, the controller at the control centre
// that decides, and the tasks by which all of it is judged.
//
// A System is pure: it does no input or output and knows no wall clock. It is
// stepped (every 10 ms in the shipped experiments) with what the network
// delivered and what the grid looks like, and answers with the frames to send.
// Frames are real octets: IEC 60870-5-104 (package iec104) inside Q3P (package
// q3p).
//
// # How a message travels
//
// Leg by leg, stored and forwarded at the next step:
//
//	command      CC ══Q3P══> GW ──PSK──> RTU, IED     (more gateways: more Q3P legs)
//	measurement  IED ──PSK──> RTU, GW ══Q3P══> CC
//
// A Q3P leg is one hop with a QKD link and takes key from that link's pool; the
// key of all Q3P hops is taken together when the message enters the first of
// them, so that a message is never stranded half-way for want of key (trusted
// relays). The last leg, from gateway to device, is one AES-128-GCM association
// under a pre-shared key and costs no key. The receiving end of a command is an
// IED, which belongs to whoever owns the grid; it verifies before it obeys.
//
// # Tasks
//
// Every trigger opens one task and every task ends in exactly one Outcome, at
// the latest at its deadline: a success is a message delivered with a valid
// tag, within the chain's latency, in a mode no weaker than its minimum.
//
// # What is left out
//
// The 104 connections stand from the start (no STARTDT, no TESTFR), and k never
// blocks a stream: in the simulation a loss is the loss of a task and never of
// a connection.
package scada
