package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosim/internal/experiment"
	"cosim/scada/iec104"
)

// authority issues certificates, and writes them as files.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.issue("authority")
	return a
}

// issue makes a certificate and its key; the first one is the authority's own.
func (a *authority) issue(name string) (certificate, key string) {
	a.t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: a.cert == nil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if a.cert == nil {
		a.cert, a.key = c, own
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &own.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(own)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", der), a.write(name+".key", "EC PRIVATE KEY", private)
}

func (a *authority) write(name, kind string, der []byte) string {
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// client is the configuration of one who has a certificate; "" has none.
func (a *authority) client(name string) *tls.Config {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, "authority.pem"))
	if err != nil {
		a.t.Fatal(err)
	}
	c := &tls.Config{RootCAs: x509.NewCertPool()}
	c.RootCAs.AppendCertsFromPEM(text)
	if name == "" {
		return c
	}
	pair, err := tls.LoadX509KeyPair(a.issue(name))
	if err != nil {
		a.t.Fatal(err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c
}

func TestWithMutualTLSTheCertificateSaysWhoCalls(t *testing.T) {
	a := newAuthority(t)
	certificate, key := a.issue("server")
	security := Security{Certificate: certificate, Key: key, ClientCA: filepath.Join(a.dir, "authority.pem"), TokenFile: tokenFile(t)}
	// Other machines may come now.
	c := Config{HTTP: "0.0.0.0:0", IEC104: "0.0.0.0:0", Security: security, Experiment: "S-2", Overrides: quiet("100s"), RealTime: 2}
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
	port := s.http.Addr().(*net.TCPAddr).Port
	ask := func(name, path string) (int, string, error) {
		web := &http.Client{Transport: &http.Transport{TLSClientConfig: a.client(name), DisableKeepAlives: true}}
		res, err := web.Get("https://" + (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String() + path)
		if err != nil {
			return 0, "", err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		return res.StatusCode, string(text), err
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, text, err := ask("operator", "/v1/runs/current")
		if err == nil && strings.Contains(text, `"running"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(text, err)
		}
	}
	for _, x := range []struct {
		name, path string
		status     int
		want       string
	}{
		{"CC", "/api/v1/keys/GW1/status", 200, `"master_SAE_ID":"CC"`},
		{"GW1", "/api/v1/keys/CC/enc_keys", 200, `"key_ID"`},
		{"operator", "/v1/chains/agc-30", 200, `"agc-30"`},
		{"CC", "/v1/chains", 401, "operator"},
	} {
		status, text, err := ask(x.name, x.path)
		if err != nil || status != x.status || !strings.Contains(text, x.want) {
			t.Errorf("%s %s: %d %.200s %v", x.name, x.path, status, text, err)
		}
	}
	if status, text, err := ask("", "/api/v1/keys/GW1/status"); err == nil {
		t.Errorf("without a certificate: %d %s", status, text)
	}
	masters := s.current().listener.Addr().(*net.TCPAddr)
	conn, err := tls.Dial("tcp", (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: masters.Port}).String(), a.client("control centre"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	m := &operatorAt{t: t, conn: conn}
	m.send(iec104.AppendU(nil, iec104.StartDTAct))
	m.await(iec104.MEiNa1, iec104.Initialised)
}
