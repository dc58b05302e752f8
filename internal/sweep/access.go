package sweep

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"cosim/federates/ws"
)

// Access is what proves who a program is and encrypts what it says: on the side
// that listens, and on the side that connects.
type Access struct {
	// TokenFile has a name and a token on each line: those who may connect, or
	// in the first line who connects.
	TokenFile string
	// Credentials is a NATS credentials file, to connect to a cluster.
	Credentials string
	// Certificate and Key (PEM) are this program's own.
	Certificate, Key string
	// CA (PEM) holds the authorities of the other side. The side that listens
	// then asks for certificates.
	CA string
}

// identity is an Access that was read.
type identity struct {
	names, tokens []string
	certificates  []tls.Certificate
	authorities   *x509.CertPool
}

func (a Access) read() (*identity, error) {
	id := &identity{}
	if a.TokenFile != "" {
		tokens, err := ws.ReadTokens(a.TokenFile)
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(tokens)) {
			id.names, id.tokens = append(id.names, name), append(id.tokens, tokens[name])
		}
		if len(id.names) == 0 {
			return nil, fmt.Errorf("sweep: %s is empty, expected a name and a token on each line", a.TokenFile)
		}
	}
	if (a.Certificate == "") != (a.Key == "") {
		return nil, errors.New("sweep: certificate and key belong together")
	}
	if a.Certificate != "" {
		own, err := tls.LoadX509KeyPair(a.Certificate, a.Key)
		if err != nil {
			return nil, fmt.Errorf("sweep: certificate %s with key %s: %w", a.Certificate, a.Key, err)
		}
		id.certificates = []tls.Certificate{own}
	}
	if a.CA != "" {
		text, err := os.ReadFile(a.CA)
		if err != nil {
			return nil, fmt.Errorf("sweep: %w", err)
		}
		id.authorities = x509.NewCertPool()
		if !id.authorities.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("sweep: %s holds no certificate", a.CA)
		}
	}
	return id, nil
}

// patience is how long a server may take to start and to answer.
const patience = 20 * time.Second

// maxMessage holds the definition of any experiment, compressed.
const maxMessage = 8 << 20

// serve starts a NATS server inside this process. It opens no socket without
// an address, and beyond this machine only with tokens and encryption. Its
// streams are in memory: what must last stands in the journal.
func (a Access) serve(address, storeDir string) (*server.Server, *identity, error) {
	id, err := a.read()
	if err != nil {
		return nil, nil, err
	}
	o := &server.Options{
		ServerName: "cosim-sweep", DontListen: address == "", NoSigs: true, NoLog: true, MaxPayload: maxMessage,
		JetStream: true, JetStreamMaxMemory: 1 << 30, StoreDir: storeDir, DisableJetStreamBanner: true,
	}
	if address != "" {
		if err := id.listen(address, o); err != nil {
			return nil, nil, err
		}
	}
	for i, name := range id.names {
		o.Users = append(o.Users, &server.User{Username: name, Password: id.tokens[i]})
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, nil, fmt.Errorf("sweep: %w", err)
	}
	if address != "" { // the server itself would end the process
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, nil, fmt.Errorf("sweep: %w", err)
		}
		l.Close()
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		s.Shutdown()
		return nil, nil, fmt.Errorf("sweep: the queue's server did not start within %v", patience)
	}
	return s, id, nil
}

func (id *identity) listen(address string, o *server.Options) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("sweep: listening address: %w", err)
	}
	if !ws.IsLoopback(host) && (len(id.names) == 0 || len(id.certificates) == 0) {
		return fmt.Errorf("sweep: %s can be reached from other machines: expected a token file, a certificate and its key (or an address such as 127.0.0.1:4222)", address)
	}
	if o.Port, err = net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("sweep: listening address: %w", err)
	}
	if o.Host = host; o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	if len(id.certificates) > 0 {
		o.TLSConfig = &tls.Config{Certificates: id.certificates, MinVersion: tls.VersionTLS12}
		if id.authorities != nil {
			o.TLSConfig.ClientCAs, o.TLSConfig.ClientAuth = id.authorities, tls.RequireAndVerifyClientCert
		}
	}
	return nil
}

// user is the option that says who connects.
func (id *identity) user() []nats.Option {
	if len(id.names) == 0 {
		return nil
	}
	return []nats.Option{nats.UserInfo(id.names[0], id.tokens[0])}
}

// options are those of a connection to the servers at an address such as
// "tls://queue.example:4222". Tokens do not leave this machine in the clear.
func (a Access) options(address string) ([]nats.Option, error) {
	id, err := a.read()
	if err != nil {
		return nil, err
	}
	o := id.user()
	if a.Credentials != "" {
		o = append(o, nats.UserCredentials(a.Credentials))
	}
	for one := range strings.SplitSeq(address, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("sweep: found %q, expected an address such as nats://127.0.0.1:4222 or tls://queue.example:4222", one)
		}
		if (len(id.names) > 0 || u.User != nil) && !ws.IsLoopback(u.Hostname()) || id.authorities != nil || len(id.certificates) > 0 {
			o = append(o, nats.Secure(&tls.Config{Certificates: id.certificates, RootCAs: id.authorities, MinVersion: tls.VersionTLS12}))
			break
		}
	}
	return o, nil
}
