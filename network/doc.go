// Package network simulates, packet by packet, the classical network that
// carries SCADA traffic.
//
// An [Engine] is a discrete-event simulator in integer nanoseconds that its
// owner advances from t to t+Δt. Nodes are joined by full-duplex links; each
// direction of a link is an egress queue with one server. A packet's way over
// one hop is
//
//	wait in the queue         W, by discipline (fifo, priority, drr)
//	service                   S = bits/rate + processing (+ crypto at the sender)
//	propagation               5 µs/km or the given delay, plus τ_link(t)
//
// and after the last hop the receiver's processing time passes before the
// delivery. Service is non-preemptive.
//
// # Order of events
//
// Events are ordered by time, then by kind (link changes, routing, packets,
// new sends), then by sequence number. Departures, and arrivals of background
// traffic, at time t come before any event at t. Nothing else decides an
// order, so one advance of 1 s does exactly what 100 advances of 10 ms do.
// Advance(t) makes everything happen that lies before t.
//
// # Background traffic
//
// Background packets cross one link and have no receiver. Their arrivals are
// drawn from the queue's own streams only when somebody looks at the queue (a
// packet reaches it, its link changes, statistics are read), so that they cost
// neither an event nor a place in the heap. In the accounts each is in flight
// from its arrival at the queue until its bits would have reached the far end.
//
// # Broken links
//
// A link that breaks loses the packets on the wire and, as an operating system
// flushes the queue of an interface that lost its carrier, those waiting for
// it. While it is down it drops whatever is sent to it.
//
// # Kingman's estimate
//
// [Load.WaitS] gives W ≈ ρ/(1−ρ) · (c_a²+c_s²)/2 · 1/μ (Kingman 1961), from
// measured or configured loads. It is exact for Poisson arrivals and
// overestimates regular ones; metrics use the packet-level times.
package network
