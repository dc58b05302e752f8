package serve

import (
	"strings"
	"testing"
	"time"
)

func TestKeyReachesBothEndsOnceAndStandsOnTheBooks(t *testing.T) {
	out := t.TempDir()
	s := serving(t, Config{Experiment: "S-2", Overrides: quiet("100s"), Out: out, RealTime: 2, Security: Security{TokenFile: tokenFile(t)}})
	s.token = operatorToken
	s.until(running)

	s.token = centreToken
	before := s.call("GET", "/api/v1/keys/GW1/status", "", 200)
	drawn := s.call("POST", "/api/v1/keys/GW1/enc_keys", `{"number":3,"size":512}`, 200)["keys"].([]any)
	after := s.call("GET", "/api/v1/keys/GW1/status", "", 200)
	if len(drawn) != 3 || before["stored_key_count"].(float64) < 6 || after["max_key_count"] != before["max_key_count"] {
		t.Fatalf("%v, then %v, then %v", before, drawn, after)
	}
	one := drawn[1].(map[string]any)
	id := one["key_ID"].(string)
	s.call("GET", "/api/v1/keys/CC/dec_keys?key_ID="+id, "", 400) // CC is no slave of its own
	s.token = gatewayToken
	got := s.call("GET", "/api/v1/keys/CC/dec_keys?key_ID="+strings.ToUpper(id), "", 200)["keys"].([]any)
	if len(got) != 1 || got[0].(map[string]any)["key"] != one["key"] {
		t.Errorf("drawn %v, collected %v", one, got)
	}
	s.call("GET", "/api/v1/keys/CC/dec_keys?key_ID="+id, "", 400) // once
	s.call("GET", "/api/v1/keys/GW3/status", "", 400)             // no link
	s.call("GET", "/api/v1/keys/CC/enc_keys?number=128&size=8192", "", 503)
	s.token = "0123456789abcdef-nobody"
	s.call("GET", "/api/v1/keys/CC/status", "", 401)

	s.token = operatorToken
	v := s.call("POST", "/v1/runs/current/stop", "", 200)
	s.token = centreToken
	s.call("GET", "/api/v1/keys/GW1/status", "", 503)
	if events := eventsOf(t, v["dir"].(string)); !strings.Contains(events, "key-delivered,CC-GW1,,,,1536,bit,CC") {
		t.Errorf("no delivery in the record:\n%s", grep(events, "key-"))
	}
}

func TestWhileARunIsPausedKeyIsAway(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: quiet("100s"), RealTime: 2, Security: Security{TokenFile: tokenFile(t)}})
	s.token = operatorToken
	s.until(running)
	s.call("POST", "/v1/runs/current/pause", "", 200)
	time.Sleep(100 * time.Millisecond) // for the step under way
	s.token = centreToken
	v := s.call("GET", "/api/v1/keys/GW1/enc_keys", "", 503)
	if !strings.Contains(v["message"].(string), "held") {
		t.Errorf("%v", v)
	}
}

func grep(text, word string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
