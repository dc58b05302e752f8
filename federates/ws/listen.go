package ws

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// Listening says where and how a server listens.
type Listening struct {
	Address string // "127.0.0.1:8765"
	// Certificate and Key are files in PEM format; with them connections are
	// encrypted (wss).
	Certificate, Key string
	// ClientCA is a file in PEM format with the authorities whose client
	// certificates are asked for; empty: none are.
	ClientCA string
	// Tokens says that every federate must bring one.
	Tokens bool
}

// Listen opens the address. Beyond this machine it does so only with tokens
// and encryption.
func (l Listening) Listen() (net.Listener, error) {
	host, _, err := net.SplitHostPort(l.Address)
	if err != nil {
		return nil, fmt.Errorf("ws: listening address: %w", err)
	}
	if !IsLoopback(host) && (!l.Tokens || l.Certificate == "") {
		return nil, fmt.Errorf("ws: %s can be reached from other machines: expected tokens, a certificate and its key (or an address such as 127.0.0.1:8765)", l.Address)
	}
	secure, err := l.security()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", l.Address)
	if err != nil {
		return nil, fmt.Errorf("ws: %w", err)
	}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	return listener, nil
}

// security reads certificates; nil without.
func (l Listening) security() (*tls.Config, error) {
	if l.Certificate == "" && l.Key == "" {
		if l.ClientCA != "" {
			return nil, errors.New("ws: client certificates need a certificate and its key on this side")
		}
		return nil, nil
	}
	own, err := tls.LoadX509KeyPair(l.Certificate, l.Key)
	if err != nil {
		return nil, fmt.Errorf("ws: certificate %s with key %s: %w", l.Certificate, l.Key, err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	if l.ClientCA == "" {
		return c, nil
	}
	text, err := os.ReadFile(l.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("ws: %w", err)
	}
	c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !c.ClientCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("ws: %s holds no certificate", l.ClientCA)
	}
	return c, nil
}

// URL is where a federate connects.
func (l Listening) URL(listener net.Listener, federate string) string {
	scheme := "ws"
	if l.Certificate != "" {
		scheme = "wss"
	}
	return scheme + "://" + listener.Addr().String() + federatesPath + federate
}

// HTTPServer serves h with limits on what may come before a WebSocket.
func HTTPServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
}

// shortestToken that is taken for a secret.
const shortestToken = 16

// ReadTokens reads a file with a federate's name and its token on each line;
// empty lines and those that begin with # say nothing.
func ReadTokens(file string) (map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("ws: %w", err)
	}
	defer f.Close()
	tokens := map[string]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
			continue
		case len(words) != 2:
			return nil, fmt.Errorf("ws: %s:%d: expected a federate's name and its token, found %d words", file, n, len(words))
		case len(words[1]) < shortestToken:
			return nil, fmt.Errorf("ws: %s:%d: the token of %s is shorter than %d characters", file, n, words[0], shortestToken)
		case tokens[words[0]] != "":
			return nil, fmt.Errorf("ws: %s:%d: a second token for %s", file, n, words[0])
		}
		tokens[words[0]] = words[1]
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("ws: %s: %w", file, err)
	}
	return tokens, nil
}
