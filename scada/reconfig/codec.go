package reconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"cosim/internal/spelling"
)

// A recording is plain data, and its JSON follows from the fields of its types:
// StockVarBits is "stock_var_bits". encoding/json has no infinite costs, takes
// keys in any case and twice, and does not say where a mistake stands.

// write appends v as indented JSON. Lists of plain values, and whatever is
// short, stand on one line. Nil pointers and lists are left out.
func write(v reflect.Value, indent int, b []byte) []byte {
	if v.Kind() == reflect.Pointer {
		return write(v.Elem(), indent, b)
	}
	const width = 100
	limit := len(b) + width - indent
	if isPlain(v.Type()) || v.Kind() == reflect.Slice && isPlain(v.Type().Elem()) {
		limit = math.MaxInt
	}
	if line, ok := writeLine(v, b, limit); ok {
		return line
	}
	opening, closing := brackets(v)
	b = append(b, opening)
	first := true
	elements(v, func(key string, x reflect.Value) bool {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(newline(b, indent+1), key...)
		b = write(x, indent+1, b)
		return true
	})
	return append(newline(b, indent), closing)
}

func newline(b []byte, indent int) []byte {
	b = append(b, '\n')
	for range indent {
		b = append(b, ' ')
	}
	return b
}

func brackets(v reflect.Value) (opening, closing byte) {
	if v.Kind() == reflect.Slice {
		return '[', ']'
	}
	return '{', '}'
}

// writeLine appends v on one line, unless that makes b longer than limit.
func writeLine(v reflect.Value, b []byte, limit int) (line []byte, ok bool) {
	switch v.Kind() {
	case reflect.Float64:
		return writeNumber(v.Float(), b), true
	case reflect.Int, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), true
	case reflect.Uint64:
		return strconv.AppendUint(b, v.Uint(), 10), true
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), true
	case reflect.String:
		return writeString(v.String(), b), true
	case reflect.Pointer:
		return writeLine(v.Elem(), b, limit)
	}
	opening, closing := brackets(v)
	b, ok = append(b, opening), true
	first := true
	elements(v, func(key string, x reflect.Value) bool {
		if !first {
			b = append(b, ", "...)
		}
		first = false
		b = append(b, key...)
		b, ok = writeLine(x, b, limit)
		ok = ok && len(b) < limit
		return ok
	})
	return append(b, closing), ok
}

// elements calls f with all there is in a list or a struct until it returns
// false; the key of a field ends with its colon.
func elements(v reflect.Value, f func(key string, x reflect.Value) bool) {
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			if !f("", v.Index(i)) {
				return
			}
		}
		return
	}
	for i, key := range keysOf(v.Type()) {
		x := v.Field(i)
		if key == "" || (x.Kind() == reflect.Slice || x.Kind() == reflect.Pointer) && x.IsNil() {
			continue
		}
		if !f(`"`+key+`": `, x) {
			return
		}
	}
}

func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Pointer:
		return false
	}
	return true
}

// writeNumber writes a number so that it reads back bit for bit.
func writeNumber(x float64, b []byte) []byte {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return strconv.AppendQuote(b, strconv.FormatFloat(x, 'g', -1, 64))
	}
	return strconv.AppendFloat(b, x, 'g', -1, 64)
}

func writeString(s string, b []byte) []byte {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // ">" stands between the stations of a route
	_ = e.Encode(s)        // a string can be written
	return append(b, bytes.TrimSpace(text.Bytes())...)
}

// keysOf are the keys of a struct's fields, empty where a field is not written.
func keysOf(t reflect.Type) []string {
	if keys, ok := knownKeys.Load(t); ok {
		return keys.([]string)
	}
	keys := make([]string, t.NumField())
	for i := range keys {
		if f := t.Field(i); f.IsExported() {
			keys[i] = keyOf(f.Name)
		}
	}
	knownKeys.Store(t, keys)
	return keys
}

var knownKeys sync.Map // of keysOf, by type

// keyOf is the key of a field: "StockVarBits" is "stock_var_bits".
func keyOf(field string) string {
	var b strings.Builder
	runes := []rune(field)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// difference says where two values of a type differ first, as far as they are
// written; nothing is as good as an empty list.
func difference(a, b reflect.Value, path string) string {
	switch a.Kind() {
	case reflect.Slice:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s: recorded %d entries, now %d", path, a.Len(), b.Len())
		}
		for i := range a.Len() {
			if d := difference(a.Index(i), b.Index(i), fmt.Sprintf("%s[%d]", path, i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Struct:
		for i, key := range keysOf(a.Type()) {
			if key == "" {
				continue
			}
			if d := difference(a.Field(i), b.Field(i), strings.TrimPrefix(path+"."+key, ".")); d != "" {
				return d
			}
		}
		return ""
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				return fmt.Sprintf("%s: only one of the two has it", path)
			}
			return ""
		}
		return difference(a.Elem(), b.Elem(), path)
	}
	if x, y := string(write(a, 0, nil)), string(write(b, 0, nil)); x != y {
		return fmt.Sprintf("%s: recorded %s, now %s", path, x, y)
	}
	return ""
}

// reader reads JSON into the fields of a struct and collects every mistake with
// its line and its place. What is absent is zero.
type reader struct {
	file     string
	data     []byte
	tokens   *json.Decoder
	path     []string
	mistakes []error
	left     int // mistakes that are not listed
}

// mostMistakes is how many mistakes of a file are listed.
const mostMistakes = 10

// read sets the struct that v points to from the text of a file.
func read(file string, data []byte, v any) error {
	r := &reader{file: file, data: data, tokens: json.NewDecoder(bytes.NewReader(data))}
	r.tokens.UseNumber()
	if err := r.value(reflect.ValueOf(v).Elem()); err != nil {
		return r.broken(err)
	}
	if _, err := r.tokens.Token(); err == nil {
		r.mistake("more stands behind the end")
	} else if !errors.Is(err, io.EOF) {
		return r.broken(err)
	}
	if r.left > 0 {
		r.mistakes = append(r.mistakes, fmt.Errorf("%s: and %d more", file, r.left))
	}
	return errors.Join(r.mistakes...)
}

// broken says where the text is no JSON.
func (r *reader) broken(err error) error {
	at := r.tokens.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = syntax.Offset
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err, at = errors.New("the text ends too early"), int64(len(r.data))
	}
	return fmt.Errorf("%s:%d: not JSON: %w", r.file, r.line(at), err)
}

