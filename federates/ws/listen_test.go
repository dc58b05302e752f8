package ws_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	"cosim/sync"
)

func TestOnlyLoopbackIsOpenWithoutTokenAndTLS(t *testing.T) {
	certificate, key := certify(t, t.TempDir())
	for _, test := range []struct {
		l    ws.Listening
		open bool
	}{
		{ws.Listening{Address: "127.0.0.1:0"}, true},
		{ws.Listening{Address: "localhost:0"}, true},
		{ws.Listening{Address: "127.0.0.2:0"}, true},
		{ws.Listening{Address: "0.0.0.0:0"}, false},
		{ws.Listening{Address: ":0"}, false},
		{ws.Listening{Address: "[::]:0", Tokens: true}, false},
		{ws.Listening{Address: "0.0.0.0:0", Certificate: certificate, Key: key}, false},
		{ws.Listening{Address: "0.0.0.0:0", Tokens: true, Certificate: certificate, Key: key}, true},
		{ws.Listening{Address: "127.0.0.1"}, false},
		{ws.Listening{Address: "127.0.0.1:0", ClientCA: certificate}, false},
		{ws.Listening{Address: "127.0.0.1:0", Certificate: certificate, Key: key, ClientCA: key}, false},
	} {
		listener, err := test.l.Listen()
		if err == nil {
			_ = listener.Close()
		}
		if (err == nil) != test.open {
			t.Errorf("%+v: %v", test.l, err)
		}
	}
}

// certify makes a certificate for 127.0.0.1 that is an authority too, and its
// key.
func certify(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "cosim test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	made, err := x509.CreateCertificate(rand.Reader, about, about, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: made}, key: {Type: "PRIVATE KEY", Bytes: text}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

func TestEncryptedWithClientCertificates(t *testing.T) {
	certificate, key := certify(t, t.TempDir())
	l := ws.Listening{Address: "127.0.0.1:0", Certificate: certificate, Key: key, ClientCA: certificate, Tokens: true}
	listener, err := l.Listen()
	if err != nil {
		t.Fatal(err)
	}
	server, err := ws.NewServer(ws.Config{Stop: campaign, Federates: []ws.Expected{{Name: "b", Token: token}}})
	if err != nil {
		t.Fatal(err)
	}
	web := ws.HTTPServer(server)
	web.ErrorLog = silent
	done := make(chan struct{})
	go func() { defer close(done); _ = web.Serve(listener) }()
	defer func() { _ = web.Close(); _ = server.Close(); <-done }()

	own, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	url := l.URL(listener, "b")
	f := &adder{name: "b", step: 10 * sync.Millisecond}
	for name, o := range map[string]client.Options{
		"no client certificate": {Token: token, TLS: &tls.Config{RootCAs: roots}},
		"unknown authority":     {Token: token, TLS: &tls.Config{Certificates: []tls.Certificate{own}}},
		"no token":              {TLS: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}}},
	} {
		o.Patience = -1
		if err := client.Run(context.Background(), url, f, o); err == nil {
			t.Errorf("%s: let in", name)
		}
	}
	ended := make(chan error, 1)
	go func() {
		ended <- client.Run(context.Background(), url, f, client.Options{
			Token: token, TLS: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}},
		})
	}()
	if err := server.Await(context.Background(), func([]string) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := run([]sync.Federate{server.Federates()[0]}, nil, sync.Options{Stop: campaign}); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTokensAreReadStrictly(t *testing.T) {
	for text, says := range map[string]string{
		"# of the lab\n\nbattery  0123456789abcdef\npv fedcba9876543210\n": "",
		"battery\n":         ":1: expected a federate's name and its token, found 1 words",
		"\nbattery short\n": ":2: the token of battery is shorter than 16 characters",
		"b 0123456789abcdef\nb 0123456789abcdef\n": ":2: a second token for b",
	} {
		file := filepath.Join(t.TempDir(), "tokens")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		tokens, err := ws.ReadTokens(file)
		switch {
		case says == "" && (err != nil || len(tokens) != 2 || tokens["pv"] != "fedcba9876543210"):
			t.Errorf("%q: %v, %v", text, tokens, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
			t.Errorf("%q: %v", text, err)
		}
	}
}
