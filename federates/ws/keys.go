package ws

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// checkKeys refuses what encoding/json lets pass in well-formed JSON: null,
// keys that stand twice, and keys that differ from a field's name in case. The
// names of ports and parameters are free.
func checkKeys(data []byte) error {
	w := keyWalk{data: data}
	for w.at < len(data) {
		if err := w.token(); err != nil {
			return err
		}
	}
	return nil
}

// keyWalk goes through well-formed JSON.
type keyWalk struct {
	data  []byte
	at    int
	stack []keyGroup
}

// keyGroup is an object or array that is open.
type keyGroup struct {
	object bool
	free   bool // keys are names that somebody chose
	value  bool // after the colon
	keys   [][]byte
}

func (w *keyWalk) token() error {
	switch c := w.data[w.at]; c {
	case '{', '[':
		g := keyGroup{object: c == '{'}
		if g.object && len(w.stack) == 1 && len(w.stack[0].keys) > 0 {
			k := w.stack[0].keys
			g.free = isFree(k[len(k)-1])
		}
		w.stack = append(w.stack, g)
	case '}', ']':
		w.stack = w.stack[:len(w.stack)-1]
	case ':':
		w.top().value = true
	case ',':
		w.top().value = false
	case 'n':
		return fmt.Errorf("null at byte %d: give a value, or leave the key out (numbers must be finite)", w.at)
	case '"':
		return w.word()
	}
	w.at++
	return nil
}

func (w *keyWalk) top() *keyGroup { return &w.stack[len(w.stack)-1] }

// word passes a string and, if it is a key, checks it.
func (w *keyWalk) word() error {
	start := w.at
	for w.at++; w.data[w.at] != '"'; w.at++ {
		if w.data[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	if len(w.stack) == 0 || !w.top().object || w.top().value {
		return nil
	}
	g, key := w.top(), w.data[start+1:w.at-1]
	if bytes.IndexByte(key, '\\') >= 0 {
		var text string
		if err := json.Unmarshal(w.data[start:w.at], &text); err != nil {
			return err
		}
		key = []byte(text)
	}
	for _, other := range g.keys {
		if bytes.Equal(other, key) {
			return fmt.Errorf("key %q stands twice", key)
		}
	}
	if !g.free && !isLower(key) {
		return fmt.Errorf("unknown key %q; keys are spelt in lower case", key)
	}
	g.keys = append(g.keys, key)
	return nil
}

func isFree(key []byte) bool {
	switch string(key) {
	case "inputs", "outputs", "parameters":
		return true
	}
	return false
}

// isLower is true for a key as the messages' fields are spelt. A key that
// encoding/json matched with a field and that is lower case is the field's.
func isLower(key []byte) bool {
	for _, c := range key {
		if (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return true
}