func (r *reader) line(offset int64) int {
	return 1 + bytes.Count(r.data[:min(offset, int64(len(r.data)))], []byte("\n"))
}

// mistake notes what is wrong at the token that was read last.
func (r *reader) mistake(format string, args ...any) {
	if len(r.mistakes) == mostMistakes {
		r.left++
		return
	}
	place := strings.TrimPrefix(strings.Join(r.path, ""), ".")
	if place != "" {
		place += ": "
	}
	r.mistakes = append(r.mistakes, fmt.Errorf("%s:%d: %s%s", r.file, r.line(r.tokens.InputOffset()), place, fmt.Sprintf(format, args...)))
}

// value reads one value. Its error is one of syntax; all else is a mistake.
func (r *reader) value(v reflect.Value) error {
	token, err := r.tokens.Token()
	if err != nil {
		return err
	}
	for v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		if token != json.Delim('{') {
			return r.unexpected(token, "an object")
		}
		return r.object(v)
	case reflect.Slice:
		if token != json.Delim('[') {
			return r.unexpected(token, "a list")
		}
		return r.list(v)
	}
	if expected := setPlain(v, token); expected != "" {
		return r.unexpected(token, expected)
	}
	return nil
}

// unexpected notes a value of the wrong kind and passes over it.
func (r *reader) unexpected(token json.Token, expected string) error {
	r.mistake("found %s, expected %s", nameOf(token), expected)
	return r.skip(token)
}

// skip passes over the rest of the value that begins with token.
func (r *reader) skip(token json.Token) error {
	for depth := 0; ; {
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth <= 0 {
			return nil
		}
		var err error
		if token, err = r.tokens.Token(); err != nil {
			return err
		}
	}
}

func (r *reader) list(v reflect.Value) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for i := 0; r.tokens.More(); i++ {
		r.path = append(r.path, "["+strconv.Itoa(i)+"]")
		x := reflect.New(v.Type().Elem()).Elem()
		if err := r.value(x); err != nil {
			return err
		}
		v.Set(reflect.Append(v, x))
		r.path = r.path[:len(r.path)-1]
	}
	_, err := r.tokens.Token()
	return err
}

func (r *reader) object(v reflect.Value) error {
	fields := map[string]int{}
	var keys []string
	for i, key := range keysOf(v.Type()) {
		if key != "" {
			fields[key] = i
			keys = append(keys, key)
		}
	}
	seen := map[string]bool{}
	for r.tokens.More() {
		token, err := r.tokens.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		field, known := fields[key]
		if !known || seen[key] {
			r.wrongKey(key, known, keys)
			if token, err = r.tokens.Token(); err != nil {
				return err
			}
			if err := r.skip(token); err != nil {
				return err
			}
			continue
		}
		seen[key] = true
		r.path = append(r.path, "."+key)
		if err := r.value(v.Field(field)); err != nil {
			return err
		}
		r.path = r.path[:len(r.path)-1]
	}
	_, err := r.tokens.Token()
	return err
}

func (r *reader) wrongKey(key string, known bool, keys []string) {
	if known {
		r.mistake("key %q stands twice", key)
		return
	}
	if name, near := spelling.Nearest(key, keys); near {
		r.mistake("unknown key %q; did you mean %s?", key, name)
		return
	}
	r.mistake("unknown key %q, expected one of %s", key, strings.Join(keys, ", "))
}

// setPlain sets v to a number, string or truth value, or says what it expected.
func setPlain(v reflect.Value, token json.Token) (expected string) {
	number, isNumber := token.(json.Number)
	word, isWord := token.(string)
	switch v.Kind() {
	case reflect.Float64:
		text := number.String()
		if !isNumber {
			if word != "+Inf" && word != "-Inf" {
				return `a number, "+Inf" or "-Inf"`
			}
			text = word
		}
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return "a number of double precision"
		}
		v.SetFloat(x)
	case reflect.Int, reflect.Int64:
		x, err := strconv.ParseInt(number.String(), 10, 64)
		if !isNumber || err != nil || v.OverflowInt(x) {
			return "a whole number"
		}
		v.SetInt(x)
	case reflect.Uint64:
		x, err := strconv.ParseUint(number.String(), 10, 64)
		if !isNumber || err != nil {
			return "a whole number from 0 on"
		}
		v.SetUint(x)
	case reflect.Bool:
		x, ok := token.(bool)
		if !ok {
			return "true or false"
		}
		v.SetBool(x)
	case reflect.String:
		if !isWord {
			return "a string"
		}
		v.SetString(word)
	default:
		panic("reconfig: a recording has no fields of kind " + v.Kind().String())
	}
	return ""
}

func nameOf(token json.Token) string {
	switch x := token.(type) {
	case json.Delim:
		if x == '{' {
			return "an object"
		}
		return "a list"
	case string:
		if runes := []rune(x); len(runes) > 40 {
			x = string(runes[:40]) + "…"
		}
		return strconv.Quote(x)
	case nil:
		return "null"
	case json.Number:
		return x.String()
	}
	return fmt.Sprint(token)
}
