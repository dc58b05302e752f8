// Package mosaik lets simulators written for mosaik (https://mosaik.offis.de)
// take part in a federation, unchanged, over the protocol that mosaik itself
// speaks with them ("low-level API", versions 2 and 3).
//
// A message is a length of four bytes, big endian, and that much JSON:
//
//	[0, id, [function, [arguments], {named arguments}]]   request
//	[1, id, result]                                       success
//	[2, id, "what went wrong"]                            failure
//
// A Simulator is a sync.Federate and the simulator's master in one:
//
//	master     init ────────▶            who are you: API version, type, models
//	           create ──────▶            entities, for each model
//	           setup_done ──▶
//	           step ────────▶            time, inputs, max_advance: when again?
//	           ◀──────────── get_progress, get_data, set_data, set_event
//	           get_data ────▶            attributes of entities
//	           …
//	           stop ────────▶
//
// The simulator may ask back while it owes an answer.
//
// # Time
//
// mosaik counts whole units of time_resolution seconds; the federation counts
// nanoseconds. A step of the federate from t on is a mosaik step at t. The
// simulator says when it wants the next one; until then its outputs hold. So
// every simulator is an event-stepped federate (sync.Description.ByEvent),
// whose step is Config.Step and whose inputs wake it as its type says.
// Time-based simulators are stepped when they said, which must be at the start
// of a step of the federate. Event-based ones are stepped at time zero, when
// an input has changed, and when they said, at that very time; what they give
// for a time within the federate's step is out at its end. So are hybrid ones,
// but for changes of inputs that their meta does not list as trigger.
//
// # When something goes wrong
//
// Every request is answered within Config.Deadline, or the simulator is lost.
// An *Error says which simulator, request, step and simulated time it was.
//
// Goroutines: none but one that waits for the end of a program, if the
// simulator is one that was started here. What a simulator asks while it owes
// no answer waits in its socket until it does.
package mosaik
