package ws_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"cosim/federates/ws"
)

var update = flag.Bool("update", false, "rewrite docs/cosim.v1.schema.json")

const schemaFile = "../../docs/cosim.v1.schema.json"

func TestCommittedSchemaIsThatOfTheTypes(t *testing.T) {
	if *update {
		if err := os.WriteFile(schemaFile, ws.Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, ws.Schema()) {
		t.Errorf("%s is out of date: go test ./federates/ws -run Schema -update", schemaFile)
	}
}

func compiledSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(ws.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("cosim.v1.schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("cosim.v1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// documented are the messages in the ```json blocks of the documentation, one
// a line.
func documented(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/federates.md")
	if err != nil {
		t.Fatal(err)
	}
	var messages []string
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```json"
		case inside && strings.HasPrefix(line, "{"):
			messages = append(messages, line)
		}
	}
	return messages
}

func TestDocumentedMessagesAreValid(t *testing.T) {
	schema := compiledSchema(t)
	seen := map[string]bool{}
	for _, line := range documented(t) {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		message, err := ws.JSON.DecodeNext([]byte(line), &ws.Hello{}, &ws.Welcome{}, &ws.Step{}, &ws.Done{}, &ws.Stop{}, &ws.Error{})
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		var head struct{ Type string }
		if err := json.Unmarshal([]byte(line), &head); err != nil {
			t.Error(err)
		}
		seen[head.Type] = true
		_ = message
	}
	for _, typ := range []string{ws.TypeHello, ws.TypeWelcome, ws.TypeStep, ws.TypeDone, ws.TypeStop, ws.TypeError} {
		if !seen[typ] {
			t.Errorf("no example of %s", typ)
		}
	}
}

func TestSchemaRefusesWhatTheDecoderRefuses(t *testing.T) {
	schema := compiledSchema(t)
	for name, line := range map[string]string{
		"unknown key":  `{"type":"done","seq":1,"output":{}}`,
		"unknown type": `{"type":"ready","seq":1}`,
		"no seq":       `{"type":"done","outputs":{}}`,
		"null":         `{"type":"done","seq":1,"outputs":{"f":[null]}}`,
		"words":        `{"type":"done","seq":1,"outputs":{"f":["a"]}}`,
		"spelling":     `{"type":"done","SEQ":1}`,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(value) == nil {
			t.Errorf("%s: the schema lets %s pass", name, line)
		}
		d := &ws.Done{}
		if err := ws.JSON.Decode([]byte(line), d); err == nil && name != "words" && name != "no seq" {
			t.Errorf("%s: the decoder lets %s pass", name, line)
		}
	}
}
