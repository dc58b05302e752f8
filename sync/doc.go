// Package sync advances a federation of simulators ("federates") in simulated
// time and moves data between them.
//
// A Federate describes its ports and its step; Connections join outputs to
// inputs; a Master checks it all, and runs it. Time is an integer number of
// nanoseconds.
//
// # One step
//
// The master steps by the greatest common divisor of the federates' steps. A
// federate of a fixed step S acts whenever t is a multiple of S and then covers
// [t, t+S). With quantum at 100 ms and all others at 10 ms, the step from
// t = 100 ms looks like this:
//
//	release   what steps that end at 100 ms have made becomes visible to
//	          delayed readers
//	level 0   quantum [100, 200)    scada [100, 110)
//	              │ breaks              │ frames          direct: this step
//	level 1       └──────► network ◄────┘
//	              [100, 110) │ deliveries
//	level 2                  └──► grid [100, 110)
//	observe   all outputs go to the observers
//
//	delayed   quantum, network, grid ──► scada            the step before
//
// Levels follow from the direct connections alone: every federate acts after
// all that it reads directly, whatever the order in which they are listed. A
// cycle of direct connections is refused. Federates of one level act in turn
// while they are cheap, in parallel once they have shown to be costly; results
// cannot tell.
//
// # Steps that a federate names
//
// An event-stepped federate (Description.ByEvent) acts at time zero and then at
// the times that it names (Step.Next) and when an input wakes it (Port.Wake):
// by a message or an event that can be read now, by a value that has changed or
// crossed a level since the federate last acted. Its steps begin at multiples
// of its Step, or of the master's if it has none; a time in between counts as
// the next of these, one at or after the end as Never. Only the time named last
// counts, so that a step that names none leaves it to the inputs.
//
// Between its steps its vectors hold, what comes for it waits, and the others
// advance as if it were not there. A direct input wakes it in the very step in
// which its source acts, for its level comes after. Steps are counted as they
// are made. A step costs it nothing that it does not make but a look at the
// inputs that can wake it.
//
// # What a reader sees
//
//   - Port.Direct: what the source made in its step that is now under way.
//     If the source is slower than the reader this is one long step, and its
//     messages and events arrive at once, times to come included.
//   - Otherwise (delayed): what the source made in its last step that has
//     ended. A step of 100 ms begun at 0 is seen from 100 ms on.
//   - A vector holds its value until it is written again; elements are matched
//     by name and converted to the reader's unit.
//   - Messages and events wait in a queue for each connection and are handed
//     over once, also to a reader that is slower than the source. Several
//     outputs may feed one such input. They are merged by time; at equal times
//     in the order in which the connections are listed, then as emitted.
//   - What Init makes is there for delayed readers at t = 0.
//   - An optional input that nothing feeds has nil Values, no messages and no
//     events.
//
// An output must be finite and of the described length, and the times of its
// messages and events lie in [t, t+S]: anything else ends the run with an
// error that names the federate, so that it cannot spread.
//
// # A federate is lost
//
// A federate that fails ends the run, unless a Tolerance says otherwise: then
// its outputs are held and marked Stale, or a standby that has made every step
// unseen takes its place, from the very step on that was missed. The frame of
// that step says so (Frame.Lost).
//
// # Roles
//
// Federates simulate; one that works elsewhere is an Asker. The Master moves
// time and data. An Observer sees every frame and changes nothing; Fingerprint
// is one. A Fault changes outputs on the way to their readers and is data. A Controller, in the hands of a user
// interface, holds and releases the run. Wall time (pacing, stall reports,
// deadlines, timings) stays behind Clock and never reaches a result.
//
// A file that needs the standard package sync too imports this one as cosync.
package sync
