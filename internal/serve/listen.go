package serve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"cosim/federates/ws"
)

// Security is what protects the sockets. The zero value serves this machine
// only, in clear.
type Security struct {
	// Certificate and Key are files in PEM format; with them connections are
	// encrypted.
	Certificate, Key string
	// ClientCA is a file in PEM format with the authorities whose client
	// certificates are asked for, from everybody.
	ClientCA string
	// TokenFile has a name and its token on each line: "operator" for runs and
	// chains, the name of a station for its key.
	TokenFile string
}

// secured is a Security that was read.
type secured struct {
	tls    *tls.Config // nil: in clear
	mutual bool
	tokens map[string]string // by name
}

func (s Security) read() (*secured, error) {
	r := &secured{mutual: s.ClientCA != ""}
	var err error
	if s.TokenFile != "" {
		if r.tokens, err = ws.ReadTokens(s.TokenFile); err != nil {
			return nil, err
		}
	}
	switch {
	case (s.Certificate == "") != (s.Key == ""):
		return nil, errors.New("serve: certificate and key belong together")
	case s.Certificate == "" && s.ClientCA != "":
		return nil, errors.New("serve: client certificates need a certificate and its key on this side")
	case s.Certificate == "":
		return r, nil
	}
	own, err := tls.LoadX509KeyPair(s.Certificate, s.Key)
	if err != nil {
		return nil, fmt.Errorf("serve: certificate %s with key %s: %w", s.Certificate, s.Key, err)
	}
	r.tls = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	if !r.mutual {
		return r, nil
	}
	text, err := os.ReadFile(s.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	r.tls.ClientCAs, r.tls.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !r.tls.ClientCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("serve: %s holds no certificate", s.ClientCA)
	}
	return r, nil
}

// checkHTTP refuses to be reached from other machines without encryption and
// tokens.
func (r *secured) checkHTTP(address string) error {
	local, err := isLocal(address)
	if err != nil || local || r.tls != nil && len(r.tokens) > 0 {
		return err
	}
	return fmt.Errorf("serve: %s can be reached from other machines: expected a token file, a certificate and its key (or an address such as 127.0.0.1:8080)", address)
}

// checkIEC104 refuses to be reached from other machines without certificates on
// both sides: the protocol itself knows no passwords.
func (r *secured) checkIEC104(address string) error {
	local, err := isLocal(address)
	if err != nil || local || r.mutual {
		return err
	}
	return fmt.Errorf("serve: %s can be reached from other machines: expected a certificate, its key and a client authority (or an address such as 127.0.0.1:2404)", address)
}

// open listens on an address that was checked.
func (r *secured) open(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	if r.tls != nil {
		l = tls.NewListener(l, r.tls)
	}
	return l, nil
}

func isLocal(address string) (bool, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false, fmt.Errorf("serve: listening address: %w", err)
	}
	return isLoopback(host), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
