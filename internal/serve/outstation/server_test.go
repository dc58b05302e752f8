package outstation

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cosim/scada/iec104"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serving runs a server until the test ends.
func serving(t *testing.T, sv *Server, secure *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sv.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return address
}

// remote is a master on a socket.
type remote struct {
	t     *testing.T
	conn  net.Conn
	assoc iec104.Association
}

func dial(t *testing.T, address string) *remote {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return newRemote(t, conn)
}

func newRemote(t *testing.T, conn net.Conn) *remote {
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &remote{t: t, conn: conn}
}

// next is the next frame but S frames; I frames are acknowledged at once.
func (r *remote) next() string {
	r.t.Helper()
	for {
		a, err := r.read()
		if err != nil {
			r.t.Fatal(err)
		}
		if a.Format == iec104.FormatI {
			r.send(r.assoc.AppendS(nil))
		}
		if a.Format != iec104.FormatS {
			return tell(a)
		}
	}
}

func (r *remote) read() (*iec104.APDU, error) {
	b := make([]byte, 2+iec104.MaxLength)
	if _, err := io.ReadFull(r.conn, b[:2]); err != nil {
		return nil, err
	}
	n, err := iec104.FrameLen(b)
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(r.conn, b[2:n]); err != nil {
		return nil, err
	}
	a := &iec104.APDU{}
	err = a.Decode(b[:n])
	r.assoc.Receive(a)
	return a, err
}

func (r *remote) send(frame []byte) {
	r.t.Helper()
	if _, err := r.conn.Write(frame); err != nil {
		r.t.Fatal(err)
	}
}

func (r *remote) ask(t iec104.TypeID, o iec104.Object) {
	r.t.Helper()
	frame, err := r.assoc.AppendI(nil, &iec104.ASDU{Type: t, Cause: iec104.Activation, CommonAddr: 7, Objects: []iec104.Object{o}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.send(frame)
}

func (r *remote) start() {
	r.t.Helper()
	r.send(iec104.AppendU(nil, iec104.StartDTAct))
	r.want("STARTDT con", "M_EI_NA_1 cot 4")
}

func (r *remote) want(lines ...string) {
	r.t.Helper()
	for _, want := range lines {
		if got := r.next(); got != want {
			r.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestSeveralMastersSeeOneProcess(t *testing.T) {
	p := newPlant(t)
	var mu sync.Mutex
	var done []func()
	p.cfg.Operate = func(_ Order, d func()) error {
		mu.Lock()
		defer mu.Unlock()
		done = append(done, d)
		return nil
	}
	address := serving(t, &Server{Station: p.Station}, nil)
	a, b := dial(t, address), dial(t, address)
	a.start()
	b.start()
	p.values[0] = 1
	p.Image().Update(epoch, p.values, 0)
	a.want("M_SP_TB_1 cot 3 101=0x1")
	b.want("M_SP_TB_1 cot 3 101=0x1")
	a.ask(iec104.CSeNc1, iec104.FloatObject(2002, 12.5, 0))
	a.want("C_SE_NC_1 cot 7 2002=12.5")
	mu.Lock()
	done[0]()
	mu.Unlock()
	a.want("C_SE_NC_1 cot 10 2002=12.5")
}

func TestOneMasterTooManyIsSentAway(t *testing.T) {
	p := newPlant(t)
	sv := &Server{Station: p.Station, MaxMasters: 1}
	address := serving(t, sv, nil)
	a := dial(t, address)
	a.start()
	if sv.Masters() != 1 {
		t.Errorf("%d masters", sv.Masters())
	}
	b := dial(t, address)
	if _, err := b.read(); err == nil {
		t.Fatal("the second one is served")
	}
	a.conn.Close()
	for sv.Masters() > 0 {
		time.Sleep(time.Millisecond)
	}
	dial(t, address).start()
}

func TestAMasterThatBreaksTheRulesIsCutOff(t *testing.T) {
	p := newPlant(t)
	address := serving(t, &Server{Station: p.Station}, nil)
	good := dial(t, address)
	good.start()
	for name, bytes := range map[string]string{
		"not IEC 104":    "GET / HTTP/1.1\r\n\r\n",
		"a short length": "\x68\x03\x07\x00\x00",
		"before STARTDT": "\x68\x0e\x00\x00\x00\x00\x64\x01\x06\x00\x07\x00\x00\x00\x00\x14",
	} {
		bad := dial(t, address)
		bad.send([]byte(bytes))
		if _, err := bad.read(); err == nil {
			t.Errorf("%s: answered", name)
		}
	}
	good.ask(iec104.CTsTa1, iec104.Object{})
	good.want("C_TS_TA_1 cot 7")
}

// authority issues certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	pair := a.issue("authority")
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	a.cert, a.key = cert, pair.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// issue makes a certificate, the first one signed by itself.
func (a *authority) issue(name string) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: a.cert == nil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func TestWithMutualTLSOnlyCertifiedMastersAreServed(t *testing.T) {
	p := newPlant(t)
	ours, theirs := newAuthority(t), newAuthority(t)
	address := serving(t, &Server{Station: p.Station}, &tls.Config{
		Certificates: []tls.Certificate{ours.issue("station")}, ClientCAs: ours.pool(),
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	})
	connect := func(c *tls.Config) *remote {
		conn, err := tls.Dial("tcp", address, c)
		if err != nil {
			t.Fatal(err)
		}
		return newRemote(t, conn)
	}
	connect(&tls.Config{RootCAs: ours.pool(), Certificates: []tls.Certificate{ours.issue("master")}}).start()
	for name, c := range map[string]*tls.Config{
		"without a certificate": {RootCAs: ours.pool()},
		"a stranger's":          {RootCAs: ours.pool(), Certificates: []tls.Certificate{theirs.issue("master")}},
	} {
		r := connect(c)
		_, _ = r.conn.Write(iec104.AppendU(nil, iec104.StartDTAct))
		_, err := r.read()
		if err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "tls") {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := dial(t, address)
	plain.send(iec104.AppendU(nil, iec104.StartDTAct))
	if a, err := plain.read(); err == nil {
		t.Errorf("in clear: %+v", a)
	}
}
