package ws_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// strange is a server made by hand, which speaks WebSocket as no library would.
type strange struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// frame is one of a server's, with any head and payload.
func frame(head byte, payload string) string {
	switch n := len(payload); {
	case n < 126:
		return string([]byte{head, byte(n)}) + payload
	case n < 1<<16:
		return string(binary.BigEndian.AppendUint16([]byte{head, 126}, uint16(n))) + payload
	default:
		return string(binary.BigEndian.AppendUint64([]byte{head, 127}, uint64(n))) + payload
	}
}

// admit takes the next connection and answers its handshake; the words in
// place of the usual ones are for those that must be refused.
func admit(t *testing.T, listener net.Listener, replace ...string) *strange {
	t.Helper()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	s := &strange{t, conn, bufio.NewReader(conn)}
	request, err := http.ReadRequest(s.in)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(digest[:]) + "\r\nSec-WebSocket-Protocol: cosim.v1.json\r\n\r\n"
	s.send(strings.NewReplacer(replace...).Replace(answer))
	return s
}

func (s *strange) send(text string) { _, _ = io.WriteString(s.conn, text) }

// crumble sends byte after byte.
func (s *strange) crumble(text string) {
	for i := range len(text) {
		s.send(text[i : i+1])
	}
}

// expect reads a masked frame that is whole.
func (s *strange) expect(opcode byte, contains string) {
	s.t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(s.in, head); err != nil {
		s.t.Fatalf("expected %q: %v", contains, err)
	}
	n := int(head[1] & 0x7f)
	if n == 126 {
		long := make([]byte, 2)
		_, _ = io.ReadFull(s.in, long)
		n = int(binary.BigEndian.Uint16(long))
	}
	body := make([]byte, 4+n)
	_, _ = io.ReadFull(s.in, body)
	for i := range n {
		body[4+i] ^= body[i%4]
	}
	if head[0] != 0x80|opcode || head[1]&0x80 == 0 || !strings.Contains(string(body[4:]), contains) {
		s.t.Errorf("expected opcode %d with %q, got % x %q", opcode, contains, head, body[4:])
	}
}

const strangeWelcome = `{"type":"welcome","run":"Öl","seed":7,"start_ns":0,"stop_ns":10000000,"step_ns":10000000,"resume_token":"t"}`

// All that RFC 6455 lets a server do: messages in pieces that split a letter,
// pings between the pieces, bytes that trickle in, frames of every size.
func TestClientsTakeWhateverWebSocketAllows(t *testing.T) {
	eachLanguage(t, func(t *testing.T, start starter) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		p := start(fmt.Sprintf("ws://%s/v1/federates/b", listener.Addr()), nil)
		s := admit(t, listener)
		s.expect(1, `"type":`)
		half := strings.Index(strangeWelcome, "Ö") + 1
		s.crumble(frame(0x01, strangeWelcome[:half]) + frame(0x89, "are you there?"))
		s.crumble(frame(0x00, strangeWelcome[half:half+9]) + frame(0x8a, "unasked") + frame(0x00, "") + frame(0x80, strangeWelcome[half+9:]))
		s.expect(10, "are you there?")
		s.send(frame(0x81, `{"type":"step","seq":-1,"from_ns":0,"to_ns":0}`) + frame(0x89, ""))
		// Two frames came at once: the answers may go out in either order.
		s.expectBoth(`"seq":-1`)
		long := `{"type":"step","seq":0,"from_ns":0,"to_ns":10000000,"inputs":{"in":[1,-2.5e-3]}}`
		s.send(frame(0x81, long+strings.Repeat(" ", 100000)))
		s.expect(1, `"seq":0`)
		s.send(frame(0x81, long+strings.Repeat(" ", 300))) // once more, as after a lost answer
		s.expect(1, `"seq":0`)
		s.send(frame(0x81, `{"type":"stop","reason":"aborted"}`) + frame(0x88, "\x03\xe8bye"))
		s.expect(8, "\x03\xe8")
		_ = s.conn.Close()
		ended := p.cmd.Wait()
		if ended != nil || !strings.HasSuffix(p.out.String(), "closed\naborted\n") {
			t.Errorf("%v: %s, %s", ended, &p.out, &p.err)
		}
	})
}

// expectBoth reads a pong and a text in either order.
func (s *strange) expectBoth(contains string) {
	first, err := s.in.Peek(1)
	if err != nil {
		s.t.Fatal(err)
	}
	if first[0] == 0x8a {
		s.expect(10, "")
		s.expect(1, contains)
		return
	}
	s.expect(1, contains)
	s.expect(10, "")
}

// forbidden is what no server may do: send a frame, or answer the handshake
// with other words.
var forbidden = map[string]struct{ send, old, new, says string }{
	"mask":               {send: "\x81\x81abcd\x00", says: "reserved bits or a mask"},
	"reserved bit":       {send: "\xc1\x01a", says: "reserved bits or a mask"},
	"bytes":              {send: frame(0x82, "{}"), says: "opcode 2 where text was due"},
	"unknown opcode":     {send: frame(0x83, "{}"), says: "opcode 3"},
	"loose continuation": {send: frame(0x80, "{}"), says: "opcode 0"},
	"text in a message":  {send: frame(0x01, "{") + frame(0x81, "}"), says: "opcode 1"},
	"ping in pieces":     {send: frame(0x09, "a"), says: "split or too long"},
	"long ping":          {send: frame(0x89, strings.Repeat("a", 126)), says: "split or too long"},
	"no UTF-8":           {send: frame(0x81, "\"\xff\""), says: "not UTF-8"},
	"too large":          {send: "\x81\x7f\x00\x00\x00\x10\x00\x00\x00\x00", says: "a frame of 68719476736 bytes"},
	"no JSON":            {send: frame(0x81, "hello?"), says: "expected a message of cosim.v1.json, got"},
	"no message":         {send: frame(0x81, "[1]"), says: "expected a message of cosim.v1.json, got"},
	"no welcome":         {send: frame(0x81, `{"type":"stop","reason":"end"}`), says: "expected welcome, got a message of type"},
	"accept":             {old: "Accept: ", new: "Accept: A", says: "no WebSocket server"},
	"protocol":           {old: "cosim.v1.json", new: "mqtt", says: "does not speak cosim.v1.json"},
	"extension":          {old: "Upgrade: websocket", new: "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate", says: "extension"},
}

// It ends the session with a word, not with a hang.
func TestClientsRefuseWhatWebSocketForbids(t *testing.T) {
	eachLanguage(t, func(t *testing.T, start starter) {
		listeners, programs := map[string]net.Listener{}, map[string]*program{}
		for name := range forbidden {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			listeners[name], programs[name] = listener, start(fmt.Sprintf("ws://%s/v1/federates/b", listener.Addr()), nil)
		}
		for name, test := range forbidden {
			var replace []string
			if test.old != "" {
				replace = []string{test.old, test.new}
			}
			s := admit(t, listeners[name], replace...)
			if test.send != "" {
				s.expect(1, "hello")
				s.send(test.send)
			}
			p := programs[name]
			if p.cmd.Wait() == nil || !strings.Contains(p.err.String(), test.says) {
				t.Errorf("%s: %s", name, &p.err)
			}
			_ = s.conn.Close()
		}
	})
}
