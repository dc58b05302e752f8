package mosaik

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Stepping types of a simulator.
const (
	timeBased  = "time-based"
	eventBased = "event-based"
	hybrid     = "hybrid"
)

// meta is what a simulator says of itself in answer to init.
type meta struct {
	Version json.RawMessage      `json:"api_version"`
	Type    string               `json:"type"`
	Models  map[string]metaModel `json:"models"`

	major, minor int
}

type metaModel struct {
	Public    *bool    `json:"public"`
	Params    []string `json:"params"`
	Attrs     []string `json:"attrs"`
	AnyInputs bool     `json:"any_inputs"`

	// Of hybrid simulators: inputs whose change is an event. A list, or true
	// for all; of the two at most one is needed.
	Trigger    json.RawMessage `json:"trigger"`
	NonTrigger json.RawMessage `json:"non-trigger"`
}

// triggers says whether a change of an attribute has a simulator of the given
// type stepped.
func (m *metaModel) triggers(kind, attribute string) bool {
	switch {
	case kind != hybrid:
		return kind == eventBased
	case m.Trigger == nil && m.NonTrigger != nil:
		return !holds(m.NonTrigger, attribute)
	}
	return holds(m.Trigger, attribute)
}

// holds looks for a name in a list, or in true, which stands for all.
func holds(raw json.RawMessage, name string) bool {
	var names []string
	if json.Unmarshal(raw, &names) != nil {
		return string(raw) == "true"
	}
	return slices.Contains(names, name)
}

func readMeta(reply json.RawMessage) (*meta, error) {
	m := &meta{}
	if err := json.Unmarshal(reply, m); err != nil || string(reply) == "null" {
		return nil, faultf(CodeBadReply, "expected {api_version, type, models}, got %s", excerpt(reply))
	}
	version := strings.Trim(string(m.Version), `"`)
	if version == "" {
		return nil, faultf(CodeVersion, "expected an api_version in its meta, which API 1 had not; versions 2 and 3 are supported")
	}
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	var err error
	if m.major, err = strconv.Atoi(major); err != nil {
		return nil, faultf(CodeVersion, "expected an api_version such as 3.0, got %s", excerpt(m.Version))
	}
	m.minor, _ = strconv.Atoi(minor)
	if m.major != 2 && m.major != 3 {
		return nil, faultf(CodeVersion, "expected api_version 2 or 3, got %s", version)
	}
	if m.major == 2 && m.Type == "" {
		m.Type = timeBased
	}
	if m.Type != timeBased && m.Type != eventBased && m.Type != hybrid {
		return nil, faultf(CodeVersion, "expected a %s, %s or %s simulator, got type %q", timeBased, eventBased, hybrid, m.Type)
	}
	return m, nil
}

// knowsSetup says whether the simulator has setup_done (API 2.2).
func (m *meta) knowsSetup() bool { return m.major > 2 || m.minor >= 2 }

// check says what of a model that is asked for the simulator does not have.
func (m *meta) check(want Model) error {
	has, ok := m.Models[want.Name]
	if !ok || has.Public != nil && !*has.Public {
		var public []string
		for name, other := range m.Models {
			if other.Public == nil || *other.Public {
				public = append(public, name)
			}
		}
		slices.Sort(public)
		return faultf(CodeEntities, "it has no model %q; it has %s", want.Name, list(public))
	}
	for name := range want.Parameters {
		if !slices.Contains(has.Params, name) {
			return faultf(CodeEntities, "model %s has no parameter %q; it has %s", want.Name, name, list(has.Params))
		}
	}
	return nil
}

func list(words []string) string {
	switch {
	case len(words) == 0:
		return "none"
	case len(words) > 12:
		return strings.Join(words[:12], ", ") + fmt.Sprintf(" and %d more", len(words)-12)
	}
	return strings.Join(words, ", ")
}

// created is an entity as the answer to create describes it.
type created struct {
	ID       string    `json:"eid"`
	Type     string    `json:"type"`
	Children []created `json:"children"`
}

// entity is an instance of a model.
type entity struct {
	id    string
	model *metaModel
}

// attribute is one of an entity.
type attribute struct{ entity, name string }

func (a attribute) String() string { return a.entity + "." + a.name }

// readEntities reads the answer to create into the entities that are there.
func (m *meta) readEntities(reply json.RawMessage, want Model, there []entity) ([]entity, error) {
	var roots []created
	if err := json.Unmarshal(reply, &roots); err != nil {
		return nil, faultf(CodeBadReply, "expected a list of {eid, type}, got %s", excerpt(reply))
	}
	if len(roots) != want.Number {
		return nil, faultf(CodeBadReply, "expected %d entities of model %s, got %d", want.Number, want.Name, len(roots))
	}
	for _, c := range roots {
		if c.Type != want.Name {
			return nil, faultf(CodeBadReply, "expected entities of type %s, got %q of type %q", want.Name, c.ID, c.Type)
		}
	}
	return m.collect(roots, there)
}

func (m *meta) collect(found []created, there []entity) ([]entity, error) {
	for _, c := range found {
		model, ok := m.Models[c.Type]
		switch {
		case c.ID == "":
			return nil, faultf(CodeBadReply, "expected an eid for each entity, got one of type %q without", c.Type)
		case !ok:
			return nil, faultf(CodeBadReply, "entity %s is of type %q, which is none of its models", c.ID, c.Type)
		case slices.ContainsFunc(there, func(e entity) bool { return e.id == c.ID }):
			return nil, faultf(CodeBadReply, "two entities have the eid %q", c.ID)
		}
		there = append(there, entity{c.ID, &model})
		var err error
		if there, err = m.collect(c.Children, there); err != nil {
			return nil, err
		}
	}
	return there, nil
}

// having lists an attribute of all entities that have it, in order of their
// creation.
func having(entities []entity, name string) []attribute {
	var all []attribute
	for _, e := range entities {
		if slices.Contains(e.model.Attrs, name) {
			all = append(all, attribute{e.id, name})
		}
	}
	return all
}

// find reads "eid.attr", in which both may hold dots, or the name of an
// attribute, which stands for that of all entities. Input says that models
// with any_inputs have all attributes.
func find(entities []entity, text string, input bool) ([]attribute, error) {
	var known []string
	for _, e := range entities {
		name, ok := strings.CutPrefix(text, e.id+".")
		if ok && (slices.Contains(e.model.Attrs, name) || input && e.model.AnyInputs) {
			return []attribute{{e.id, name}}, nil
		}
		for _, a := range e.model.Attrs {
			known = append(known, e.id+"."+a)
		}
	}
	if all := having(entities, text); len(all) > 0 {
		return all, nil
	}
	return nil, fmt.Errorf("it has no attribute %q; it has %s", text, list(known))
}
