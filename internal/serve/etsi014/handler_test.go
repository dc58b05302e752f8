package etsi014

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// vault is a source of key that counts.
type vault struct {
	bits int64
	keys map[string]Key // by master, slave and ID
	next int
	away bool
}

func (v *vault) Stock(_ context.Context, master, slave string) (Stock, error) {
	if slave != "GW1" && slave != "CC" {
		return Stock{}, fmt.Errorf("%w: %s", ErrUnknownSAE, slave)
	}
	if v.away {
		return Stock{}, fmt.Errorf("%w: the run has ended", ErrUnavailable)
	}
	return Stock{"KME-" + master, "KME-" + slave, v.bits, 100_000}, nil
}

func (v *vault) Draw(ctx context.Context, master, slave string, number, size int) ([]Key, error) {
	if _, err := v.Stock(ctx, master, slave); err != nil {
		return nil, err
	}
	if need := int64(8 * number * size); need > v.bits {
		return nil, fmt.Errorf("%w: need %d bits, have %d", ErrShort, need, v.bits)
	}
	var keys []Key
	for range number {
		v.next++
		k := Key{fmt.Sprintf("00000000-0000-8000-8000-%012d", v.next), []byte(strings.Repeat("k", size))}
		v.keys[master+slave+k.ID] = k
		v.bits -= int64(8 * size)
		keys = append(keys, k)
	}
	return keys, nil
}

func (v *vault) Collect(_ context.Context, master, slave string, ids []string) ([]Key, error) {
	var keys []Key
	for _, id := range ids {
		k, ok := v.keys[master+slave+id]
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrUnknownKey, id)
		}
		keys = append(keys, k)
	}
	for _, id := range ids {
		delete(v.keys, master+slave+id)
	}
	return keys, nil
}

func newHandler() (*Handler, *vault) {
	v := &vault{bits: 10_000, keys: map[string]Key{}}
	return &Handler{Keys: v, Limits: DefaultLimits(), Identify: func(r *http.Request) string { return r.Header.Get("X-Test-SAE") }}, v
}

func ask(h http.Handler, sae, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("X-Test-SAE", sae)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func read[T any](t *testing.T, w *httptest.ResponseRecorder, status int) (v T) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return v
}

func TestStatusHasEveryFieldOfTheStandard(t *testing.T) {
	h, _ := newHandler()
	got := read[map[string]any](t, ask(h, "CC", "GET", "/api/v1/keys/GW1/status", ""), 200)
	for field, want := range map[string]any{
		"source_KME_ID": "KME-CC", "target_KME_ID": "KME-GW1", "master_SAE_ID": "CC", "slave_SAE_ID": "GW1", "key_size": 256.0,
		"stored_key_count": 39.0, "max_key_count": 390.0, "max_key_per_request": 128.0, "max_key_size": 8192.0, "min_key_size": 64.0, "max_SAE_ID_count": 0.0,
	} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
}

func TestKeyIsHandedToBothEndsOnce(t *testing.T) {
	h, v := newHandler()
	for _, c := range []struct{ method, target, body string }{
		{"GET", "/api/v1/keys/GW1/enc_keys?number=2&size=128", ""},
		{"POST", "/api/v1/keys/GW1/enc_keys", `{"number":2,"size":128,"extension_optional":[{"x":1}]}`},
	} {
		drawn := read[Container](t, ask(h, "CC", c.method, c.target, c.body), 200)
		if len(drawn.Keys) != 2 || len(drawn.Keys[0].Bytes) != 16 || drawn.Keys[0].ID == drawn.Keys[1].ID {
			t.Fatalf("%+v", drawn)
		}
		ids, _ := json.Marshal(IDs{[]ID{{drawn.Keys[0].ID}, {drawn.Keys[1].ID}}})
		if len(v.keys) != 2 {
			t.Fatal("nothing waits")
		}
		for sae, want := range map[string]int{"GW2": 400, "CC": 400} { // neither a third one nor the master itself
			if w := ask(h, sae, "POST", "/api/v1/keys/CC/dec_keys", string(ids)); w.Code != want {
				t.Errorf("%s: status %d", sae, w.Code)
			}
		}
		got := read[Container](t, ask(h, "GW1", "POST", "/api/v1/keys/CC/dec_keys", string(ids)), 200)
		if len(got.Keys) != 2 || string(got.Keys[1].Bytes) != string(drawn.Keys[1].Bytes) {
			t.Errorf("%+v", got)
		}
		read[Failure](t, ask(h, "GW1", "GET", "/api/v1/keys/CC/dec_keys?key_ID="+drawn.Keys[0].ID, ""), 400)
	}
}

