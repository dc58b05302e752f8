package mosaik

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestMessageIsThatOfTheDocumentation(t *testing.T) {
	got := appendMessage(nil, request, 1, []byte(`["my_func", ["hello", "world"], {"times": 23}]`))
	want := "\x00\x00\x00\x34" + `[0,1,["my_func", ["hello", "world"], {"times": 23}]]`
	if string(got) != want {
		t.Errorf("got %q", got)
	}
	// As the documentation prints it, with spaces.
	var in bytes.Buffer
	if err := readFrame(strings.NewReader("\x00\x00\x00\x36"+`[0, 1, ["my_func", ["hello", "world"], {"times": 23}]]`), &in); err != nil {
		t.Fatal(err)
	}
	m, err := decode(in.Bytes())
	if err != nil || m.kind != request || m.id != 1 {
		t.Fatal(m, err)
	}
	c, err := decodeCall(m.content)
	if err != nil || c.function != "my_func" || len(c.arguments) != 2 || string(c.argument(9, "times")) != "23" {
		t.Error(c, err)
	}
}

func TestMalformedMessagesAreRefused(t *testing.T) {
	for frame, says := range map[string]string{
		"":                     "expected a JSON list",
		"hello":                "expected a JSON list",
		`[1, 2, {"P": NaN}]`:   `{\"P\": NaN}`,
		`[1, 2]`:               "got 2 entries",
		`[3, 2, null]`:         "type 0, 1 or 2, got 3",
		`[1, "2", null]`:       "an integer as id",
		`[1, 2, null] more`:    "expected a JSON list",
		`{"type": 1}`:          "expected a JSON list",
		"[1, 2, \"\xff\xfe\"]": "expected UTF-8",
	} {
		_, err := decode([]byte(frame))
		var told *Error
		if !errors.As(err, &told) || told.Code != CodeBadMessage || !strings.Contains(told.Message, says) {
			t.Errorf("%q: error %v", frame, err)
		}
	}
	for _, content := range []string{`null`, `[]`, `["f", [], {}, 1]`, `[1, [], {}]`, `["", [], {}]`, `["f", {}, {}]`, `["f", [], []]`} {
		if c, err := decodeCall(json.RawMessage(content)); err == nil {
			t.Errorf("%s: read as %v", content, c)
		}
	}
}

func TestLengthIsBounded(t *testing.T) {
	var in bytes.Buffer
	err := readFrame(strings.NewReader("\x01\x00\x00\x01"), &in)
	var told *Error
	if !errors.As(err, &told) || told.Code != CodeTooLarge {
		t.Errorf("error %v", err)
	}
	// A length that is announced costs nothing until the bytes are there.
	if err := readFrame(strings.NewReader("\x01\x00\x00\x00abc"), &in); err != io.ErrUnexpectedEOF || in.Cap() > 1<<16 {
		t.Errorf("error %v with a buffer of %d bytes", err, in.Cap())
	}
}

func TestNumbersAreFloatsInEveryLanguage(t *testing.T) {
	for x, want := range map[float64]string{50: "50.0", -0.25: "-0.25", 0: "0.0", 1e21: "1e+21", 1.5e-9: "1.5e-09", 123456789: "123456789.0"} {
		if got := string(appendNumber(nil, x)); got != want {
			t.Errorf("%v is written %s", x, got)
		}
	}
	for raw, want := range map[string]int64{"12": 12, "12.0": 12, "-3": -3, "9007199254740993": 9007199254740993} {
		if got, err := integer(json.RawMessage(raw)); err != nil || got != want {
			t.Errorf("%s is read as %d (%v)", raw, got, err)
		}
	}
	for _, raw := range []string{"null", "1.5", `"1"`, "true", "[]", "1e300", ""} {
		if got, err := integer(json.RawMessage(raw)); err == nil {
			t.Errorf("%q is read as %d", raw, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`[0, 1, ["get_data", [{"a.b": ["c"]}], {}]]`))
	f.Add([]byte(`[1, 1, {"PV-0": {"P": 1.5}, "time": 3}]`))
	f.Add([]byte(`[2, 7, "Traceback\nValueError: no"]`))
	f.Add([]byte(`[1, 1, {"api_version": "3.0", "type": "time-based", "models": {"A": {"public": true, "attrs": ["x"]}}}]`))
	f.Add([]byte(`[1, 2, [{"eid": "a", "type": "A", "children": [{"eid": "b", "type": "A"}]}]]`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := decode(frame)
		if err != nil {
			var told *Error
			if !errors.As(err, &told) {
				t.Fatalf("error %v has no code", err)
			}
			return
		}
		framed := appendMessage(nil, m.kind, m.id, m.content)
		var in bytes.Buffer
		if err := readFrame(bytes.NewReader(framed), &in); err != nil {
			t.Fatal(err)
		}
		again, err := decode(in.Bytes())
		if err != nil || again.kind != m.kind || again.id != m.id || !bytes.Equal(again.content, m.content) {
			t.Fatalf("%q is read again as %v (%v)", frame, again, err)
		}
		_, _ = decodeCall(m.content)
		if about, err := readMeta(m.content); err == nil {
			for name := range about.Models {
				_, _ = about.readEntities(m.content, Model{Name: name, Number: 1}, nil)
			}
		}
		x := &Simulator{meta: &meta{Type: eventBased}, plan: &plan{origins: []origin{{attribute{"PV-0", "P"}, place{}}}}}
		_ = x.take(m.content)
	})
}
