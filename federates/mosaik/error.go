package mosaik

import (
	"fmt"
	"strings"

	"cosim/sync"
)

// Codes of an Error.
const (
	CodeBadMessage = "bad-message" // not of the protocol
	CodeTooLarge   = "too-large"   // a message beyond the size limit
	CodeWrongID    = "wrong-id"    // a reply to another request
	CodeBadReply   = "bad-reply"   // a result that the request cannot have
	CodeEntities   = "entities"    // no such model, parameter or attribute
	CodeVersion    = "version"     // an API version or type that is not supported
	CodeDeadline   = "deadline"    // no reply in time
	CodeFailed     = "failed"      // the simulator says that it failed
	CodeConnection = "connection"  // the connection or the program ended
)

// Error says which simulator was lost, in which request, and why.
type Error struct {
	Simulator string
	Remote    string // its address; empty if it never connected
	Request   string // that was not answered well, such as "step"; empty: none
	Seq       int64  // of the federate's step; -1 before the first
	At        sync.Time
	Code      string
	Message   string
}

// Error returns "mosaik: pv (127.0.0.1:5555): get_data in step 12 at 1m0s:
// deadline: expected a reply within 5s, got none".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("mosaik: " + e.Simulator)
	if e.Remote != "" {
		b.WriteString(" (" + e.Remote + ")")
	}
	if e.Request != "" {
		b.WriteString(": " + e.Request)
		if e.Seq >= 0 {
			fmt.Fprintf(&b, " in step %d at %v", e.Seq, e.At)
		}
	}
	b.WriteString(": " + e.Code + ": " + e.Message)
	return b.String()
}

// faultf is an Error that does not know yet where it happened.
func faultf(code, format string, args ...any) *Error {
	return &Error{Seq: -1, Code: code, Message: fmt.Sprintf(format, args...)}
}
