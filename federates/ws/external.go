package ws

import (
	"errors"
	"fmt"
	"time"

	"cosim/sync"
)

// External is a federate that a program at the other end of a WebSocket
// simulates. It describes what its peer's hello said.
type External struct {
	server *Server
	cfg    Expected

	// Guarded by server.mu until the run has begun; then only these change:
	// conn and what is known of the last one, and failure.
	conn       *conn
	brokenAt   time.Time
	brokenWhy  error
	brokenLast int64
	failure    error // it is lost for good

	hello    *Hello
	about    sync.Description
	resume   string
	sent     []int          // places in about.Inputs of the inputs that the peer reads
	outputs  map[string]int // places in about.Outputs
	over     *time.Timer
	asked    bool
	askedAt  time.Time
	sentOver *conn // the connection over which the step went out
	frame    Step
	finished bool // the run has reached its end
}

var (
	_ sync.Asker     = (*External)(nil)
	_ sync.Explainer = (*External)(nil)
	_ sync.Finisher  = (*External)(nil)
)

// Name is the name under which the peer connects.
func (e *External) Name() string { return e.cfg.Name }

// Describe implements sync.Federate, once the peer is connected.
func (e *External) Describe() sync.Description { return e.about }

// describe checks what a hello says.
func (e *External) describe(h *Hello) (sync.Description, error) {
	if h.Federate != e.cfg.Name {
		return sync.Description{}, refusef(CodeDescription, "federate: expected %q as in the address, got %q", e.cfg.Name, h.Federate)
	}
	d, err := h.describe()
	if err == nil && e.cfg.InPlaceOf != nil {
		d, err = takePlace(d, *e.cfg.InPlaceOf)
	}
	if err == nil && e.cfg.Check != nil {
		if wrong := e.cfg.Check(d); wrong != nil {
			err = refusef(CodeDescription, "%v", wrong)
		}
	}
	return d, err
}

// prepare finds the ports of the hello in the description.
func (e *External) prepare() {
	e.sent, e.outputs = e.sent[:0], make(map[string]int)
	for i, p := range e.about.Inputs {
		for _, own := range e.hello.Inputs {
			if own.Name == p.Name {
				e.sent = append(e.sent, i)
			}
		}
	}
	for i, p := range e.about.Outputs {
		e.outputs[p.Name] = i
	}
}

func (e *External) welcome() *Welcome {
	c := &e.server.cfg
	return &Welcome{
		Type: TypeWelcome, Run: c.Run, RunID: e.server.runID(), Seed: c.Seed, StopNS: int64(c.Stop), StepNS: int64(e.about.Step),
		ResumeToken: e.resume, Parameters: e.cfg.Parameters,
	}
}

// Init implements sync.Federate: it asks for the outputs at time zero.
func (e *External) Init(out []sync.Signal) error {
	s := &sync.Step{Seq: -1, Out: out}
	e.Ask(s)
	return e.Step(s)
}

// Ask implements sync.Asker: it sends the step.
func (e *External) Ask(s *sync.Step) {
	e.asked, e.askedAt, e.sentOver = true, time.Now(), nil
	e.frame = Step{Type: TypeStep, Seq: s.Seq, FromNS: int64(s.From), ToNS: int64(s.To), Woken: s.Woken, Inputs: make(map[string]Content, len(e.sent))}
	for _, i := range e.sent {
		if len(s.In) == 0 {
			break // step −1
		}
		in, port := &s.In[i], &e.about.Inputs[i]
		if len(in.Values)+len(in.Messages)+len(in.Events) > 0 {
			e.frame.Inputs[port.Name] = ContentOf(port, in)
		}
		if in.Stale {
			e.frame.Stale = append(e.frame.Stale, port.Name)
		}
	}
	if c, _ := e.link(); c != nil && e.failure == nil {
		e.send(c)
	}
}

// send puts the step on a connection. If that fails the connection is broken,
// which its reader finds out as well.
func (e *External) send(c *conn) {
	e.sentOver = c
	if err := c.write(&e.frame, e.cfg.Deadline); err != nil {
		c.cut()
	}
}

// Step implements sync.Federate: it waits for the answer.
func (e *External) Step(s *sync.Step) error {
	if e.failure != nil {
		return e.failure
	}
	if !e.asked {
		e.Ask(s)
	}
	e.asked = false
	c, frame, err := e.answer()
	if err == nil {
		err = e.take(c, frame, s)
	}
	if err != nil {
		return e.lose(c, err)
	}
	return nil
}

// slack is the time that even one who is waited for late, because others took
// long, has left to be heard.
const slack = 10 * time.Millisecond

// answer waits for a frame that answers the step, over this connection or, if
// it breaks, over the next.
func (e *External) answer() (*conn, []byte, error) {
	limit := e.askedAt.Add(e.cfg.Deadline)
	for {
		c, changed := e.link()
		if c == nil {
			if err := e.awaitReturn(changed); err != nil {
				return nil, nil, err
			}
			continue
		}
		if c != e.sentOver {
			if e.sentOver != nil || time.Now().After(limit) { // it came back: its time begins anew, once within its grace
				limit = time.Now().Add(e.cfg.Deadline)
				if last := e.askedAt.Add(e.cfg.Deadline + e.cfg.Grace); limit.After(last) {
					limit = last
				}
			}
			e.send(c)
		}
		e.over.Reset(max(slack, time.Until(limit)))
		select {
		case frame := <-c.frames:
			e.over.Stop()
			return c, frame, nil
		case <-c.ended:
			e.over.Stop()
			var refused *Error
			if errors.As(c.err, &refused) {
				return c, nil, c.err
			}
			if e.cfg.Grace == 0 {
				return c, nil, broken(c.err)
			}
		case <-e.over.C:
			return c, nil, refusef(CodeDeadline, "expected done for step %d within %v, got none", e.frame.Seq, e.cfg.Deadline)
		case <-e.server.done:
			return c, nil, errClosed
		}
	}
}

