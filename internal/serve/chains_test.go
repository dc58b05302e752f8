package serve

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAChainChangesWhileTheRunGoesOn(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: quiet("100s"), RealTime: 1})
	s.until(running)
	now := func() map[string]any {
		return s.call("GET", "/v1/chains/agc-30", "", 200)["now"].(map[string]any)
	}
	if n := now(); n["mode"] != "otp" || n["route"] != 0.0 {
		t.Fatalf("%v", n)
	}
	s.call("PUT", "/v1/chains/agc-30", `{"mode":"aes-wc","route":1}`, 200)
	for range 100 {
		if n := now(); n["mode"] == "aes-wc" && n["route"] == 1.0 {
			break
		}
	}
	if n := now(); n["mode"] != "aes-wc" || n["route"] != 1.0 || n["off"] != false {
		t.Errorf("%v", n)
	}
	for body, want := range map[string]string{
		`{"route":9}`:       `"expected":"0 to 2, a place in the chain's routes","field":"route","found":9`,
		`{"mode":"aes"}`:    `"expected":"no weaker than min_mode aes-wc","field":"mode"`,
		`{"mode":"rot13"}`:  `"expected":"otp, aes-wc or aes","field":"mode","found":"rot13"`,
		`{"latency":"10s"}`: `POST /v1/chains`,
	} {
		if text := toJSON(t, s.call("PUT", "/v1/chains/agc-30", body, 400)); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", body, text, want)
		}
	}
	s.call("PUT", "/v1/chains/agc-99", `{}`, 404)
	s.call("POST", "/v1/runs/current/pause", "", 200)
	s.call("PUT", "/v1/chains/agc-30", `{"off":true}`, 202)
	s.call("POST", "/v1/runs/current/resume", "", 200)
	for range 1000 {
		if now()["off"] == true {
			return
		}
	}
	t.Error("a change made while paused has no effect")
}

func TestUploadedChainsHoldForTheNextRun(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: quiet("1s")})
	s.until(done)
	before := s.call("GET", "/v1/chains", "", 200)["chains"].([]any)
	changed := before[0].(map[string]any)
	changed["latency"] = "7s"
	v := s.call("POST", "/v1/chains", toJSON(t, map[string]any{"chains": []any{changed}}), 200)
	if v["chains"] != float64(len(before)) {
		t.Errorf("%v, want %d chains", v, len(before))
	}
	if c := s.call("GET", "/v1/chains/"+changed["id"].(string), "", 200); c["latency"] == "7s" {
		t.Error("the run that was has changed")
	}
	s.call("POST", "/v1/runs", "", 201)
	s.until(done)
	if c := s.call("GET", "/v1/chains/"+changed["id"].(string), "", 200); c["latency"] != "7s" {
		t.Errorf("%v", c)
	}
}

func TestMistakesInUploadedChainsNameFieldPlaceAndExpectation(t *testing.T) {
	s := serving(t, Config{Experiment: "S-2", Overrides: quiet("1s")})
	body := "{\"chains\": [\n\t{\"id\": \"x\", \"task\": \"agc\", \"element\": \"gen/99\",\n\t \"latency\": \"-1s\", \"mode\": \"foo\", \"rout\": []}]}"
	v := s.call("POST", "/v1/chains", body, 400)
	text := toJSON(t, v)
	for _, want := range []string{
		`"column":14,"line":3,"message":"latency: found -1s, expected a duration that is not negative","source":"chains"`,
		`did you mean \"gen/39\"`, `expected otp, aes-wc or aes`, `unknown key \"rout\"; did you mean \"routes\"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	s.call("POST", "/v1/chains", `{"seed":1}`, 400)
	s.call("POST", "/v1/chains", `[`, 400)
	if s.chains != nil {
		t.Error("refused chains are kept")
	}
}

func TestASolverKeepsItsChains(t *testing.T) {
	o := quiet("100s")
	o.Set = append(o.Set, "reconfiguration.solver=greedy", "keys.pool.enforce_safe=true")
	s := serving(t, Config{Experiment: "S-2", Overrides: o, RealTime: 1})
	s.until(running)
	v := s.call("PUT", "/v1/chains/agc-30", `{"mode":"aes-wc"}`, 409)
	if !strings.Contains(toJSON(t, v), "own solver") {
		t.Errorf("%v", v)
	}
}

func TestExamplesOfTheDocumentationAreServed(t *testing.T) {
	text, err := os.ReadFile("../../docs/serve.md")
	if err != nil {
		t.Fatal(err)
	}
	s := serving(t, Config{IEC104: "127.0.0.1:0", Experiment: "S-2", Overrides: quiet("100s"), RealTime: 1, Security: Security{TokenFile: tokenFile(t)}})
	s.token = operatorToken
	s.until(running)
	for _, c := range curls(string(text)) {
		s.token = map[string]string{"": operatorToken, "$OP": operatorToken, "$CC": centreToken, "$GW1": gatewayToken}[c.token]
		status := 200
		if c.method == "POST" && c.path == "/v1/runs" {
			continue // one goes on
		}
		if strings.Contains(c.path, "KEY_ID") || strings.Contains(c.body, "KEY_ID") {
			continue
		}
		s.call(c.method, c.path, c.body, status)
	}
}

type curl struct{ method, path, body, token string }

// curls reads the lines of a text that begin with curl.
func curls(text string) []curl {
	var all []curl
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "curl -s ")
		if !ok {
			continue
		}
		c := curl{method: "GET"}
		for _, w := range words(rest) {
			switch {
			case c.method == "-X":
				c.method = w
			case c.body == "-d":
				c.body = w
				if c.method == "GET" {
					c.method = "POST"
				}
			case w == "-X":
				c.method = w
			case w == "-d":
				c.body = w
			case strings.HasPrefix(w, "Authorization: Bearer "):
				c.token = strings.TrimPrefix(w, "Authorization: Bearer ")
			case strings.HasPrefix(w, "http://127.0.0.1:8080"):
				c.path = strings.TrimPrefix(w, "http://127.0.0.1:8080")
			}
		}
		all = append(all, c)
	}
	return all
}

// words of a command line with quotes of both kinds.
func words(line string) []string {
	var all []string
	var word strings.Builder
	var quote rune
	for _, r := range line {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote == 0 && r == ' ':
			all = append(all, word.String())
			word.Reset()
		default:
			word.WriteRune(r)
		}
	}
	return append(all, word.String())
}
