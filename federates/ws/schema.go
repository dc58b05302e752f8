package ws

import (
	"encoding/json"
	"sync"

	"github.com/invopop/jsonschema"
)

// Schema returns the JSON Schema (2020-12) of the messages, made from the Go
// types. In cosim.v1.cbor the messages have the same keys, and payloads are
// byte strings.
var Schema = sync.OnceValue(func() []byte {
	all := &jsonschema.Schema{
		Version:     jsonschema.Version,
		ID:          "https://cosim.invalid/cosim.v1.schema.json",
		Title:       "cosim.v1",
		Description: "Messages between a federation's master and an external federate.",
		Definitions: jsonschema.Definitions{},
	}
	r := jsonschema.Reflector{Anonymous: true}
	for _, message := range []any{Hello{}, Welcome{}, Step{}, Done{}, Stop{}, Error{}} {
		s := r.Reflect(message)
		all.OneOf = append(all.OneOf, &jsonschema.Schema{Ref: s.Ref})
		for name, definition := range s.Definitions {
			all.Definitions[name] = definition
		}
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		panic(err) // of constants
	}
	return append(text, '\n')
})

// JSONSchema describes an array of numbers, of messages or of events.
func (Content) JSONSchema() *jsonschema.Schema {
	list := func(item *jsonschema.Schema) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "array", Items: item}
	}
	r := jsonschema.Reflector{Anonymous: true, DoNotReference: true}
	message, event := r.Reflect(Message{}), r.Reflect(Event{})
	message.Version, event.Version = "", ""
	return &jsonschema.Schema{
		Description: "of a vector its values, of messages and events what was sent",
		AnyOf:       []*jsonschema.Schema{list(&jsonschema.Schema{Type: "number"}), list(message), list(event)},
	}
}
