package serve

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOtherMachinesAreRefusedWithoutTokensAndEncryption(t *testing.T) {
	for _, c := range []struct {
		http, iec104 string
		want         string
	}{
		{"0.0.0.0:0", "", "expected a token file, a certificate and its key"},
		{":0", "", "expected a token file"},
		{"", "0.0.0.0:0", "expected a certificate, its key and a client authority"},
		{"", "192.0.2.1:2404", "expected a certificate"},
		{"nonsense", "", "listening address"},
	} {
		for _, tokens := range []string{"", tokenFile(t)} {
			_, err := New(Config{HTTP: c.http, IEC104: c.iec104, Security: Security{TokenFile: tokens}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q %q: %v, want %q", c.http, c.iec104, err, c.want)
			}
		}
	}
	for _, s := range []Security{{Certificate: "a"}, {Key: "a"}, {ClientCA: "a"}, {TokenFile: "nowhere"}, {Certificate: "a", Key: "b"}} {
		if _, err := New(Config{HTTP: "127.0.0.1:0", Security: s}); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}

func TestOnlyTheOperatorCommandsWhereTokensAreInUse(t *testing.T) {
	with, err := Security{TokenFile: tokenFile(t)}.read()
	if err != nil {
		t.Fatal(err)
	}
	without := &secured{}
	for _, c := range []struct {
		access        *secured
		header, host  string
		origin        string
		want          int
		name, comment string
	}{
		{with, "Bearer " + operatorToken, "127.0.0.1", "", 200, "operator", "the operator"},
		{with, "bearer " + operatorToken, "lab.example", "", 200, "operator", "the operator by another name of the machine"},
		{with, "Bearer " + centreToken, "127.0.0.1", "", 401, "CC", "a station"},
		{with, "Bearer ", "127.0.0.1", "", 401, "", "an empty token"},
		{with, "Basic " + operatorToken, "127.0.0.1", "", 401, "", "another scheme"},
		{with, "", "127.0.0.1", "", 401, "", "nobody"},
		{without, "", "127.0.0.1:8080", "", 200, "", "a program of this machine"},
		{without, "", "[::1]:8080", "", 200, "", "likewise"},
		{without, "", "evil.example", "", 403, "", "a page whose name was made to point here"},
		{without, "", "127.0.0.1", "https://evil.example", 403, "", "a page of another origin"},
	} {
		r := httptest.NewRequest("POST", "http://"+c.host+"/", nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if got := c.access.identify(r); got != c.name {
			t.Errorf("%s: identified as %q, want %q", c.comment, got, c.name)
		}
		w := httptest.NewRecorder()
		next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
		c.access.guarded(http.NewCrossOriginProtection().Handler(next)).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: status %d, want %d", c.comment, w.Code, c.want)
		}
	}
}
