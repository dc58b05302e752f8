//go:build integration

package serve

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosim/internal/experiment"
)

// curl, with mutual TLS and nothing of this project, fetches key for two
// stations by the bodies and paths of ETSI GS QKD 014 V1.1.1, and is refused
// what the standard has refused.
func TestIntegrationCurlFetchesKeyOverMutualTLS(t *testing.T) {
	a := newAuthority(t)
	certificate, key := a.issue("server")
	c := Config{
		HTTP: "127.0.0.1:0", Experiment: "S-2", Overrides: quiet("100s"), RealTime: 2,
		Security: Security{Certificate: certificate, Key: key, ClientCA: filepath.Join(a.dir, "authority.pem")},
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	first, err := experiment.Load(c.Experiment, c.Overrides)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, first) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	curl := func(name, path, body, status string) (answer map[string]any) {
		t.Helper()
		args := []string{"--silent", "--show-error", "--max-time", "10", "--cacert", filepath.Join(a.dir, "authority.pem"), "--write-out", "\n%{http_code} %{content_type}"}
		if name != "" {
			own, secret := a.issue(name)
			args = append(args, "--cert", own, "--key", secret)
		}
		if body != "" {
			args = append(args, "--header", "Content-Type: application/json", "--data", body)
		}
		out, err := exec.Command("curl", append(args, "https://"+s.Addr()+"/api/v1/keys/"+path)...).CombinedOutput()
		if status == "" {
			if err == nil {
				t.Errorf("%s without a certificate: %s", path, out)
			}
			return nil
		}
		text := string(out)
		i := strings.LastIndex(text, "\n")
		if err != nil || text[i+1:] != status+" application/json" || json.Unmarshal(out[:i], &answer) != nil {
			t.Fatalf("%s %s: expected %s and JSON, got %v %s", name, path, status, err, out)
		}
		return answer
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if v := s.current(); v != nil && v.view().State == running {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the run does not begin")
		}
	}
	stock := curl("CC", "GW1/status", "", "200")
	for name, want := range map[string]any{"source_KME_ID": "KME-CC", "target_KME_ID": "KME-GW1", "master_SAE_ID": "CC", "slave_SAE_ID": "GW1", "key_size": 256.0} {
		if stock[name] != want {
			t.Errorf("status: %s is %v instead of %v", name, stock[name], want)
		}
	}
	drawn := curl("CC", "GW1/enc_keys", `{"number": 2, "size": 512}`, "200")["keys"].([]any)
	if len(drawn) != 2 {
		t.Fatalf("drawn %v", drawn)
	}
	ids, _ := json.Marshal(map[string]any{"key_IDs": []any{
		map[string]any{"key_ID": drawn[0].(map[string]any)["key_ID"]}, map[string]any{"key_ID": drawn[1].(map[string]any)["key_ID"]},
	}})
	collected := curl("GW1", "CC/dec_keys", string(ids), "200")["keys"].([]any)
	for i := range drawn {
		x, y := drawn[i].(map[string]any), collected[i].(map[string]any)
		key, err := base64.StdEncoding.DecodeString(x["key"].(string))
		if err != nil || len(key) != 64 || x["key"] != y["key"] || x["key_ID"] != y["key_ID"] {
			t.Errorf("drawn %v, collected %v", x, y)
		}
	}
	one := curl("GW2", "CC/enc_keys", "", "200")["keys"].([]any)[0].(map[string]any)
	if got := curl("CC", "GW2/dec_keys?key_ID="+one["key_ID"].(string), "", "200")["keys"].([]any)[0].(map[string]any); got["key"] != one["key"] {
		t.Errorf("drawn %v, collected %v", one, got)
	}
	curl("GW1", "CC/dec_keys", string(ids), "400") // once
	curl("CC", "GW1/enc_keys?size=100", "", "400")
	curl("CC", "GW1/enc_keys", `{"extension_mandatory":[{"x":1}]}`, "400")
	curl("GW1", "GW3/status", "", "400")
	curl("CC", "GW1/enc_keys?number=128&size=8192", "", "503")
	curl("", "GW1/status", "", "")
}
