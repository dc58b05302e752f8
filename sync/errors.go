package sync

import (
	"errors"
	"fmt"
)

// ErrDeadline is the cause in a FederateError when a federate did not answer
// within Options.StepDeadline.
var ErrDeadline = errors.New("did not answer before its deadline")

// ErrCancelled is the cause in a FederateError when a federate did not come
// back from its call soon after the run was cancelled.
var ErrCancelled = errors.New("did not answer after the run was cancelled")

var (
	errExited    = errors.New("ended the goroutine that called it")
	errAbandoned = errors.New("the run ended without waiting")
)

// FederateError says which federate failed, in what and when.
type FederateError struct {
	Federate string
	Call     string // "init", "step" or "close"
	Seq      int64  // of the federate's own steps, from 0; only for "step"
	At       Time   // start of that step
	Err      error
}

// Error returns "sync: grid, step 42 at 4.2s: ...".
func (e *FederateError) Error() string {
	if e.Call == "step" {
		return fmt.Sprintf("sync: %s, step %d at %v: %v", e.Federate, e.Seq, e.At, e.Err)
	}
	return fmt.Sprintf("sync: %s, %s: %v", e.Federate, e.Call, e.Err)
}

// Unwrap returns the cause.
func (e *FederateError) Unwrap() error { return e.Err }

// PanicError is the cause when a federate or an observer panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error returns "panic: " and the value; the stack is left to who wants it.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
