package iec104

import (
	"errors"
	"fmt"
)

// ErrUnknownType marks an ASDU whose type is not in the table. A station
// answers it with AppendRejection and the cause UnknownType, not by closing.
var ErrUnknownType = errors.New("unknown type identification")

// FormatError says what in a frame breaks the format. Offset counts octets
// from the start octet of the frame.
type FormatError struct {
	Offset          int
	Field           string
	Found, Expected string
	Err             error // sentinel, or nil
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("iec104: %s at octet %d: found %s, expected %s", e.Field, e.Offset, e.Found, e.Expected)
}

// Unwrap returns the sentinel, so that errors.Is finds ErrUnknownType.
func (e *FormatError) Unwrap() error { return e.Err }

func malformed(offset int, field string, found any, expected string) error {
	return &FormatError{Offset: offset, Field: field, Found: fmt.Sprint(found), Expected: expected}
}
