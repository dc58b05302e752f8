package sweep

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate of its own authority and its key.
func certificate(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	if err := errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func tokens(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWorkersJoinOverTLSWithTheirToken(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir, "sweep")
	theirs, theirKey := certificate(t, dir, "worker")
	s, o := sweepOf(t, onePoint), options(t)
	o.Access = Access{TokenFile: tokens(t, dir, "all", "a 0123456789abcdef\nb fedcba9876543210\n"), Certificate: cert, Key: key, CA: theirs}
	address, ended := listening(t, s, o)
	if !strings.HasPrefix(address, "tls://127.0.0.1:") {
		t.Errorf("workers are to join at %s", address)
	}
	own := Access{TokenFile: tokens(t, dir, "b", "b fedcba9876543210\n"), Certificate: theirs, Key: theirKey, CA: cert}
	for name, change := range map[string]func(*Access){
		"wrong token":    func(a *Access) { a.TokenFile = tokens(t, dir, "wrong", "b 0123456789abcdef\n") },
		"no token":       func(a *Access) { a.TokenFile = "" },
		"no certificate": func(a *Access) { a.Certificate, a.Key = "", "" },
		"other CA":       func(a *Access) { a.CA = theirs },
	} {
		w := worker1(address)
		w.Access = own
		change(&w.Access)
		if err := Work(t.Context(), w); err == nil {
			t.Errorf("%s: let in", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	w := worker1(address)
	w.Access = own
	leave := join(t, w)
	if err := errors.Join(wait(t, ended), leave()); err != nil {
		t.Error(err)
	}
}

func TestOnlyLoopbackIsOpenWithoutTokenAndTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir, "sweep")
	file := tokens(t, dir, "all", "a 0123456789abcdef\n")
	for _, c := range []struct {
		access  Access
		address string
		want    string
	}{
		{Access{}, "0.0.0.0:0", "can be reached from other machines: expected a token file, a certificate and its key"},
		{Access{TokenFile: file}, ":0", "can be reached from other machines"},
		{Access{Certificate: cert, Key: key}, "0.0.0.0:0", "can be reached from other machines"},
		{Access{Certificate: cert}, "127.0.0.1:0", "belong together"},
		{Access{TokenFile: tokens(t, dir, "none", "# none\n")}, "127.0.0.1:0", "is empty"},
		{Access{}, "127.0.0.1", "listening address"},
	} {
		_, _, err := c.access.serve(c.address, dir)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v at %s: %v, want %s", c.access, c.address, err, c.want)
		}
	}
	if _, err := (Access{}).options("127.0.0.1:4222"); err == nil || !strings.Contains(err.Error(), "expected an address such as") {
		t.Error(err)
	}
}
