package ws

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	writeWithin  = time.Second // for what fits into any socket's buffer
	lingerFor    = time.Second // until a peer has read our last words
	pingsPerS    = 10
	pingsBurst   = 50
	socketBuffer = 16 << 10
)

// conn is one connection of a peer. One goroutine reads it and hands frames
// over, whoever writes is its only writer.
type conn struct {
	ws     *websocket.Conn
	codec  *Codec
	remote string
	frames chan []byte   // handed over one at a time; each is good until the next
	ended  chan struct{} // closed when reading has ended
	err    error         // why, once ended
	left   chan struct{} // closed when nobody takes frames any more
	leave  sync.Once
	writes sync.Mutex
	last   atomic.Int64 // wall time of the last frame, ns
	pings  bucket
}

func newConn(ws *websocket.Conn, limit int64) *conn {
	if tcp, ok := ws.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetNoDelay(true) // the default, and what step times stand on
	}
	c := &conn{
		ws: ws, codec: CodecOf(ws.Subprotocol()), remote: ws.RemoteAddr().String(),
		frames: make(chan []byte), ended: make(chan struct{}), left: make(chan struct{}),
		pings: bucket{rate: pingsPerS, burst: pingsBurst},
	}
	ws.SetReadLimit(limit)
	pong := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		if !c.pings.pass(time.Now()) {
			return refusef(CodeTooMany, "expected at most %d pings a second", pingsPerS)
		}
		return pong(data)
	})
	return c
}

// read hands over frames until the connection ends.
func (c *conn) read(onEnd func()) {
	var buffers [2]bytes.Buffer
	for i := 0; ; i ^= 1 {
		data, err := c.next(&buffers[i])
		if err != nil {
			c.err = err
			break
		}
		select {
		case c.frames <- data:
			continue
		case <-c.left:
			c.err = errLeft
		}
		break
	}
	onEnd()
	close(c.ended)
	var refused *Error
	if errors.As(c.err, &refused) {
		refuse(c, refused)
	}
	// Closing a socket with unread data would throw away the last words to the
	// peer; so it has some time to hang up first.
	_ = c.ws.SetReadDeadline(time.Now().Add(lingerFor))
	_, _ = io.Copy(io.Discard, c.ws.NetConn())
	_ = c.ws.Close()
}

var errLeft = errors.New("ws: left")

// next reads one frame into buffer. The error is an *Error if the peer broke
// a rule; otherwise the connection is broken.
func (c *conn) next(buffer *bytes.Buffer) ([]byte, error) {
	kind, reader, err := c.ws.NextReader()
	if err != nil {
		return nil, readError(err)
	}
	buffer.Reset()
	if _, err := buffer.ReadFrom(reader); err != nil {
		return nil, readError(err)
	}
	c.last.Store(time.Now().UnixNano())
	if kind != c.codec.frame {
		return nil, refusef(CodeBadMessage, "expected %s frames in %s, got a %s one", frameNames[c.codec.frame], c.codec.protocol, frameNames[kind])
	}
	return buffer.Bytes(), nil
}

var frameNames = map[int]string{websocket.TextMessage: "text", websocket.BinaryMessage: "binary"}

// readError tells broken rules of WebSocket from broken connections.
func readError(err error) error {
	var closed *websocket.CloseError
	var refused *Error
	var network net.Error
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return refusef(CodeTooLarge, "a frame beyond the limit")
	case errors.As(err, &refused), errors.As(err, &closed), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return err
	}
	return refusef(CodeBadMessage, "%v", err)
}

// write sends a message within a time.
func (c *conn) write(message any, within time.Duration) error {
	data, err := c.codec.Encode(message)
	if err != nil {
		return fmt.Errorf("ws: %w", err)
	}
	c.writes.Lock()
	defer c.writes.Unlock()
	_ = c.ws.SetWriteDeadline(time.Now().Add(within))
	return c.ws.WriteMessage(c.codec.frame, data)
}

// depart says the last words and lets the reader end the connection once the
// peer has had the time to hear them.
func (c *conn) depart(message any, code int) {
	c.leave.Do(func() {
		close(c.left)
		_ = c.ws.SetReadDeadline(time.Now().Add(lingerFor))
		if c.write(message, writeWithin) == nil {
			_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(lingerFor))
		}
	})
}

// cut ends the connection without a word.
func (c *conn) cut() {
	c.leave.Do(func() { close(c.left) })
	_ = c.ws.NetConn().Close()
}
