package mosaik

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// MaxMessage is the most bytes that a message may have.
const MaxMessage = 16 << 20

// kind is the first entry of a message.
type kind int

const (
	request kind = iota
	success
	failure
)

// message is what goes over the wire: content is a call for a request, the
// result for a success and a text for a failure.
type message struct {
	kind    kind
	id      int64
	content json.RawMessage
}

// call is the content of a request.
type call struct {
	function  string
	arguments []json.RawMessage
	named     map[string]json.RawMessage
}

// readFrame reads the next message into buffer. Memory grows with what comes,
// not with the length that is announced.
func readFrame(r io.Reader, buffer *bytes.Buffer) error {
	var header [4]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(header[:])
	if length > MaxMessage {
		return faultf(CodeTooLarge, "expected messages of at most %d bytes, got one of %d", MaxMessage, length)
	}
	buffer.Reset()
	_, err := io.CopyN(buffer, r, int64(length))
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// decode reads a message.
func decode(frame []byte) (message, error) {
	var m message
	if !utf8.Valid(frame) {
		return m, faultf(CodeBadMessage, "expected UTF-8, got %s", excerpt(frame))
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(frame, &parts); err != nil {
		return m, faultf(CodeBadMessage, "expected a JSON list [type, id, content], got %s", around(frame, err))
	}
	if len(parts) != 3 {
		return m, faultf(CodeBadMessage, "expected [type, id, content], got %d entries", len(parts))
	}
	k, err := integer(parts[0])
	if err != nil || k < int64(request) || k > int64(failure) {
		return m, faultf(CodeBadMessage, "expected a message of type 0, 1 or 2, got %s", excerpt(parts[0]))
	}
	if m.id, err = integer(parts[1]); err != nil {
		return m, faultf(CodeBadMessage, "expected an integer as id, got %s", excerpt(parts[1]))
	}
	m.kind, m.content = kind(k), parts[2]
	return m, nil
}

// decodeCall reads the content of a request.
func decodeCall(content json.RawMessage) (call, error) {
	var c call
	var parts []json.RawMessage
	wrong := faultf(CodeBadMessage, "expected [function, [arguments], {named arguments}], got %s", excerpt(content))
	if json.Unmarshal(content, &parts) != nil || len(parts) != 3 ||
		json.Unmarshal(parts[0], &c.function) != nil || c.function == "" ||
		json.Unmarshal(parts[1], &c.arguments) != nil || json.Unmarshal(parts[2], &c.named) != nil {
		return call{}, wrong
	}
	return c, nil
}

// argument is the argument at a place or of a name; nil if it was not given.
func (c *call) argument(place int, name string) json.RawMessage {
	if place < len(c.arguments) {
		return c.arguments[place]
	}
	return c.named[name]
}

// appendMessage appends a message with its length. Content is JSON.
func appendMessage(b []byte, k kind, id int64, content []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, '[', '0'+byte(k), ',')
	b = append(strconv.AppendInt(b, id, 10), ',')
	b = append(append(b, content...), ']')
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

// appendNumber writes a number that every language reads as a float: 50.0, not
// 50, which in some is an integer and no input for a float.
func appendNumber(b []byte, x float64) []byte {
	start := len(b)
	format := byte('f')
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, x, format, -1, 64)
	if !bytes.ContainsAny(b[start:], ".e") {
		b = append(b, ".0"...)
	}
	return b
}

// integer reads a whole number, which Python may also have written as 12.0.
func integer(raw json.RawMessage) (int64, error) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, nil
	}
	x, err := number(raw)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
		return 0, fmt.Errorf("expected an integer, got %s", excerpt(raw))
	}
	return int64(x), nil
}

// number reads a number. Go would also take null, for zero.
func number(raw json.RawMessage) (float64, error) {
	var x float64
	if string(raw) == "null" || json.Unmarshal(raw, &x) != nil {
		return 0, fmt.Errorf("expected a number, got %s", excerpt(raw))
	}
	return x, nil
}

const excerptLength = 60

// excerpt quotes the beginning of what came.
func excerpt(raw []byte) string {
	if len(raw) == 0 {
		return "nothing"
	}
	if !utf8.Valid(raw) {
		return fmt.Sprintf("%q", raw[:min(len(raw), excerptLength)])
	}
	runes := []rune(string(raw[:min(len(raw), 4*excerptLength)]))
	if len(runes) > excerptLength {
		return string(runes[:excerptLength]) + "…"
	}
	return string(runes)
}

// around quotes what stands where JSON ends to be JSON.
func around(frame []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return excerpt(frame)
	}
	at := int(min(max(syntax.Offset-1, 0), int64(len(frame))))
	from := max(0, at-20)
	return fmt.Sprintf("%q (%v)", frame[from:min(len(frame), at+20)], err)
}