// awaitReturn waits for another connection in place of a broken one.
func (e *External) awaitReturn(changed <-chan struct{}) error {
	e.server.mu.Lock()
	since, why := e.brokenAt, e.brokenWhy
	e.server.mu.Unlock()
	var refused *Error
	if errors.As(why, &refused) {
		return why
	}
	limit := since.Add(e.cfg.Grace)
	if last := e.askedAt.Add(e.cfg.Deadline + e.cfg.Grace); limit.After(last) {
		limit = last
	}
	left := time.Until(limit)
	if left <= 0 {
		if e.cfg.Grace > 0 {
			return fmt.Errorf("%w, and did not come back within its grace of %v", broken(why), e.cfg.Grace)
		}
		return broken(why)
	}
	e.over.Reset(left)
	defer e.over.Stop()
	select {
	case <-changed:
	case <-e.over.C:
	case <-e.server.done:
		return errClosed
	}
	return nil
}

func broken(why error) error { return fmt.Errorf("its connection broke (%w)", why) }

// link returns the present connection, if any, and what closes when that
// changes.
func (e *External) link() (*conn, <-chan struct{}) {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	return e.conn, e.server.changed
}

// take reads an answer into the outputs.
func (e *External) take(c *conn, frame []byte, s *sync.Step) error {
	d := &Done{}
	if err := c.codec.Decode(frame, d); err != nil {
		return err
	}
	if d.Seq != s.Seq {
		return refusef(CodeWrongSeq, "expected done for step %d, got one for step %d", s.Seq, d.Seq)
	}
	if err := e.takeNext(d.NextNS, s); err != nil {
		return err
	}
	found := 0
	for i := range e.about.Outputs {
		port := &e.about.Outputs[i]
		content, given := d.Outputs[port.Name]
		if !given {
			continue
		}
		found++
		if err := c.codec.Fill(&s.Out[i], port, &content, s.From, s.To); err != nil {
			return err
		}
	}
	if found < len(d.Outputs) {
		for name := range d.Outputs {
			if _, known := e.outputs[name]; !known {
				return refusef(CodeUnknownPort, "expected the outputs %s, got %q", namesOf(e.about.Outputs), name)
			}
		}
	}
	return nil
}

// takeNext reads when the peer wants to act next.
func (e *External) takeNext(next *int64, s *sync.Step) error {
	switch {
	case next == nil:
		return nil
	case e.about.ByEvent && s.Seq >= 0:
		if s.Next = sync.Time(*next); s.Next <= s.From {
			return refusef(CodeBadNext, "next_ns: expected more than %d, where the step begins, or none; got %d", s.From, *next)
		}
	case *next != int64(s.To):
		return refusef(CodeBadNext, "next_ns: expected %d, the end of the step, got %d (a federate that names its own times says \"step\":\"event\" in its hello)", s.To, *next)
	}
	return nil
}

// PeerError says which peer was lost, why, and when it was last heard of.
type PeerError struct {
	Federate string // the name under which it connected
	Remote   string // its address; empty if it was not connected
	Silent   time.Duration
	Err      error // an *Error if a rule was broken
}

// Error returns "ws: battery (127.0.0.1:40112): wrong-seq: ...; its last frame
// came 3ms ago".
func (e *PeerError) Error() string {
	who := e.Federate
	if e.Remote != "" {
		who += " (" + e.Remote + ")"
	}
	return fmt.Sprintf("ws: %s: %v; its last frame came %v ago", who, e.Err, e.Silent.Round(time.Millisecond))
}

// Unwrap returns the cause.
func (e *PeerError) Unwrap() error { return e.Err }

// lose gives the peer up and tells it why.
func (e *External) lose(c *conn, err error) error {
	lost := &PeerError{Federate: e.cfg.Name, Err: err}
	e.server.mu.Lock()
	last := e.brokenLast
	if c != nil {
		lost.Remote, last = c.remote, c.last.Load()
	}
	lost.Silent = time.Since(time.Unix(0, last))
	e.failure = lost
	c = e.conn
	e.server.mu.Unlock()
	if c != nil && !errors.Is(err, errClosed) { // Close takes leave
		refuse(c, err)
	}
	return lost
}

// Explain implements sync.Explainer.
func (e *External) Explain() string {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	if e.conn != nil {
		silent := time.Since(time.Unix(0, e.conn.last.Load()))
		return fmt.Sprintf("connected from %s, last frame %v ago, deadline %v", e.conn.remote, silent.Round(time.Millisecond), e.cfg.Deadline)
	}
	ago := time.Since(e.brokenAt)
	return fmt.Sprintf("its connection broke %v ago, it may come back within %v", ago.Round(time.Millisecond), e.cfg.Grace)
}

// Finish implements sync.Finisher.
func (e *External) Finish() { e.finished = true }

// Close implements sync.Federate: it tells the peer that the run has ended.
func (e *External) Close() error {
	c, _ := e.link()
	if c == nil {
		return nil
	}
	reason := StopAborted
	if e.finished {
		reason = StopEnd
	}
	c.depart(&Stop{TypeStop, reason}, 1000)
	return nil
}
