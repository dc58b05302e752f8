package ws

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	cosync "cosim/sync"
)

// Config says what a Server expects.
type Config struct {
	Run  string
	Seed uint64
	Stop cosync.Time
	// Federates are those that may connect.
	Federates []Expected
	// Origins are those of pages in a browser that may connect besides those
	// that this machine serves ("https://lab.example").
	Origins []string
	// FrameBytes is the size of the largest frame; 0 for 16 MiB.
	FrameBytes int64
	// HelloWithin is the time for a hello after connecting; 0 for 10 s.
	HelloWithin time.Duration
	// Secret is what the run's id and its resume tokens are made from. A run
	// that was killed and is resumed has that of before, so that programs which
	// outlived it know it and are known. Empty: one is made.
	Secret []byte
}

// Expected is a federate that may connect.
type Expected struct {
	Name string
	// Token is what it must bring as a bearer token; empty: none is asked for.
	Token string
	// Deadline is the wall time for a step; 0 for 10 s.
	Deadline time.Duration
	// Grace is the wall time in which it may come back after its connection
	// broke; 0: it may not.
	Grace      time.Duration
	Parameters map[string]string
	// InPlaceOf, if any, is the federate whose place it takes: it must have the
	// same step and outputs, and goes by that name in the federation.
	InPlaceOf *cosync.Description
	// Check, if any, says what is wrong with the description of one that has
	// connected.
	Check func(cosync.Description) error
}

// Server admits external federates.
type Server struct {
	cfg      Config
	expected []*External
	byName   map[string]*External
	upgrader websocket.Upgrader
	refused  refusals
	pending  chan struct{} // a place for each that has not said hello
	readers  sync.WaitGroup
	done     chan struct{} // closed by Close
	closing  sync.Once

	mu      sync.Mutex    // of what follows, and of every External's link
	changed chan struct{} // closed at the next change
	started bool          // all are there, and the run has begun
	closed  bool
	conns   map[*conn]bool
}

// NewServer makes a server for one run.
func NewServer(c Config) (*Server, error) {
	if c.FrameBytes == 0 {
		c.FrameBytes = 16 << 20
	}
	if c.HelloWithin == 0 {
		c.HelloWithin = 10 * time.Second
	}
	if len(c.Secret) == 0 {
		c.Secret = make([]byte, 32)
		_, _ = rand.Read(c.Secret) // never fails
	}
	s := &Server{
		cfg: c, byName: map[string]*External{}, done: make(chan struct{}),
		changed: make(chan struct{}), conns: map[*conn]bool{},
		pending: make(chan struct{}, 2*len(c.Federates)+16),
		upgrader: websocket.Upgrader{
			Subprotocols:   []string{ProtocolCBOR, ProtocolJSON},
			ReadBufferSize: socketBuffer, WriteBufferSize: socketBuffer,
			HandshakeTimeout: c.HelloWithin,
			CheckOrigin:      func(*http.Request) bool { return true }, // checked before
		},
	}
	for _, x := range c.Federates {
		if x.Name == "" || strings.ContainsAny(x.Name, "/.") || s.byName[x.Name] != nil {
			return nil, fmt.Errorf("ws: %q: names of federates are not empty, differ, and hold no slash or dot", x.Name)
		}
		if x.Deadline == 0 {
			x.Deadline = 10 * time.Second
		}
		e := &External{server: s, cfg: x, over: time.NewTimer(time.Hour)}
		e.over.Stop()
		s.expected = append(s.expected, e)
		s.byName[x.Name] = e
	}
	return s, nil
}

// Secret is that of the Config, or the one that was made.
func (s *Server) Secret() []byte { return s.cfg.Secret }

// Federates returns those that are expected, in the order of the Config.
func (s *Server) Federates() []*External { return s.expected }

// Await returns when all federates are connected, which begins the run: from
// here on nobody can take the place of one that leaves. Whenever it changes who
// is missing, report is told.
func (s *Server) Await(ctx context.Context, report func(missing []string)) error {
	before := -1
	for {
		missing, changed := s.missing()
		if len(missing) == 0 {
			return nil
		}
		if len(missing) != before {
			report(missing)
			before = len(missing)
		}
		select {
		case <-changed:
		case <-s.done:
			if ctx.Err() == nil {
				return errClosed
			}
			return fmt.Errorf("ws: still waiting for %s: %w", strings.Join(missing, ", "), ctx.Err())
		case <-ctx.Done():
			return fmt.Errorf("ws: still waiting for %s: %w", strings.Join(missing, ", "), ctx.Err())
		}
	}
}

func (s *Server) missing() (names []string, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.expected {
		if e.conn == nil {
			names = append(names, e.cfg.Name)
		}
	}
	s.started = s.started || len(names) == 0
	return names, s.changed
}

// change wakes all that wait for a change; mu is held.
func (s *Server) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}

var errClosed = errors.New("ws: interrupted")

// Interrupt makes steps under way, and Await, return an error.
func (s *Server) Interrupt() { s.closing.Do(func() { close(s.done) }) }

// Close ends all connections. The run should have ended: closing an External
// takes leave of its peer.
func (s *Server) Close() error {
	s.Interrupt()
	s.mu.Lock()
	s.closed = true
	var open []*conn
	for c := range s.conns {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		c.depart(&Stop{TypeStop, StopAborted}, websocket.CloseNormalClosure) // unless it has had its last words
	}
	s.readers.Wait()
	return nil
}

const federatesPath = "/v1/federates/"

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, isFederate := strings.CutPrefix(r.URL.Path, federatesPath)
	switch {
	case r.URL.Path == "/v1/schema.json":
		w.Header().Set("Content-Type", "application/schema+json")
		_, _ = w.Write(Schema())
	case isFederate:
		s.admit(w, r, name)
	default:
		http.Error(w, "expected "+federatesPath+"{name} or /v1/schema.json", http.StatusNotFound)
	}
}

