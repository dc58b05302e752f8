package experiment

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// encrypt makes a certificate for the check, and an authority for it whose
// certificate the federate is given. clear removes what nobody needs after.
func (c *check) encrypt() (clear func(), err error) {
	dir, err := os.MkdirTemp("", "cosim-check")
	if err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	c.listening.Certificate, c.listening.Key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	if err := c.certify(); err != nil {
		return nil, errors.Join(fmt.Errorf("experiment: %w", err), os.RemoveAll(dir))
	}
	return func() { _ = os.RemoveAll(dir) }, nil
}

// certify writes the two certificates, which are good for a day.
func (c *check) certify() error {
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "cosim check-federate"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
	}
	host, _, err := net.SplitHostPort(c.o.Listen)
	if err != nil {
		return err
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + 1), Subject: pkix.Name{CommonName: "cosim"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if ip := net.ParseIP(host); ip != nil {
		own.IPAddresses = append(own.IPAddresses, ip)
	} else if host != "" {
		own.DNSNames = append(own.DNSNames, host)
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	root, err := x509.CreateCertificate(rand.Reader, authority, authority, &signer.PublicKey, signer)
	if err != nil {
		return err
	}
	leaf, err := x509.CreateCertificate(rand.Reader, own, authority, &key.PublicKey, signer)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		writePEM(c.listening.Certificate, "CERTIFICATE", leaf, 0o644),
		writePEM(c.listening.Key, "PRIVATE KEY", secret, 0o600),
		writePEM(c.o.CA, "CERTIFICATE", root, 0o644),
	)
}

func writePEM(file, kind string, content []byte, mode os.FileMode) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), mode)
}
