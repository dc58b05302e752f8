// Package outstation is a controlled station of IEC 60870-5-104 on TCP: it
// serves the points of a process image to control centres and hands their
// commands to whoever runs the process.
//
//	Image    points with value, quality and time; fed by the process
//	Station  image, commands, selections and clock, shared by all masters
//	session  one connection: a state machine without sockets or clocks
//	Server   accepts connections and runs a session on each
//
// A session obeys the standard's windows and timers (k 12, w 8, t1 15 s, t2
// 10 s, t3 20 s) and closes the connection on what a stream cannot contain: a
// gap in N(S), an acknowledgement of what was not sent, application data before
// STARTDT, a malformed frame. What can be answered is answered: unknown type,
// cause, common address and object address with the causes 44 to 47, a command
// that cannot be obeyed with a negative confirmation.
//
// Measured values are sent when they change by more than their deadband, the
// newest only: a slow master misses values in between, never the last one.
// Changes of state go out each, in order, with their times, as far as the
// image's log of them reaches back.
//
// Source: IEC 60870-5-101:2003 and IEC 60870-5-104:2006.
package outstation
