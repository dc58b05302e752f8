package experiment

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestKindOfAKeyFollowsItsType(t *testing.T) {
	for key, want := range map[string]struct {
		kind Kind
		unit string
	}{
		"quantum.break_rate_hz":     {KindNumber, "Hz"},
		"reconfiguration.horizon":   {KindWhole, ""},
		"reconfiguration.period":    {KindDuration, "s"},
		"reconfiguration.reroute":   {KindSwitch, ""},
		"keys.supply":               {KindWord, ""},
		"keys.store":                {KindGroup, ""},
		"attacks":                   {KindGroup, ""},
		"links.CC-*.length_km":      {KindNumber, "km"},
		"link_classes.x.rate_bps":   {KindNumber, "bit/s"},
		"keys.pool.safe_bits":       {KindWhole, "bit"},
		"chains.agc-30.key_class":   {-1, "unknown key"},
		"quantum.break_rate":        {-1, `unknown key "break_rate"; did you mean "break_rate_hz"?`},
		"reconfiguration.horizon.x": {-1, `unknown key "x": nothing stands below reconfiguration.horizon`},
		"":                          {-1, `unknown key ""`},
	} {
		kind, unit, err := KeyKind(key)
		if want.kind < 0 {
			if err == nil || !strings.Contains(err.Error(), want.unit) {
				t.Errorf("%s: %v, want %s", key, err, want.unit)
			}
			continue
		}
		if err != nil || kind != want.kind || unit != want.unit {
			t.Errorf("%s: kind %d in %q, %v; want %d in %q", key, kind, unit, err, want.kind, want.unit)
		}
	}
}

func TestThingsOfListsAreNamedInKeys(t *testing.T) {
	d, err := Load("S-2", Overrides{Set: []string{"links.CC-*.length_km=33"}})
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for _, l := range d.Links {
		if strings.HasPrefix(l.Name, "CC-") != (l.LengthKM == 33) {
			t.Errorf("%s is %v km long", l.Name, l.LengthKM)
		}
		if l.LengthKM == 33 {
			changed++
		}
	}
	if changed != 4 {
		t.Errorf("%d links are changed, want 4", changed)
	}
	for set, want := range map[string]string{
		"links.CC-GW11.length_km=3": `nothing there is called "CC-GW11"; did you mean "CC-GW1"?`,
		"links.CC-GW1.lenth_km=3":   `unknown key "lenth_km"; did you mean "length_km"?`,
		"links.CC-GW1=3":            `CC-GW1: found "3", expected a key of it`,
	} {
		_, err := Load("S-2", Overrides{Set: []string{set}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s: %.300v, want %s", set, err, want)
		}
	}
}

func TestMistakesOfValuesStandInTheirOwnFile(t *testing.T) {
	bad := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: "-0.1", Line: 7, Column: 30}
	_, err := Load("S-2", Overrides{Values: []Value{{"quantum.break_rate_hz", Position{"sweep.yaml", 7, 3}, bad}}})
	if err == nil || err.Error() != "sweep.yaml:7:30: break_rate_hz must be at least 0, is -0.1" {
		t.Error(err)
	}
}

func TestDocumentIsReadAsStrictlyAsAnExperiment(t *testing.T) {
	var doc struct {
		Count int       `yaml:"count"`
		Rest  yaml.Node `yaml:"rest"`
	}
	place, mistakes := ReadDocument("d.yaml", []byte("count: many\ncont: 3\nrest: {a: [1, x]}\n"), &doc)
	if len(mistakes) != 2 || !strings.Contains(mistakes.Err().Error(), `d.yaml:2:1: unknown key "cont"; did you mean "count"?`) {
		t.Error(mistakes)
	}
	if doc.Rest.Kind != yaml.MappingNode || len(doc.Rest.Content) != 2 {
		t.Errorf("what the caller reads is kept: %+v", doc.Rest)
	}
	if at := place("rest"); at.Line != 3 {
		t.Errorf("rest stands at %v", at)
	}
}