func TestKeyIsWrittenInBase64(t *testing.T) {
	h, _ := newHandler()
	got := read[struct{ Keys []map[string]string }](t, ask(h, "CC", "POST", "/api/v1/keys/GW1/enc_keys", ""), 200)
	if b, err := base64.StdEncoding.DecodeString(got.Keys[0]["key"]); err != nil || len(b) != 32 {
		t.Errorf("%q: %d bytes, %v", got.Keys[0]["key"], len(b), err)
	}
}

func TestErrorsSayWhatWasFoundAndExpected(t *testing.T) {
	h, v := newHandler()
	const enc = "/api/v1/keys/GW1/enc_keys"
	for _, c := range []struct {
		sae, method, target, body string
		status                    int
		want                      string
	}{
		{"", "GET", "/api/v1/keys/GW1/status", "", 401, "expected a client certificate"},
		{"CC", "GET", "/api/v1/keys/GW9/status", "", 400, "GW9"},
		{"CC", "POST", "/api/v1/keys/GW1/status", "", 405, "expected GET"},
		{"CC", "DELETE", enc, "", 405, "expected GET, POST"},
		{"CC", "GET", "/api/v1/keys/GW1/keys", "", 404, "enc_keys or dec_keys"},
		{"CC", "GET", "/api/v1/keys//status", "", 404, "enc_keys or dec_keys"},
		{"CC", "GET", enc + "?number=x", "", 400, `"found":"x"`},
		{"CC", "GET", enc + "?number=0", "", 400, "1 to 128"},
		{"CC", "GET", enc + "?number=129", "", 400, "1 to 128"},
		{"CC", "GET", enc + "?size=100", "", 400, "size shall be a multiple of 8"},
		{"CC", "GET", enc + "?size=8", "", 400, "64 to 8192 bits"},
		{"CC", "POST", enc, `{"size":"big"}`, 400, `"parameter":"size"`},
		{"CC", "POST", enc, `[]`, 400, "message"},
		{"CC", "POST", enc, `{`, 400, "no JSON object"},
		{"CC", "POST", enc, `{"additional_slave_SAE_IDs":["GW2"]}`, 400, "max_SAE_ID_count is 0"},
		{"CC", "POST", enc, `{"extension_mandatory":[{"route":"direct"}]}`, 400, "not all extension_mandatory parameters are supported"},
		{"CC", "POST", enc, strings.Repeat(" ", maxBody+1), 400, "longer than 65536"},
		{"CC", "GET", enc + "?number=128&size=256", "", 503, "need 32768 bits, have 10000"},
		{"GW1", "GET", "/api/v1/keys/CC/dec_keys", "", 400, "the ID of a key"},
		{"GW1", "GET", "/api/v1/keys/CC/dec_keys?key_ID=a&key_ID=a", "", 400, "each ID once"},
		{"GW1", "POST", "/api/v1/keys/CC/dec_keys", `{"key_IDs":[{"key_ID":"a"}]}`, 400, "key not known: a"},
	} {
		w := ask(h, c.sae, c.method, c.target, c.body)
		f := read[Failure](t, w, c.status)
		if f.Message == "" || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s %s: %s, want %q", c.method, c.target, c.body, w.Body, c.want)
		}
	}
	if v.bits != 10_000 {
		t.Errorf("%d bits are gone", 10_000-v.bits)
	}
	v.away = true
	w := ask(h, "CC", "GET", "/api/v1/keys/GW1/status", "")
	if read[Failure](t, w, 503); w.Header().Get("Retry-After") == "" {
		t.Error("no word on when to come again")
	}
}

func FuzzRequest(f *testing.F) {
	f.Add("POST", "/api/v1/keys/GW1/enc_keys", `{"number":1}`)
	f.Add("GET", "/api/v1/keys/CC/dec_keys?key_ID=a", "")
	f.Fuzz(func(t *testing.T, method, target, body string) {
		r, err := http.NewRequest(method, "http://x/"+strings.TrimPrefix(target, "/"), strings.NewReader(body))
		if err != nil {
			return
		}
		h, _ := newHandler()
		r.Header.Set("X-Test-SAE", "CC")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) || w.Code >= 500 && w.Code != 503 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}

func ExampleHandler() {
	h, _ := newHandler()
	w := ask(h, "CC", "GET", "/api/v1/keys/GW1/enc_keys?size=64", "")
	fmt.Print(w.Code, " ", w.Body)
	// Output: 200 {"keys":[{"key_ID":"00000000-0000-8000-8000-000000000001","key":"a2tra2tra2s="}]}
}
