package experiment

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mistakesOf lists what is wrong with an experiment of this text, in t.yaml.
func mistakesOf(t testing.TB, text string, set ...string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "t.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Load(file, Overrides{Set: set})
	if err == nil {
		return nil
	}
	var mistakes Mistakes
	if !errors.As(err, &mistakes) {
		t.Fatalf("the error is no list of mistakes: %v", err)
	}
	return strings.Split(strings.ReplaceAll(mistakes.Error(), file, "t.yaml"), "\n")
}

// Each document begins with two good lines, so that its own first line is 3.
const goodHead = "name: t\ncase: ieee39\n"

func TestEveryMistakeHasItsPlaceAndMessage(t *testing.T) {
	for _, c := range []struct{ name, doc, want string }{
		{
			"unknown key with a near one", "durration: 10s\n",
			`t.yaml:3:1: unknown key "durration"; did you mean "duration"?`,
		},
		{
			"unknown key deep inside", "link_classes:\n  trunk:\n    queue: {limit_packet: 3}\n",
			`t.yaml:5:13: unknown key "limit_packet"; did you mean "limit_packets"?`,
		},
		{
			"unknown key with few to choose from", "keys:\n  safe: {x: 1}\n",
			`t.yaml:4:10: unknown key "x"; expected one of messages_hz, duration_s`,
		},
		{
			"unknown key in a list", "attacks:\n  - {kind: drop, link: CC-GW1, probability: 1, hurry: 1}\n",
			`t.yaml:4:48: unknown key "hurry"; expected one of kind, link, from, start_s, end_s, probability, rate_per_s, delay_s, flip_bits, keep_bytes`,
		},
		{
			"kind: list for a number", "seed: [1]\n",
			`t.yaml:3:7: seed: found a list, expected a whole number from 0 on`,
		},
		{
			"kind: number for a list", "pmus: 3\n",
			`t.yaml:3:7: pmus: found "3", expected a list`,
		},
		{
			"kind: word for a group", "quantum: fast\n",
			`t.yaml:3:10: quantum: found "fast", expected keys such as model, pulse_rate_hz, length_km`,
		},
		{
			"kind: list for a map", "classes: [pmu]\n",
			`t.yaml:3:10: classes: found a list, expected keys and values`,
		},
		{
			"kind: word for a map's item", "link_classes: {trunk: slow}\n",
			`t.yaml:3:23: trunk: found "slow", expected keys such as rate_bps, loss, queue`,
		},
		{
			"kind: group for a word", "title: {a: b}\n",
			`t.yaml:3:8: title: found a group of keys, expected a word`,
		},
		{
			"kind: list for a duration", "duration: [10s]\n",
			`t.yaml:3:11: duration: found a list, expected a duration with its unit, such as 300ms, 2s or 10m`,
		},
		{
			"kind: list for a mode", "classes: {pmu: {mode: [otp]}}\n",
			`t.yaml:3:23: mode: found a list, expected one word`,
		},
		{
			"whole number with a part", "seed: 1.5\n",
			`t.yaml:3:7: seed: found "1.5", expected a whole number from 0 on`,
		},
		{
			"whole number below zero", "seed: -1\n",
			`t.yaml:3:7: seed: found "-1", expected a whole number from 0 on`,
		},
		{
			"whole number out of range", "seed: 1e30\n",
			`t.yaml:3:7: seed: found "1e30", expected a whole number from 0 on`,
		},
		{
			"word for a number", "block_share: third\n",
			`t.yaml:3:14: block_share: found "third", expected a plain number`,
		},
		{
			"no finite number", "block_share: .inf\n",
			`t.yaml:3:14: block_share: found ".inf", expected a plain number`,
		},
		{
			"not a number", "block_share: .nan\n",
			`t.yaml:3:14: block_share: found ".nan", expected a plain number`,
		},
		{
			"yes for true", "grid: {avr: yes}\n",
			`t.yaml:3:13: avr: found "yes", expected true or false`,
		},
		{
			"unit in a number", "quantum: {attenuation_db_per_km: 0.2 dB}\n",
			`t.yaml:3:34: attenuation_db_per_km: found "0.2 dB", expected a plain number in dB/km`,
		},
		{
			"unit in a whole number", "quantum: {block_bits: 4 kbit}\n",
			`t.yaml:3:23: block_bits: found "4 kbit", expected a whole number in bit`,
		},
		{
			"duration without unit", "duration: 600\n",
			`t.yaml:3:11: duration: found "600", expected a duration with its unit, such as 300ms, 2s or 10m`,
		},
		{
			"duration with a wrong unit", "steps: {exchange: 10 msec}\n",
			`t.yaml:3:19: exchange: found "10 msec", expected a duration with its unit, such as 300ms, 2s or 10m`,
		},
		{
			"duration below zero", "duration: -10s\n",
			`t.yaml:3:11: duration: found -10s, expected a duration that is not negative`,
		},
		{
			"unknown mode", "classes: {pmu: {mode: rot13}}\n",
			`t.yaml:3:23: mode: q3p: mode "rot13", expected otp, aes-wc or aes`,
		},
		{
			"list of fixed length, short", "quantum: {break_duration_s: [3]}\n",
			`t.yaml:3:29: break_duration_s: found a list of 1, expected one of 2`,
		},
		{
			"list of fixed length, long", "quantum: {break_duration_s: [3, 4, 5]}\n",
			`t.yaml:3:29: break_duration_s: found a list of 3, expected one of 2`,
		},
		{
			"word in a list of numbers", "quantum: {break_duration_s: [3, five]}\n",
			`t.yaml:3:33: break_duration_s: found "five", expected a plain number in s`,
		},
		{
			"doubled key", "seed: 1\nseed: 2\n",
			`t.yaml:4:1: key "seed" stands twice`,
		},
		{
			"thing named twice", "nodes:\n  - {name: X, kind: rtu}\n  - {name: X, kind: ied}\n",
			`t.yaml:5:5: nodes: "X" stands twice`,
		},
		{
			"thing with an id twice", "chains: [{id: pmu-4}, {id: pmu-4, priority: 4}]\n",
			`t.yaml:3:23: chains: "pmu-4" stands twice`,
		},
		{
			"doubled key in a map", "link_classes:\n  lan: {loss: 0}\n  lan: {loss: 1}\n",
			`t.yaml:5:3: key "lan" stands twice`,
		},
		{
			"key that is a list", "? [a, b]\n: 1\n",
			`t.yaml:3:3: found a list as a key, expected a word`,
		},
		{
			"key that is a list, in a map", "classes:\n  ? [a, b]\n  : {}\n",
			`t.yaml:4:5: found a list as a key, expected a word`,
		},
		{
			"no value", "duration:\n",
			`t.yaml:3:10: duration: no value; give it one, or leave the key out`,
		},
		{
			"null", "quantum: ~\n",
			`t.yaml:3:10: quantum: no value; give it one, or leave the key out`,
		},
		{
			"null in a list", "areas:\n  - ~\n",
			`t.yaml:4:5: areas: no value; give it one, or leave the key out`,
		},
		{
			"unknown key behind an alias", "attacks:\n  - &a {kind: drop, link: CC-GW1, probability: 1, hurry: 1}\n  - *a\n",
			`t.yaml:4:51: unknown key "hurry"; expected one of kind, link, from, start_s, end_s, probability, rate_per_s, delay_s, flip_bits, keep_bytes`,
		},
		{
			"unknown key behind a merge", "classes:\n  agc: &a {foo: 1}\n  avr: {<<: *a}\n",
			`t.yaml:4:12: unknown key "foo"; expected one of trigger, period, phase, stagger, rate_hz, direction, latency, priority, asdu_type, mode, static_mode, min_mode`,
		},
		{
			"merge of what is no group", "quantum:\n  <<: 3\n",
			`t.yaml:4:7: <<: found "3", expected a group of keys`,
		},
		{
			"alias inside itself", "attacks: &a [*a]\n",
			`t.yaml:3:14: *a stands inside what it stands for`,
		},
		{
			"alias inside itself, by a merge", "quantum: &a\n  <<: *a\n",
			`t.yaml:4:7: *a stands inside what it stands for`,
		},
		{
			"alias of nothing", "seed: *nothing\n",
			`t.yaml:3:7: unknown anchor 'nothing' referenced`,
		},
		{
			"second document", "seed: 1\n---\nseed: 2\n",
			`t.yaml:4:1: found a second YAML document; expected one experiment a file`,
		},
		{
			"broken second document", "seed: 1\n---\nseed: [\n",
			`t.yaml:6:1: did not find expected node content`,
		},
		{
			"syntax: bracket left open", "quantum: {pulse_rate_hz: 3\nseed: 2\n",
			`t.yaml:3:1: did not find expected ',' or '}'`,
		},
		{
			"syntax: tab", "quantum:\n\tpulse_rate_hz: 3\n",
			`t.yaml:4:1: found character that cannot start any token`,
		},
		{
			"syntax: wrong indent", "quantum:\n    ou_rate: 1\n  ou_sigma_rel: 1\n",
			`t.yaml:5:1: did not find expected key`,
		},
		{
			"control character", "title: \"\x01\"\n",
			`t.yaml:3:9: control characters are not allowed`,
		},
		{
			"no UTF-8", "title: \xff\n",
			`t.yaml:3:8: invalid leading UTF-8 octet`,
		},
		{
			"wrong tag", "seed: !!int x\n",
			`t.yaml:3:7: seed: found "x", expected a whole number from 0 on`,
		},
		{
			"base64 that is none", "title: !!binary \"???\"\n",
			`t.yaml:3:8: title: found "???", expected a word`,
		},
		{
			"all at once", "duration: 10\nquantum: {length_km: 20 mi}\nseed: x\nbogus: 1\n",
			`t.yaml:3:11: duration: found "10", expected a duration with its unit, such as 300ms, 2s or 10m` + "\n" +
				`t.yaml:4:22: length_km: found "20 mi", expected a plain number in km` + "\n" +
				`t.yaml:5:7: seed: found "x", expected a whole number from 0 on` + "\n" +
				`t.yaml:6:1: unknown key "bogus"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(mistakesOf(t, goodHead+c.doc), "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