// admit lets a request in, or says why not.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, name string) {
	address := hostOf(r.RemoteAddr)
	if s.refused.tooMany(address, time.Now()) {
		http.Error(w, "too many refused attempts; try again in a second", http.StatusTooManyRequests)
		return
	}
	e, status, text := s.check(r, name)
	if status != 0 {
		s.refused.add(address, time.Now())
		http.Error(w, text, status)
		return
	}
	select {
	case s.pending <- struct{}{}:
		defer func() { <-s.pending }()
	default:
		http.Error(w, "too many connections that have not said hello", http.StatusTooManyRequests)
		return
	}
	socket, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.refused.add(address, time.Now())
		return // the upgrader has answered
	}
	c := newConn(socket, s.cfg.FrameBytes)
	if !s.track(c) {
		_ = socket.Close()
		return
	}
	s.readers.Go(func() { c.read(func() { s.dropped(e, c) }) })
	if err := s.greet(e, c); err != nil {
		s.refused.add(address, time.Now())
		refuse(c, err)
	}
}

// check says whom a request may connect as, or with which status to refuse it.
// Where tokens are in use, nobody learns without one which names there are.
func (s *Server) check(r *http.Request, name string) (e *External, status int, text string) {
	e = s.byName[name]
	var known, secret bool
	var token string
	if e != nil {
		known, token = true, e.cfg.Token
	}
	for _, x := range s.expected {
		secret = secret || x.cfg.Token != ""
	}
	switch {
	case (token != "" || secret && !known) && (!sameToken(bearer(r), token) || !known):
		return nil, http.StatusUnauthorized, "expected the federate's token: Authorization: Bearer ..."
	case !known:
		var names []string
		for _, x := range s.expected {
			names = append(names, x.cfg.Name)
		}
		return nil, http.StatusNotFound, fmt.Sprintf("no federate %q is expected; there is %s", name, strings.Join(names, ", "))
	case !originAllowed(r, s.cfg.Origins):
		return nil, http.StatusForbidden, "pages of this origin may not connect"
	case !websocket.IsWebSocketUpgrade(r):
		return nil, http.StatusUpgradeRequired, "expected a WebSocket"
	}
	for _, p := range websocket.Subprotocols(r) {
		if CodecOf(p) != nil {
			return e, 0, ""
		}
	}
	return nil, http.StatusBadRequest, fmt.Sprintf("expected sub-protocol %s or %s, got %q", ProtocolJSON, ProtocolCBOR, websocket.Subprotocols(r))
}

// track remembers an open connection, unless the server is closed.
func (s *Server) track(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.conns[c] = true
	}
	return !s.closed
}

// dropped notes that a connection has ended.
func (s *Server) dropped(e *External, c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if e.conn != c {
		return
	}
	e.conn, e.brokenAt, e.brokenWhy, e.brokenLast = nil, time.Now(), c.err, c.last.Load()
	if !s.started {
		e.hello, e.resume = nil, "" // anyone may take the name
	}
	s.change()
}

// greet hears a hello and answers it.
func (s *Server) greet(e *External, c *conn) error {
	late := time.NewTimer(s.cfg.HelloWithin)
	defer late.Stop()
	var frame []byte
	select {
	case frame = <-c.frames:
	case <-c.ended:
		return c.err
	case <-s.done:
		return errClosed
	case <-late.C:
		return refusef(CodeDeadline, "expected hello within %v", s.cfg.HelloWithin)
	}
	h := &Hello{}
	if err := c.codec.Decode(frame, h); err != nil {
		return err
	}
	d, err := e.describe(h)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	resumes := h.ResumeToken != "" && (s.started || e.resume != "") // before the run a name that is free is anyone's
	switch {
	case s.closed:
		return errClosed
	case e.failure != nil:
		return refusef(CodeTaken, "%s is lost to this run: %v", e.cfg.Name, e.failure)
	case resumes && (e.resume == "" || !sameToken(h.ResumeToken, e.resume)):
		return refusef(CodeBadResume, "expected the resume token of %s's welcome, got another", e.cfg.Name)
	case h.ResumeToken != "" && !s.gave(h.ResumeToken, e.cfg.Name):
		return refusef(CodeBadResume, "expected a resume token of run %s, got one of another run", s.cfg.Run)
	case resumes && !sameHello(h, e.hello):
		return refusef(CodeBadResume, "expected the description that %s gave before", e.cfg.Name)
	case !resumes && e.conn != nil:
		return refusef(CodeTaken, "%s is connected from %s; expected its resume token to take over", e.cfg.Name, e.conn.remote)
	case !resumes && s.started:
		return refusef(CodeTaken, "%s was lost and may come back; expected its resume token", e.cfg.Name)
	}
	old := e.conn
	if !resumes {
		e.hello, e.about, e.resume = h, d, s.newToken(e.cfg.Name)
		e.prepare()
	}
	if err := c.write(e.welcome(), writeWithin); err != nil {
		return err
	}
	e.conn = c
	if old != nil {
		old.cut()
	}
	s.change()
	return nil
}

// refuse tells a peer why, if it is still there to hear it.
func refuse(c *conn, err error) {
	var e *Error
	if !errors.As(err, &e) {
		c.cut()
		return
	}
	code := websocket.ClosePolicyViolation
	if e.Code == CodeTooLarge {
		code = websocket.CloseMessageTooBig
	}
	c.depart(e, code)
}

// sameHello compares two hellos but for the resume token.
func sameHello(a, b *Hello) bool {
	x, y := *a, *b
	x.ResumeToken, y.ResumeToken = "", ""
	return reflect.DeepEqual(x, y)
}
