// Package ws lets programs of others take part in a federation over
// WebSocket, in the protocol cosim.v1.
//
// A Server is an http.Handler with the endpoints
//
//	/v1/federates/{name}   WebSocket; sub-protocols cosim.v1.json and cosim.v1.cbor
//	/v1/schema.json        JSON Schema of the messages
//
// and holds one External for each federate it expects: a sync.Federate that
// stands for the program at the other end.
//
//	peer      hello ─────────▶           its ports and its step
//	          ◀───────── welcome         the run, its end, a token to come back with
//	          ◀───────── step −1         "what are your values at time zero?"
//	          done −1 ───────▶
//	          ◀───────── step 0          from, to, inputs
//	          done 0 ────────▶           outputs
//	          …
//	          ◀───────── stop
//
// A step is sent to all federates of a level before the first answer is waited
// for, so that their programs work at the same time.
//
// # When something goes wrong
//
// A peer that breaks the rules is told with an error frame what was expected
// and what it sent, and is lost; so is one that does not answer within its
// deadline. One whose connection breaks may come back within its grace, with
// the token of its welcome, and is asked again for the step that it did not
// answer. A step thus ends within deadline and grace, whatever the peer does.
// What becomes of the run without a federate is for sync.Tolerance to say.
//
// Goroutines: one reads each connection, and hands its frames to Step one at a
// time; what a peer sends beyond that waits in its own socket.
package ws
