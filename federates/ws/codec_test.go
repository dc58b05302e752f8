package ws_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cosim/federates/ws"
)

func TestDecoderSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct{ frame, code, says string }{
		{`{"type":"done","seq":4}`, "", ""},
		{` { "type" : "done" , "seq" : 4 , "outputs" : { "a \"b\\ \u00b5" : [ 1 ] } } `, "", ""},
		{`{"type":"done","seq":4,"outputs":{"Power":[1],"null":[]}}`, "", ""},
		{`{"type":"error","code":"failed","message":"no licence"}`, ws.CodeFailed, "no licence"},
		{`{"type":"hello","federate":"x","step_ns":1}`, ws.CodeBadMessage, `expected a message of type "done", got "hello"`},
		{`{"seq":4}`, ws.CodeBadMessage, `got ""`},
		{`{"type":"done"}`, ws.CodeBadMessage, "seq is missing"},
		{`{"type":"done","seq":4.0}`, ws.CodeBadMessage, "seq: found number 4.0 at byte 24, expected int64"},
		{`{"type":"done","seq":"4"}`, ws.CodeBadMessage, "seq: found string"},
		{`{"type":"done","seq":4,"seq":5}`, ws.CodeBadMessage, `key "seq" stands twice`},
		{`{"type":"done","SEQ":4}`, ws.CodeBadMessage, `unknown key "SEQ"`},
		{`{"type":"done","seq":4,"output":{}}`, ws.CodeBadMessage, `unknown field "output"`},
		{`{"type":"done","seq":null}`, ws.CodeBadMessage, "null at byte 21"},
		{`{"type":"done","seq":4,"outputs":{"f":[1,null]}}`, ws.CodeBadMessage, "null at byte 41"},
		{`{"type":"done","seq":4,"outputs":{"f":[1],"f":[2]}}`, ws.CodeBadMessage, `key "f" stands twice`},
		{`{"type":"done","seq":4,"outputs":{"f":[1],"\u0066":[2]}}`, ws.CodeBadMessage, `key "f" stands twice`},
		{`{"type":"done","seq":4,"outputs":{"f":[NaN]}}`, ws.CodeBadMessage, "NaN at byte 40: numbers must be finite"},
		{`{"type":"done","seq":4,"outputs":{"f":[-Infinity]}}`, ws.CodeBadMessage, "Infinity at byte 41: numbers must be finite"},
		{`{"type":"done","seq":4,"outputs":{"f":[1}`, ws.CodeBadMessage, "invalid character '}'"},
		{`{"type":"done","seq":4} x`, ws.CodeBadMessage, "1 bytes after the message"},
		{`[]`, ws.CodeBadMessage, "done: "},
		{``, ws.CodeBadMessage, "done: EOF"},
	} {
		err := ws.JSON.Decode([]byte(test.frame), &ws.Done{})
		var e *ws.Error
		switch {
		case test.code == "" && err != nil:
			t.Errorf("%s: %v", test.frame, err)
		case test.code != "" && (!errors.As(err, &e) || e.Code != test.code || !strings.Contains(e.Message, test.says)):
			t.Errorf("%s: %v; want %s with %q", test.frame, err, test.code, test.says)
		}
	}
}

// What JSON decoding refuses, CBOR decoding refuses too.
func TestCBORDecoderIsAsStrict(t *testing.T) {
	type m = map[string]any
	for name, message := range map[string]any{
		"unknown key": m{"type": "done", "seq": 4, "output": m{}},
		"spelling":    m{"type": "done", "SEQ": 4},
		"null":        m{"type": "done", "seq": nil},
		"null inside": m{"type": "done", "seq": 4, "outputs": m{"f": []any{nil}}},
		"float":       m{"type": "done", "seq": 4.5},
		"tag":         m{"type": "done", "seq": cbor.Tag{Number: 42, Content: 4}},
		"no seq":      m{"type": "done"},
		"another":     m{"type": "stop", "reason": "end"},
	} {
		frame, err := cbor.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.CBOR.Decode(frame, &ws.Done{}); err == nil {
			t.Errorf("%s: passes", name)
		}
	}
	for name, frame := range map[string]string{
		"key twice":         "\xa3\x64type\x64done\x63seq\x04\x63seq\x05",
		"indefinite length": "\xbf\x64type\x64done\x63seq\x04\xff",
		"rest":              "\xa2\x64type\x64done\x63seq\x04\x00",
	} {
		if err := ws.CBOR.Decode([]byte(frame), &ws.Done{}); err == nil {
			t.Errorf("%s: passes", name)
		}
	}
}

// all returns one empty message of each type.
func all() []any {
	return []any{&ws.Done{}, &ws.Hello{}, &ws.Welcome{}, &ws.Step{}, &ws.Stop{}, &ws.Error{}}
}

var sameContent = cmp.Options{cmp.AllowUnexported(ws.Content{}), cmpopts.EquateEmpty()}

// Whatever comes, the decoder neither panics nor accepts what it would not
// write itself: what was read, written and read again is the same.
func fuzzDecode(t *testing.T, codec *ws.Codec, frame []byte) {
	message, err := codec.DecodeNext(frame, all()...)
	if err != nil {
		var e *ws.Error
		if !errors.As(err, &e) || e.Message == "" && e.Code == ws.CodeBadMessage {
			t.Errorf("the error says too little: %v", err)
		}
		return
	}
	if hasContent(message) {
		return // still in its encoding; FuzzOutputs looks at it
	}
	text, err := codec.Encode(message)
	if err != nil {
		t.Fatalf("%+v was read but cannot be written: %v", message, err)
	}
	again, err := codec.DecodeNext(text, all()...)
	if err != nil {
		t.Fatalf("%q was read, but not %q: %v", frame, text, err)
	}
	if diff := cmp.Diff(message, again, sameContent); diff != "" {
		t.Errorf("%q: -first +again:\n%s", frame, diff)
	}
}

func hasContent(message any) bool {
	switch m := message.(type) {
	case *ws.Step:
		return len(m.Inputs) > 0
	case *ws.Done:
		return len(m.Outputs) > 0
	}
	return false
}

func seeds(t testing.TB) []string {
	files, err := os.ReadDir("testdata/frames")
	if err != nil {
		t.Fatal(err)
	}
	lines := documented(t)
	for _, f := range files {
		text, err := os.ReadFile("testdata/frames/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Split(strings.TrimSpace(string(text)), "\n")...)
	}
	return lines
}

func FuzzDecodeJSON(f *testing.F) {
	for _, line := range seeds(f) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, frame []byte) { fuzzDecode(t, ws.JSON, frame) })
}

func FuzzDecodeCBOR(f *testing.F) {
	for _, line := range seeds(f) {
		var value any
		if ws.JSON.Decode([]byte(line), &ws.Done{}) == nil {
			d := &ws.Done{}
			_ = ws.JSON.Decode([]byte(line), d)
			value = d
		} else {
			value = map[string]any{"type": "done", "seq": line}
		}
		frame, err := cbor.Marshal(value)
		if err != nil {
			continue
		}
		f.Add(frame)
	}
	f.Add([]byte("\xa2\x64type\x64done\x63seq\x04"))
	f.Add([]byte("\xbf\x64type\x64done\x63seq\x04\xff"))
	f.Add([]byte("\xa3\x64type\x64done\x63seq\x04\x67outputs\xa1\x61f\x82\xfb\x40\x00\x00\x00\x00\x00\x00\x00\xf9\x7e\x00"))
	f.Fuzz(func(t *testing.T, frame []byte) { fuzzDecode(t, ws.CBOR, frame) })
}
