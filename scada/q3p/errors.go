package q3p

import (
	"errors"
	"fmt"
)

// What a caller branches on, with errors.Is.
var (
	ErrBadTag     = errors.New("tag does not verify")
	ErrReplay     = errors.New("message id seen before or older than the window")
	ErrUnknownKey = errors.New("key not at hand")

	ErrKeyReused = errors.New("key overlaps key used before")
	ErrKeyLength = errors.New("key has the wrong length")
	ErrExhausted = errors.New("ids exhausted, open a new channel")
)

// MalformedError says what in a frame breaks the layout. Offset counts octets
// from the start of the frame.
type MalformedError struct {
	Offset          int
	Field           string
	Found, Expected string
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("q3p: %s at octet %d: found %s, expected %s", e.Field, e.Offset, e.Found, e.Expected)
}

func malformed(offset int, field string, found any, expected string) error {
	return &MalformedError{offset, field, fmt.Sprint(found), expected}
}
