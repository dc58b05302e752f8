package mosaik

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// session is a connection to a simulator with at most one request of ours
// under way.
type session struct {
	conn     net.Conn
	program  *program // nil: it was there already
	deadline time.Duration
	answer   func(c *call) (any, error) // what the simulator asks back

	id      atomic.Int64
	failed  atomic.Bool // it will answer no more
	asked   time.Time
	request atomic.Pointer[string] // under way, or whose reply is being read
	in      bytes.Buffer
	out     []byte
}

// slack is the time that even a reply that is waited for late, because others
// took long, has to be read.
const slack = 10 * time.Millisecond

// send makes a request. Arguments and named are JSON.
func (x *session) send(function string, arguments, named []byte) error {
	id := x.id.Add(1)
	x.asked = time.Now()
	x.request.Store(&function)
	content := append([]byte(`["`), function...)
	content = append(append(content, `",`...), arguments...)
	content = append(append(append(content, ','), named...), ']')
	return x.write(request, id, content)
}

func (x *session) write(k kind, id int64, content []byte) error {
	x.out = appendMessage(x.out[:0], k, id, content)
	if err := x.conn.SetWriteDeadline(time.Now().Add(x.deadline)); err != nil {
		return x.broken(err)
	}
	if _, err := x.conn.Write(x.out); err != nil {
		return x.broken(err)
	}
	return nil
}

// receive waits for the reply to the last request and answers what the
// simulator asks until then. The result is good until the next one.
func (x *session) receive() (json.RawMessage, error) {
	until := x.asked.Add(x.deadline)
	if soonest := time.Now().Add(slack); until.Before(soonest) {
		until = soonest
	}
	if err := x.conn.SetReadDeadline(until); err != nil {
		return nil, x.broken(err)
	}
	for {
		if err := readFrame(x.conn, &x.in); err != nil {
			return nil, x.broken(err)
		}
		m, err := decode(x.in.Bytes())
		if err != nil {
			return nil, err
		}
		switch {
		case m.kind == request:
			if err := x.reply(m); err != nil {
				return nil, err
			}
		case m.id != x.id.Load():
			return nil, faultf(CodeWrongID, "expected a reply to request %d, got one to %d", x.id.Load(), m.id)
		case m.kind == failure:
			var text string
			if json.Unmarshal(m.content, &text) != nil {
				text = string(m.content)
			}
			return nil, faultf(CodeFailed, "%s", lastLine([]byte(text)))
		default:
			return m.content, nil
		}
	}
}

// reply answers a request of the simulator. One that cannot be fulfilled is
// the simulator's to deal with.
func (x *session) reply(m message) error {
	c, err := decodeCall(m.content)
	if err != nil {
		return err
	}
	k := success
	result, err := x.answer(&c)
	if err != nil {
		k, result = failure, err.Error()
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return x.write(k, m.id, text)
}

// call makes a request and waits for its reply.
func (x *session) call(function string, arguments, named any) (json.RawMessage, error) {
	a, err := json.Marshal(arguments)
	if err != nil {
		return nil, err
	}
	n, err := json.Marshal(named)
	if err != nil {
		return nil, err
	}
	if err := x.send(function, a, n); err != nil {
		return nil, err
	}
	return x.receive()
}

// broken says in the protocol's terms why nothing could be read or written.
func (x *session) broken(err error) error {
	var told *Error
	switch {
	case errors.As(err, &told):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return faultf(CodeDeadline, "expected a reply within %v, got none", x.deadline)
	}
	why := strings.TrimPrefix(err.Error(), "read ")
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		why = "it closed the connection"
	}
	if x.program != nil {
		select {
		case <-x.program.ended:
			why = x.program.how()
		case <-time.After(500 * time.Millisecond): // its end is heard of after that of the connection
		}
	}
	return faultf(CodeConnection, "%s", why)
}

// stop, from any goroutine, takes leave and waits for the simulator to go.
func (x *session) stop(patience time.Duration) {
	_ = x.conn.SetDeadline(time.Now().Add(patience))
	if _, err := x.conn.Write(appendMessage(nil, request, x.id.Add(1), []byte(`["stop",[],{}]`))); err == nil {
		// A simulator that is done closes the connection; whether it replies
		// to stop is its choice.
		_, _ = io.Copy(io.Discard, io.LimitReader(x.conn, MaxMessage))
	}
	_ = x.conn.Close()
	if x.program != nil {
		x.program.end(patience)
	}
}
