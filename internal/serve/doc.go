// Package serve runs experiments behind sockets: an IEC 104 outstation that
// shows the simulated grid and takes commands, key delivery after ETSI GS QKD
// 014 from the run's pools, and REST for runs and chains.
//
// The federation stays a pure function of its inputs. All that comes in over a
// socket goes through the run's desk, an observer that works with the
// federates between two steps, and stands in the record as an event.
//
//	Server   sockets, access, the runs
//	Run      one experiment: its state, its desk
//	desk     jobs from other goroutines, done between two steps
//	process  the run's process image for the outstation, and its commands
//	vault    the run's key for applications
package serve
