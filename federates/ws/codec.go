package ws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"
	"github.com/gorilla/websocket"
)

// Codec turns messages into frames and back. Decoding is strict: unknown,
// repeated and differently spelt keys, null, and anything after the message
// are refused.
type Codec struct {
	protocol string
	frame    int // websocket's type of message
	marshal  func(v any) ([]byte, error)
	strict   func(data []byte, v any) error
	loose    func(data []byte, v any) error
}

// The codecs of the two sub-protocols.
var (
	JSON = &Codec{ProtocolJSON, websocket.TextMessage, json.Marshal, strictJSON, json.Unmarshal}
	CBOR = &Codec{ProtocolCBOR, websocket.BinaryMessage, marshalCBOR, strictCBOR, looseCBOR}
)

// CodecOf returns the codec of a sub-protocol, or nil.
func CodecOf(protocol string) *Codec {
	for _, c := range []*Codec{JSON, CBOR} {
		if c.protocol == protocol {
			return c
		}
	}
	return nil
}

// Protocol is the name of the codec's sub-protocol.
func (c *Codec) Protocol() string { return c.protocol }

// FrameType is the type of WebSocket message that carries the frames.
func (c *Codec) FrameType() int { return c.frame }

// Encode returns the frame of a message: *Hello, *Welcome, *Step, *Done, *Stop
// or *Error.
func (c *Codec) Encode(message any) ([]byte, error) {
	if c == CBOR {
		switch m := message.(type) {
		case *Step:
			return m.appendCBOR(nil), nil
		case *Done:
			return m.appendCBOR(nil), nil
		}
	}
	return c.marshal(message)
}

// Decode reads a frame into message, which decides the type that is expected.
// The error is an *Error: the peer's own, if it sent one, or what is wrong
// with the frame. What the message holds for ports may refer to data.
func (c *Codec) Decode(data []byte, message any) error {
	if c == CBOR && quickCBOR(data, message) {
		return nil
	}
	expected, got, seq := headOf(message)
	if seq != nil {
		*seq = missing
	}
	err := c.strict(data, message)
	if err == nil && *got == expected {
		if seq != nil && *seq == missing {
			return refusef(CodeBadMessage, "%s: seq is missing", expected)
		}
		return nil
	}
	var head struct {
		Type string `json:"type"`
	}
	switch looseErr := c.loose(data, &head); {
	case looseErr == nil && head.Type == TypeError && expected != TypeError:
		e := &Error{}
		if c.strict(data, e) == nil {
			return e
		}
	case looseErr == nil && head.Type != expected:
		return refusef(CodeBadMessage, "expected a message of type %q, got %q", expected, head.Type)
	}
	return refusef(CodeBadMessage, "%s: %s", expected, plain(err))
}

// DecodeNext reads a frame that may be of one of several types, the usual one
// first, and returns the message of the frame's type.
func (c *Codec) DecodeNext(data []byte, messages ...any) (any, error) {
	err := c.Decode(data, messages[0])
	if err == nil {
		return messages[0], nil
	}
	var head struct {
		Type string `json:"type"`
	}
	_ = c.loose(data, &head) // err says what is wrong
	for _, m := range messages[1:] {
		if expected, _, _ := headOf(m); expected == head.Type {
			return m, c.Decode(data, m)
		}
	}
	return messages[0], err
}

// headOf returns the type that a message must have, where it says so, and the
// number that one of its type may not leave out.
func headOf(message any) (expected string, got *string, seq *int64) {
	switch m := message.(type) {
	case *Hello:
		return TypeHello, &m.Type, nil
	case *Welcome:
		return TypeWelcome, &m.Type, nil
	case *Step:
		return TypeStep, &m.Type, &m.Seq
	case *Done:
		return TypeDone, &m.Type, &m.Seq
	case *Stop:
		return TypeStop, &m.Type, nil
	case *Error:
		return TypeError, &m.Type, nil
	}
	panic(fmt.Sprintf("ws: %T is no message", message))
}

// missing is a seq that no message has.
const missing = -1 << 63

// refusef makes the error for a peer that broke a rule. Texts of the peer's
// are cut to a length that a person reads.
func refusef(code, format string, args ...any) *Error {
	const most = 400
	text := fmt.Sprintf(format, args...)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return &Error{TypeError, code, text}
}

// plain removes what only a Go programmer understands.
func plain(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("%s: found %s at byte %d, expected %s", wrong.Field, wrong.Value, wrong.Offset, wrong.Type)
	}
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "json: "), "cbor: ")
	return strings.ReplaceAll(text, "Go struct field ", "")
}

// MarshalJSON implements json.Marshaler.
func (c Content) MarshalJSON() ([]byte, error) { return json.Marshal(c.list()) }

// UnmarshalJSON implements json.Unmarshaler.
func (c *Content) UnmarshalJSON(data []byte) error {
	c.raw = bytes.Clone(data)
	return nil
}

// MarshalCBOR implements cbor.Marshaler.
func (c Content) MarshalCBOR() ([]byte, error) { return marshalCBOR(c.list()) }

// UnmarshalCBOR implements cbor.Unmarshaler.
func (c *Content) UnmarshalCBOR(data []byte) error {
	c.raw = bytes.Clone(data)
	return nil
}

func strictJSON(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return notANumber(data, err)
	}
	if rest := bytes.TrimSpace(data[d.InputOffset():]); len(rest) > 0 {
		return fmt.Errorf("%d bytes after the message", len(rest))
	}
	return checkKeys(data)
}

// notANumber says so where a program wrote NaN or Infinity, as Python's json
// does by default.
func notANumber(data []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	at := data[max(0, min(int64(len(data)), syntax.Offset)-2):]
	for _, word := range []string{"NaN", "Infinity"} {
		if i := bytes.Index(at, []byte(word)); i >= 0 && i <= 2 {
			return fmt.Errorf("%s at byte %d: numbers must be finite", word, syntax.Offset)
		}
	}
	return err
}

var (
	cborEncoding = must(cbor.EncOptions{}.EncMode())
	cborLimits   = cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 8,
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		SimpleValues:      must(cbor.NewSimpleValueRegistryFromDefaults(cbor.WithRejectedSimpleValue(22), cbor.WithRejectedSimpleValue(23))),
		MaxArrayElements:  1 << 20, MaxMapPairs: 1 << 16,
	}
	cborLoose  = must(cborLimits.DecMode())
	cborStrict = must(unknownFieldsRefused(cborLimits).DecMode())
)

func unknownFieldsRefused(o cbor.DecOptions) cbor.DecOptions {
	o.ExtraReturnErrors = cbor.ExtraDecErrorUnknownField
	return o
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err) // of constants
	}
	return x
}

func marshalCBOR(v any) ([]byte, error)   { return cborEncoding.Marshal(v) }
func strictCBOR(data []byte, v any) error { return cborStrict.Unmarshal(data, v) }
func looseCBOR(data []byte, v any) error  { return cborLoose.Unmarshal(data, v) }
