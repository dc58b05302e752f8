package experiment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"

	"cosim/federates/ws"
)

// tap listens, and keeps what goes over its connections.
type tap struct {
	net.Listener
	mu    sync.Mutex
	conns []*tapped
}

// Accept implements net.Listener.
func (t *tap) Accept() (net.Conn, error) {
	conn, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &tapped{Conn: conn, ended: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns = append(t.conns, c)
	return c, nil
}

// latest is the newest connection, or nil.
func (t *tap) latest() *tapped {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.conns) == 0 {
		return nil
	}
	return t.conns[len(t.conns)-1]
}

// told is why connections were refused, each reason once.
func (t *tap) told() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	for _, c := range t.conns {
		c.mu.Lock()
		if c.refusal != "" {
			if !slices.Contains(all, c.refusal) { // a program that tries again is told the same
				all = append(all, c.refusal)
			}
			c.refusal = ""
		}
		c.mu.Unlock()
	}
	return all
}

// tapped is a connection whose bytes are kept since the last mark.
type tapped struct {
	net.Conn
	mu         sync.Mutex
	in         []byte
	swallowing bool   // nothing reaches the master any more
	refusal    string // what the master said when it turned the connection away
	ended      chan struct{}
	once       sync.Once
	hungUp     bool // by the other side, once ended
}

// Read implements net.Conn.
func (c *tapped) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		c.mu.Lock()
		c.in = append(c.in, p[:n]...)
		swallowing := c.swallowing
		if swallowing {
			n = 0
			if len(messagesOf(c.in)) > 0 {
				err = io.EOF
				_ = c.Conn.Close()
			}
		}
		if err != nil && strings.Contains(err.Error(), "tls: ") {
			c.refusal = "the handshake of TLS failed: " + err.Error()
		}
		c.mu.Unlock()
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
			c.end(true)
		}
		if !swallowing || err != nil {
			return n, err
		}
	}
}

// Write implements net.Conn.
func (c *tapped) Write(p []byte) (int, error) {
	if text := refusalIn(p); text != "" {
		c.mu.Lock()
		if c.refusal == "" { // else HTTP's answer to what is none
			c.refusal = text
		}
		c.mu.Unlock()
	}
	return c.Conn.Write(p)
}

// Close implements net.Conn.
func (c *tapped) Close() error {
	c.end(false)
	return c.Conn.Close()
}

func (c *tapped) end(hungUp bool) {
	c.once.Do(func() { c.hungUp = hungUp; close(c.ended) })
}

// leaves waits for the connection's end and says whether the other side hung up.
func (c *tapped) leaves() bool {
	<-c.ended
	return c.hungUp
}

// hasEnded is true also of a connection that never was.
func (c *tapped) hasEnded() bool {
	if c == nil {
		return true
	}
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// mark forgets what went over the connection so far.
func (c *tapped) mark() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = c.in[:0]
}

// swallow keeps what comes from the master and cuts the connection once a whole
// message has come.
func (c *tapped) swallow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.swallowing = true
}

// messages are those that came since the last mark.
func (c *tapped) messages() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return messagesOf(c.in)
}

// lastMessage is the newest of them, or nil.
func (c *tapped) lastMessage() []byte {
	m := c.messages()
	if len(m) == 0 {
		return nil
	}
	return m[len(m)-1]
}

// ponged says whether a pong with a word has come since the last mark.
func (c *tapped) ponged(word string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range framesOf(c.in) {
		if f.opcode == 10 && string(f.payload) == word {
			return true
		}
	}
	return false
}

// refusalIn finds the status of a refused handshake, or an error message.
func refusalIn(out []byte) string {
	if status, ok := strings.CutPrefix(string(out), "HTTP/1.1 "); ok && !strings.HasPrefix(status, "101") {
		head, body, _ := strings.Cut(status, "\r\n\r\n")
		head, _, _ = strings.Cut(head, "\r\n")
		return fmt.Sprintf("%s: %s", head, strings.TrimSpace(body))
	}
	if !bytes.Contains(out, []byte(ws.TypeError)) {
		return ""
	}
	for _, m := range messagesOf(out) {
		for _, codec := range []*ws.Codec{ws.JSON, ws.CBOR} {
			e := &ws.Error{}
			if codec.Decode(m, e) == nil {
				return e.Error()
			}
		}
	}
	return ""
}

// wireFrame is a frame of RFC 6455.
type wireFrame struct {
	opcode  byte
	last    bool
	payload []byte
}

// framesOf reads the whole frames in data, after a handshake if there is one.
func framesOf(data []byte) []wireFrame {
	if bytes.HasPrefix(data, []byte("GET ")) || bytes.HasPrefix(data, []byte("HTTP/")) {
		_, data, _ = bytes.Cut(data, []byte("\r\n\r\n"))
	}
	var all []wireFrame
	for len(data) >= 2 {
		f := wireFrame{opcode: data[0] & 0x0f, last: data[0]&0x80 != 0}
		masked, size, at := data[1]&0x80 != 0, uint64(data[1]&0x7f), 2
		switch {
		case size == 126 && len(data) >= 4:
			size, at = uint64(binary.BigEndian.Uint16(data[2:])), 4
		case size == 127 && len(data) >= 10:
			size, at = binary.BigEndian.Uint64(data[2:]), 10
		case size >= 126:
			return all
		}
		var mask [4]byte
		if masked {
			at += copy(mask[:], data[at:])
		}
		if at > len(data) || size > uint64(len(data)-at) {
			return all
		}
		f.payload = bytes.Clone(data[at : at+int(size)])
		for i := range f.payload {
			f.payload[i] ^= mask[i%4]
		}
		all, data = append(all, f), data[at+int(size):]
	}
	return all
}

// messagesOf joins the frames of whole messages.
func messagesOf(data []byte) (all [][]byte) {
	var message []byte
	for _, f := range framesOf(data) {
		if f.opcode > 2 {
			continue
		}
		message = append(message, f.payload...)
		if f.last {
			all, message = append(all, message), nil
		}
	}
	return all
}
