// Package client joins a federate written in Go to a federation elsewhere, by
// the protocol cosim.v1 of package ws.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"cosim/federates/ws"
	"cosim/sync"
)

// Options of Run. The zero value is ready.
type Options struct {
	// Codec is ws.CBOR, the default, or ws.JSON.
	Codec *ws.Codec
	// Token is the bearer token of the federate.
	Token string
	// TLS is for wss addresses with certificates of one's own.
	TLS *tls.Config
	// Patience is the time to keep trying to connect, at first and after the
	// connection broke; 0 for 10 s, negative for a single attempt. One that is
	// long enough outlives a run that is killed, until it is resumed.
	Patience time.Duration
	// OnWelcome hears of the run before its first step: once, and once more
	// whenever the run begins again.
	OnWelcome func(*ws.Welcome) error
	// Again makes the federate anew, as it was before its first step, when the
	// run begins again because it was killed and is resumed. Nil: Run then
	// returns ErrBeginsAgain.
	Again func() sync.Federate
}

// ErrBeginsAgain says that the run was killed and is now repeated from its
// start, to which a federate that has made steps does not find back by itself.
var ErrBeginsAgain = errors.New("client: the run begins again, and Options.Again is not set")

// Run takes part in a run as federate until its end; url is
// ws://host:port/v1/federates/name. A nil error means that the run has stopped,
// or that federate was told so. When the connection breaks, Run comes back and
// goes on with the step that was not answered or, in a run that was killed and
// is resumed, makes all steps again. The federate is closed at the end.
func Run(ctx context.Context, url string, federate sync.Federate, o Options) (err error) {
	if o.Codec == nil {
		o.Codec = ws.CBOR
	}
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	p := newPlayer(federate, o)
	defer func() { err = errors.Join(err, p.federate.Close()) }()
	end := time.Now().Add(o.Patience)
	for {
		socket, err := dial(ctx, url, end, o)
		if err != nil {
			return err
		}
		made, begun := p.last, time.Now()
		err = p.session(ctx, socket)
		_ = socket.Close()
		if p.last > made || time.Since(begun) > o.Patience { // it was good for something
			end = time.Now().Add(o.Patience)
		}
		var lost *lostError
		if !errors.As(err, &lost) || time.Now().After(end) || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// lostError is a broken connection, after which another may be tried.
type lostError struct{ err error }

func (e *lostError) Error() string { return "client: connection lost: " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// dial connects, again and again as long as nobody answers, until end.
func dial(ctx context.Context, url string, end time.Time, o Options) (*websocket.Conn, error) {
	dialer := websocket.Dialer{
		Subprotocols: []string{o.Codec.Protocol()}, TLSClientConfig: o.TLS, HandshakeTimeout: 10 * time.Second,
		ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10,
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return beingPatient(c), nil
		},
	}
	header := http.Header{}
	if o.Token != "" {
		header.Set("Authorization", "Bearer "+o.Token)
	}
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		socket, answer, err := dialer.DialContext(ctx, url, header)
		switch {
		case err == nil:
			return socket, nil
		case answer != nil:
			text, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
			return nil, fmt.Errorf("client: %s refuses: %s: %s", url, answer.Status, strings.TrimSpace(string(text)))
		case time.Now().Add(pause).After(end):
			return nil, fmt.Errorf("client: %s: %w", url, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("client: %s: %w", url, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// player makes the steps that it is asked for, over one connection or several.
type player struct {
	federate sync.Federate
	codec    *ws.Codec
	options  Options
	about    sync.Description
	hello    *ws.Hello
	step     sync.Step
	welcome  *ws.Welcome
	last     int64  // the step made last
	answer   []byte // to it
}

// noStep comes before step −1.
const noStep = -2

func newPlayer(federate sync.Federate, o Options) *player {
	p := &player{federate: federate, codec: o.Codec, options: o, about: federate.Describe(), last: noStep}
	p.hello = ws.HelloOf(p.about)
	p.step.In, p.step.Out = make([]sync.Signal, len(p.about.Inputs)), make([]sync.Signal, len(p.about.Outputs))
	for i, port := range p.about.Inputs {
		p.step.In[i].Values = make([]float64, 0, len(port.Elements))
	}
	for i, port := range p.about.Outputs {
		p.step.Out[i].Values = make([]float64, len(port.Elements))
	}
	return p
}

// session plays until the run stops or the connection breaks.
func (p *player) session(ctx context.Context, socket *websocket.Conn) error {
	defer context.AfterFunc(ctx, func() { _ = socket.NetConn().Close() })()
	var buffer bytes.Buffer
	if err := p.greet(socket, &buffer); err != nil {
		return err
	}
	for {
		frame, err := receive(socket, &buffer)
		if err != nil {
			return err
		}
		message, err := p.codec.DecodeNext(frame, &ws.Step{}, &ws.Stop{})
		if err != nil {
			return fmt.Errorf("client: %w", err)
		}
		s, isStep := message.(*ws.Step)
		if !isStep {
			return nil
		}
		if err := p.play(s); err != nil {
			p.tell(socket, err)
			return err
		}
		if err := socket.WriteMessage(p.codec.FrameType(), p.answer); err != nil {
			return lastWords(socket, p.codec, err)
		}
	}
}

// greet says hello and hears the welcome.
func (p *player) greet(socket *websocket.Conn, buffer *bytes.Buffer) error {
	hello, err := p.codec.Encode(p.hello)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if err := socket.WriteMessage(p.codec.FrameType(), hello); err != nil {
		return &lostError{err}
	}
	frame, err := receive(socket, buffer)
	if err != nil {
		return err
	}
	w := &ws.Welcome{}
	if err := p.codec.Decode(frame, w); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	first := p.welcome == nil
	if !first && w.RunID != p.welcome.RunID {
		return fmt.Errorf("client: expected to come back to run %s (%s), found another, %s (%s)", p.welcome.Run, p.welcome.RunID, w.Run, w.RunID)
	}
	p.welcome, p.hello.ResumeToken = w, w.ResumeToken
	if first {
		return p.hear()
	}
	return nil
}

// hear lets the program know of a run that begins.
func (p *player) hear() error {
	if p.options.OnWelcome == nil {
		return nil
	}
	return p.options.OnWelcome(p.welcome)
}

func receive(socket *websocket.Conn, buffer *bytes.Buffer) ([]byte, error) {
	_, reader, err := socket.NextReader()
	if err == nil {
		buffer.Reset()
		_, err = buffer.ReadFrom(reader)
	}
	if err != nil {
		return nil, &lostError{err}
	}
	return buffer.Bytes(), nil
}

// lastWords reads why the other side hung up while we wrote, if it said so.
func lastWords(socket *websocket.Conn, codec *ws.Codec, err error) error {
	_ = socket.SetReadDeadline(time.Now().Add(time.Second))
	if _, frame, readErr := socket.ReadMessage(); readErr == nil {
		if told := codec.Decode(frame, &ws.Stop{}); told != nil {
			return fmt.Errorf("client: %w", told)
		}
		return nil
	}
	return &lostError{err}
}

// play makes a step. One that was made already, whose answer was lost, keeps
// its answer.
func (p *player) play(s *ws.Step) error {
	switch {
	case s.Seq == p.last:
		return nil
	case s.Seq < 0 && p.last != noStep:
		if err := p.beginAgain(); err != nil {
			return err
		}
	}
	p.step.Seq, p.step.From, p.step.To = s.Seq, sync.Time(s.FromNS), sync.Time(s.ToNS)
	p.step.Next, p.step.Woken = sync.Never, s.Woken
	for i := range p.step.Out {
		out := &p.step.Out[i]
		out.Messages, out.Events = out.Messages[:0], out.Events[:0]
	}
	if err := p.read(s); err != nil {
		return fmt.Errorf("client: step %d: %w", s.Seq, err)
	}
	var err error
	if s.Seq < 0 {
		err = p.federate.Init(p.step.Out)
	} else {
		err = p.federate.Step(&p.step)
	}
	if err != nil {
		return err
	}
	d := &ws.Done{Type: ws.TypeDone, Seq: s.Seq, Outputs: make(map[string]ws.Content, len(p.step.Out))}
	for i := range p.step.Out {
		out, port := &p.step.Out[i], &p.about.Outputs[i]
		if len(out.Values)+len(out.Messages)+len(out.Events) > 0 {
			d.Outputs[port.Name] = ws.ContentOf(port, out)
		}
	}
	if p.about.ByEvent && s.Seq >= 0 && p.step.Next != sync.Never {
		d.NextNS = (*int64)(&p.step.Next)
	}
	p.answer, err = p.codec.Encode(d)
	if err != nil {
		return fmt.Errorf("client: step %d: %w", s.Seq, err)
	}
	p.last = s.Seq
	return nil
}

// beginAgain puts a new federate in the place of the one that has made steps.
func (p *player) beginAgain() error {
	if p.options.Again == nil {
		return ErrBeginsAgain
	}
	err := p.federate.Close()
	p.federate = p.options.Again()
	for i := range p.step.Out {
		clear(p.step.Out[i].Values)
	}
	return errors.Join(err, p.hear())
}

// read fills the inputs. A vector that is not sent is unconnected: nil.
func (p *player) read(s *ws.Step) error {
	for i := range p.step.In {
		in, port := &p.step.In[i], &p.about.Inputs[i]
		content, sent := s.Inputs[port.Name]
		in.Messages, in.Events, in.Stale = in.Messages[:0], in.Events[:0], false
		switch {
		case !sent:
			in.Values = nil
		case port.Kind == sync.Vector:
			if in.Values == nil {
				in.Values = make([]float64, len(port.Elements))
			}
			in.Values = in.Values[:len(port.Elements)]
			fallthrough
		default:
			// What comes late is older than the step, what a slow source sends is ahead of it.
			if err := p.codec.Fill(in, port, &content, 0, math.MaxInt64); err != nil {
				return err
			}
		}
	}
	for _, name := range s.Stale {
		for i := range p.about.Inputs {
			if p.about.Inputs[i].Name == name {
				p.step.In[i].Stale = true
			}
		}
	}
	return nil
}

// tell lets the master know why this federate cannot go on.
func (p *player) tell(socket *websocket.Conn, err error) {
	frame, encodeErr := p.codec.Encode(&ws.Error{Type: ws.TypeError, Code: ws.CodeFailed, Message: err.Error()})
	if encodeErr == nil && socket.WriteMessage(p.codec.FrameType(), frame) == nil {
		_ = socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	}
}
